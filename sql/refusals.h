/*
 * refusals.h - scheduled calls that will not be placed: `disallowed` by policy or a function, or
 * `failed`, with their events, inside the caller's transaction.
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
/* Policy's errors disallow one, other errors fail it. One that was dialled before fails instead,
 * and with what its last dial ended with, when policy or time says no: that is then its error and
 * message. Those that are alike are written together. *disallowed_r: how many were, the others
 * failed. */
int refusals_write(struct db *db, struct pool *pool, const struct conf *conf,
                   struct refused_call *calls, size_t count, usec_t now, size_t *disallowed_r,
                   struct wakes *wakes, struct err *err) MUST_CHECK;

#endif
