/*
 * test_seats.c - the bound for all calls that are prepared, and the share of each workspace.
 */
#include "daemon/seats.h"
#include "tests/unit/check_main.h"

static void take(struct seats *seats, unsigned char workspace, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        seats_take(seats, &(struct id){{workspace}});
}

static void give_back(struct seats *seats, unsigned char workspace)
{
    seats_give_back(seats, &(struct id){{workspace}});
}

static size_t free_for(const struct seats *seats, unsigned char workspace)
{
    return seats_free_for(seats, &(struct id){{workspace}}, 5, 3);
}

START_TEST(a_workspace_has_its_share_of_all)
{
    struct seats seats;
    seats_init(&seats);
    ck_assert_uint_eq(free_for(&seats, 1), 3);
    take(&seats, 1, 2);
    ck_assert_uint_eq(free_for(&seats, 1), 1);
    take(&seats, 1, 1);
    ck_assert_uint_eq(free_for(&seats, 1), 0);
    ck_assert_uint_eq(free_for(&seats, 2), 2); /* what is left of all */
    take(&seats, 2, 2);
    ck_assert_uint_eq(free_for(&seats, 2), 0);
    ck_assert_uint_eq(seats.taken, 5);
    give_back(&seats, 1);
    ck_assert_uint_eq(free_for(&seats, 1), 1);
    ck_assert_uint_eq(free_for(&seats, 2), 1);
    seats_deinit(&seats);
}
END_TEST

START_TEST(workspaces_that_have_none_are_forgotten_others_are_not)
{
    struct seats seats;
    seats_init(&seats);
    take(&seats, 1, 1);
    for (unsigned i = 0; i < 5000; i++) {
        struct id workspace = {{2, (unsigned char)(i >> 8), (unsigned char)i}};
        seats_take(&seats, &workspace);
        seats_give_back(&seats, &workspace);
    }
    ck_assert_uint_eq(seats.count, 1);
    ck_assert_uint_eq(seats.taken, 1);
    ck_assert_uint_eq(free_for(&seats, 1), 2);
    take(&seats, 3, 2);
    give_back(&seats, 1);
    ck_assert_uint_eq(free_for(&seats, 3), 1);
    seats_deinit(&seats);
}
END_TEST

static Suite *seats_suite(void)
{
    Suite *suite = suite_create("seats");
    TCase *tc = tcase_create("seats");

    tcase_add_test(tc, a_workspace_has_its_share_of_all);
    tcase_add_test(tc, workspaces_that_have_none_are_forgotten_others_are_not);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(seats_suite)
