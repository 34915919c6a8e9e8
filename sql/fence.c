/*
 * fence.c - judges an agent's due calls and fences them, in one transaction.
 *
 * Policy is asked here, a last time, of what may have changed since the call was made. What counts
 * calls belongs into this transaction too (fence_counts.c), so that several dispatchers can't
 * overshoot it.
 */
#include "sql/fence.h"
#include "sql/fence_private.h"
#include <string.h>

/* ---- judging ---- */

static void refuse(struct drawn_call *d, enum call_error error)
{
    d->fate = FATE_REFUSE;
    d->verdict = (struct policy_verdict){.step = POLICY_DISALLOW, .error = error};
}

/* What it lacks for a line: of whose own limits none is free, or HOLD_NONE. */
static enum hold_reason lacks_line(const struct fence_room *room, const struct drawn_call *d)
{
    if (room->agent_lines <= 0 || room->own_singles_first ||
        (!d->simulated && room->carrier_lines <= 0))
        return HOLD_AGENT_CAPACITY;
    if (!d->simulated && (room->workspace_lines <= 0 || room->singles_first))
        return HOLD_CAPACITY;
    return HOLD_NONE;
}

static void take(int64_t *left)
{
    if (*left != NO_LIMIT)
        --*left;
}

static void take_line(struct fence_room *room, const struct drawn_call *d)
{
    take(&room->agent_lines);
    if (!d->simulated) {
        take(&room->workspace_lines);
        take(&room->carrier_lines);
    }
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

static void place(struct drawn_call *d, struct fence_room *room, struct fence_result *result)
{
    if (!d->simulated && room->pace == 0) {
        result->wait = room->paced_until - room->now;
        return;
    }
    d->fate = FATE_PLACE;
    take_line(room, d);
    take(&room->agent_day);
    if (!d->simulated) {
        take(&room->workspace_day);
        room->pace--;
    }
}

static void let_go(struct drawn_call *d, struct fence_room *room, const struct fence_ask *ask,
                   struct fence_result *result)
{
    d->verdict.hold = lacks_line(room, d);
    if (d->verdict.hold != HOLD_NONE) {
        d->fate = FATE_NO_LINE;
        result->no_line = d->verdict.hold;
    } else if (d->prepared && result->count < ask->limit) {
        place(d, room, result);
        result->count += d->fate == FATE_PLACE;
    } else if (!d->prepared && result->prepare_count < ask->prepare_limit) {
        d->fate = FATE_PREPARE;
        take_line(room, d);
        result->prepare_count++;
    } else if (d->prepared) {
        result->more = true;
    } else {
        result->prepare_full = true;
    }
}

static void judge(const struct placing_agent *a, struct drawn_call *d, struct fence_room *room,
                  const struct fence_ask *ask, struct fence_result *result)
{
    const struct policy *policy = d->simulated ? &a->simulated : &a->real;

    if (d->batch != BATCH_RUNNING) {
        d->fate = d->batch == BATCH_PAUSED ? FATE_PAUSED : FATE_CANCELLED;
        return;
    }
    if (!a->workspace_active) {
        refuse(d, CALL_ERROR_ACCOUNT_SUSPENDED);
        return;
    }
    if (!a->enabled) {
        refuse(d, CALL_ERROR_AGENT_DISABLED);
        return;
    }
    d->facts.day_is_full = room->agent_day <= 0 || (!d->simulated && room->workspace_day <= 0);
    d->verdict = policy_judge(policy, &d->facts, room->now);
    switch (d->verdict.step) {
    case POLICY_GO:
        let_go(d, room, ask, result);
        break;
    case POLICY_HOLD:
        d->fate = FATE_HOLD;
        result->held++;
        result->no_zone |= d->verdict.hold == HOLD_OUTSIDE_CALLING_HOURS && a->zone == NULL;
        break;
    case POLICY_DISALLOW:
    case POLICY_EXPIRE:
        d->fate = FATE_REFUSE;
        break;
    }
}

/* ---- the transaction ---- */

static int write_refusals(struct db *db, struct pool *pool, const struct conf *conf,
                          const struct drawn_call *drawn, size_t count, usec_t now,
                          struct fence_result *result, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct drawn_call *d = &drawn[i];
        const struct placement *p = &d->call.placement;
        enum call_status became;
        if (d->fate != FATE_REFUSE)
            continue;
        struct refused_call refused = {
            .call_id = p->call_id,
            .workspace_id = d->call.workspace_id,
            .agent_id = p->agent_id,
            .contact_number = p->contact_number,
            .test = p->test,
            .dialled = d->dialled,
            .error = d->verdict.error,
        };
        if (refusals_write(db, pool, conf, &refused, now, &became, &result->wakes, err))
            return -1;
        result->disallowed += became == CALL_DISALLOWED;
        result->failed += became == CALL_FAILED;
    }
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

/* What is asked for, now that the workspace is known. */
static struct fence_ask ask_for(const struct fence_ask *ask, const struct id *workspace_id)
{
    struct fence_ask own = *ask;
    if (ask->prepare_room) {
        size_t room = ask->prepare_room(ask->ctx, workspace_id);
        own.prepare_limit = room < ask->prepare_limit ? room : ask->prepare_limit;
    }
    return own;
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
    /* Read again under the lock, that who changes settings has, too: a call is never held by
     * settings that are older than the wish to have it judged anew (held_calls.h). */
    if (fence_is_counted(&a) &&
        (fence_lock(db, &a, err) || fence_read_agent(db, pool, &ask.of.agent_id, &a, err)))
        return -1;
    if (fence_read_room(db, &a, &ask, &room, err))
        return -1;
    size_t limit = draw_limit(&a, &ask, room.now);
    if (fence_draw(db, pool, &a, &ask.of, limit, &drawn, &count, &room.now, err))
        return -1;
    if (count == 0)
        return 0;
    if (fence_read_numbers(db, pool, &a, room.now, drawn, count, err))
        return -1;
    for (size_t i = 0; i < count; i++) {
        judge(&a, &drawn[i], &room, &ask, result);
        if (drawn[i].fate == FATE_PLACE)
            count_number(&drawn[i], drawn + count, room.now);
    }
    /* Those behind these may find no line either, but only who asks learns that. */
    result->more |= count == limit && result->no_line == HOLD_NONE && result->wait == TIME_NONE &&
                    !result->prepare_full;
    return write_all(db, pool, conf, &a, &room, drawn, count, result, err);
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
