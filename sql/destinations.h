/*
 * destinations.h - webhook endpoints as their owner sees and switches them. What the dispatcher
 * does with them is deliveries.h.
 */
#ifndef HV_DESTINATIONS_H
#define HV_DESTINATIONS_H

#include "lib/rules/cursor.h"
#include "sql/deliveries.h"
#include "sql/secrets.h"

const char *destination_status_text(enum destination_status s);

#define DESTINATION_DESCRIPTION_MAX 500 /* code points */
#define DESTINATION_REASON_MAX 200

#define ENDPOINT_TIMEOUT_MAX 120 /* seconds */

struct endpoint_row {
    struct id endpoint_id, workspace_id;
    struct str url, description;
    unsigned events; /* a bit per type, lib/rules/event.h */
    int64_t timeout_seconds, max_in_flight;
    int64_t rate_per_second; /* 0: as fast as it takes them */
    struct str headers;      /* lib/rules/custom_headers.h */
    struct str headers_sealed;
    bool headers_lost; /* what is there cannot be opened: who sets other headers clears this */
    enum destination_status status;
    struct str status_reason; /* STR_NULL: none */
    int64_t failures;         /* in a row */
    usec_t good_since;        /* last success; before the first: when it was made or enabled */
    usec_t held_until;        /* TIME_NONE: not held */
    usec_t previous_until;    /* TIME_NONE: one secret alone signs */
    usec_t created_at, updated_at;
};

/*
 * workspace_id below: whose endpoint it must be; NULL: anybody's, for the operator. ERR_NOT_FOUND:
 * unknown, deleted or another's.
 */

/* Makes an enabled endpoint of what row has (endpoint_id, status and created_at are filled in).
 * secret: the owner's own, checked before, or STR_NULL: one is made. *secret_r is the one in use.
 * ERR_NOT_FOUND: no such workspace. */
int endpoints_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct endpoint_row *row, struct str secret, struct str *secret_r,
                     struct err *err) MUST_CHECK;
/* Without the deleted, in the order they were made; headers are left sealed. */
int endpoints_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct endpoint_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
/* A workspace's, the newest first. */
int endpoints_page(struct db *db, struct pool *pool, const struct keyring *ring,
                   const struct id *workspace_id, const struct page *page,
                   struct endpoint_row **rows_r, size_t *count_r, struct page_end *end_r,
                   struct err *err) MUST_CHECK;
int endpoints_get(struct db *db, struct pool *pool, const struct keyring *ring,
                  const struct id *workspace_id, const struct id *endpoint_id,
                  struct endpoint_row *row_r, struct err *err) MUST_CHECK;
/* How many deliveries wait for it, counted up to ENDPOINT_WAITING_MAX. */
#define ENDPOINT_WAITING_MAX 1000
int endpoints_waiting(struct db *db, const struct id *endpoint_id, int64_t *count_r,
                      struct err *err) MUST_CHECK;

/* Makes of the row, as it is now and locked, what it shall be: url, description, events, timeout,
 * max_in_flight, rate and headers. May be called more than once. */
typedef int endpoint_edit_fn(struct endpoint_row *row, void *ctx, struct err *err);
/* A new URL begins with a clean record: what failed was another. */
int endpoints_change(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *workspace_id, const struct id *endpoint_id,
                     endpoint_edit_fn *edit, void *ctx, struct err *err) MUST_CHECK;
/* Its history stays, what waits is dropped by the dispatcher. */
int endpoints_delete(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err) MUST_CHECK;

/* The switches. Each may be repeated. */
/* From any state, with a clean record: failures and hold are forgotten, what waits is sent. */
int endpoints_enable(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err) MUST_CHECK;
int endpoints_disable(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                      struct str reason, struct err *err) MUST_CHECK;
/* Between enabled and paused only; ERR_CONFLICT: it is disabled. */
int endpoints_pause(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                    struct err *err) MUST_CHECK;
int endpoints_resume(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err) MUST_CHECK;

/* A new secret, given or made; the one that it replaces signs too until grace has passed (0: not
 * any more), and none before that. */
int endpoints_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                            const struct id *workspace_id, const struct id *endpoint_id,
                            struct str secret, usec_t grace, struct str *secret_r,
                            usec_t *previous_until_r, struct err *err) MUST_CHECK;

/* Writes a sample event of the type, with data.test, and its one delivery, to this endpoint.
 * ERR_CONFLICT: it is paused or disabled. */
int endpoints_test(struct db *db, struct pool *pool, const struct id *workspace_id,
                   const struct id *endpoint_id, enum event_type type, struct id *event_id_r,
                   struct id *delivery_id_r, struct err *err) MUST_CHECK;

#endif
