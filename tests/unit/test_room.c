/*
 * test_room.c - how many requests may be begun: budgets of their own for each kind, and a share for
 * each workspace.
 */
#include "daemon/caller_private.h"
#include "tests/unit/check_main.h"

static struct conf conf;
static struct dispatcher dispatcher;
static struct caller caller;
static struct matter matters[300];
static size_t matter_count;

static struct id workspace(unsigned char which)
{
    return (struct id){{which}};
}

static void setup(void)
{
    conf.place_in_flight_max = 16;
    dispatcher.conf = &conf;
    caller = (struct caller){.dispatcher = &dispatcher};
    matter_count = 0;
}

static void begin(enum matter_kind kind, unsigned char which, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct matter *m = &matters[matter_count++];
        *m = (struct matter){.kind = kind, .workspace_id = workspace(which)};
        m->older = caller.matters;
        caller.matters = m;
    }
}

static size_t room(enum budget budget, unsigned char which)
{
    struct id of = workspace(which);
    return room_for(&caller, budget, &of);
}

/* Each takes what it may: the last one that comes still finds room. */
START_TEST(a_workspace_has_as_many_as_are_left_for_others)
{
    static const size_t shares[] = {8, 4, 2, 1, 1};
    for (unsigned char i = 0; i < CASES(shares); i++) {
        ck_assert_uint_eq(room(BUDGET_PLACE, i), shares[i]);
        begin(MATTER_PLACE, i, shares[i]);
        ck_assert_uint_eq(room(BUDGET_PLACE, i), 0);
    }
    ck_assert_uint_eq(room_for(&caller, BUDGET_PLACE, NULL), 0);
    ck_assert_uint_eq(room(BUDGET_PLACE, 9), 0);
}
END_TEST

START_TEST(who_is_under_its_share_goes_on_as_others_end)
{
    begin(MATTER_PLACE, 1, 7);
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 1);
    begin(MATTER_SIMULATE, 2, 1); /* counts as one that is placed */
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 1);
    begin(MATTER_PLACE, 2, 1);
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 0);
    struct id of = workspace(3);
    ck_assert_uint_eq(room_to_place(&caller, &of), 4);
}
END_TEST

START_TEST(one_request_at_a_time_is_anybodys)
{
    conf.place_in_flight_max = 1;
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 1);
    begin(MATTER_PLACE, 1, 1);
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 0);
    ck_assert_uint_eq(room(BUDGET_PLACE, 2), 0);
}
END_TEST

START_TEST(placing_waits_for_no_other_kind)
{
    begin(MATTER_FIND, 1, 100);
    begin(MATTER_STEP, 0, 128);
    ck_assert_uint_eq(room(BUDGET_LOOK_UP, 2), 0);
    ck_assert(!room_for_steps(&caller));
    ck_assert_uint_eq(room(BUDGET_PLACE, 1), 8);
}
END_TEST

static Suite *room_suite(void)
{
    Suite *suite = suite_create("room");
    TCase *tc = tcase_create("room");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, a_workspace_has_as_many_as_are_left_for_others);
    tcase_add_test(tc, who_is_under_its_share_goes_on_as_others_end);
    tcase_add_test(tc, one_request_at_a_time_is_anybodys);
    tcase_add_test(tc, placing_waits_for_no_other_kind);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(room_suite)
