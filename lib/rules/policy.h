/*
 * policy.h - may this call be placed now? The rules of the land and of the workspace: numbers that
 * must not be called, hours and days, how often a number is called, how many calls a day, and how
 * many in a second. Pure: the store brings what was counted, under lock.
 */
#ifndef HV_POLICY_H
#define HV_POLICY_H

#include "lib/base/pool.h"
#include "lib/base/zone.h"
#include "lib/rules/call.h"
#include "lib/rules/calling_hours.h"
#include "lib/rules/phone.h"

/* ---- hours ---- */

/* Days since 1970-01-01, in their order. */
struct holidays {
    const int64_t *days;
    size_t count;
};
/* Of "2026-01-26,2026-08-15", which is in its order; empty: none. What is no date is left out. */
struct holidays policy_holidays(struct pool *pool, struct str text);

struct policy_hours {
    const struct zone *zone; /* NULL: it can't be read, so nobody knows the hour there */
    struct calling_hours hours;
    struct holidays holidays;
};

/* Are they open at this moment? From `from` on, until just before `to`. Never without a zone. */
bool policy_open(const struct policy_hours *hours, usec_t utc);
/* The first moment from utc on at which they are open: utc itself if they are. When there is none
 * within a year, or the zone can't be read, a day after utc: to look again. */
usec_t policy_opening(const struct policy_hours *hours, usec_t utc);

/* ---- one call ---- */

/* A limit of 0: none. */
struct policy {
    bool has_hours; /* false: any time is good (the simulator) */
    struct policy_hours hours;
    bool outside_disallows; /* instead of holding the call */
    unsigned number_types;  /* bit per enum phone_kind that may be called */
    int64_t number_calls_per_day, number_gap_minutes;
};

/* What is known of it and of its number. */
struct policy_call {
    enum phone_kind number_kind;
    usec_t expires_at; /* TIME_NONE: never */
    bool suppressed;
    int64_t number_dials;     /* of the number, today, in the hours' zone */
    usec_t number_dialled_at; /* the last; TIME_NONE: not lately */
    bool day_is_full;         /* the agent's or the workspace's calls of the day are used up */
    bool dialled;             /* before: this is a retry */
};

enum policy_step { POLICY_GO, POLICY_HOLD, POLICY_DISALLOW, POLICY_EXPIRE };

struct policy_verdict {
    enum policy_step step;
    enum call_error error; /* with POLICY_DISALLOW and POLICY_EXPIRE */
    enum hold_reason hold; /* with POLICY_HOLD */
    usec_t until;          /* with POLICY_HOLD: look again then; after now */
};

/* What weighs most is said first: expired, suppressed, its type, hours, then how often. One call
 * too many of a day is disallowed; but a retry waits for the next day, as it does for calling
 * hours: what has begun is not given up half way. */
struct policy_verdict policy_judge(const struct policy *policy, const struct policy_call *call,
                                   usec_t now);

/* May a number of this kind be called at all, by a workspace that calls number_types? */
bool policy_number_type_good(unsigned number_types, enum phone_kind kind);

/* ---- retries ---- */

/* "30,60": minutes before the second dial, the third ...; the last is used again. dials: how many
 * there were, at least 1. */
usec_t policy_retry_gap(struct str gaps_minutes, unsigned dials);

/* ---- pace ---- */

/* How many of `wanted` dials may be made now, so that there are never more than per_second (1 or
 * more) in any second, also where they arrive up to 20 ms late. *paced_until (TIME_NONE: never
 * used) is kept between calls, under lock; when fewer than wanted may, the rest may be asked for
 * again then. */
size_t policy_pace(usec_t *paced_until, unsigned per_second, size_t wanted, usec_t now);

#endif
