/*
 * destinations.h - webhook endpoints as their owner sees and switches them. What the dispatcher
 * does with them is deliveries.h.
 */
#ifndef HV_DESTINATIONS_H
#define HV_DESTINATIONS_H

#include "sql/deliveries.h"
#include "sql/secrets.h"

const char *destination_status_text(enum destination_status s);

#define DESTINATION_DESCRIPTION_MAX 500 /* code points */
#define DESTINATION_REASON_MAX 200

struct endpoint_row {
    struct id endpoint_id, workspace_id;
    struct str url, description;
    unsigned events; /* a bit per type, lib/rules/event.h */
    int64_t timeout_seconds, max_in_flight;
    enum destination_status status;
    struct str status_reason; /* STR_NULL: none */
    int64_t failures;         /* in a row */
    usec_t held_until;        /* TIME_NONE: not held */
    usec_t created_at;
};

/* Makes an enabled endpoint of what row has (endpoint_id, status and created_at are filled in).
 * secret: the owner's own, checked before, or STR_NULL: one is made. *secret_r is the one in use.
 * ERR_NOT_FOUND: no such workspace. */
int endpoints_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct endpoint_row *row, struct str secret, struct str *secret_r,
                     struct err *err) MUST_CHECK;
/* workspace_id NULL: all workspaces'; without the deleted. */
int endpoints_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct endpoint_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;

/* The switches; ERR_NOT_FOUND: unknown or deleted. Each may be repeated. */
/* From any state, with a clean record: failures and hold are forgotten, what waits is sent. */
int endpoints_enable(struct db *db, const struct id *endpoint_id, struct err *err) MUST_CHECK;
int endpoints_disable(struct db *db, const struct id *endpoint_id, struct str reason,
                      struct err *err) MUST_CHECK;
/* Between enabled and paused only; ERR_CONFLICT: it is disabled. */
int endpoints_pause(struct db *db, const struct id *endpoint_id, struct err *err) MUST_CHECK;
int endpoints_resume(struct db *db, const struct id *endpoint_id, struct err *err) MUST_CHECK;

/* A new secret, given or made; the old one signs too until grace has passed (0: not any more).
 * ERR_UNCERTAIN: repeat it, and let the receiver keep the secret that was shown last. */
int endpoints_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                            const struct id *endpoint_id, struct str secret, usec_t grace,
                            struct str *secret_r, usec_t *previous_until_r,
                            struct err *err) MUST_CHECK;

#endif
