/*
 * fence.c - draws an agent's due calls, judges them (fence_judge.c) and fences them, in one
 * transaction.
 *
 * What counts calls belongs into this transaction too (fence_counts.c), so that several dispatchers
 * can't overshoot it.
 */
#include "sql/fence.h"
#include "sql/fence_private.h"
#include "sql/transaction.h"
#include <string.h>

static int write_refusals(struct db *db, struct pool *pool, const struct conf *conf,
                          const struct drawn_call *drawn, size_t count, usec_t now,
                          struct fence_result *result, struct err *err)
{
    struct refused_call *refused = pool_new(pool, struct refused_call, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct drawn_call *d = &drawn[i];
        const struct placement *p = &d->call.placement;
        if (d->fate != FATE_REFUSE)
            continue;
        refused[n++] = (struct refused_call){
            .call_id = p->call_id,
            .workspace_id = d->call.workspace_id,
            .agent_id = p->agent_id,
            .contact_number = p->contact_number,
            .test = p->test,
            .dialled = d->dialled,
            .error = d->verdict.error,
        };
    }
    if (refusals_write(db, pool, conf, refused, n, now, &result->disallowed, &result->wakes, err))
        return -1;
    result->failed = n - result->disallowed;
    return 0;
}

static void collect(struct pool *pool, const struct drawn_call *drawn, size_t count,
                    struct fence_result *result)
{
    size_t placed = 0, prepare = 0;
    result->calls = pool_new(pool, struct fenced_call, result->count + 1);
    result->to_prepare = pool_new(pool, struct call_to_prepare, result->prepare_count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct drawn_call *d = &drawn[i];
        if (d->fate == FATE_PLACE)
            result->calls[placed++] = d->call;
        else if (d->fate == FATE_PREPARE)
            result->to_prepare[prepare++] = (struct call_to_prepare){d->call, d->prepare_fence + 1};
    }
}

/* What a voice engine needs to know; the simulator asks for nothing. */
static int add_offer(struct db *db, struct pool *pool, const struct placing_agent *a,
                     struct fence_result *result, struct err *err)
{
    struct str offer;
    if (!a->offers || a->common.kind == CARRIER_SIMULATOR || result->count == 0)
        return 0;
    if (fence_read_offer(db, pool, &a->common.placement.agent_id, &offer, err))
        return -1;
    for (size_t i = 0; i < result->count; i++)
        result->calls[i].placement.functions = offer;
    return 0;
}

static int write_all(struct db *db, struct pool *pool, const struct conf *conf,
                     const struct placing_agent *a, const struct fence_room *room,
                     const struct drawn_call *drawn, size_t count, struct fence_result *result,
                     struct err *err)
{
    collect(pool, drawn, count, result);
    if (add_offer(db, pool, a, result, err) || fence_write_holds(db, drawn, count, err) ||
        fence_write_batched(db, drawn, count, err) || fence_write_waiting(db, drawn, count, err) ||
        write_refusals(db, pool, conf, drawn, count, room->now, result, err) ||
        fence_write_preparing(db, conf, result->to_prepare, result->prepare_count, err))
        return -1;
    if (fence_write_attempts(db, conf, a, room->now, result->calls, result->count, err))
        return -1;
    return fence_count_dials(db, a, room, result->calls, result->count, err);
}

/* Where none can go, because of the hour or of who is switched off, they are put off many at a
 * time. */
static size_t draw_limit(const struct placing_agent *a, const struct fence_ask *ask, usec_t now)
{
    bool real = a->common.kind != CARRIER_SIMULATOR && !policy_open(&a->real.hours, now);
    bool closed = real || (a->simulated.has_hours && !policy_open(&a->simulated.hours, now));
    size_t limit = ask->limit > ask->prepare_limit ? ask->limit : ask->prepare_limit;
    if (limit > DB_MANY_MAX || closed || !a->enabled || !a->workspace_active)
        limit = DB_MANY_MAX;
    return limit;
}

static size_t within(size_t limit, fence_room_fn *room, void *ctx, const struct id *workspace_id)
{
    size_t most = room ? room(ctx, workspace_id) : limit;
    return most < limit ? most : limit;
}

/* What is asked for, now that the workspace is known. */
static struct fence_ask ask_for(const struct fence_ask *ask, const struct id *workspace_id)
{
    struct fence_ask own = *ask;
    own.limit = within(ask->limit, ask->place_room, ask->ctx, workspace_id);
    own.prepare_limit = within(ask->prepare_limit, ask->prepare_room, ask->ctx, workspace_id);
    return own;
}

