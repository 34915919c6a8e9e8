/*
 * watch.c - draws the attempts that need looking at, under a lease of their own.
 */
#include "sql/watch.h"
#include "sql/transaction.h"
#include <string.h>

struct tokens {
    struct pool *pool;
    size_t limit;
    usec_t lease;
    unsigned char (*at)[ATTEMPT_TOKEN_SIZE];
    size_t count;
    usec_t now;
};

static int draw_tokens(struct db *db, struct tokens *tokens, struct err *err)
{
    struct query *q = db_use(db, STMT_WATCH_DRAW);
    query_bind_i64(q, (int64_t)tokens->limit);
    if (query_run(q, err))
        return -1;
    tokens->at = pool_alloc_array(tokens->pool, tokens->limit, ATTEMPT_TOKEN_SIZE);
    tokens->count = 0;
    while (tokens->count < tokens->limit && query_next(q)) {
        struct str token = query_str(q, tokens->pool);
        if (token.n != ATTEMPT_TOKEN_SIZE)
            return err_set(err, ERR_INTERNAL, "an attempt's token has %zu bytes", token.n);
        memcpy(tokens->at[tokens->count++], token.p, ATTEMPT_TOKEN_SIZE);
        tokens->now = query_time(q);
    }
    return 0;
}

static int lease_tokens(struct db *db, const struct tokens *tokens, struct err *err)
{
    struct query *q = db_use_many(db, STMT_WATCH_LEASE, tokens->count);
    query_bind_i64(q, tokens->lease);
    for (size_t i = 0; i < tokens->count; i++)
        query_bind_bytes(q, tokens->at[i], ATTEMPT_TOKEN_SIZE);
    return query_run(q, err);
}

static int take(struct db *db, void *ctx, struct err *err)
{
    struct tokens *tokens = ctx;
    if (draw_tokens(db, tokens, err))
        return -1;
    return tokens->count > 0 ? lease_tokens(db, tokens, err) : 0;
}

static void read_attempt(struct query *q, struct pool *pool, struct watched_attempt *a)
{
    struct str token = query_str(q, pool);
    if (token.n == ATTEMPT_TOKEN_SIZE)
        memcpy(a->token, token.p, ATTEMPT_TOKEN_SIZE);
    query_id(q, &a->call_id);
    query_id(q, &a->workspace_id);
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
    struct tokens tokens = {.pool = pool, .limit = limit, .lease = lease};
    if (limit > DB_MANY_MAX)
        tokens.limit = DB_MANY_MAX;
    *count_r = 0;
    if (transaction_run(db, take, &tokens, err))
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
