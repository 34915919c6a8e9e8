/*
 * accounts.h - workspaces and their API keys, for the operator. That a key is good is checked
 * elsewhere, by the statements that do a request's work (calls.h).
 */
#ifndef HV_ACCOUNTS_H
#define HV_ACCOUNTS_H

#include "lib/rules/cursor.h"
#include "sql/calls.h"

/* The order is that of the ENUM column workspaces.status; a test compares. */
#define WORKSPACE_STATUSES(X)                                                                      \
    X(WORKSPACE_ACTIVE, "active")                                                                  \
    X(WORKSPACE_SUSPENDED, "suspended")
enum workspace_status {
#define X(name, text) name,
    WORKSPACE_STATUSES(X)
#undef X
        WORKSPACE_STATUS_COUNT
};
const char *workspace_status_text(enum workspace_status s);

#define WORKSPACE_NAME_MAX 200 /* code points; so of all names below */
struct workspace_row {
    struct id workspace_id;
    struct str name, time_zone;
    enum workspace_status status;
    struct rates rates; /* subject: of each of its keys */
    usec_t created_at;
};
int workspaces_create(struct db *db, struct str name, struct workspace_row *row_r,
                      struct err *err) MUST_CHECK;
int workspaces_list(struct db *db, struct pool *pool, struct workspace_row **rows_r,
                    size_t *count_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: there is no such workspace. Repeating it is no error. */
int workspaces_set_status(struct db *db, const struct id *workspace_id,
                          enum workspace_status status, struct err *err) MUST_CHECK;
/* Limits of requests per minute. NULL: as it was. rates_r: as they are now. ERR_NOT_FOUND. */
int workspaces_set_rates(struct db *db, const struct id *workspace_id, const int64_t *key_rate,
                         const int64_t *rate, struct rates *rates_r, struct err *err) MUST_CHECK;
/* For stores whose INSERT found no workspace or no other thing it names: 1 yes, 0 no, -1 err. */
int workspaces_exists(struct db *db, const struct id *workspace_id, struct err *err) MUST_CHECK;

#define SCOPE_ALL (SCOPE_CALLS | SCOPE_MANAGE)
#define SCOPES_TEXT_SIZE 16 /* "calls,manage" and a NUL */
/* "calls", "manage" or both with a comma; ERR_INVALID names the unknown one. */
int scopes_parse(struct str text, unsigned *scopes_r, struct err *err) MUST_CHECK;
void scopes_format(unsigned scopes, char out[SCOPES_TEXT_SIZE]);

/* sk_live_ or sk_test_, base32 of 25 random bytes, NUL. Stored as SHA-256 of all of it, and its
 * first 12 characters, by which a person recognises it. */
#define API_KEY_RANDOM 25
#define API_KEY_TEXT_SIZE 49
#define API_KEY_PREFIX 12

struct api_key_row {
    struct id key_id, workspace_id;
    struct str prefix, name;
    bool test;
    unsigned scopes;
    usec_t created_at;
    usec_t last_used_at, revoked_at; /* TIME_NONE: never, not */
    int64_t rate_per_minute;         /* as in struct rates; RATE_DEFAULT: its workspace's */
};
struct api_key_new {
    struct id workspace_id;
    struct str name;
    bool test;
    unsigned scopes;
};
/* key_r is the only copy of the key. ERR_NOT_FOUND: no such workspace. */
int api_keys_create(struct db *db, const struct api_key_new *key, struct id *key_id_r,
                    char key_r[API_KEY_TEXT_SIZE], struct err *err) MUST_CHECK;
/* workspace_id NULL: all workspaces'; revoked ones too. */
int api_keys_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct api_key_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND. */
int api_keys_set_rate(struct db *db, const struct id *key_id, int64_t rate,
                      struct err *err) MUST_CHECK;
/* Unknown from the commit on, but for what a responder knows for a moment (recheck_interval).
 * ERR_NOT_FOUND; revoking again keeps the first moment. */
int api_keys_revoke(struct db *db, const struct id *key_id, struct err *err) MUST_CHECK;

/* ---- a workspace's own: ERR_NOT_FOUND for what is another's ---- */

int api_keys_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct id *key_id, struct api_key_row *row_r, struct err *err) MUST_CHECK;
struct api_key_filter {
    int revoked; /* -1: either */
    struct page page;
};
int api_keys_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                  const struct api_key_filter *filter, struct api_key_row **rows_r, size_t *count_r,
                  struct page_end *end_r, struct err *err) MUST_CHECK;
/* As api_keys_revoke(). */
int api_keys_revoke_own(struct db *db, const struct id *workspace_id, const struct id *key_id,
                        struct err *err) MUST_CHECK;

#endif
