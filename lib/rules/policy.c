/*
 * policy.c - the rules that stop a call, or have it wait.
 */
#include "lib/rules/policy.h"

#include <stdlib.h>

#define MINUTE_USEC (60 * USEC_PER_S)
#define LOOK_AHEAD_DAYS 366
#define GAP_MINUTES_DEFAULT 30
#define PACE_SECOND                                                                                \
    (1020 * USEC_PER_MS) /* one is on its way to the carrier longer than another                   \
                          */
#define BURST_PARTS 20   /* a pace lets a twentieth of a second's calls go at once */

/* ---- hours ---- */

/* 1970-01-01 was a Thursday. */
static unsigned week_day(int64_t day)
{
    return (unsigned)(((day + 3) % 7 + 7) % 7);
}

#define DATE_LENGTH 10 /* of 2026-01-26 */

struct holidays policy_holidays(struct pool *pool, struct str text)
{
    int64_t *days = pool_new(pool, int64_t, text.n / DATE_LENGTH + 1);
    size_t count = 0;
    struct str one;

    while (str_split(&text, ',', &one))
        if (date_parse(one, &days[count]) == 0)
            count++;
    return (struct holidays){days, count};
}

static int compare_days(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool is_holiday(struct holidays holidays, int64_t day)
{
    return holidays.count > 0 &&
           bsearch(&day, holidays.days, holidays.count, sizeof day, compare_days) != NULL;
}

static bool day_good(const struct policy_hours *h, int64_t day)
{
    return (h->hours.days & (1u << week_day(day))) != 0 && !is_holiday(h->holidays, day);
}

bool policy_open(const struct policy_hours *h, usec_t utc)
{
    if (h->zone == NULL)
        return false;
    int64_t day = zone_day(h->zone, utc);
    usec_t of_day = zone_wall(h->zone, utc) - day * USEC_PER_DAY;
    return of_day >= h->hours.from_minute * MINUTE_USEC &&
           of_day < h->hours.to_minute * MINUTE_USEC && day_good(h, day);
}

usec_t policy_opening(const struct policy_hours *h, usec_t utc)
{
    if (h->zone == NULL)
        return utc + USEC_PER_DAY;
    if (policy_open(h, utc))
        return utc;
    int64_t today = zone_day(h->zone, utc);
    for (int64_t day = today; day <= today + LOOK_AHEAD_DAYS; day++) {
        if (!day_good(h, day))
            continue;
        usec_t wall = day * USEC_PER_DAY + h->hours.from_minute * MINUTE_USEC;
        usec_t opening = zone_utc_of(h->zone, wall);
        /* Hours that fall wholly into what a change of the clocks skips never open that day. */
        if (opening >= utc && policy_open(h, opening))
            return opening;
    }
    return utc + USEC_PER_DAY;
}

/* ---- one call ---- */

bool policy_number_type_good(unsigned number_types, enum phone_kind kind)
{
    return (number_types & PHONE_KINDS_ALL & (1u << kind)) != 0;
}

static struct policy_verdict disallow(enum call_error error)
{
    return (struct policy_verdict){.step = POLICY_DISALLOW, .error = error};
}

static struct policy_verdict hold(enum hold_reason reason, usec_t until)
{
    return (struct policy_verdict){.step = POLICY_HOLD, .hold = reason, .until = until};
}

static usec_t next_day(const struct policy *policy, usec_t now)
{
    const struct zone *zone = policy->hours.zone ? policy->hours.zone : zone_utc();
    usec_t day = zone_day_start(zone, zone_day(zone, now) + 1);

    return policy->has_hours ? policy_opening(&policy->hours, day) : day;
}

static struct policy_verdict judge_number(const struct policy *policy,
                                          const struct policy_call *call, usec_t now)
{
    usec_t gap = policy->number_gap_minutes * MINUTE_USEC;

    if (call->day_is_full ||
        (policy->number_calls_per_day > 0 && call->number_dials >= policy->number_calls_per_day))
        return call->dialled ? hold(HOLD_DAILY_LIMIT, next_day(policy, now))
                             : disallow(CALL_ERROR_DAILY_LIMIT_EXCEEDED);
    if (call->number_dialled_at != TIME_NONE && gap > 0 && now < call->number_dialled_at + gap)
        return hold(HOLD_NUMBER_GAP, call->number_dialled_at + gap);
    return (struct policy_verdict){.step = POLICY_GO};
}

struct policy_verdict policy_judge(const struct policy *policy, const struct policy_call *call,
                                   usec_t now)
{
    if (call->expires_at != TIME_NONE && call->expires_at <= now)
        return (struct policy_verdict){.step = POLICY_EXPIRE, .error = CALL_ERROR_EXPIRED};
    if (call->suppressed)
        return disallow(CALL_ERROR_NUMBER_SUPPRESSED);
    if (!policy_number_type_good(policy->number_types, call->number_kind))
        return disallow(CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED);
    if (policy->has_hours && !policy_open(&policy->hours, now)) {
        /* Without a zone nobody knows that it is outside hours: it waits, to be sure. */
        if (policy->outside_disallows && policy->hours.zone != NULL)
            return disallow(CALL_ERROR_OUTSIDE_CALLING_HOURS);
        return hold(HOLD_OUTSIDE_CALLING_HOURS, policy_opening(&policy->hours, now));
    }
    return judge_number(policy, call, now);
}

/* ---- retries ---- */

usec_t policy_retry_gap(struct str gaps_minutes, unsigned dials)
{
    uint64_t minutes = GAP_MINUTES_DEFAULT, one;
    struct str part;

    while (dials > 0 && str_split(&gaps_minutes, ',', &part)) {
        if (str_u64(part, INT32_MAX, &one) == 0)
            minutes = one;
        dials--;
    }
    return (usec_t)minutes * MINUTE_USEC;
}

/* ---- pace ---- */

/*
 * Dials go in small bursts of at most b, and after n of them the next burst waits n intervals of
 * 1/(N-b+1) s, counting a second as PACE_SECOND. Those of any second are then at most N-b before
 * the last burst in it, and b in that.
 */
size_t policy_pace(usec_t *paced_until, unsigned per_second, size_t wanted, usec_t now)
{
    size_t burst = per_second / BURST_PARTS > 0 ? per_second / BURST_PARTS : 1;
    usec_t rate = (usec_t)per_second - (usec_t)burst + 1;
    usec_t interval = (PACE_SECOND + rate - 1) / rate;

    if (wanted == 0 || (*paced_until != TIME_NONE && now < *paced_until))
        return 0;
    size_t taken = wanted < burst ? wanted : burst;
    *paced_until = now + (usec_t)taken * interval;
    return taken;
}
