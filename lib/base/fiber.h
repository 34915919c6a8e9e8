/*
 * fiber.h - straight-line code that can wait while the rest of the process goes on: a stack of
 * its own, switched to by hand. No threads, no preemption: a fiber runs until it yields.
 *
 * The dispatcher runs its database work in fibers, so that the network moves while a query is
 * under way; the code between two waits is plain C.
 */
#ifndef HV_FIBER_H
#define HV_FIBER_H

#include "lib/base/clock.h"

struct fiber;
typedef void fiber_fn(void *ctx);

/* Made suspended; fn starts at the first fiber_resume(). */
void fiber_create(struct fiber **fiber_r, fiber_fn *fn, void *ctx);
/* Only when it ended or was never resumed. */
void fiber_destroy(struct fiber **fiber);

/* Runs it until it yields or ends; called from outside any fiber. */
void fiber_resume(struct fiber *fiber);
bool fiber_ended(const struct fiber *fiber);
/* Inside a fiber: back to who resumed it. Outside: a bug, dies. */
void fiber_yield(void);
struct fiber *fiber_current(void); /* NULL outside any */

#endif
