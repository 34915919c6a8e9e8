/*
 * sessions.c - see sessions.h.
 */
#include "sql/sessions.h"
#include "sql/ids.h"

#define USE_GAP (60 * USEC_PER_S) /* a use is written once in so long, or in a tenth of idle */

int sessions_create(struct db *db, const struct id *user_id, struct str password,
                    const unsigned char hash[32], usec_t idle, struct err *err)
{
    struct id session_id = id_new();
    struct query *q = db_use(db, STMT_SESSION_INSERT);

    query_bind_id(q, &session_id);
    query_bind_bytes(q, hash, 32);
    query_bind_i64(q, idle);
    query_bind_id(q, user_id);
    query_bind_str(q, password);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_UNAUTHORIZED, "Wrong email address or password.");
    return 0;
}

static int mark_used(struct db *db, const struct id *session_id, usec_t idle, usec_t max,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_SESSION_USED);

    query_bind_i64(q, idle);
    query_bind_i64(q, max);
    query_bind_id(q, session_id);
    return query_run_again(q, err);
}

int sessions_read(struct db *db, struct pool *pool, const unsigned char hash[32], usec_t idle,
                  usec_t max, struct session_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_SESSION_READ);

    query_bind_i64(q, idle / 10 < USE_GAP ? idle / 10 : USE_GAP);
    query_bind_bytes(q, hash, 32);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_UNAUTHORIZED, "The session is over. Sign in again.");
    *row_r = (struct session_row){0};
    struct principal *who = &row_r->who;
    query_id(q, &who->session_id);
    query_id(q, &who->user_id);
    query_id(q, &who->workspace_id);
    who->role = role_of_column(query_i64(q));
    who->active = query_i64(q) != 0;
    row_r->workspace_name = query_str(q, pool);
    row_r->email = query_str(q, pool);
    row_r->name = query_str(q, pool);
    row_r->expires_at = query_time(q);
    bool use_is_old = query_i64(q) != 0;
    return use_is_old ? mark_used(db, &who->session_id, idle, max, err) : 0;
}

int sessions_switch(struct db *db, const struct principal *who, const struct id *workspace_id,
                    struct err *err)
{
    struct query *q = db_use(db, STMT_SESSION_SWITCH);

    query_bind_id(q, &who->session_id);
    query_bind_id(q, &who->user_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "workspace_id is no workspace of yours.");
    return 0;
}

int sessions_end(struct db *db, const struct id *session_id, struct err *err)
{
    struct query *q = db_use(db, STMT_SESSION_DELETE);

    query_bind_id(q, session_id);
    return query_run_again(q, err);
}

int sessions_end_others(struct db *db, const struct id *user_id, const struct id *session_id,
                        struct err *err)
{
    static const struct id none;
    struct query *q = db_use(db, STMT_SESSIONS_DELETE);

    query_bind_id(q, user_id);
    query_bind_id(q, session_id != NULL ? session_id : &none);
    return query_run(q, err);
}
