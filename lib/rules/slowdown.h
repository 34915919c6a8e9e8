/*
 * slowdown.h - how long attempts that keep failing must wait.
 */
#ifndef HV_SLOWDOWN_H
#define HV_SLOWDOWN_H

#include "lib/base/clock.h"

/* After so many failures, `free` of which cost nothing: 0, or 1 s doubled with each further one, up
 * to 15 min. */
usec_t slowdown_wait(int64_t failures, int64_t free);

#endif
