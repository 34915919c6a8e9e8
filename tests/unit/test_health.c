/*
 * test_health.c - a destination's window, its holds and its end.
 */
#include "lib/rules/health.h"
#include "tests/unit/check_main.h"

#define S USEC_PER_S
#define DAY (86400 * S)
#define NOW (INT64_C(1705313700) * S)
#define WINDOW_MAX 64

static const struct health_policy policy = {
    .window_start = 5,
    .hold_after_failures = 5,
    .disable_after_failures = 20,
    .hold_first = 30 * S,
    .hold_max = 3600 * S,
    .disable_after = 5 * DAY,
};

static struct health fresh(void)
{
    struct health h;

    health_init(&h, &policy, NOW);
    return h;
}

/* Fails until it is held; the moment of the last failure is `now`. */
static struct health held(usec_t now)
{
    struct health h = fresh();

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(health_failure(&h, &policy, now - S, now), HEALTH_GOES_ON);
    ck_assert_int_eq(health_failure(&h, &policy, now - S, now), HEALTH_HELD);
    return h;
}

START_TEST(begins_small)
{
    struct health h = fresh();

    ck_assert_uint_eq(health_room(&h, 0, NOW), 5);
    ck_assert_uint_eq(health_room(&h, 3, NOW), 2);
    ck_assert_uint_eq(health_room(&h, 5, NOW), 0);
    ck_assert_uint_eq(health_room(&h, 9, NOW), 0);
}
END_TEST

START_TEST(grows_by_one_up_to_its_maximum)
{
    struct health h = fresh();

    health_success(&h, &policy, WINDOW_MAX, NOW);
    ck_assert_uint_eq(h.window, 6);
    for (int i = 0; i < 1000; i++)
        health_success(&h, &policy, WINDOW_MAX, NOW);
    ck_assert_uint_eq(h.window, WINDOW_MAX);
    health_success(&h, &policy, 3, NOW); /* its maximum was lowered */
    ck_assert_uint_eq(h.window, 3);
    health_success(&h, &policy, 0, NOW);
    ck_assert_uint_eq(h.window, 1);
}
END_TEST

START_TEST(is_halved_down_to_one)
{
    struct health h = fresh();
    static const unsigned want[] = {2, 1, 1};

    for (int i = 0; i < 3; i++) {
        health_failure(&h, &policy, NOW, NOW);
        ck_assert_uint_eq(h.window, want[i]);
    }
}
END_TEST

START_TEST(a_success_ends_the_row)
{
    struct health h = fresh();

    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 4; k++)
            ck_assert_int_eq(health_failure(&h, &policy, NOW, NOW), HEALTH_GOES_ON);
        health_success(&h, &policy, WINDOW_MAX, NOW);
    }
    ck_assert(h.held_until == TIME_NONE);
}
END_TEST

START_TEST(held_after_five)
{
    struct health h = held(NOW);

    ck_assert_int_eq(h.held_until, NOW + 30 * S);
    ck_assert_uint_eq(health_room(&h, 0, NOW), 0);
    ck_assert_uint_eq(health_room(&h, 0, NOW + 30 * S - 1), 0);
    ck_assert_uint_eq(health_room(&h, 0, NOW + 30 * S), 1);
    ck_assert_uint_eq(health_room(&h, 1, NOW + 30 * S), 0);
}
END_TEST

START_TEST(what_was_under_way_does_not_lengthen_the_hold)
{
    struct health h = held(NOW);

    ck_assert_int_eq(health_failure(&h, &policy, NOW - S, NOW + 10 * S), HEALTH_HELD);
    /* it even ended after the hold had run out */
    ck_assert_int_eq(health_failure(&h, &policy, NOW - S, NOW + 31 * S), HEALTH_HELD);
    ck_assert_int_eq(h.held_until, NOW + 30 * S);
    ck_assert_int_eq(h.hold_wait, 30 * S);
    ck_assert_uint_eq(h.failures, 7);
}
END_TEST

