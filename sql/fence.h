/*
 * fence.h - the step between a call that is due and a carrier that is asked: one commit takes due
 * calls, writes an attempt with its own token for each, and moves them to `initiated`. What was
 * cancelled before it never rings; what is asked after it was fenced first.
 */
#ifndef HV_FENCE_H
#define HV_FENCE_H

#include "lib/base/conf.h"
#include "lib/rules/attempt.h"
#include "sql/events.h"

/* Agents with a call that is due now. */
int fence_due_agents(struct db *db, struct pool *pool, struct id **agents_r, size_t *count_r,
                     struct err *err) MUST_CHECK;

/* A call that may now be placed, and where. */
struct fenced_call {
    struct placement placement; /* callback_url is left to the caller */
    struct id workspace_id, carrier_id;
    enum carrier_kind kind;
    struct str carrier_url, carrier_secret_sealed;
};

struct fence_result {
    struct fenced_call *calls;
    size_t count;
    size_t drawn; /* how many due calls were seen; less than the limit: no more are due */
    size_t disallowed;
    struct wakes wakes;
};
/* Takes up to limit due calls of an agent. Calls that policy refuses become `disallowed`, with
 * their event, in the same commit. */
int fence_calls(struct db *db, struct pool *pool, const struct conf *conf,
                const struct id *agent_id, size_t limit, struct fence_result *result_r,
                struct err *err) MUST_CHECK;

#endif
