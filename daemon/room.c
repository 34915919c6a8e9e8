/*
 * room.c - counts what is under way: a few hundred matters at most, so nothing is kept that could
 * go wrong.
 */
#include "daemon/caller_private.h"
#include "lib/base/log.h"

#define LOOK_UPS_MAX 64
#define STEPS_MAX 128

static enum budget budget_of(enum matter_kind kind)
{
    switch (kind) {
    case MATTER_PLACE:
    case MATTER_SIMULATE:
        return BUDGET_PLACE;
    case MATTER_FIND:
        return BUDGET_LOOK_UP;
    case MATTER_STEP:
        return BUDGET_STEP;
    }
    die("a matter of kind %d", (int)kind);
}

static size_t most(const struct caller *c, enum budget budget)
{
    switch (budget) {
    case BUDGET_PLACE:
        return (size_t)c->dispatcher->conf->place_in_flight_max;
    case BUDGET_LOOK_UP:
        return LOOK_UPS_MAX;
    case BUDGET_STEP:
        return STEPS_MAX;
    }
    die("budget %d", (int)budget);
}

size_t room_for(const struct caller *c, enum budget budget, const struct id *workspace_id)
{
    size_t all = most(c, budget), taken = 0, own = 0;
    for (const struct matter *m = c->matters; m; m = m->older) {
        if (budget_of(m->kind) != budget)
            continue;
        taken++;
        own += workspace_id && id_eq(&m->workspace_id, workspace_id);
    }
    size_t left = taken < all ? all - taken : 0;
    if (!workspace_id)
        return left;
    /* After k more its own + k are still no more than the left - k of others. */
    return own < left ? (left - own + 1) / 2 : 0;
}

size_t room_to_place(void *caller, const struct id *workspace_id)
{
    return room_for(caller, BUDGET_PLACE, workspace_id);
}

bool room_for_steps(const struct caller *c)
{
    return room_for(c, BUDGET_STEP, NULL) >= STEPS_MAX / 2;
}
