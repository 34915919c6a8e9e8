/*
 * health.h - how much a destination may be sent at once, when it is held, when it is disabled.
 *
 * The window is what the peer has shown it can take: it starts small, one more with each success,
 * halved by a failure. A destination that fails several times in a row is held: nothing is sent
 * but one probe, after a wait that doubles. One that fails for days is disabled.
 */
#ifndef HV_HEALTH_H
#define HV_HEALTH_H

#include "lib/base/clock.h"

struct health_policy {
    unsigned window_start, hold_after_failures, disable_after_failures;
    usec_t hold_first, hold_max, disable_after;
};

/* What the database keeps of a destination, and the window, which a process keeps. */
struct health {
    unsigned window;
    unsigned failures; /* in a row */
    usec_t held_until; /* TIME_NONE: not held */
    usec_t hold_wait;  /* the wait that led to held_until; 0: none yet */
    usec_t good_since; /* last success; before the first: when it was made or enabled */
};

void health_init(struct health *h, const struct health_policy *p, usec_t good_since);
void health_success(struct health *h, const struct health_policy *p, unsigned window_max,
                    usec_t now);

enum health_verdict { HEALTH_GOES_ON, HEALTH_HELD, HEALTH_DISABLED };
/* started: when the failed request was started; a failure of a request that was under way when
 * the hold began does not lengthen the hold. */
enum health_verdict health_failure(struct health *h, const struct health_policy *p, usec_t started,
                                   usec_t now);

/* How many more may be started now: 0 while held; 1 (the probe) when the hold has run out and
 * nothing is under way. */
unsigned health_room(const struct health *h, unsigned in_flight, usec_t now);

#endif
