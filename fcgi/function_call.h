/*
 * function_call.h - sends the requests of one function while somebody waits, and records each. For
 * the voice responder, the only one that makes outgoing requests.
 */
#ifndef HV_FUNCTION_CALL_H
#define HV_FUNCTION_CALL_H

#include "fcgi/responder.h"
#include "sql/function_runs.h"

struct function_call {
    const struct function *function;
    const struct function_context *context;
    struct id workspace_id;
    bool of_call; /* its runs are the call's */
    bool trial;
    struct str key;   /* of lib/rules/function_run.h; STR_NULL: the id of the first run */
    usec_t time_most; /* for all of it: a try more begins only if it fits */
};

/* So many at once, of a host and of a workspace: who means to run a function comes in before its
 * arguments are looked at, which may be work too, and leaves on every path. ERR_RATE_LIMITED: as
 * many as may be in are. ERR_INTERNAL: nothing could be sent. */
int function_call_enter(struct responder *rs, const struct id *workspace_id,
                        struct err *err) MUST_CHECK;
void function_call_leave(struct responder *rs); /* again: nothing */

/* Runs it, with its retries, for one who came in, and leaves for them when the last has ended: the
 * place is free while the runs are written. *run_r is the last run as it
 * was recorded, *outcome_r how it ended; a function that failed is no error here. Runs that could
 * not be written are logged: what was done is done, and is answered. ERR_UNAVAILABLE and
 * ERR_INTERNAL: nothing was sent. */
int function_call(struct responder *rs, struct pool *pool, const struct function_call *call,
                  struct function_run *run_r, struct function_outcome *outcome_r,
                  struct err *err) MUST_CHECK;

#endif
