/*
 * fence.c - draws an agent's due calls and fences them, in one transaction.
 *
 * Policy is asked here, a last time, of what may have changed since the call was made. Limits that
 * count calls belong into this transaction too, so that several dispatchers can't overshoot them.
 */
#include "sql/fence.h"
#include "lib/base/crypto.h"
#include <string.h>

int fence_due_agents(struct db *db, struct pool *pool, struct calls_of **agents_r, size_t *count_r,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_DUE_AGENTS);
    if (query_run_again(q, err))
        return -1;
    struct calls_of *agents = NULL;
    size_t count = 0, room = 0;
    while (query_next(q)) {
        if (count == room) {
            room = room ? room * 2 : 32;
            struct calls_of *more = pool_new(pool, struct calls_of, room);
            if (count > 0)
                memcpy(more, agents, count * sizeof *more);
            agents = more;
        }
        query_id(q, &agents[count].agent_id);
        agents[count++].batched = query_i64(q) != 0;
    }
    *agents_r = agents;
    *count_r = count;
    return 0;
}

/* An agent with all that placing needs of it and of its carrier. */
struct placing_agent {
    struct fenced_call common; /* what all its calls share */
    bool enabled, workspace_active, redial_on_unknown;
};

static int read_agent(struct db *db, struct pool *pool, const struct id *agent_id,
                      struct placing_agent *a, struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_AGENT);
    query_bind_id(q, agent_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "calls of an agent that does not exist");
    memset(a, 0, sizeof *a);
    struct placement *p = &a->common.placement;
    p->agent_id = *agent_id;
    query_id(q, &a->common.workspace_id);
    a->enabled = query_i64(q) != 0;
    a->workspace_active = query_i64(q) == 1;
    p->prompt = query_str(q, pool);
    p->greeting = query_str(q, pool);
    p->language = query_str(q, pool);
    p->voice = query_str(q, pool);
    p->from_number = query_str(q, pool);
    p->ring_timeout_seconds = query_i64(q);
    p->max_duration_seconds = query_i64(q);
    a->redial_on_unknown = query_i64(q) != 0;
    query_id(q, &a->common.carrier_id);
    a->common.kind = (enum carrier_kind)(query_i64_or(q, CARRIER_SIMULATOR + 1) - 1);
    a->common.carrier_url = query_str(q, pool);
    a->common.carrier_secret_sealed = query_str(q, pool);
    return 0;
}

/* A test call never reaches a real carrier. */
static void use_simulator(struct fenced_call *call)
{
    memset(&call->carrier_id, 0, sizeof call->carrier_id);
    call->kind = CARRIER_SIMULATOR;
    call->carrier_url = STR_NULL;
    call->carrier_secret_sealed = STR_NULL;
}

static int draw(struct db *db, struct pool *pool, const struct placing_agent *a,
                const struct fence_ask *ask, struct fence_result *result, usec_t *now_r,
                struct err *err)
{
    size_t limit = ask->limit;
    struct query *q = db_use(db, STMT_FENCE_DRAW);
    query_bind_id(q, &a->common.placement.agent_id);
    query_bind_i64(q, ask->of.batched);
    query_bind_i64(q, (int64_t)limit);
    if (query_run(q, err))
        return -1;
    result->calls = pool_new(pool, struct fenced_call, limit);
    while (result->count < limit && query_next(q)) {
        struct fenced_call *call = &result->calls[result->count++];
        *call = a->common;
        struct placement *p = &call->placement;
        query_id(q, &p->call_id);
        p->test = query_i64(q) != 0;
        p->attempt = (unsigned)query_i64(q) + 1;
        p->contact_number = query_str(q, pool);
        p->contact_name = query_str(q, pool);
        p->contact_email = query_str(q, pool);
        p->additional_info = query_str(q, pool);
        *now_r = query_time(q);
        crypto_random(p->token, sizeof p->token);
        if (p->test)
            use_simulator(call);
    }
    result->more = result->count == limit;
    return 0;
}

