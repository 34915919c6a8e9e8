/*
 * held_calls.c - see held_calls.h.
 */
#include "sql/held_calls.h"
#include "sql/refusals.h"
#include "sql/transaction.h"

#include <string.h>

#define TELL_MAX 1000

/* ---- expiry ---- */

struct expiry {
    struct pool *pool;
    const struct conf *conf;
    size_t limit, looked_at, failed;
    struct wakes wakes;
};

/* Rows of calls that are not scheduled only have their alarm taken off. */
static size_t read_expired(struct query *q, struct expiry *e, struct id *ids,
                           struct refused_call *calls, size_t *count_r, usec_t *now_r)
{
    size_t seen = 0;
    *count_r = 0;
    while (seen < e->limit && query_next(q)) {
        struct refused_call *call = &calls[*count_r];
        memset(call, 0, sizeof *call);
        query_id(q, &call->call_id);
        query_id(q, &call->workspace_id);
        query_id(q, &call->agent_id);
        call->contact_number = query_str(q, e->pool);
        call->test = query_i64(q) != 0;
        call->dialled = query_i64(q) != 0;
        call->error = CALL_ERROR_EXPIRED;
        ids[seen++] = call->call_id;
        *count_r += query_i64(q) != 0;
        *now_r = query_time(q);
    }
    return seen;
}

static int expire(struct db *db, void *ctx, struct err *err)
{
    struct expiry *e = ctx;
    struct refused_call *calls = pool_new(e->pool, struct refused_call, e->limit + 1);
    struct id *ids = pool_new(e->pool, struct id, e->limit);
    size_t disallowed;
    usec_t now = 0;
    struct query *q = db_use(db, STMT_EXPIRY_DRAW);
    query_bind_i64(q, (int64_t)e->limit);
    if (query_run(q, err))
        return -1;
    e->wakes = (struct wakes){0};
    e->looked_at = read_expired(q, e, ids, calls, &e->failed, &now);
    if (e->looked_at == 0)
        return 0;
    if (refusals_write(db, e->pool, e->conf, calls, e->failed, now, &disallowed, &e->wakes, err))
        return -1;
    q = db_use_many(db, STMT_EXPIRY_DONE, e->looked_at);
    for (size_t i = 0; i < e->looked_at; i++)
        query_bind_id(q, &ids[i]);
    return query_run(q, err);
}

int held_calls_expire(struct db *db, struct pool *pool, const struct conf *conf, size_t limit,
                      size_t *looked_at_r, size_t *failed_r, struct wakes *wakes_r, struct err *err)
{
    struct expiry e = {.pool = pool, .conf = conf, .limit = limit};
    if (limit > DB_MANY_MAX)
        e.limit = DB_MANY_MAX;
    if (transaction_run(db, expire, &e, err))
        return -1;
    *looked_at_r = e.looked_at;
    *failed_r = e.failed;
    *wakes_r = e.wakes;
    return 0;
}

/* ---- settings that changed ---- */

int held_calls_want_recheck(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                            struct err *err)
{
    struct query *q = db_use(db, STMT_RECHECK_WANT);
    query_bind_id(q, workspace_id);
    query_bind_id(q, agent_id);
    query_bind_id(q, agent_id);
    return query_run(q, err);
}

int held_calls_rechecks(struct db *db, struct pool *pool, size_t limit, struct recheck **rechecks_r,
                        size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_RECHECKS);
    query_bind_i64(q, (int64_t)limit);
    *rechecks_r = pool_new(pool, struct recheck, limit);
    *count_r = 0;
    if (query_run_again(q, err))
        return -1;
    while (*count_r < limit && query_next(q)) {
        struct recheck *r = &(*rechecks_r)[(*count_r)++];
        query_id(q, &r->agent_id);
        r->wanted_at = query_time(q);
        r->due_at = r->began_at = query_time(q);
    }
    return 0;
}

/* Walks on by up to limit calls; those that policy held are put into ids. */
static int walk(struct db *db, struct recheck *r, size_t limit, struct id *ids, size_t *held_r,
                size_t *walked_r, struct err *err)
{
    struct query *q = db_use(db, STMT_RECHECK_WALK);
    query_bind_time(q, r->wanted_at);
    query_bind_id(q, &r->agent_id);
    query_bind_i64(q, r->batched);
    query_bind_time(q, r->due_at);
    query_bind_time(q, r->due_at);
    query_bind_id(q, &r->call_id);
    query_bind_i64(q, (int64_t)limit);
    if (query_run_again(q, err))
        return -1;
    *held_r = *walked_r = 0;
    while (*walked_r < limit && query_next(q)) {
        query_id(q, &r->call_id);
        r->due_at = query_time(q);
        ids[*held_r] = r->call_id;
        *held_r += query_i64(q) != 0;
        ++*walked_r;
    }
    return 0;
}

/* What was judged since the settings changed was judged by the new ones: it is told by updated_at
 * and left alone, or else a call that is held again would be taken again and again. */
static int make_due(struct db *db, const struct recheck *r, const struct id *ids, size_t count,
                    struct err *err)
{
    if (count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_RECHECK_MAKE_DUE, count);
    query_bind_time(q, r->wanted_at);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &ids[i]);
    return query_run_again(q, err);
}

int held_calls_recheck(struct db *db, struct recheck *r, size_t limit, bool *done_r,
                       struct err *err)
{
    struct id ids[DB_MANY_MAX];
    size_t held, walked;
    struct recheck next = *r;
    *done_r = false;
    if (limit > DB_MANY_MAX)
        limit = DB_MANY_MAX;
    if (walk(db, &next, limit, ids, &held, &walked, err) || make_due(db, r, ids, held, err))
        return -1;
    *r = next;
    r->made_due = held;
    if (walked == limit)
        return 0;
    if (!r->batched) { /* from the single calls to those of batches */
        *r = (struct recheck){
            .agent_id = r->agent_id,
            .wanted_at = r->wanted_at,
            .began_at = r->began_at,
            .batched = true,
            .due_at = r->began_at,
            .made_due = held,
        };
        return 0;
    }
    struct query *q = db_use(db, STMT_RECHECK_DONE);
    query_bind_id(q, &r->agent_id);
    query_bind_time(q, r->wanted_at);
    *done_r = true;
    return query_run_again(q, err);
}

/* ---- no line, or a pace ---- */

static int read_untold(struct db *db, const struct calls_of *of, struct str reason, struct id *ids,
                       size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_WAITING_UNTOLD);
    query_bind_id(q, &of->agent_id);
    query_bind_i64(q, of->batched);
    query_bind_i64(q, TELL_MAX);
    query_bind_str(q, reason);
    if (query_run_again(q, err))
        return -1;
    for (*count_r = 0; *count_r < TELL_MAX && query_next(q); ++*count_r)
        query_id(q, &ids[*count_r]);
    return 0;
}

int held_calls_tell_waiting(struct db *db, const struct calls_of *of, enum hold_reason reason,
                            struct err *err)
{
    struct str text = str_of(hold_reason_text(reason));
    struct id ids[TELL_MAX];
    size_t count, n;
    if (read_untold(db, of, text, ids, &count, err))
        return -1;
    for (size_t done = 0; done < count; done += n) {
        n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_WAITING_TELL, n);
        query_bind_str(q, text);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &ids[done + i]);
        if (query_run_again(q, err))
            return -1;
    }
    return 0;
}
