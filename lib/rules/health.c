/*
 * health.c - a destination's window, hold and disablement, changed by each result.
 */
#include "lib/rules/health.h"

void health_init(struct health *h, const struct health_policy *p, usec_t good_since)
{
    h->window = p->window_start > 0 ? p->window_start : 1;
    h->failures = 0;
    h->held_until = TIME_NONE;
    h->hold_wait = 0;
    h->good_since = good_since;
}

void health_success(struct health *h, const struct health_policy *p, unsigned window_max,
                    usec_t now)
{
    (void)p;
    if (h->window < window_max)
        h->window++;
    else
        h->window = window_max > 0 ? window_max : 1;
    h->failures = 0;
    h->held_until = TIME_NONE;
    h->hold_wait = 0;
    if (now > h->good_since)
        h->good_since = now;
}

static void hold(struct health *h, const struct health_policy *p, usec_t now)
{
    usec_t wait = h->hold_wait > 0 ? h->hold_wait : p->hold_first;

    if (h->hold_wait > 0)
        wait = wait > p->hold_max / 2 ? p->hold_max : wait * 2;
    if (wait > p->hold_max)
        wait = p->hold_max;
    h->hold_wait = wait;
    h->held_until = now + wait;
}

enum health_verdict health_failure(struct health *h, const struct health_policy *p, usec_t started,
                                   usec_t now)
{
    h->window = h->window > 1 ? h->window / 2 : 1;
    if (h->failures < UINT32_MAX)
        h->failures++;
    if (h->failures >= p->disable_after_failures && now - h->good_since >= p->disable_after)
        return HEALTH_DISABLED;
    if (h->failures < p->hold_after_failures)
        return HEALTH_GOES_ON;
    /* Only the probe, started when the hold had run out, lengthens it. */
    if (h->held_until == TIME_NONE || started >= h->held_until)
        hold(h, p, now);
    return HEALTH_HELD;
}

unsigned health_room(const struct health *h, unsigned in_flight, usec_t now)
{
    if (h->held_until == TIME_NONE)
        return h->window > in_flight ? h->window - in_flight : 0;
    return now >= h->held_until && in_flight == 0 ? 1 : 0;
}
