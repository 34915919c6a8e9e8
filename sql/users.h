/*
 * users.h - people who can sign in, the tokens that let them choose a password, and sign-ups that
 * wait for being confirmed.
 *
 * Tokens come as their SHA-256. What says "in a transaction" needs the caller's.
 */
#ifndef HV_USERS_H
#define HV_USERS_H

#include "sql/db.h"

/* The order is that of the ENUM column users.status; a test compares. */
#define USER_STATUSES(X)                                                                           \
    X(USER_ACTIVE, "active")                                                                       \
    X(USER_DISABLED, "disabled")
enum user_status {
#define X(name, text) name,
    USER_STATUSES(X)
#undef X
        USER_STATUS_COUNT
};
const char *user_status_text(enum user_status s);

#define USER_NAME_MAX 200 /* code points */
#define PASSWORD_MIN 10   /* code points */
#define PASSWORD_MAX 200

#define RESET_LIFETIME ((usec_t)3600 * USEC_PER_S)
#define FIRST_PASSWORD_LIFETIME (7 * USEC_PER_DAY)
#define SIGN_UP_LIFETIME USEC_PER_DAY

struct user_row {
    struct id user_id;
    struct str email, name;
    struct str password; /* as password_hash() gives it; STR_NULL: none yet */
    enum user_status status;
    usec_t created_at;
};

/* ERR_NOT_FOUND: there is none. */
int users_by_email(struct db *db, struct pool *pool, struct str email, struct user_row *row_r,
                   struct err *err) MUST_CHECK;
int users_by_id(struct db *db, struct pool *pool, const struct id *user_id, struct user_row *row_r,
                struct err *err) MUST_CHECK;
/* workspace_id NULL: all; else its members. */
int users_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               struct user_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;

/* In a transaction. password STR_NULL: none yet. ERR_CONFLICT: the address has an account. */
int users_create(struct db *db, struct str email, struct str name, struct str password,
                 struct id *user_id_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND. Disabling ends the sessions. */
int users_set_status(struct db *db, const struct id *user_id, enum user_status status,
                     struct err *err) MUST_CHECK;
/* The new password, and the end of all sessions but one (NULL: of all) and of all tokens. */
int users_change_password(struct db *db, const struct id *user_id, struct str password,
                          const struct id *session_id, struct err *err) MUST_CHECK;
/* The same password under other parameters, unless it was changed meanwhile. */
int users_rehash(struct db *db, const struct id *user_id, struct str old, struct str anew,
                 struct err *err) MUST_CHECK;

/* ---- a password to be chosen ---- */

/* In a transaction. What was given out before is good for nothing then. */
int user_tokens_create(struct db *db, const struct id *user_id, const unsigned char hash[32],
                       usec_t lifetime, struct err *err) MUST_CHECK;
/* Takes the token for this password, and ends all sessions. ERR_NOT_FOUND: it is used up, has had
 * its time, or never was. */
int user_tokens_use(struct db *db, const unsigned char hash[32], struct str password,
                    struct err *err) MUST_CHECK;

/* ---- sign-ups ---- */

struct sign_up {
    struct str email, name, password, workspace_name;
};
/* In a transaction. */
int sign_ups_create(struct db *db, const struct sign_up *sign_up, const unsigned char hash[32],
                    struct err *err) MUST_CHECK;
/* Makes the person, the workspace, and the one owner of the other. ERR_NOT_FOUND as for tokens;
 * ERR_CONFLICT: the address got an account meanwhile. */
int sign_ups_confirm(struct db *db, struct pool *pool, const unsigned char hash[32],
                     struct str *email_r, struct err *err) MUST_CHECK;

#endif
