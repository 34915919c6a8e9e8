/*
 * steps.c - writes, draws and deletes the simulator's steps.
 */
#include "sql/steps.h"
#include "lib/base/crypto.h"
#include "sql/transaction.h"
#include <string.h>

static int insert_chunk(struct db *db, const unsigned char *token,
                        const struct simulated_step *steps, size_t count, struct err *err)
{
    struct id ids[DB_MANY_MAX];
    struct query *q = db_use_many(db, STMT_STEP_INSERT, count);
    for (size_t i = 0; i < count; i++) {
        unsigned char random[10];
        crypto_random(random, sizeof random);
        ids[i] = id_make(clock_wall(), random);
        query_bind_id(q, &ids[i]);
        query_bind_bytes(q, token, ATTEMPT_TOKEN_SIZE);
        query_bind_i64(q, steps[i].after);
        query_bind_str(q, steps[i].body);
    }
    return query_run(q, err);
}

int steps_insert(struct db *db, const unsigned char *token, const struct simulated_step *steps,
                 size_t count, struct err *err)
{
    if (count == 0)
        return 0;
    if (db_begin(db, err))
        return -1;
    for (size_t done = 0; done < count;) {
        size_t n = db_many_chunk(count - done);
        if (insert_chunk(db, token, steps + done, n, err)) {
            db_rollback(db);
            return -1;
        }
        done += n;
    }
    return db_commit(db, err);
}

struct drawing {
    struct pool *pool;
    size_t limit;
    usec_t lease;
    struct step_row *rows;
    size_t count;
};

static int draw_rows(struct db *db, struct drawing *d, struct err *err)
{
    struct query *q = db_use(db, STMT_STEP_DRAW);
    query_bind_i64(q, (int64_t)d->limit);
    if (query_run(q, err))
        return -1;
    d->count = 0;
    while (d->count < d->limit && query_next(q)) {
        struct step_row *row = &d->rows[d->count++];
        query_id(q, &row->step_id);
        struct str token = query_str(q, d->pool);
        if (token.n != ATTEMPT_TOKEN_SIZE)
            return err_set(err, ERR_INTERNAL, "a step's token has %zu bytes", token.n);
        memcpy(row->token, token.p, ATTEMPT_TOKEN_SIZE);
        row->body = query_str(q, d->pool);
    }
    return 0;
}

static int lease_rows(struct db *db, const struct drawing *d, struct err *err)
{
    struct query *q = db_use_many(db, STMT_STEP_LEASE, d->count);
    query_bind_i64(q, d->lease);
    for (size_t i = 0; i < d->count; i++)
        query_bind_id(q, &d->rows[i].step_id);
    return query_run(q, err);
}

static int draw(struct db *db, void *ctx, struct err *err)
{
    struct drawing *d = ctx;
    if (draw_rows(db, d, err))
        return -1;
    return d->count > 0 ? lease_rows(db, d, err) : 0;
}

int steps_draw(struct db *db, struct pool *pool, size_t limit, usec_t lease,
               struct step_row **rows_r, size_t *count_r, struct err *err)
{
    struct drawing d = {.pool = pool, .limit = limit, .lease = lease};
    if (limit > DB_MANY_MAX)
        d.limit = DB_MANY_MAX;
    d.rows = pool_new(pool, struct step_row, d.limit);
    *count_r = 0;
    if (transaction_run(db, draw, &d, err))
        return -1;
    *rows_r = d.rows;
    *count_r = d.count;
    return 0;
}

int steps_delete(struct db *db, const struct id *ids, size_t count, struct err *err)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_STEP_DELETE, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &ids[done + i]);
        if (query_run_again(q, err))
            return -1;
        done += n;
    }
    return 0;
}

int steps_next(struct db *db, usec_t *wait_r, struct err *err)
{
    struct query *q = db_use(db, STMT_STEP_NEXT_DUE);
    if (query_run_again(q, err))
        return -1;
    *wait_r = TIME_NONE;
    if (!query_next(q))
        return 0;
    usec_t due = query_time(q);
    usec_t now = query_time(q);
    if (due != TIME_NONE)
        *wait_r = due > now ? due - now : 0;
    return 0;
}
