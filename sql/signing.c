/*
 * signing.c - a workspace's signing secrets, sealed in its row, and copied to the destinations that
 * its post_call functions are.
 */
#include "sql/signing.h"
#include "sql/list.h"
#include "sql/transaction.h"

int signing_secrets(struct db *db, struct pool *pool, const struct keyring *ring,
                    const struct id *workspace_id, struct str **secrets_r, size_t *count_r,
                    struct err *err)
{
    struct query *q = db_use(db, STMT_SIGNING_READ);
    struct str *secrets = pool_new(pool, struct str, 2);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    for (int i = 0; i < 2; i++) {
        struct str sealed = query_str(q, pool);
        if (sealed.p == NULL)
            continue;
        if (secret_open(ring, workspace_id, sealed, pool, &secrets[count++], err) != 0)
            return -1;
    }
    *secrets_r = secrets;
    *count_r = count;
    return 0;
}

int signing_secret_ensure(struct db *db, struct pool *pool, const struct keyring *ring,
                          const struct id *workspace_id, struct err *err)
{
    struct str *secrets;
    size_t count;

    if (signing_secrets(db, pool, ring, workspace_id, &secrets, &count, err) != 0)
        return -1;
    if (count > 0)
        return 0;
    struct str sealed = secret_seal(ring, workspace_id, secret_new(pool), pool);
    struct query *q = db_use(db, STMT_SIGNING_MAKE);
    query_bind_blob(q, sealed);
    query_bind_id(q, workspace_id);
    return query_run_again(q, err);
}

struct rotation {
    struct pool *pool;
    const struct keyring *ring;
    const struct id *workspace_id;
    struct str secret, sealed, old;
    usec_t grace, previous_until;
};

/* *done_r: the secret is this one already: the commit's answer was lost. */
static int lock(struct db *db, struct rotation *r, bool *done_r, struct err *err)
{
    struct query *q = db_use(db, STMT_SIGNING_LOCK);

    query_bind_blob(q, r->sealed);
    query_bind_id(q, r->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    *done_r = query_i64(q) != 0;
    struct str sealed = query_str(q, r->pool);
    usec_t until = query_time(q), now = query_time(q);
    if (*done_r) {
        r->previous_until = until;
        return 0;
    }
    r->old = STR_NULL;
    r->previous_until = sealed.p != NULL && r->grace > 0 ? now + r->grace : TIME_NONE;
    if (r->previous_until == TIME_NONE)
        return 0;
    return secret_open(r->ring, r->workspace_id, sealed, r->pool, &r->old, err);
}

static void bind_secret(struct query *q, const struct rotation *r, const struct id *row_id,
                        struct str secret)
{
    query_bind_blob(q, secret_seal(r->ring, row_id, secret, r->pool));
}

static int rotate_destinations(struct db *db, const struct rotation *r, struct err *err)
{
    struct query *q = db_use(db, STMT_SIGNING_DESTINATIONS);
    struct id *ids = NULL;
    size_t count = 0, room = 0;

    query_bind_id(q, r->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    while (query_next(q))
        query_id(q, LIST_NEXT(r->pool, &ids, &count, &room));
    for (size_t i = 0; i < count; i++) {
        q = db_use(db, STMT_SIGNING_DESTINATION);
        bind_secret(q, r, &ids[i], r->secret);
        bind_secret(q, r, &ids[i], r->old);
        query_bind_time(q, r->previous_until);
        query_bind_id(q, &ids[i]);
        if (query_run(q, err) != 0)
            return -1;
    }
    return 0;
}

static int rotate(struct db *db, void *ctx, struct err *err)
{
    struct rotation *r = ctx;
    bool done = false;

    if (lock(db, r, &done, err) != 0)
        return -1;
    if (done)
        return 0;
    struct query *q = db_use(db, STMT_SIGNING_ROTATE);
    query_bind_time(q, r->previous_until);
    query_bind_time(q, r->previous_until);
    query_bind_blob(q, r->sealed);
    query_bind_id(q, r->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    return rotate_destinations(db, r, err);
}

int signing_secret_rotate(struct db *db, struct pool *pool, const struct keyring *ring,
                          const struct id *workspace_id, struct str secret, usec_t grace,
                          struct str *secret_r, usec_t *previous_until_r, struct err *err)
{
    struct rotation r = {.pool = pool,
                         .ring = ring,
                         .workspace_id = workspace_id,
                         .secret = secret.p != NULL ? secret : secret_new(pool),
                         .grace = grace};

    r.sealed = secret_seal(ring, workspace_id, r.secret, pool);
    if (transaction_run(db, rotate, &r, err) != 0)
        return -1;
    *secret_r = r.secret;
    *previous_until_r = r.previous_until;
    return 0;
}
