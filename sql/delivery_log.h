/*
 * delivery_log.h - events and deliveries as their workspace reads them, and one delivery made anew.
 * What the dispatcher does with deliveries is deliveries.h.
 */
#ifndef HV_DELIVERY_LOG_H
#define HV_DELIVERY_LOG_H

#include "lib/rules/cursor.h"
#include "lib/rules/event.h"
#include "sql/db.h"

/* The order is that of the ENUM column deliveries.state. */
#define DELIVERY_STATES(X)                                                                         \
    X(DELIVERY_WAITING, "waiting")                                                                 \
    X(DELIVERY_SUCCEEDED, "succeeded")                                                             \
    X(DELIVERY_FAILED, "failed")                                                                   \
    X(DELIVERY_DROPPED, "dropped")
enum delivery_state {
#define X(name, text) name,
    DELIVERY_STATES(X)
#undef X
        DELIVERY_STATE_COUNT
};
const char *delivery_state_text(enum delivery_state s);
int delivery_state_parse(struct str s, enum delivery_state *state_r) MUST_CHECK;

struct delivery_row {
    struct id delivery_id, endpoint_id, event_id, call_id; /* call_id: zero when there is none */
    bool to_function; /* endpoint_id is that of a post-call function */
    bool has_event;   /* it is kept still; type is good */
    enum event_type type;
    enum delivery_state state;
    int64_t attempts, last_status; /* 0: none */
    struct str last_error;         /* STR_NULL: none */
    bool in_flight;
    usec_t due_at; /* when it is tried next; TIME_NONE: not any more, or it is in flight */
    usec_t created_at, updated_at;
};
struct delivery_filter {
    bool by_endpoint, by_event, by_call, by_state;
    struct id endpoint_id, event_id, call_id;
    enum delivery_state state;
    usec_t created_after, created_before; /* TIME_NONE: not asked */
    struct page page;
};
int deliveries_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct delivery_filter *filter, struct delivery_row **rows_r,
                    size_t *count_r, struct page_end *end_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: unknown or another's. */
int deliveries_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                   const struct id *delivery_id, struct delivery_row *row_r,
                   struct err *err) MUST_CHECK;

struct delivery_attempt_row {
    usec_t started_at;
    int64_t duration_ms, status;        /* status 0: there was no answer */
    struct str error, detail, response; /* STR_NULL: none; response as it came, cut */
};
/* The newest DELIVERY_ATTEMPTS_MAX, the oldest of them first. */
#define DELIVERY_ATTEMPTS_MAX 200
int deliveries_attempts(struct db *db, struct pool *pool, const struct id *workspace_id,
                        const struct id *delivery_id, struct delivery_attempt_row **rows_r,
                        size_t *count_r, struct err *err) MUST_CHECK;

/* Due now, with the whole schedule before it. *endpoint_id_r: to be woken for. ERR_NOT_FOUND as
 * above; ERR_CONFLICT: it waits or is in flight, or its endpoint or event is no more. */
int deliveries_replay(struct db *db, const struct id *workspace_id, const struct id *delivery_id,
                      struct id *endpoint_id_r, struct err *err) MUST_CHECK;

struct event_row {
    struct id event_id, call_id; /* call_id: zero when there is none */
    enum event_type type;
    usec_t created_at;
    struct str body; /* events_get() alone */
};
struct event_filter {
    bool by_type, by_call;
    enum event_type type;
    struct id call_id;
    usec_t created_after, created_before; /* TIME_NONE: not asked */
    struct page page;
};
int events_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct event_filter *filter, struct event_row **rows_r, size_t *count_r,
                struct page_end *end_r, struct err *err) MUST_CHECK;
int events_get(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct id *event_id, struct event_row *row_r, struct err *err) MUST_CHECK;

#endif
