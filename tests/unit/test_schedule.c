/*
 * test_schedule.c - waits, jitter, floors, and Retry-After.
 */
#include "lib/rules/schedule.h"
#include "tests/unit/check_main.h"

#define S USEC_PER_S
#define NOW (INT64_C(1705313700) * S) /* 2024-01-15T10:15:00Z */

static const usec_t waits[] = {0, 5 * S, 300 * S, 86400 * S};

static const struct {
    const char *name;
    unsigned jitter_percent, next;
    uint32_t random;
    usec_t floor, want;
} nexts[] = {
    {"the first at once", 10, 0, UINT32_MAX, TIME_NONE, NOW},
    {"no jitter", 0, 1, UINT32_MAX, TIME_NONE, NOW + 5 * S},
    {"no luck, no jitter", 10, 1, 0, TIME_NONE, NOW + 5 * S},
    {"half of the jitter", 10, 2, UINT32_C(1) << 31, TIME_NONE, NOW + 315 * S},
    {"half of the wait", 100, 3, UINT32_C(1) << 31, TIME_NONE, NOW + 86400 * S + 43200 * S},
    {"used up", 10, 4, 0, TIME_NONE, TIME_NONE},
    {"long used up", 10, UINT32_MAX, 0, TIME_NONE, TIME_NONE},
    {"used up, whatever the floor", 10, 4, 0, NOW + 60 * S, TIME_NONE},
    {"the floor is later", 0, 1, 0, NOW + 60 * S, NOW + 60 * S},
    {"the floor is earlier", 0, 2, 0, NOW + 60 * S, NOW + 300 * S},
    {"the floor is past", 0, 0, 0, NOW - 60 * S, NOW},
};

START_TEST(next_try)
{
    struct schedule s = {waits, sizeof(waits) / sizeof(waits[0]), nexts[_i].jitter_percent};

    ck_assert_msg(schedule_next(&s, nexts[_i].next, NOW, nexts[_i].random, nexts[_i].floor) ==
                      nexts[_i].want,
                  "%s", nexts[_i].name);
}
END_TEST

START_TEST(jitter_stays_in_its_bounds)
{
    struct schedule s = {waits, sizeof(waits) / sizeof(waits[0]), 10};

    for (uint64_t random = 0; random <= UINT32_MAX; random += 9999991) {
        usec_t due = schedule_next(&s, 3, NOW, (uint32_t)random, TIME_NONE);
        ck_assert_int_ge(due, NOW + 86400 * S);
        ck_assert_int_le(due, NOW + 86400 * S + 8640 * S);
    }
    ck_assert_int_le(schedule_next(&s, 3, NOW, UINT32_MAX, TIME_NONE), NOW + 86400 * S + 8640 * S);
}
END_TEST

START_TEST(an_empty_schedule_has_no_tries)
{
    struct schedule s = {NULL, 0, 10};

    ck_assert(schedule_next(&s, 0, NOW, 0, TIME_NONE) == TIME_NONE);
}
END_TEST

static const struct {
    const char *value;
    usec_t want; /* from NOW; TIME_NONE: rubbish */
} values[] = {
    {"120", 120 * S},
    {"0", 0},
    {" 7\t", 7 * S},
    {"120.1", 121 * S},
    {"120.0", 120 * S},
    {"0.001", 1 * S},
    {"86400", 86400 * S},
    {"86401", 86400 * S},
    {"86399.5", 86400 * S},
    {"999999999999999999999999999999", 86400 * S},
    {"00000000000000000000000000000005", 5 * S},
    {"Mon, 15 Jan 2024 10:16:00 GMT", 60 * S},
    {"Monday, 15-Jan-24 10:16:00 GMT", 60 * S},
    {"Mon Jan 15 10:16:00 2024", 60 * S},
    {"Mon, 15 Jan 2024 10:15:60 GMT", 59 * S}, /* a leap second */
    {"Sun Nov  6 08:49:37 1994", INT64_C(784111777) * S - NOW},
    {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777) * S - NOW},
    {"Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777) * S - NOW},
    {"Thu, 15 Jan 2099 10:16:00 GMT", 86400 * S},
    {"Thursday, 15-Jan-74 10:16:00 GMT", 86400 * S}, /* 50 years ahead: 2074 */
    {"Friday, 15-Jan-75 10:15:00 GMT", INT64_C(159012900) * S - NOW},
    {"Thu, 29 Feb 2024 00:00:00 GMT", 86400 * S},
    {"Thu, 29 Feb 2023 00:00:00 GMT", TIME_NONE},
    {"Thu, 31 Nov 2024 00:00:00 GMT", TIME_NONE},
    {"Thu, 00 Nov 2024 00:00:00 GMT", TIME_NONE},
    {"Thu, 01 Nov 2024 24:00:00 GMT", TIME_NONE},
    {"Thu, 01 Nov 2024 00:60:00 GMT", TIME_NONE},
    {"Thu, 01 Nov 2024 00:00:00 UTC", TIME_NONE},
    {"Thu, 01 Nov 2024 00:00:00 GMT!", TIME_NONE},
    {"Thu, 1 Nov 2024 00:00:00 GMT", TIME_NONE},
    {"Thu, 01 nov 2024 00:00:00 GMT", TIME_NONE},
    {"Foo, 01 Nov 2024 00:00:00 GMT", TIME_NONE},
    {"2024-01-15T10:16:00Z", TIME_NONE},
    {"", TIME_NONE},
    {" ", TIME_NONE},
    {"-5", TIME_NONE},
    {"+5", TIME_NONE},
    {"5.", TIME_NONE},
    {".5", TIME_NONE},
    {"5.5.5", TIME_NONE},
    {"5s", TIME_NONE},
    {"0x5", TIME_NONE},
    {"1e3", TIME_NONE},
    {"120, 60", TIME_NONE},
    {"soon", TIME_NONE},
    {"Mon", TIME_NONE},
    {"Mon, ", TIME_NONE},
};

START_TEST(retry_after)
{
    usec_t want = values[_i].want == TIME_NONE ? TIME_NONE : NOW + values[_i].want;
    usec_t got = retry_after_parse(str_of(values[_i].value), NOW, 86400 * S);

    ck_assert_msg(got == want, "\"%s\": %lld", values[_i].value, (long long)(got - NOW));
}
END_TEST

START_TEST(retry_after_absent)
{
    ck_assert(retry_after_parse(STR_NULL, NOW, 86400 * S) == TIME_NONE);
}
END_TEST

START_TEST(retry_after_with_a_small_maximum)
{
    ck_assert(retry_after_parse(STR("3"), NOW, S / 2) == NOW + S / 2);
    ck_assert(retry_after_parse(STR("3"), NOW, 0) == NOW);
}
END_TEST

static Suite *schedule_suite(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tc = tcase_create("schedule");

    tcase_add_loop_test(tc, next_try, 0, (int)(sizeof(nexts) / sizeof(nexts[0])));
    tcase_add_test(tc, jitter_stays_in_its_bounds);
    tcase_add_test(tc, an_empty_schedule_has_no_tries);
    tcase_add_loop_test(tc, retry_after, 0, (int)(sizeof(values) / sizeof(values[0])));
    tcase_add_test(tc, retry_after_absent);
    tcase_add_test(tc, retry_after_with_a_small_maximum);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(schedule_suite)
