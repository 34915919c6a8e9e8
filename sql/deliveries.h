/*
 * deliveries.h - the dispatcher's side of deliveries: which destinations have work, drawing it,
 * and writing what became of it. Claim short, work without locks, finish by owner and fence.
 */
#ifndef HV_DELIVERIES_H
#define HV_DELIVERIES_H

#include "lib/rules/event.h"
#include "lib/rules/health.h"
#include "sql/db.h"

struct due_destination {
    struct id destination_id;
    usec_t due_at; /* of its earliest waiting delivery */
};
/* offset: the database's clock minus the monotonic one, as clock_offset() takes and gives it. */
int deliveries_due(struct db *db, struct pool *pool, struct due_destination **rows_r,
                   size_t *count_r, usec_t *offset, struct err *err) MUST_CHECK;

struct function_run; /* sql/function_runs.h */

#define DESTINATION_STATUSES(X)                                                                    \
    X(DESTINATION_ENABLED, "enabled")                                                              \
    X(DESTINATION_PAUSED, "paused")                                                                \
    X(DESTINATION_DISABLED, "disabled")                                                            \
    X(DESTINATION_DELETED, "deleted")
enum destination_status {
#define X(name, text) name,
    DESTINATION_STATUSES(X)
#undef X
        DESTINATION_STATUS_COUNT
};

/* The order is that of the ENUM column destinations.kind. */
#define DESTINATION_KINDS(X)                                                                       \
    X(DESTINATION_ENDPOINT, "endpoint")                                                            \
    X(DESTINATION_FUNCTION, "function") /* a post-call function, of the same id */
enum destination_kind {
#define X(name, text) name,
    DESTINATION_KINDS(X)
#undef X
        DESTINATION_KIND_COUNT
};

struct destination_row {
    struct id destination_id, workspace_id;
    enum destination_kind kind;
    enum destination_status status;
    struct str url, secret_sealed, previous_secret_sealed;
    usec_t previous_until; /* TIME_NONE: no previous secret */
    unsigned timeout_seconds, max_in_flight;
    unsigned rate_per_second;  /* 0: as fast as it takes them */
    struct str headers_sealed; /* STR_NULL: none of its own */
    unsigned switches;         /* how often it was enabled by hand */
    struct health health;      /* window is left 0 */
};
/* Rows of those that exist, in no order. */
int deliveries_destinations(struct db *db, struct pool *pool, const struct id *ids, size_t count,
                            struct destination_row **rows_r, size_t *count_r,
                            struct err *err) MUST_CHECK;

/* Drops up to limit deliveries that wait for a destination that was deleted. *count_r under the
 * limit: none is left but what is under way. */
int deliveries_drop(struct db *db, const struct id *destination_id, unsigned limit, size_t *count_r,
                    struct err *err) MUST_CHECK;

struct draw_want {
    struct id destination_id;
    usec_t from; /* what was due before this has been drawn */
    unsigned limit;
};
struct drawn_delivery {
    struct id delivery_id, destination_id, event_id;
    struct id call_id; /* the event's; zero when it has none, or is gone */
    usec_t event_created_at;
    unsigned position, fence; /* fence: ours, after the claim */
    unsigned attempts;        /* made before */
    unsigned lost;            /* leases in a row that ran out, this claim included */
    usec_t due_at;            /* as it was, for giving it back */
    struct str body;          /* NULL when the event is gone */
};
/* Up to `limit` due deliveries of each, claimed for owner until now + lease, in one transaction;
 * then their bodies. */
int deliveries_draw(struct db *db, struct pool *pool, uint64_t owner, const struct draw_want *wants,
                    size_t count, usec_t lease, struct drawn_delivery **rows_r, size_t *count_r,
                    struct err *err) MUST_CHECK;
/* May so many requests to a destination with a rate per second be started now, of all dispatchers'?
 * slack: what nobody used lately is made up for. */
int deliveries_take_turn(struct db *db, const struct id *destination_id, unsigned rate_per_second,
                         unsigned count, usec_t slack, bool *won_r, struct err *err) MUST_CHECK;
/* Held destinations whose wait is over: the one probe of each is for whoever gets it here, until
 * now + lease. ours_r: room for count, at most DB_MANY_MAX. */
int deliveries_probe(struct db *db, const struct id *ids, size_t count, usec_t lease,
                     struct id *ours_r, size_t *ours_count_r, struct err *err) MUST_CHECK;

struct finished_delivery {
    struct id delivery_id, destination_id, workspace_id;
    unsigned fence;
    bool given_back;   /* not sent after all: free again at due_at, nothing spent, nothing logged */
    bool request_made; /* false: nothing to log (no request was started) */
    bool succeeded;
    bool used_up;      /* failed for good */
    unsigned position; /* the new one */
    usec_t due_at;     /* next attempt; TIME_NONE with succeeded or used_up */
    usec_t started_at;
    unsigned duration_ms;
    int status;        /* 0: none */
    const char *error; /* NULL: none */
    struct str detail, response;
    struct function_run *run; /* of a function; NULL for endpoints */
};
struct destination_health {
    struct id destination_id;
    unsigned switches; /* when it was learned: nothing is written when it was enabled since */
    struct health health;
    const char *disable_reason; /* NULL: not to be disabled */
};
/* One transaction, safe to repeat. *lost_r: how many were no longer ours. */
int deliveries_finish(struct db *db, uint64_t owner, const struct finished_delivery *rows,
                      size_t count, const struct destination_health *health, size_t health_count,
                      size_t *lost_r, struct err *err) MUST_CHECK;

#endif
