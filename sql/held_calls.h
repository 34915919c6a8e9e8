/*
 * held_calls.h - scheduled calls that need no dial but attention: those that expired, those of
 * agents whose settings changed, those that wait for a line.
 */
#ifndef HV_HELD_CALLS_H
#define HV_HELD_CALLS_H

#include "lib/base/conf.h"
#include "sql/fence.h"

/* Fails up to limit scheduled calls whose expires_at has come, each with its event, in one commit.
 * What is under way then is left alone; if it must be dialled again, the fence fails it.
 * *looked_at_r: how many rows; limit: there may be more. Safe to repeat. */
int held_calls_expire(struct db *db, struct pool *pool, const struct conf *conf, size_t limit,
                      size_t *looked_at_r, size_t *failed_r, struct wakes *wakes_r,
                      struct err *err) MUST_CHECK;

/* An agent whose settings changed, and how far its calls were walked through since: what policy
 * held of them by the old settings is made due. Begun anew it does no harm. */
struct recheck {
    struct id agent_id;
    usec_t wanted_at, began_at;
    bool batched;      /* its single calls come first, */
    usec_t due_at;     /* in the order of their moments, */
    struct id call_id; /* and of their ids */
    size_t made_due;   /* by the last step */
};
/* Up to limit agents, from the start; those that want it longest first. */
int held_calls_rechecks(struct db *db, struct pool *pool, size_t limit, struct recheck **rechecks_r,
                        size_t *count_r, struct err *err) MUST_CHECK;
/* Walks on by up to limit calls, 256 at most. *done_r: it was through all, and the agent's wish is
 * fulfilled, if it wasn't uttered anew. */
int held_calls_recheck(struct db *db, struct recheck *recheck, size_t limit, bool *done_r,
                       struct err *err) MUST_CHECK;
/* Asks for that, inside the transaction that changes the settings: of one agent, or of all of a
 * workspace's. */
int held_calls_want_recheck(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                            struct err *err) MUST_CHECK;

/* The first of those that wait, a thousand of them, say for what: no line is free, or their
 * carrier's pace. */
int held_calls_tell_waiting(struct db *db, const struct calls_of *of, enum hold_reason reason,
                            struct err *err) MUST_CHECK;

#endif
