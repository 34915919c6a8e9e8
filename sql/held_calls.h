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

/* Makes due, in batches of limit, what policy held of agents whose settings changed since; agents'
 * requests for that are done when all were. *agent_r: one whose calls were (any of them), zero when
 * there is none left to do. */
int held_calls_recheck(struct db *db, size_t limit, struct id *agent_r, struct err *err) MUST_CHECK;
/* Asks for that, inside the transaction that changes the settings: of one agent, or of all of a
 * workspace's. */
int held_calls_want_recheck(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                            struct err *err) MUST_CHECK;

/* No line is free: the first of those that wait say so (fence_result.no_line), a thousand of them.
 */
int held_calls_tell_capacity(struct db *db, const struct calls_of *of, enum hold_reason reason,
                             struct err *err) MUST_CHECK;

#endif
