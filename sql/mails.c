/*
 * mails.c - see mails.h.
 */
#include "sql/mails.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/secrets.h"

int mails_write(struct db *db, struct pool *pool, const struct keyring *ring,
                const struct mail *mail, struct err *err)
{
    struct id mail_id = id_new();
    struct str sealed = secret_seal(ring, &mail_id, mail->body, pool);
    struct query *q = db_use(db, STMT_MAIL_INSERT);

    query_bind_id(q, &mail_id);
    query_bind_str(q, mail->to);
    query_bind_str(q, mail->subject);
    query_bind_blob(q, sealed);
    return query_run(q, err);
}

/* ---- sending ---- */

static int draw(struct db *db, struct pool *pool, const struct keyring *ring,
                struct mail_row *row_r, bool *found_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MAIL_DRAW);
    struct err unreadable;

    if (query_run(q, err) < 0)
        return -1;
    *found_r = query_next(q);
    if (!*found_r)
        return 0;
    *row_r = (struct mail_row){0};
    query_id(q, &row_r->mail_id);
    row_r->mail.to = query_str(q, pool);
    row_r->mail.subject = query_str(q, pool);
    struct str sealed = query_str(q, pool);
    row_r->attempts = (unsigned)query_i64(q);
    row_r->created_at = query_time(q);
    row_r->unreadable =
        secret_open(ring, &row_r->mail_id, sealed, pool, &row_r->mail.body, &unreadable) != 0;
    return 0;
}

static int claim(struct db *db, struct pool *pool, const struct keyring *ring, uint64_t owner,
                 usec_t lease, struct mail_row *row_r, bool *found_r, struct err *err)
{
    if (draw(db, pool, ring, row_r, found_r, err) < 0)
        return -1;
    if (!*found_r)
        return 0;
    struct query *q = db_use(db, STMT_MAIL_CLAIM);
    query_bind_i64(q, (int64_t)owner);
    query_bind_i64(q, lease);
    query_bind_id(q, &row_r->mail_id);
    return query_run(q, err);
}

int mails_claim(struct db *db, struct pool *pool, const struct keyring *ring, uint64_t owner,
                usec_t lease, struct mail_row *row_r, bool *found_r, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (claim(db, pool, ring, owner, lease, row_r, found_r, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

int mails_done(struct db *db, const struct id *mail_id, uint64_t owner, struct err *err)
{
    struct query *q = db_use(db, STMT_MAIL_DELETE);

    query_bind_id(q, mail_id);
    query_bind_i64(q, (int64_t)owner);
    return query_run_again(q, err);
}

int mails_again(struct db *db, const struct id *mail_id, uint64_t owner, usec_t wait,
                struct err *err)
{
    struct query *q = db_use(db, STMT_MAIL_AGAIN);

    query_bind_i64(q, wait);
    query_bind_id(q, mail_id);
    query_bind_i64(q, (int64_t)owner);
    return query_run_again(q, err);
}

/* ---- telling owners ---- */

struct matter {
    struct id destination_id, workspace_id;
    struct str workspace, url, reason;
    usec_t held_since;
    bool disabled;
};

static int list_matters(struct db *db, struct pool *pool, usec_t held, struct matter **rows_r,
                        size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MAIL_ENDPOINTS);
    size_t room = 0;

    *count_r = 0;
    query_bind_i64(q, held);
    if (query_run(q, err) < 0)
        return -1;
    while (query_next(q)) {
        struct matter *m = LIST_NEXT(pool, rows_r, count_r, &room);
        query_id(q, &m->destination_id);
        query_id(q, &m->workspace_id);
        m->workspace = query_str(q, pool);
        m->url = query_str(q, pool);
        m->held_since = query_time(q);
        m->reason = query_str(q, pool);
        m->disabled = query_i64(q) != 0;
    }
    return 0;
}

static int list_owners(struct db *db, struct pool *pool, const struct id *workspace_id,
                       struct str **emails_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MAIL_OWNERS);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    while (query_next(q))
        *LIST_NEXT(pool, emails_r, count_r, &room) = query_str(q, pool);
    return 0;
}

static int tell(struct db *db, struct pool *pool, const struct keyring *ring,
                const struct matter *m, struct err *err)
{
    struct str *emails = NULL;
    size_t count;

    if (list_owners(db, pool, &m->workspace_id, &emails, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct mail mail =
            m->disabled ? mail_endpoint_disabled(pool, emails[i], m->workspace, m->url, m->reason)
                        : mail_endpoint_held(pool, emails[i], m->workspace, m->url, m->held_since);
        if (mails_write(db, pool, ring, &mail, err) < 0)
            return -1;
    }
    struct query *q = db_use(db, STMT_MAIL_ENDPOINT_TOLD);
    query_bind_id(q, &m->destination_id);
    return query_run(q, err);
}

static int tell_all(struct db *db, struct pool *pool, const struct keyring *ring, usec_t held,
                    size_t *count_r, struct err *err)
{
    struct matter *matters = NULL;

    if (list_matters(db, pool, held, &matters, count_r, err) < 0)
        return -1;
    for (size_t i = 0; i < *count_r; i++) {
        if (tell(db, pool, ring, &matters[i], err) < 0)
            return -1;
    }
    return 0;
}

int mails_tell_owners(struct db *db, struct pool *pool, const struct keyring *ring, usec_t held,
                      size_t *count_r, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (tell_all(db, pool, ring, held, count_r, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}
