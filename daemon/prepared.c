/*
 * prepared.c - the lanes that write what came of pre-call functions: their runs, then what they
 * mean for the call.
 *
 * Both can be repeated, and are while the database is away; the claim may run out meanwhile, and
 * then another has taken the call and ours is not written.
 */
#include "daemon/caller.h"
#include "daemon/deliver.h"
#include "daemon/fault.h"
#include "daemon/prepare_private.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/erasure.h"
#include "sql/function_counters.h"

void prepared_add(struct preparer *p, struct preparation *one)
{
    one->next = NULL;
    *p->finished_end = one;
    p->finished_end = &one->next;
    for (size_t i = 0; i < PREPARED_LANES; i++) {
        if (lane_sleeps(p->prepared_lanes[i])) {
            lane_poke(p->prepared_lanes[i]);
            break;
        }
    }
}

static struct preparation *take(struct preparer *p)
{
    struct preparation *one = p->finished;

    if (!one)
        return NULL;
    p->finished = one->next;
    if (!p->finished)
        p->finished_end = &p->finished;
    return one;
}

static int record(struct preparer *p, struct db *db, struct pool *pool, struct preparation *one,
                  struct err *err)
{
    struct prepared prepared = {
        .call_id = one->context.call_id,
        .prepare_fence = one->prepare_fence,
        .variables = one->context.variables,
        .refusal = one->refusal,
        .message = one->message,
    };
    struct wakes wakes = {0};
    bool taken;

    if (one->run_count > 0 && function_runs_insert(db, one->runs, one->run_count, err) != 0)
        return -1;
    for (size_t i = 0; i < one->run_count; i++)
        function_counters_add(p->dispatcher->runs, PHASE_PRE_CALL, one->runs[i].error);
    one->run_count = 0;
    fault_point("pre_call_runs_written");
    if (fence_prepared(db, pool, p->dispatcher->conf, &prepared, &taken, &wakes, err) != 0)
        return -1;
    if (!taken && erase_runs(db, &prepared.call_id, 1, err) != 0)
        return -1;
    fault_point("prepared");
    if (taken && prepared.refusal == CALL_ERROR_PRE_CALL_REJECTED)
        p->dispatcher->counts.calls_disallowed++;
    deliverer_wake(p->dispatcher->deliverer, wakes.ids, wakes.count);
    return 0;
}

/* Done with: its agent's next call may be prepared, and perhaps others' for whom there was no room.
 */
static void forget(struct preparer *p, struct preparation *one)
{
    struct id agent_id = one->context.agent_id;
    bool was_full = preparer_room(p, &one->workflow->workspace_id) == 0;

    preparation_free(one);
    if (p->dispatcher->stopping)
        return;
    for (int batched = 0; batched < 2; batched++) {
        struct calls_of of = {agent_id, batched != 0};
        caller_wake(p->dispatcher->caller, &of);
    }
    if (was_full)
        caller_look(p->dispatcher->caller);
}

/* The call must not wait because a run is refused by the database. false: nothing can be left off.
 */
static bool strip_runs(struct preparation *one)
{
    if (one->run_count == 0)
        return false;
    if (one->stripped) {
        one->run_count = 0;
        return true;
    }
    for (size_t i = 0; i < one->run_count; i++)
        function_run_strip(&one->runs[i]);
    one->stripped = true;
    return true;
}

static void put_first(struct preparer *p, struct preparation *one)
{
    one->next = p->finished;
    p->finished = one;
    if (!one->next)
        p->finished_end = &one->next;
}

static void log_failure(const struct preparation *one, const struct err *err)
{
    char call_id[ID_TEXT_SIZE];

    id_format(ID_CALL, &one->context.call_id, call_id);
    log_write(LOG_ERROR, "what pre-call functions brought could not be written",
              "call=%s error=%s message=\"%s\"", call_id, err_code_text(err->code), err->message);
}

void prepared_lane_run(struct lane *lane, void *ctx)
{
    struct preparer *p = ctx;
    struct pool *pool;

    pool_create(&pool);
    while (!p->dispatcher->quit) {
        struct preparation *one = take(p);
        struct err err;
        if (!one) {
            lane_sleep(lane, TIME_NEVER);
            continue;
        }
        pool_clear(pool);
        if (record(p, lane_db(lane), pool, one, &err) == 0) {
            dispatcher_database_works(p->dispatcher);
            forget(p, one);
        } else if (err.code == ERR_UNAVAILABLE || err.code == ERR_UNCERTAIN) {
            put_first(p, one);
            dispatcher_database_failed(p->dispatcher, lane, &err);
        } else {
            log_failure(one, &err);
            if (strip_runs(one))
                put_first(p, one);
            else
                forget(p, one);
        }
    }
    pool_destroy(&pool);
}