/* Later calls of the same draw to the same number see this dial. */
static void count_number(struct drawn_call *d, struct drawn_call *end, usec_t now)
{
    if (d->simulated)
        return;
    struct str number = d->call.placement.contact_number;
    for (d++; d < end; d++) {
        if (!d->simulated && str_eq(d->call.placement.contact_number, number)) {
            d->facts.number_dials++;
            d->facts.number_dialled_at = now;
        }
    }
}

static int judge_all(struct db *db, struct pool *pool, const struct placing_agent *a,
                     struct fence_room *room, const struct fence_ask *ask, struct drawn_call *drawn,
                     size_t count, struct fence_result *result, struct err *err)
{
    if (count == 0)
        return 0;
    if (fence_read_numbers(db, pool, a, room->now, drawn, count, err))
        return -1;
    for (size_t i = 0; i < count; i++) {
        fence_judge(a, &drawn[i], room, ask, result);
        if (drawn[i].fate == FATE_PLACE)
            count_number(&drawn[i], drawn + count, room->now);
    }
    return 0;
}

static bool all_real_ones_wait(const struct drawn_call *drawn, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (drawn[i].fate != FATE_WAIT || drawn[i].simulated)
            return false;
    }
    return true;
}

/* Test calls need no line and keep no pace: they don't wait behind calls that do. */
static int add_tests(struct db *db, struct pool *pool, const struct placing_agent *a,
                     struct fence_room *room, const struct fence_ask *ask, size_t limit,
                     struct drawn_call **drawn, size_t *count, struct fence_result *result,
                     struct err *err)
{
    struct drawn_call *tests;
    size_t found;
    if (limit > DB_MANY_MAX - *count)
        limit = DB_MANY_MAX - *count;
    if (limit == 0)
        return 0;
    if (fence_draw(db, pool, a, &ask->of, true, limit, &tests, &found, &room->now, err) ||
        judge_all(db, pool, a, room, ask, tests, found, result, err))
        return -1;
    struct drawn_call *all = pool_new(pool, struct drawn_call, *count + found);
    memcpy(all, *drawn, *count * sizeof *all);
    if (found > 0)
        memcpy(all + *count, tests, found * sizeof *all);
    *drawn = all;
    *count += found;
    result->more |= found == limit && result->count > 0;
    return 0;
}

static int fence_in_transaction(struct db *db, struct pool *pool, const struct conf *conf,
                                const struct fence_ask *asked, struct fence_result *result,
                                struct err *err)
{
    struct placing_agent a;
    struct fence_room room;
    struct drawn_call *drawn;
    size_t count;
    if (fence_read_agent(db, pool, &asked->of.agent_id, &a, err))
        return -1;
    result->workspace_id = a.common.workspace_id;
    struct fence_ask ask = ask_for(asked, &result->workspace_id);
    result->no_room = ask.limit == 0;
    if (result->no_room)
        return 0;
    /* Read again under the lock, that who changes settings has, too: a call is never held by
     * settings that are older than the wish to have it judged anew (held_calls.h). */
    if (fence_is_counted(&a) &&
        (fence_lock(db, &a, err) || fence_read_agent(db, pool, &ask.of.agent_id, &a, err)))
        return -1;
    if (fence_read_room(db, &a, &ask, &room, err))
        return -1;
    size_t limit = draw_limit(&a, &ask, room.now);
    if (fence_draw(db, pool, &a, &ask.of, false, limit, &drawn, &count, &room.now, err) ||
        judge_all(db, pool, &a, &room, &ask, drawn, count, result, err))
        return -1;
    if (count == 0)
        return 0;
    /* Those behind these may find no line either, but only who asks learns that. */
    result->more |= count == limit && result->no_line == HOLD_NONE && result->wait == TIME_NONE &&
                    !result->prepare_full;
    if (count == limit && all_real_ones_wait(drawn, count) &&
        add_tests(db, pool, &a, &room, &ask, limit, &drawn, &count, result, err))
        return -1;
    return write_all(db, pool, conf, &a, &room, drawn, count, result, err);
}

struct fencing {
    struct pool *pool;
    const struct conf *conf;
    const struct fence_ask *ask;
    struct fence_result *result;
};

static int fence(struct db *db, void *ctx, struct err *err)
{
    struct fencing *f = ctx;
    *f->result = (struct fence_result){.wait = TIME_NONE, .began_at = clock_monotonic()};
    return fence_in_transaction(db, f->pool, f->conf, f->ask, f->result, err);
}

int fence_calls(struct db *db, struct pool *pool, const struct conf *conf,
                const struct fence_ask *ask, struct fence_result *result_r, struct err *err)
{
    /* After a commit of unknown outcome it draws again, and others: what that one may have fenced
     * is found by its lease, and no carrier was asked for it. */
    struct fencing f = {pool, conf, ask, result_r};
    return transaction_run(db, fence, &f, err);
}
