/*
 * fence_prepared.c - takes what came of preparing a call: back into the line, or out of it.
 */
#include "sql/fence.h"
#include "sql/refusals.h"
#include "sql/transaction.h"

struct work {
    struct pool *pool;
    const struct conf *conf;
    const struct prepared *prepared;
    bool taken;
    struct wakes wakes;
};

static int put_back(struct db *db, const struct prepared *p, struct err *err)
{
    struct query *q = db_use(db, STMT_PREPARED_WRITE);
    query_bind_str(q, p->variables);
    query_bind_id(q, &p->call_id);
    return query_run(q, err);
}

static int take(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    const struct prepared *p = w->prepared;
    struct query *q = db_use(db, STMT_PREPARED_LOCK);
    query_bind_id(q, &p->call_id);
    query_bind_i64(q, p->prepare_fence);
    if (query_run(q, err))
        return -1;
    w->wakes = (struct wakes){0};
    w->taken = query_next(q);
    if (!w->taken)
        return 0;
    if (p->refusal == CALL_ERROR_NONE)
        return put_back(db, p, err);
    struct refused_call refused = {
        .call_id = p->call_id, .error = p->refusal, .message = p->message};
    query_id(q, &refused.workspace_id);
    query_id(q, &refused.agent_id);
    refused.contact_number = query_str(q, w->pool);
    refused.test = query_i64(q) != 0;
    refused.dialled = query_i64(q) != 0;
    usec_t now = query_time(q);
    size_t disallowed;
    return refusals_write(db, w->pool, w->conf, &refused, 1, now, &disallowed, &w->wakes, err);
}

int fence_prepared(struct db *db, struct pool *pool, const struct conf *conf,
                   const struct prepared *prepared, bool *taken_r, struct wakes *wakes_r,
                   struct err *err)
{
    struct work w = {.pool = pool, .conf = conf, .prepared = prepared};
    if (transaction_run(db, take, &w, err))
        return -1;
    *taken_r = w.taken;
    *wakes_r = w.wakes;
    return 0;
}
