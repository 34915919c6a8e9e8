/*
 * turns.h - whose calls the dispatcher looks at next: those that are ready, in turn, and those that
 * wait for a free line, for their carrier's pace, or until fewer requests of their workspace are
 * under way. Of an agent, calls that were made one by one
 * and those of its batches take turns apart; the former go first. No I/O.
 */
#ifndef HV_TURNS_H
#define HV_TURNS_H

#include "lib/base/clock.h"
#include "sql/fence.h"

struct turn {
    struct calls_of of;
    struct id workspace_id; /* zero: not known yet */
    usec_t until;           /* monotonic: of those that wait, when their turn comes by itself */
    bool for_room;          /* waits until a request has ended */
    usec_t told_at; /* monotonic: when its calls were last told why they wait, or TIME_NONE */
};

struct turns {
    struct turn *ready, *waiting;
    size_t ready_count, ready_room, waiting_count, waiting_room;
    unsigned singles_in_row;
};

void turns_init(struct turns *turns);
void turns_deinit(struct turns *turns);

/* They have a call that is due: ready, behind those that are, also if they waited. */
void turns_add(struct turns *turns, const struct calls_of *of);
/* Takes whose turn it is: single calls first, but batches are never left out for long. false: none
 * is ready. */
bool turns_take(struct turns *turns, struct turn *turn_r);
/* What was taken has more: to the end of the line. */
void turns_again(struct turns *turns, const struct turn *turn);
/* What was taken waits until turn->until at the latest. */
void turns_wait(struct turns *turns, const struct turn *turn);

/* A line of the workspace is free: who waits for one is ready. */
void turns_line_free(struct turns *turns, const struct id *workspace_id);
/* A request has ended: who waits for room is ready. */
void turns_room_free(struct turns *turns);
/* So is who waited long enough; INT64_MAX: everybody. */
void turns_time(struct turns *turns, usec_t now);
/* The next moment for turns_time(); INT64_MAX: none. */
usec_t turns_next(const struct turns *turns);

#endif
