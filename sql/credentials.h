/*
 * credentials.h - who asks: what an API key stands for.
 */
#ifndef HV_CREDENTIALS_H
#define HV_CREDENTIALS_H

#include "sql/db.h"

#define SCOPE_CALLS 1u
#define SCOPE_MANAGE 2u

/* SHA-256 of the API key as it came. */
struct credential {
    unsigned char key_hash[32];
};

/* Whom it names, and what they may do. */
struct principal {
    struct id key_id, workspace_id;
    unsigned scopes;
    bool test;
    bool active; /* the workspace is not suspended */
};

/* ERR_UNAUTHORIZED: no key that is in force. Marks the key as used, once a minute. */
int credentials_read(struct db *db, const struct credential *credential,
                     struct principal *principal_r, struct err *err) MUST_CHECK;

/* Does it have the scope? ERR_FORBIDDEN: no. */
int principal_check_scope(const struct principal *principal, unsigned scope,
                          struct err *err) MUST_CHECK;

#endif
