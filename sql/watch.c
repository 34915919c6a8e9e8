/*
 * watch.c - draws the attempts that need looking at, under a lease of their own.
 */
#include "sql/watch.h"
#include <string.h>

struct tokens {
    unsigned char (*at)[ATTEMPT_TOKEN_SIZE];
    size_t count;
    usec_t now;
};

static int draw_tokens(struct db *db, struct pool *pool, size_t limit, struct tokens *tokens,
                       struct err *err)
{
    struct query *q = db_use(db, STMT_WATCH_DRAW);
    query_bind_i64(q, (int64_t)limit);
    if (query_run(q, err))
        return -1;
    tokens->at = pool_alloc_array(pool, limit, ATTEMPT_TOKEN_SIZE);
    tokens->count = 0;
    while (tokens->count < limit && query_next(q)) {
        struct str token = query_str(q, pool);
        if (token.n != ATTEMPT_TOKEN_SIZE)
            return err_set(err, ERR_INTERNAL, "an attempt's token has %zu bytes", token.n);
        memcpy(tokens->at[tokens->count++], token.p, ATTEMPT_TOKEN_SIZE);
        tokens->now = query_time(q);
    }
    return 0;
}

static int lease_tokens(struct db *db, const struct tokens *tokens, usec_t lease, struct err *err)
{
    struct query *q = db_use_many(db, STMT_WATCH_LEASE, tokens->count);
    query_bind_i64(q, lease);
    for (size_t i = 0; i < tokens->count; i++)
        query_bind_bytes(q, tokens->at[i], ATTEMPT_TOKEN_SIZE);
    return query_run(q, err);
}

static int take(struct db *db, struct pool *pool, size_t limit, usec_t lease, struct tokens *tokens,
                struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (draw_tokens(db, pool, limit, tokens, err) ||
        (tokens->count > 0 && lease_tokens(db, tokens, lease, err))) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

static void read_attempt(struct query *q, struct pool *pool, struct watched_attempt *a)
{
    struct str token = query_str(q, pool);
    if (token.n == ATTEMPT_TOKEN_SIZE)
        memcpy(a->token, token.p, ATTEMPT_TOKEN_SIZE);
    query_id(q, &a->call_id);
    a->n = (unsigned)query_i64(q);
    a->kind = (enum carrier_kind)(query_i64(q) - 1);
    a->state = (enum attempt_state)(query_i64(q) - 1);
    a->fenced_at = query_time(q);
    a->silent_at = query_time(q);
    a->denials = (unsigned)query_i64(q);
    a->carrier_url = query_str(q, pool);
    a->carrier_secret_sealed = query_str(q, pool);
    query_id(q, &a->carrier_id);
    a->steps_left = query_i64(q) != 0;
}

int watch_draw(struct db *db, struct pool *pool, size_t limit, usec_t lease,
               struct watched_attempt **attempts_r, size_t *count_r, struct err *err)
{
    struct tokens tokens = {0};
    if (limit > DB_MANY_MAX)
        limit = DB_MANY_MAX;
    *count_r = 0;
    if (take(db, pool, limit, lease, &tokens, err))
        return -1;
    if (tokens.count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_WATCH_READ, tokens.count);
    for (size_t i = 0; i < tokens.count; i++)
        query_bind_bytes(q, tokens.at[i], ATTEMPT_TOKEN_SIZE);
    if (query_run_again(q, err))
        return -1;
    struct watched_attempt *attempts = pool_new(pool, struct watched_attempt, tokens.count);
    size_t count = 0;
    while (count < tokens.count && query_next(q)) {
        attempts[count].now = tokens.now;
        read_attempt(q, pool, &attempts[count++]);
    }
    *attempts_r = attempts;
    *count_r = count;
    return 0;
}

int watch_again(struct db *db, const unsigned char *token, unsigned denials, usec_t wait,
                struct err *err)
{
    struct query *q = db_use(db, STMT_WATCH_AGAIN);
    query_bind_i64(q, denials);
    query_bind_i64(q, wait);
    query_bind_bytes(q, token, ATTEMPT_TOKEN_SIZE);
    return query_run_again(q, err);
}
