/*
 * fence_draw.c - reads what the fence judges: which agents have due calls, an agent with its
 * policy, and its calls.
 */
#include "lib/base/crypto.h"
#include "sql/fence_private.h"
#include "sql/list.h"
#include <string.h>

#define FRONT_MAX 1000 /* of an agent's due calls, where test calls are looked for */

/* ---- agents ---- */

int fence_due_agents(struct db *db, struct pool *pool, struct calls_of **agents_r, size_t *count_r,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_DUE_AGENTS);
    size_t room = 0;
    *agents_r = NULL;
    *count_r = 0;
    if (query_run_again(q, err))
        return -1;
    while (query_next(q)) {
        struct calls_of *of = LIST_NEXT(pool, agents_r, count_r, &room);
        query_id(q, &of->agent_id);
        of->batched = query_i64(q) != 0;
    }
    return 0;
}

static void read_words(struct query *q, struct pool *pool, struct placement *p)
{
    p->agent_name = query_str(q, pool);
    p->prompt = query_str(q, pool);
    p->greeting = query_str(q, pool);
    p->language = query_str(q, pool);
    p->voice = query_str(q, pool);
    p->from_number = query_str(q, pool);
    p->ring_timeout_seconds = query_i64(q);
    p->max_duration_seconds = query_i64(q);
}

/* The simulator rings nobody: its calls keep only what the agent itself sets. */
static void read_policy(struct query *q, struct pool *pool, struct placing_agent *a)
{
    bool own_hours = query_i64(q) != 0;
    struct policy_hours *h = &a->real.hours;
    h->hours.from_minute = query_i64(q);
    h->hours.to_minute = query_i64(q);
    h->hours.days = (unsigned)query_i64(q);
    a->real.has_hours = true;
    a->real.outside_disallows = query_i64(q) == 2;
    a->lines = query_i64(q);
    a->calls_per_day = query_i64(q);
    h->zone = a->zone = zone_find(query_str(q, pool));
    h->holidays = policy_holidays(pool, query_str(q, pool));
    a->workspace_lines = query_i64(q);
    a->workspace_calls_per_day = query_i64(q);
    a->simulated = a->real;
    a->simulated.has_hours = own_hours;
    a->real.number_calls_per_day = query_i64(q);
    a->real.number_gap_minutes = query_i64(q);
    a->real.number_types = a->simulated.number_types = (unsigned)query_i64(q);
}

int fence_read_agent(struct db *db, struct pool *pool, const struct id *agent_id,
                     struct placing_agent *a, struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_AGENT);
    query_bind_id(q, agent_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "calls of an agent that does not exist");
    memset(a, 0, sizeof *a);
    a->common.placement.agent_id = *agent_id;
    query_id(q, &a->common.workspace_id);
    a->enabled = query_i64(q) != 0;
    a->workspace_active = query_i64(q) == 1;
    read_words(q, pool, &a->common.placement);
    a->redial_on_unknown = query_i64(q) != 0;
    query_id(q, &a->common.carrier_id);
    a->common.kind = (enum carrier_kind)(query_i64_or(q, CARRIER_SIMULATOR + 1) - 1);
    a->common.carrier_url = query_str(q, pool);
    a->common.carrier_secret_sealed = query_str(q, pool);
    a->carrier_lines = query_i64(q);
    a->carrier_per_second = query_i64(q);
    a->prepares = query_i64(q) != 0;
    a->offers = query_i64(q) != 0;
    read_policy(q, pool, a);
    return 0;
}

/* ---- drawing ---- */

/* A test call never reaches a real carrier. */
static void use_simulator(struct fenced_call *call)
{
    memset(&call->carrier_id, 0, sizeof call->carrier_id);
    call->kind = CARRIER_SIMULATOR;
    call->carrier_url = STR_NULL;
    call->carrier_secret_sealed = STR_NULL;
}

static void read_drawn(struct query *q, struct pool *pool, const struct placing_agent *a,
                       usec_t now, struct drawn_call *d)
{
    struct placement *p = &d->call.placement;
    struct err ignored;

    d->call = a->common;
    query_id(q, &p->call_id);
    p->test = query_i64(q) != 0;
    p->attempt = (unsigned)query_i64(q) + 1;
    p->contact_number = query_str(q, pool);
    p->contact_name = query_str(q, pool);
    p->contact_email = query_str(q, pool);
    p->additional_info = query_str(q, pool);
    p->variables = query_str(q, pool);
    d->prepared = !a->prepares || query_i64(q) == p->attempt;
    if (!a->prepares)
        query_skip(q, 1);
    d->prepare_fence = (unsigned)query_i64(q);
    d->facts.expires_at = query_time(q);
    d->facts.number_dialled_at = TIME_NONE;
    d->dialled = d->facts.dialled = query_i64(q) != 0;
    d->hold_reason = query_str(q, pool);
    p->created_at = query_time(q);
    p->scheduled_at = query_time(q);
    p->fenced_at = now;
    p->offset_minutes = a->zone ? (int)(zone_offset(a->zone, now) / 60) : 0;
    d->batch = (enum batch_status)(query_i64_or(q, BATCH_RUNNING + 1) - 1);
    crypto_random(p->token, sizeof p->token);
    if (p->test)
        use_simulator(&d->call);
    d->simulated = d->call.kind == CARRIER_SIMULATOR;
    /* Rules for numbers may have become stricter since it was made. */
    if (phone_check(p->contact_number, "contact_number", &d->facts.number_kind, &ignored) != 0)
        d->facts.number_kind = PHONE_SERVICE;
}

int fence_draw(struct db *db, struct pool *pool, const struct placing_agent *a,
               const struct calls_of *of, bool tests, size_t limit, struct drawn_call **drawn_r,
               size_t *count_r, usec_t *now_r, struct err *err)
{
    struct query *q = db_use(db, tests ? STMT_FENCE_DRAW_TESTS : STMT_FENCE_DRAW);
    query_bind_id(q, &of->agent_id);
    query_bind_i64(q, of->batched);
    if (tests)
        query_bind_i64(q, FRONT_MAX);
    query_bind_i64(q, (int64_t)limit);
    if (query_run(q, err))
        return -1;
    *drawn_r = pool_new(pool, struct drawn_call, limit);
    *count_r = 0;
    while (*count_r < limit && query_next(q)) {
        *now_r = query_time(q);
        read_drawn(q, pool, a, *now_r, &(*drawn_r)[(*count_r)++]);
    }
    return 0;
}
