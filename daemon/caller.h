/*
 * caller.h - calls: due ones are fenced and their carriers asked, attempts that need looking at are
 * looked up, the simulator's timeline is played. Two lanes: one finds work, one writes what came
 * of it.
 */
#ifndef HV_CALLER_H
#define HV_CALLER_H

#include "daemon/dispatcher.h"
#include "sql/fence.h"

void caller_create(struct caller **caller_r, struct dispatcher *dispatcher);
void caller_destroy(struct caller **caller);
/* These have one that is due now. */
void caller_wake(struct caller *caller, const struct calls_of *of);
/* A call of this workspace is over: what waits for its line may go. */
void caller_line_free(struct caller *caller, const struct id *workspace_id);
/* Something may be due: look again. */
void caller_look(struct caller *caller);
/* After each round of the loop: passes the fault point of a carrier that was asked (fault.h). */
void caller_round(struct caller *caller);
/* As deliverer_idle() and deliverer_settled(). */
bool caller_idle(const struct caller *caller);
bool caller_settled(const struct caller *caller);

#endif
