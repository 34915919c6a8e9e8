/*
 * test_policy.c - when a call may be placed: hours at their edges, days, holidays, zones; what
 * stops it; retries; pace.
 */
#include "lib/rules/policy.h"
#include "tests/unit/check_main.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORK_DAYS 31u /* Monday to Friday */
#define S USEC_PER_S

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static usec_t at(const char *text)
{
    usec_t t;
    if (time_parse(str_of(text), &t) != 0)
        ck_abort_msg("%s", text);
    return t;
}

/* ---- hours ---- */

/* 2026-01-26 is a Monday. now and opening in UTC; opening NULL: it is open. */
static const struct {
    const char *zone, *holidays;
    int64_t from, to;
    unsigned days;
    const char *now, *opening;
} hours[] = {
    /* 09:00 to 21:00 in Kolkata is 03:30 to 15:30 UTC */
    {"Asia/Kolkata", "", 540, 1260, 127, "2026-01-26T03:29:59.999999Z", "2026-01-26T03:30:00Z"},
    {"Asia/Kolkata", "", 540, 1260, 127, "2026-01-26T03:30:00Z", NULL},
    {"Asia/Kolkata", "", 540, 1260, 127, "2026-01-26T15:29:59.999999Z", NULL}, /* the last second */
    {"Asia/Kolkata", "", 540, 1260, 127, "2026-01-26T15:30:00Z", "2026-01-27T03:30:00Z"},
    {"Asia/Kolkata", "", 540, 1260, 127, "2026-01-26T18:30:00Z", "2026-01-27T03:30:00Z"},
    /* all day: midnight is no edge */
    {"Asia/Kolkata", "", 0, 1440, 127, "2026-01-26T18:29:59.999999Z", NULL},
    {"Asia/Kolkata", "", 0, 1440, 127, "2026-01-26T18:30:00Z", NULL},
    /* but a closed day begins with it */
    {"Asia/Kolkata", "", 0, 1440, WORK_DAYS, "2026-01-30T18:29:59.999999Z", NULL},
    {"Asia/Kolkata", "", 0, 1440, WORK_DAYS, "2026-01-30T18:30:00Z", "2026-02-01T18:30:00Z"},
    {"Asia/Kolkata", "", 540, 1260, WORK_DAYS, "2026-01-30T16:00:00Z", "2026-02-02T03:30:00Z"},
    {"Asia/Kolkata", "", 540, 1260, 64, "2026-01-26T06:00:00Z", "2026-02-01T03:30:00Z"},
    /* holidays, by the day of the zone */
    {"Asia/Kolkata", "2026-01-26", 540, 1260, 127, "2026-01-26T06:00:00Z", "2026-01-27T03:30:00Z"},
    {"Asia/Kolkata", "2026-01-26,2026-01-27,2026-08-15", 540, 1260, 127, "2026-01-25T15:30:00Z",
     "2026-01-28T03:30:00Z"},
    {"Asia/Kolkata", "2026-01-26", 0, 1440, 127, "2026-01-25T18:29:59.999999Z", NULL},
    {"Asia/Kolkata", "2026-01-26", 0, 1440, 127, "2026-01-25T18:30:00Z", "2026-01-26T18:30:00Z"},
    {"UTC", "2026-01-27", 540, 1260, WORK_DAYS, "2026-01-26T21:00:00Z", "2026-01-28T09:00:00Z"},
    /* one minute */
    {"UTC", "", 540, 541, 127, "2026-01-26T09:00:59.999999Z", NULL},
    {"UTC", "", 540, 541, 127, "2026-01-26T09:01:00Z", "2026-01-27T09:00:00Z"},
    /* clocks that change: the opening stays at nine there */
    {"Europe/Berlin", "", 540, 1260, 127, "2026-03-28T20:00:00Z", "2026-03-29T07:00:00Z"},
    {"Europe/Berlin", "", 540, 1260, 127, "2026-10-24T19:00:00Z", "2026-10-25T08:00:00Z"},
    {"Europe/Berlin", "", 150, 1260, 127, "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", "", 130, 170, 127, "2026-03-28T02:00:00Z", "2026-03-30T00:10:00Z"},
    {"Europe/Berlin", "", 150, 180, 127, "2026-10-25T01:45:00Z", NULL}, /* the hour comes twice */
    /* never: looked at again after a day */
    {"UTC", "", 540, 1260, 0, "2026-01-26T12:00:00Z", "2026-01-27T12:00:00Z"},
    {NULL, "", 0, 1440, 127, "2026-01-26T12:00:00Z", "2026-01-27T12:00:00Z"},
};

START_TEST(hours_open_and_close)
{
    struct policy_hours h = {
        .hours = {hours[_i].from, hours[_i].to, hours[_i].days},
        .holidays = policy_holidays(pool, str_of(hours[_i].holidays)),
    };
    char text[TIME_TEXT_SIZE];
    if (hours[_i].zone != NULL) {
        h.zone = zone_find(str_of(hours[_i].zone));
        if (h.zone == NULL && access("/usr/share/zoneinfo", F_OK) != 0)
            return;
        ck_assert_ptr_nonnull(h.zone);
    }
    usec_t now = at(hours[_i].now), opening = policy_opening(&h, now);
    time_format(opening, text);
    ck_assert_msg(policy_open(&h, now) == (hours[_i].opening == NULL), "%d %s", _i, hours[_i].now);
    ck_assert_msg(opening == (hours[_i].opening ? at(hours[_i].opening) : now), "%d %s: %s", _i,
                  hours[_i].now, text);
}
END_TEST

