/*
 * unchecked_fence.c - the fence without policy: takes an agent's due calls, writes an attempt for
 * each and moves them, in one commit. The measuring stick for what policy costs: no lock, no count,
 * no limit, no hours, no suppressed number is asked for.
 *
 * It stands in the place of sql/fence.c in bench-dispatch; all else of that program is the
 * dispatcher's own.
 */
#include "sql/fence_private.h"
#include <string.h>

static int place_all(struct db *db, struct pool *pool, const struct conf *conf,
                     const struct fence_ask *ask, struct fence_result *result, struct err *err)
{
    struct placing_agent agent;
    struct drawn_call *drawn;
    size_t count = 0;
    usec_t now = TIME_NONE;
    if (fence_read_agent(db, pool, &ask->of.agent_id, &agent, err))
        return -1;
    size_t limit = ask->place_room(ask->ctx, &agent.common.workspace_id);
    if (limit > ask->limit)
        limit = ask->limit;
    result->no_room = limit == 0;
    if (limit > 0 &&
        fence_draw(db, pool, &agent, &ask->of, false, limit, &drawn, &count, &now, err))
        return -1;
    result->workspace_id = agent.common.workspace_id;
    result->more = limit > 0 && count == limit;
    result->count = count;
    result->calls = pool_new(pool, struct fenced_call, count + 1);
    for (size_t i = 0; i < count; i++)
        result->calls[i] = drawn[i].call;
    return fence_write_attempts(db, conf, &agent, now, result->calls, count, err);
}

int fence_calls(struct db *db, struct pool *pool, const struct conf *conf,
                const struct fence_ask *ask, struct fence_result *result_r, struct err *err)
{
    memset(result_r, 0, sizeof *result_r);
    result_r->wait = TIME_NONE;
    result_r->began_at = clock_monotonic();
    if (db_begin(db, err))
        return -1;
    if (place_all(db, pool, conf, ask, result_r, err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}
