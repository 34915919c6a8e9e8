/*
 * slowdown.c - see slowdown.h.
 */
#include "lib/rules/slowdown.h"

#define WAIT_MAX (15 * 60 * USEC_PER_S)

usec_t slowdown_wait(int64_t failures, int64_t free)
{
    usec_t wait = USEC_PER_S;

    if (failures < free)
        return 0;
    for (int64_t i = free; i < failures && wait < WAIT_MAX; i++)
        wait *= 2;
    return wait < WAIT_MAX ? wait : WAIT_MAX;
}