static int disallow(struct db *db, struct pool *pool, const struct conf *conf,
                    const struct fenced_call *call, enum call_error reason, usec_t now,
                    struct wakes *wakes, struct err *err)
{
    const struct placement *p = &call->placement;
    struct query *q = db_use(db, STMT_FENCE_DISALLOW);
    query_bind_time(q, now);
    query_bind_str(q, str_of(call_error_code(reason)));
    query_bind_str(q, str_of(call_error_message(reason)));
    query_bind_time(q, now);
    query_bind_id(q, &p->call_id);
    if (query_run(q, err))
        return -1;
    struct event_data event = {
        .type = EVENT_CALL_DISALLOWED,
        .created_at = now,
        .call_id = p->call_id,
        .agent_id = p->agent_id,
        .phone_number = p->contact_number,
        .error = reason,
        .test = p->test,
    };
    usec_t first = conf->retry_schedule.count > 0 ? conf->retry_schedule.at[0] : 0;
    return events_write(db, pool, &call->workspace_id, &event, first, wakes, err);
}

static int disallow_all(struct db *db, struct pool *pool, const struct conf *conf,
                        enum call_error reason, usec_t now, struct fence_result *result,
                        struct err *err)
{
    for (size_t i = 0; i < result->count; i++) {
        if (disallow(db, pool, conf, &result->calls[i], reason, now, &result->wakes, err))
            return -1;
    }
    result->disallowed = result->count;
    result->count = 0;
    return 0;
}

static int insert_attempts(struct db *db, const struct conf *conf, const struct placing_agent *a,
                           const struct fenced_call *calls, size_t count, usec_t now,
                           struct err *err)
{
    usec_t longest =
        (a->common.placement.ring_timeout_seconds + a->common.placement.max_duration_seconds) *
        USEC_PER_S;
    for (size_t done = 0; done < count;) {
        size_t n = db_many_chunk(count - done);
        struct query *q = db_use_many(db, STMT_FENCE_ATTEMPTS, n);
        for (size_t i = 0; i < n; i++) {
            const struct fenced_call *call = &calls[done + i];
            query_bind_id(q, &call->placement.call_id);
            query_bind_i64(q, call->placement.attempt);
            query_bind_id(q, &call->workspace_id);
            query_bind_id(q, id_is_zero(&call->carrier_id) ? NULL : &call->carrier_id);
            query_bind_str(q, str_of(carrier_kind_text(call->kind)));
            query_bind_bytes(q, call->placement.token, sizeof call->placement.token);
            query_bind_i64(q, a->redial_on_unknown);
            query_bind_time(q, now);
            query_bind_time(q, now + longest + conf->place_timeout + conf->reaper_grace);
            query_bind_time(q, now + conf->place_timeout + conf->lease_grace);
        }
        if (query_run(q, err))
            return -1;
        done += n;
    }
    return 0;
}

static int fence(struct db *db, const struct fenced_call *calls, size_t count, struct err *err)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_FENCE_CALLS, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &calls[done + i].placement.call_id);
        if (query_run(q, err))
            return -1;
        if (query_affected(q) != n)
            return err_set(err, ERR_INTERNAL, "a call changed while it was locked");
        done += n;
    }
    return 0;
}

static int fence_in_transaction(struct db *db, struct pool *pool, const struct conf *conf,
                                const struct fence_ask *ask, struct fence_result *result,
                                struct err *err)
{
    struct placing_agent a;
    usec_t now = 0;
    if (read_agent(db, pool, &ask->of.agent_id, &a, err) ||
        draw(db, pool, &a, ask, result, &now, err))
        return -1;
    if (result->count == 0)
        return 0;
    if (!a.workspace_active)
        return disallow_all(db, pool, conf, CALL_ERROR_ACCOUNT_SUSPENDED, now, result, err);
    if (!a.enabled)
        return disallow_all(db, pool, conf, CALL_ERROR_AGENT_DISABLED, now, result, err);
    if (insert_attempts(db, conf, &a, result->calls, result->count, now, err))
        return -1;
    return fence(db, result->calls, result->count, err);
}

int fence_calls(struct db *db, struct pool *pool, const struct conf *conf,
                const struct fence_ask *ask, struct fence_result *result_r, struct err *err)
{
    memset(result_r, 0, sizeof *result_r);
    result_r->wait = TIME_NONE;
    if (db_begin(db, err))
        return -1;
    if (fence_in_transaction(db, pool, conf, ask, result_r, err)) {
        db_rollback(db);
        return -1;
    }
    /* A commit of unknown outcome counts as not done: what it fenced is found by its lease. */
    return db_commit(db, err);
}