START_TEST(holds_double_up_to_the_maximum)
{
    static const usec_t waits[] = {60 * S,  120 * S,  240 * S,  480 * S,
                                   960 * S, 1920 * S, 3600 * S, 3600 * S};
    struct health h = held(NOW);

    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        usec_t started = h.held_until, ended = started + S;
        ck_assert_int_eq(health_failure(&h, &policy, started, ended), HEALTH_HELD);
        ck_assert_int_eq(h.held_until, ended + waits[i]);
    }
}
END_TEST

START_TEST(a_good_probe_frees_it)
{
    struct health h = held(NOW);

    health_success(&h, &policy, WINDOW_MAX, NOW + 31 * S);
    ck_assert(h.held_until == TIME_NONE);
    ck_assert_uint_eq(h.failures, 0);
    ck_assert_uint_eq(health_room(&h, 0, NOW + 31 * S), h.window);
    for (int i = 0; i < 4; i++)
        health_failure(&h, &policy, NOW + 32 * S, NOW + 32 * S);
    ck_assert_int_eq(health_failure(&h, &policy, NOW + 32 * S, NOW + 33 * S), HEALTH_HELD);
    ck_assert_int_eq(h.held_until, NOW + 63 * S); /* from the start again */
}
END_TEST

START_TEST(a_first_hold_over_the_maximum)
{
    struct health_policy p = policy;
    struct health h = fresh();

    p.hold_first = 7200 * S;
    p.hold_after_failures = 1;
    ck_assert_int_eq(health_failure(&h, &p, NOW, NOW), HEALTH_HELD);
    ck_assert_int_eq(h.held_until, NOW + 3600 * S);
}
END_TEST

static const struct {
    const char *name;
    unsigned failures; /* before this one */
    usec_t now;
    enum health_verdict verdict;
} ends[] = {
    {"many failures, too short a time", 500, NOW + 5 * DAY - 1, HEALTH_HELD},
    {"a long time, too few failures", 18, NOW + 50 * DAY, HEALTH_HELD},
    {"both", 19, NOW + 5 * DAY, HEALTH_DISABLED},
    {"both, and still", 500, NOW + 6 * DAY, HEALTH_DISABLED},
    {"one failure after a long silence", 0, NOW + 50 * DAY, HEALTH_GOES_ON},
};

START_TEST(disabled_after_failures_and_days)
{
    struct health h = fresh();

    h.failures = ends[_i].failures;
    ck_assert_msg(health_failure(&h, &policy, ends[_i].now, ends[_i].now) == ends[_i].verdict, "%s",
                  ends[_i].name);
}
END_TEST

START_TEST(a_success_moves_the_days)
{
    struct health h = fresh();

    health_success(&h, &policy, WINDOW_MAX, NOW + DAY);
    ck_assert_int_eq(h.good_since, NOW + DAY);
    h.failures = 500;
    ck_assert_int_eq(health_failure(&h, &policy, NOW, NOW + 6 * DAY - 1), HEALTH_HELD);
    ck_assert_int_eq(health_failure(&h, &policy, NOW, NOW + 6 * DAY), HEALTH_DISABLED);
}
END_TEST

static Suite *health_suite(void)
{
    Suite *suite = suite_create("health");
    TCase *tc = tcase_create("health");

    tcase_add_test(tc, begins_small);
    tcase_add_test(tc, grows_by_one_up_to_its_maximum);
    tcase_add_test(tc, is_halved_down_to_one);
    tcase_add_test(tc, a_success_ends_the_row);
    tcase_add_test(tc, held_after_five);
    tcase_add_test(tc, what_was_under_way_does_not_lengthen_the_hold);
    tcase_add_test(tc, holds_double_up_to_the_maximum);
    tcase_add_test(tc, a_good_probe_frees_it);
    tcase_add_test(tc, a_first_hold_over_the_maximum);
    tcase_add_loop_test(tc, disabled_after_failures_and_days, 0,
                        (int)(sizeof(ends) / sizeof(ends[0])));
    tcase_add_test(tc, a_success_moves_the_days);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(health_suite)