START_TEST(holidays_are_read_once)
{
    struct holidays none = policy_holidays(pool, STR("")), null = policy_holidays(pool, STR_NULL);
    struct holidays some = policy_holidays(pool, STR("1970-01-02,no date,1971-01-01"));
    ck_assert_uint_eq(none.count, 0);
    ck_assert_uint_eq(null.count, 0);
    ck_assert_uint_eq(some.count, 2);
    ck_assert_int_eq(some.days[0], 1);
    ck_assert_int_eq(some.days[1], 365);
}
END_TEST

/* However far away, an opening is open, and nothing before it is. */
START_TEST(openings_are_the_first)
{
    struct policy_hours h = {.zone = zone_find(STR("Asia/Kolkata"))};
    srand(1);
    for (int i = 0; i < 2000; i++) {
        h.hours.from_minute = rand() % DAY_MINUTES;
        h.hours.to_minute =
            h.hours.from_minute + 1 + rand() % (DAY_MINUTES - (int)h.hours.from_minute);
        h.hours.days = 1u + (unsigned)rand() % 127u;
        usec_t now = at("2026-01-26T00:00:00Z") + rand() % (14 * 86400) * S;
        usec_t opening = policy_opening(&h, now);
        ck_assert(policy_open(&h, opening));
        ck_assert(opening >= now && opening <= now + 8 * 86400 * S);
        for (int j = 0; j < 20 && opening > now; j++)
            ck_assert(!policy_open(&h, now + (opening - now) * j / 20));
        ck_assert(opening == now || !policy_open(&h, opening - 1));
    }
}
END_TEST

/* ---- one call ---- */

#define NOW "2026-01-26T06:00:00Z" /* 11:30 in Kolkata */

static struct policy usual(void)
{
    return (struct policy){
        .has_hours = true,
        .hours = {zone_find(STR("Asia/Kolkata")), {540, 1260, 127}, {NULL, 0}},
        .number_types = 3,
        .number_calls_per_day = 3,
        .number_gap_minutes = 30,
    };
}

static struct policy_call harmless(void)
{
    return (struct policy_call){
        .number_kind = PHONE_MOBILE, .expires_at = TIME_NONE, .number_dialled_at = TIME_NONE};
}

static void check(const struct policy *p, const struct policy_call *c, const char *now,
                  enum policy_step step, enum call_error error, enum hold_reason hold)
{
    struct policy_verdict v = policy_judge(p, c, at(now));
    ck_assert_int_eq(v.step, step);
    ck_assert_str_eq(call_error_code(v.error), call_error_code(error));
    ck_assert_str_eq(hold_reason_text(v.hold), hold_reason_text(hold));
    if (step == POLICY_HOLD)
        ck_assert(v.until > at(now));
}

START_TEST(what_stops_a_call)
{
    struct policy p = usual();
    struct policy_call c = harmless();
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
    c.number_kind = PHONE_SERVICE;
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED, HOLD_NONE);
    p.number_types = UINT32_MAX; /* services are never called */
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED, HOLD_NONE);
    p.number_types = 1u << PHONE_LANDLINE;
    c.number_kind = PHONE_MOBILE;
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED, HOLD_NONE);
    c.number_kind = PHONE_LANDLINE;
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
    c.suppressed = true;
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_NUMBER_SUPPRESSED, HOLD_NONE);
    c.expires_at = at(NOW);
    check(&p, &c, NOW, POLICY_EXPIRE, CALL_ERROR_EXPIRED, HOLD_NONE);
    c.expires_at = at(NOW) + 1;
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_NUMBER_SUPPRESSED, HOLD_NONE);
}
END_TEST

START_TEST(outside_hours_a_call_waits_or_is_disallowed)
{
    struct policy p = usual();
    struct policy_call c = harmless();
    check(&p, &c, "2026-01-26T20:00:00Z", POLICY_HOLD, CALL_ERROR_NONE, HOLD_OUTSIDE_CALLING_HOURS);
    ck_assert(policy_judge(&p, &c, at("2026-01-26T20:00:00Z")).until == at("2026-01-27T03:30:00Z"));
    p.outside_disallows = true;
    check(&p, &c, "2026-01-26T20:00:00Z", POLICY_DISALLOW, CALL_ERROR_OUTSIDE_CALLING_HOURS,
          HOLD_NONE);
    p.hours.zone = NULL; /* nobody knows: it waits */
    check(&p, &c, NOW, POLICY_HOLD, CALL_ERROR_NONE, HOLD_OUTSIDE_CALLING_HOURS);
    p.has_hours = false;
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
}
END_TEST

