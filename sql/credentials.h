/*
 * credentials.h - who asks: what an API key stands for.
 */
#ifndef HV_CREDENTIALS_H
#define HV_CREDENTIALS_H

#include "sql/rates.h"

#define SCOPE_CALLS 1u
#define SCOPE_MANAGE 2u

/* SHA-256 of the API key as it came. */
struct credential {
    unsigned char key_hash[32];
};

/* What a member of a workspace may do. The order is that of the ENUM columns members.role and
 * invitations.role; a role may what those before it may. */
#define ROLES(X)                                                                                   \
    X(ROLE_VIEWER, "viewer")                                                                       \
    X(ROLE_ADMIN, "admin")                                                                         \
    X(ROLE_OWNER, "owner")
enum role {
    ROLE_NONE,
    ROLE_PERSON, /* who has signed in, member or not */
#define X(name, text) name,
    ROLES(X)
#undef X
        ROLE_COUNT
};
const char *role_text(enum role role);
/* viewer, admin or owner; ERR_INVALID. */
int role_parse(struct str s, enum role *role_r, struct err *err) MUST_CHECK;
/* A column's role+0; 0 (no such row): PERSON. */
enum role role_of_column(int64_t value);

/* Who asks, and what they may do: a key, a person with a session, or an inbound hook. */
struct principal {
    struct id workspace_id;
    struct id key_id;              /* a key's; else zero */
    struct id user_id, session_id; /* a person's; else zero */
    struct id hook_id;             /* an inbound hook's; else zero */
    unsigned scopes;               /* a key's */
    enum role role;                /* a person's; ROLE_NONE: a key */
    bool test;
    bool active;        /* the workspace is not suspended */
    struct rates rates; /* zero: the settings' own */
};

/* ERR_UNAUTHORIZED: no key that is in force. Marks the key as used, once a minute. */
int credentials_read(struct db *db, const struct credential *credential,
                     struct principal *principal_r, struct err *err) MUST_CHECK;

/* Does it have the scope? ERR_FORBIDDEN: no. */
int principal_check_scope(const struct principal *principal, unsigned scope,
                          struct err *err) MUST_CHECK;

/* Has it at least the role? ERR_FORBIDDEN names the one that is needed. */
int principal_check_role(const struct principal *principal, enum role role,
                         struct err *err) MUST_CHECK;

#endif
