/*
 * users.c - see users.h.
 */
#include "sql/users.h"
#include "sql/accounts.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/members.h"
#include "sql/sessions.h"

static const char *const status_texts[] = {
#define X(name, text) text,
    USER_STATUSES(X)
#undef X
};
_Static_assert(sizeof status_texts / sizeof *status_texts == USER_STATUS_COUNT,
               "a text per status");

const char *user_status_text(enum user_status s)
{
    return (size_t)s < USER_STATUS_COUNT ? status_texts[s] : "?";
}

static void read_user(struct query *q, struct pool *pool, struct user_row *row)
{
    query_id(q, &row->user_id);
    row->email = query_str(q, pool);
    row->name = query_str(q, pool);
    row->password = query_str(q, pool);
    row->status = (enum user_status)(query_i64(q) - 1);
    row->created_at = query_time(q);
}

static int read_one(struct query *q, struct pool *pool, struct user_row *row_r, struct err *err)
{
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such user");
    read_user(q, pool, row_r);
    return 0;
}

int users_by_email(struct db *db, struct pool *pool, struct str email, struct user_row *row_r,
                   struct err *err)
{
    struct query *q = db_use(db, STMT_USER_BY_EMAIL);

    query_bind_str(q, email);
    return read_one(q, pool, row_r, err);
}

int users_by_id(struct db *db, struct pool *pool, const struct id *user_id, struct user_row *row_r,
                struct err *err)
{
    struct query *q = db_use(db, STMT_USER_BY_ID);

    query_bind_id(q, user_id);
    return read_one(q, pool, row_r, err);
}

int users_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               struct user_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_USER_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_user(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

int users_create(struct db *db, struct str email, struct str name, struct str password,
                 struct id *user_id_r, struct err *err)
{
    struct query *q = db_use(db, STMT_USER_INSERT);

    *user_id_r = id_new();
    query_bind_id(q, user_id_r);
    query_bind_str(q, email);
    query_bind_str(q, name);
    query_bind_str(q, password);
    if (query_run(q, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "This email address has an account already.");
    return -1;
}

/* Runs work(db, ctx) in a transaction. */
typedef int work_fn(struct db *db, void *ctx, struct err *err);
static int in_transaction(struct db *db, work_fn *work, void *ctx, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (work(db, ctx, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* ---- status and password ---- */

struct change {
    const struct id *user_id, *session_id;
    enum user_status status;
    struct str password;
};

static int set_status(struct db *db, void *ctx, struct err *err)
{
    const struct change *c = ctx;
    struct query *q = db_use(db, STMT_USER_SET_STATUS);

    query_bind_str(q, str_of(user_status_text(c->status)));
    query_bind_id(q, c->user_id);
    if (query_run(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such user");
    return c->status == USER_ACTIVE ? 0 : sessions_end_others(db, c->user_id, NULL, err);
}

int users_set_status(struct db *db, const struct id *user_id, enum user_status status,
                     struct err *err)
{
    struct change change = {.user_id = user_id, .status = status};

    return in_transaction(db, set_status, &change, err);
}

static int delete_tokens(struct db *db, const struct id *user_id, struct err *err)
{
    struct query *q = db_use(db, STMT_USER_TOKENS_DELETE);

    query_bind_id(q, user_id);
    return query_run(q, err);
}

static int change_password(struct db *db, void *ctx, struct err *err)
{
    const struct change *c = ctx;
    struct query *q = db_use(db, STMT_USER_SET_PASSWORD);

    query_bind_str(q, c->password);
    query_bind_id(q, c->user_id);
    if (query_run(q, err) < 0 || delete_tokens(db, c->user_id, err) < 0)
        return -1;
    return sessions_end_others(db, c->user_id, c->session_id, err);
}

int users_change_password(struct db *db, const struct id *user_id, struct str password,
                          const struct id *session_id, struct err *err)
{
    struct change change = {.user_id = user_id, .session_id = session_id, .password = password};

    return in_transaction(db, change_password, &change, err);
}

int users_rehash(struct db *db, const struct id *user_id, struct str old, struct str anew,
                 struct err *err)
{
    struct query *q = db_use(db, STMT_USER_REHASH);

    query_bind_str(q, anew);
    query_bind_id(q, user_id);
    query_bind_str(q, old);
    return query_run_again(q, err);
}

/* ---- a password to be chosen ---- */

int user_tokens_create(struct db *db, const struct id *user_id, const unsigned char hash[32],
                       usec_t lifetime, struct err *err)
{
    if (delete_tokens(db, user_id, err) < 0)
        return -1;
    struct query *q = db_use(db, STMT_USER_TOKEN_INSERT);
    query_bind_bytes(q, hash, 32);
    query_bind_id(q, user_id);
    query_bind_i64(q, lifetime);
    return query_run(q, err);
}

struct token_use {
    const unsigned char *hash;
    struct str password;
};

static int no_token(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "This link was used already, or is too old.");
}

static int read_token(struct db *db, const unsigned char *hash, struct id *user_id_r,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_USER_TOKEN_READ);

    query_bind_bytes(q, hash, 32);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_token(err);
    query_id(q, user_id_r);
    return 0;
}

static int use_token(struct db *db, void *ctx, struct err *err)
{
    const struct token_use *use = ctx;
    struct id user_id;

    if (read_token(db, use->hash, &user_id, err) < 0)
        return -1;
    struct change change = {.user_id = &user_id, .password = use->password};
    return change_password(db, &change, err);
}

int user_tokens_use(struct db *db, const unsigned char hash[32], struct str password,
                    struct err *err)
{
    struct token_use use = {hash, password};

    return in_transaction(db, use_token, &use, err);
}

/* ---- sign-ups ---- */

int sign_ups_create(struct db *db, const struct sign_up *sign_up, const unsigned char hash[32],
                    struct err *err)
{
    struct query *q = db_use(db, STMT_SIGN_UP_INSERT);

    query_bind_bytes(q, hash, 32);
    query_bind_str(q, sign_up->email);
    query_bind_str(q, sign_up->name);
    query_bind_str(q, sign_up->password);
    query_bind_str(q, sign_up->workspace_name);
    query_bind_i64(q, SIGN_UP_LIFETIME);
    return query_run(q, err);
}

struct confirmation {
    struct pool *pool;
    const unsigned char *hash;
    struct str email;
};

static int confirm(struct db *db, void *ctx, struct err *err)
{
    struct confirmation *c = ctx;
    struct query *q = db_use(db, STMT_SIGN_UP_READ);
    struct sign_up s;
    struct id user_id, workspace_id;

    query_bind_bytes(q, c->hash, 32);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_token(err);
    s.email = c->email = query_str(q, c->pool);
    s.name = query_str(q, c->pool);
    s.password = query_str(q, c->pool);
    s.workspace_name = query_str(q, c->pool);
    q = db_use(db, STMT_SIGN_UPS_DELETE);
    query_bind_bytes(q, c->hash, 32);
    if (query_run(q, err) < 0 || users_create(db, s.email, s.name, s.password, &user_id, err) < 0)
        return -1;
    return members_found(db, s.workspace_name, &user_id, &workspace_id, err);
}

int sign_ups_confirm(struct db *db, struct pool *pool, const unsigned char hash[32],
                     struct str *email_r, struct err *err)
{
    struct confirmation c = {.pool = pool, .hash = hash};

    if (in_transaction(db, confirm, &c, err) < 0)
        return -1;
    *email_r = c.email;
    return 0;
}