START_TEST(a_number_is_not_called_too_often)
{
    struct policy p = usual();
    struct policy_call c = harmless();
    c.number_dials = 2;
    c.number_dialled_at = at(NOW) - 30 * 60 * S;
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
    c.number_dialled_at += 1;
    check(&p, &c, NOW, POLICY_HOLD, CALL_ERROR_NONE, HOLD_NUMBER_GAP);
    ck_assert(policy_judge(&p, &c, at(NOW)).until == at(NOW) + 1);
    c.number_dials = 3; /* it need not wait in vain */
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_DAILY_LIMIT_EXCEEDED, HOLD_NONE);
    p.number_calls_per_day = 0;
    p.number_gap_minutes = 0;
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
    c.day_is_full = true;
    check(&p, &c, NOW, POLICY_DISALLOW, CALL_ERROR_DAILY_LIMIT_EXCEEDED, HOLD_NONE);
    c.dialled = true; /* a retry waits for the opening of the next day that has hours */
    check(&p, &c, NOW, POLICY_HOLD, CALL_ERROR_NONE, HOLD_DAILY_LIMIT);
    ck_assert(policy_judge(&p, &c, at(NOW)).until == at("2026-01-27T03:30:00Z"));
    p.hours.holidays = policy_holidays(pool, STR("2026-01-27"));
    ck_assert(policy_judge(&p, &c, at(NOW)).until == at("2026-01-28T03:30:00Z"));
    p.has_hours = false;
    ck_assert(policy_judge(&p, &c, at(NOW)).until == at("2026-01-26T18:30:00Z"));
    p.has_hours = true;
    c.day_is_full = false;
    p.number_calls_per_day = 3;
    check(&p, &c, NOW, POLICY_HOLD, CALL_ERROR_NONE, HOLD_DAILY_LIMIT);
    c.number_dials = 2;
    check(&p, &c, NOW, POLICY_GO, CALL_ERROR_NONE, HOLD_NONE);
    /* In the night it waits for the next day, which has dials of its own. */
    check(&p, &c, "2026-01-26T20:00:00Z", POLICY_HOLD, CALL_ERROR_NONE, HOLD_OUTSIDE_CALLING_HOURS);
}
END_TEST

/* ---- retries ---- */

static const struct {
    const char *gaps;
    unsigned dials;
    int64_t minutes;
} gaps[] = {
    {"30", 1, 30},          {"30", 7, 30},          {"5,60,1440", 1, 5}, {"5,60,1440", 2, 60},
    {"5,60,1440", 3, 1440}, {"5,60,1440", 4, 1440}, {"", 1, 30},         {"x", 1, 30},
};

START_TEST(gaps_between_dials)
{
    ck_assert_int_eq(policy_retry_gap(str_of(gaps[_i].gaps), gaps[_i].dials),
                     gaps[_i].minutes * 60 * S);
}
END_TEST

/* ---- pace ---- */

/* Any second, from any of the dials on, has at most as many as it may; and not much fewer. */
static void drive(unsigned per_second, bool at_random)
{
    enum { MOST = 20000 };
    static usec_t dials[MOST];
    size_t count = 0;
    usec_t until = TIME_NONE, start = at(NOW), now = start;
    while (now < start + 5 * S && count < MOST) {
        size_t wanted = at_random ? 1 + (size_t)rand() % 40 : 16;
        size_t taken = policy_pace(&until, per_second, wanted, now);
        ck_assert_uint_le(taken, wanted);
        for (size_t i = 0; i < taken && count < MOST; i++)
            dials[count++] = now;
        now = at_random ? now + 1 + rand() % 20000 : until > now ? until : now + 1;
    }
    for (size_t i = 0, last = 0; i < count; i++) {
        while (last < count && dials[last] < dials[i] + S + 20000)
            last++;
        ck_assert_msg(last - i <= per_second, "%zu in a second of %u", last - i, per_second);
    }
    if (!at_random)
        ck_assert_msg(count * 10 >= (size_t)per_second * 5 * 9, "%zu at %u", count, per_second);
}

START_TEST(no_second_has_more_dials_than_it_may)
{
    static const unsigned paces[] = {1, 2, 3, 7, 10, 19, 20, 21, 39, 40, 100, 333, 1000};
    srand(2);
    drive(paces[_i], false);
    drive(paces[_i], true);
}
END_TEST

static Suite *policy_suite(void)
{
    Suite *suite = suite_create("policy");
    TCase *tc = tcase_create("policy");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, holidays_are_read_once);
    tcase_add_loop_test(tc, hours_open_and_close, 0, (int)(sizeof hours / sizeof *hours));
    tcase_add_test(tc, openings_are_the_first);
    tcase_add_test(tc, what_stops_a_call);
    tcase_add_test(tc, outside_hours_a_call_waits_or_is_disallowed);
    tcase_add_test(tc, a_number_is_not_called_too_often);
    tcase_add_loop_test(tc, gaps_between_dials, 0, (int)(sizeof gaps / sizeof *gaps));
    tcase_add_loop_test(tc, no_second_has_more_dials_than_it_may, 0, 13);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(policy_suite)
