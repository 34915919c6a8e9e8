/*
 * fence_judge.c - what becomes of one drawn call: policy is asked, a last time, of what may have
 * changed since the call was made; and there must be a line for it, and its carrier's pace.
 */
#include "sql/fence_private.h"

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

static void place(struct drawn_call *d, struct fence_room *room, struct fence_result *result)
{
    if (!d->simulated && room->pace == 0) {
        d->fate = FATE_WAIT;
        d->verdict.hold = HOLD_CARRIER_PACE;
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
        d->fate = FATE_WAIT;
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

void fence_judge(const struct placing_agent *a, struct drawn_call *d, struct fence_room *room,
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
