/*
 * schedule.h - when a thing is tried again: positions in a list of waits, jitter that only adds,
 * and Retry-After as a floor.
 */
#ifndef HV_SCHEDULE_H
#define HV_SCHEDULE_H

#include "lib/base/clock.h"
#include "lib/base/str.h"

struct schedule {
    const usec_t *waits;
    unsigned count;          /* attempts in all */
    unsigned jitter_percent; /* at most this much is added */
};

/* When attempt number `next` (0 is the first) is due, counted from now; random in [0, 2^32).
 * TIME_NONE when the schedule is used up. floor: not before (TIME_NONE: none). */
usec_t schedule_next(const struct schedule *s, unsigned next, usec_t now, uint32_t random,
                     usec_t floor);

/* RFC 9110 section 10.2.3: seconds (a fraction is taken too and rounded up) or an HTTP-date in
 * any of its three forms; gives the moment, at most now + max. TIME_NONE when it is rubbish. */
usec_t retry_after_parse(struct str value, usec_t now, usec_t max);

#endif
