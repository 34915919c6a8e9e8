/*
 * hooks.h - inbound hooks: URLs whose token is the key. Made, listed, changed, given new tokens for
 * their owner; and read by their token for whoever comes with it.
 *
 * A hook has one token in force (expires_at NULL) and, after a rotation with a grace, older ones
 * that end by themselves. Of a token only its SHA-256 is stored, and its first characters.
 */
#ifndef HV_HOOKS_H
#define HV_HOOKS_H

#include "lib/rules/cursor.h"
#include "lib/rules/signature.h"
#include "sql/credentials.h"
#include "sql/secrets.h"

/* "tok_", base32 of 25 random bytes, NUL. */
#define HOOK_TOKEN_RANDOM 25
#define HOOK_TOKEN_TEXT_SIZE 45
#define HOOK_HINT 8 /* its first characters, by which a person recognises it */
#define HOOK_NAME_MAX 200
#define HOOK_GRACE_MAX (48 * 3600 * USEC_PER_S)

/* The order is that of the ENUM column inbound_hooks.status. */
#define HOOK_STATUSES(X)                                                                           \
    X(HOOK_ENABLED, "enabled")                                                                     \
    X(HOOK_DISABLED, "disabled")                                                                   \
    X(HOOK_DELETED, "deleted")
enum hook_status {
#define X(name, text) name,
    HOOK_STATUSES(X)
#undef X
        HOOK_STATUS_COUNT
};
const char *hook_status_text(enum hook_status s);

struct hook_row {
    struct id hook_id, workspace_id;
    struct str name;
    bool is_signed; /* it has a signing secret */
    enum hook_status status;
    struct str hint;       /* of the token in force */
    usec_t previous_until; /* when the last of the older tokens ends; TIME_NONE: there is none */
    usec_t last_used_at;   /* TIME_NONE: never */
    usec_t created_at, updated_at;
};

/* What a change of a hook, or a new one, says. */
struct hook_change {
    bool set_name, set_secret;
    struct str name;
    struct str secret; /* in clear, checked before; STR_NULL: none any more */
};

/* All of these, but for hooks_facts() and hooks_list_operator(): workspace_id NULL is the
 * operator's, for hooks of all workspaces. ERR_NOT_FOUND: no such hook, another workspace's, or
 * deleted. What took something away holds for responders after recheck_interval (known.h). */

/* An enabled hook of workspace row->workspace_id; fills the rest of row. token_r is the only copy.
 * ERR_NOT_FOUND: no such workspace. */
int hooks_create(struct db *db, struct pool *pool, const struct keyring *ring,
                 const struct hook_change *hook, struct hook_row *row,
                 char token_r[HOOK_TOKEN_TEXT_SIZE], struct err *err) MUST_CHECK;
int hooks_get(struct db *db, struct pool *pool, const struct id *workspace_id,
              const struct id *hook_id, struct hook_row *row_r, struct err *err) MUST_CHECK;
/* Newest first, without the deleted. */
int hooks_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct page *page, struct hook_row **rows_r, size_t *count_r,
               struct page_end *end_r, struct err *err) MUST_CHECK;
/* All of them, the oldest first. */
int hooks_list_operator(struct db *db, struct pool *pool, const struct id *workspace_id,
                        struct hook_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
int hooks_change(struct db *db, struct pool *pool, const struct keyring *ring,
                 const struct id *workspace_id, const struct id *hook_id,
                 const struct hook_change *change, struct err *err) MUST_CHECK;
/* Between enabled and disabled; may be repeated. */
int hooks_switch(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 enum hook_status status, struct err *err) MUST_CHECK;
int hooks_delete(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 struct err *err) MUST_CHECK;
/* A new token, in force from now on; all older ones end when the grace has passed, if not before.
 * Rotations of one hook wait for each other. */
int hooks_rotate(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 usec_t grace, char token_r[HOOK_TOKEN_TEXT_SIZE], struct err *err) MUST_CHECK;

/* What a token stands for. */
struct hook_facts {
    struct principal who; /* may make and cancel calls of its workspace */
    unsigned char secret[SECRET_TEXT_SIZE + SEAL_OVERHEAD]; /* sealed */
    size_t secret_length;                                   /* 0: requests need no signature */
    usec_t ends_in; /* how long the token will live; TIME_NONE: until it is rotated */
};
/* ERR_NOT_FOUND: no token that is in force, of no hook that is enabled. Marks the hook as used,
 * once a minute. */
int hooks_facts(struct db *db, struct pool *pool, const unsigned char token_hash[SHA256_SIZE],
                struct hook_facts *facts_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND in the one sentence that there is for it; -1. */
int hooks_not_found(struct err *err);
/* The secret in clear, in the pool; only for facts with a secret. */
int hooks_secret(const struct keyring *ring, const struct hook_facts *facts, struct pool *pool,
                 struct str *secret_r, struct err *err) MUST_CHECK;

#endif
