/*
 * refusals.h - a scheduled call that will not be placed: `disallowed` by policy or a function, or
 * `failed`, with its event, inside the caller's transaction.
 */
#ifndef HV_REFUSALS_H
#define HV_REFUSALS_H

#include "lib/base/conf.h"
#include "sql/events.h"

/* Locked by the caller, and scheduled. */
struct refused_call {
    struct id call_id, workspace_id, agent_id;
    struct str contact_number;
    bool test;
    bool dialled; /* a person may have been rung: it can't be disallowed any more */
    enum call_error error;
    struct str message; /* STR_NULL: the error's own */
};
/* Policy's errors disallow it, other errors fail it. One that was dialled before fails instead, and
 * with what its last dial ended with, when policy or time says no. *became_r says which. */
int refusals_write(struct db *db, struct pool *pool, const struct conf *conf,
                   const struct refused_call *call, usec_t now, enum call_status *became_r,
                   struct wakes *wakes, struct err *err) MUST_CHECK;

#endif
