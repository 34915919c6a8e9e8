/*
 * signing.h - the secret that a workspace's functions are signed with. Made when the first function
 * is; shown once, when it is rotated.
 */
#ifndef HV_SIGNING_H
#define HV_SIGNING_H

#include "sql/db.h"
#include "sql/secrets.h"

/* What signs now, the newest first: none, one, or two while the old one is good. In clear. */
int signing_secrets(struct db *db, struct pool *pool, const struct keyring *ring,
                    const struct id *workspace_id, struct str **secrets_r, size_t *count_r,
                    struct err *err) MUST_CHECK;
/* Makes one if there is none. */
int signing_secret_ensure(struct db *db, struct pool *pool, const struct keyring *ring,
                          const struct id *workspace_id, struct err *err) MUST_CHECK;
/* A new one, given (checked before) or made; the old one signs too until grace has passed. */
int signing_secret_rotate(struct db *db, struct pool *pool, const struct keyring *ring,
                          const struct id *workspace_id, struct str secret, usec_t grace,
                          struct str *secret_r, usec_t *previous_until_r,
                          struct err *err) MUST_CHECK;

#endif
