/*
 * fence.h - the step between a call that is due and a carrier that is asked: one commit takes due
 * calls, asks policy about each, writes an attempt with its own token for those that may be placed,
 * and moves them to `initiated`. What was cancelled before it never rings; what is asked after it
 * was fenced first.
 *
 * Lines, caps and pace are counted under the lock of the workspace's row, so that any number of
 * dispatchers keeps them. An agent with functions to run before a call has its calls claimed for
 * that first (fence_result.to_prepare), with a line free for each at that moment, and fenced when
 * they are prepared.
 */
#ifndef HV_FENCE_H
#define HV_FENCE_H

#include "lib/base/conf.h"
#include "lib/rules/attempt.h"
#include "sql/events.h"

/* An agent's calls that were made one by one, or those of its batches: the former go first. */
struct calls_of {
    struct id agent_id;
    bool batched;
};
/* Those of which one is due now. */
int fence_due_agents(struct db *db, struct pool *pool, struct calls_of **agents_r, size_t *count_r,
                     struct err *err) MUST_CHECK;

/* A call that may now be placed, and where. */
struct fenced_call {
    struct placement placement; /* callback_url and functions are left to the caller */
    struct id workspace_id, carrier_id;
    enum carrier_kind kind;
    struct str carrier_url, carrier_secret_sealed;
};

/* A call whose pre-call functions are to be run by who drew it, and by nobody else until the lease
 * (pre_call_budget and lease_grace) runs out. placement has what is known before the dial: its
 * attempt is the number of the attempt that it is prepared for, variables what functions saved
 * for earlier ones; the token is not used. */
struct call_to_prepare {
    struct fenced_call call;
    unsigned prepare_fence;
};

typedef size_t fence_room_fn(void *ctx, const struct id *workspace_id);

struct fence_ask {
    struct calls_of of;
    size_t limit;         /* calls to place, */
    size_t prepare_limit; /* to prepare, and no more of each than its workspace has room for */
    fence_room_fn *place_room, *prepare_room; /* NULL: for any number */
    void *ctx;
};

struct fence_result {
    usec_t began_at; /* monotonic: their leases begin then at the earliest */
    struct fenced_call *calls;
    size_t count;
    struct call_to_prepare *to_prepare;
    size_t prepare_count;
    struct id workspace_id;
    size_t disallowed, failed, held;
    bool more;    /* others are due: ask again at once */
    bool no_room; /* nothing was looked at: its workspace has no room to place calls */
    /* Others are due, but no line is free for them: HOLD_CAPACITY or HOLD_AGENT_CAPACITY. Single
     * calls that wait so are drawn before batches of the same workspace get a line. Test calls that
     * stand behind them need none, and are drawn all the same. */
    enum hold_reason no_line;
    bool prepare_full; /* others are due to be prepared, over prepare_limit */
    usec_t wait;       /* others are due, but the carrier's pace lets them go only after this; or
                          TIME_NONE */
    bool no_zone;      /* held because the workspace's time zone can't be read on this host */
    struct wakes wakes;
};
/* Takes due calls of an agent. Calls that policy refuses become `disallowed`, or `failed` when they
 * were dialled before or have expired, with their event, in the same commit; those that must wait
 * get the moment and the reason. Deadlocks are repeated inside; a commit of unknown outcome counts
 * as not done: what it fenced is found by its lease. */
int fence_calls(struct db *db, struct pool *pool, const struct conf *conf,
                const struct fence_ask *ask, struct fence_result *result_r,
                struct err *err) MUST_CHECK;

/* What came of preparing a call. refusal CALL_ERROR_NONE: it is due again, where it stood in the
 * line, with these variables (a JSON object, or STR_NULL). CALL_ERROR_PRE_CALL_REJECTED: it is
 * disallowed (failed, when it was dialled before); other errors: it fails with that; message is
 * told with it (STR_NULL: the error's own). Writes nothing, and says so, when the call was
 * cancelled or claimed by another meanwhile. Deadlocks and lost commits are repeated inside. */
struct prepared {
    struct id call_id;
    unsigned prepare_fence;
    struct str variables;
    enum call_error refusal;
    struct str message;
};
int fence_prepared(struct db *db, struct pool *pool, const struct conf *conf,
                   const struct prepared *prepared, bool *taken_r, struct wakes *wakes_r,
                   struct err *err) MUST_CHECK;

#endif
