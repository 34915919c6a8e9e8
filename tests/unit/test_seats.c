/*
 * test_seats.c - the bound for all calls that are prepared, and the share of each workspace.
 */
#include "daemon/seats.h"
#include "tests/unit/check_main.h"

static void take(struct seats *seats, unsigned char agent, unsigned char workspace)
{
    seats_take(seats, &(struct id){{agent}}, &(struct id){{workspace}});
}

static void give_back(struct seats *seats, unsigned char agent)
{
    seats_give_back(seats, &(struct id){{agent}});
}

static size_t free_for(const struct seats *seats, unsigned char agent)
{
    return seats_free_for(seats, &(struct id){{agent}}, 5, 3);
}

START_TEST(a_workspace_has_its_share_of_all)
{
    struct seats seats;
    seats_init(&seats);
    ck_assert_uint_eq(free_for(&seats, 1), 3);
    take(&seats, 1, 100);
    take(&seats, 2, 100);
    ck_assert_uint_eq(free_for(&seats, 1), 1);
    take(&seats, 1, 100);
    ck_assert_uint_eq(free_for(&seats, 1), 0);
    ck_assert_uint_eq(free_for(&seats, 2), 0);
    ck_assert_uint_eq(free_for(&seats, 3), 2); /* what is left of all */
    take(&seats, 3, 200);
    take(&seats, 3, 200);
    ck_assert_uint_eq(free_for(&seats, 3), 0);
    ck_assert_uint_eq(seats.taken, 5);
    give_back(&seats, 2);
    ck_assert_uint_eq(free_for(&seats, 1), 1);
    ck_assert_uint_eq(free_for(&seats, 2), 1); /* it is known to be of the same workspace still */
    ck_assert_uint_eq(free_for(&seats, 3), 1);
    seats_deinit(&seats);
}
END_TEST

START_TEST(agents_that_have_none_are_forgotten_others_are_not)
{
    struct seats seats;
    seats_init(&seats);
    take(&seats, 0, 0);
    for (unsigned i = 1; i < 5000; i++) {
        struct id agent = {{1, (unsigned char)(i >> 8), (unsigned char)i}};
        seats_take(&seats, &agent, &agent);
        seats_give_back(&seats, &agent);
    }
    ck_assert_uint_lt(seats.count, 2000);
    ck_assert_uint_eq(seats.taken, 1);
    ck_assert_uint_eq(free_for(&seats, 0), 2);
    seats_deinit(&seats);
}
END_TEST

static Suite *seats_suite(void)
{
    Suite *suite = suite_create("seats");
    TCase *tc = tcase_create("seats");

    tcase_add_test(tc, a_workspace_has_its_share_of_all);
    tcase_add_test(tc, agents_that_have_none_are_forgotten_others_are_not);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(seats_suite)
