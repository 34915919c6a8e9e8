/*
 * test_turns.c - who is next: agents in turn, single calls first, those that wait for a line.
 */
#include "daemon/turns.h"
#include "tests/unit/check_main.h"

static struct calls_of of(unsigned char agent, bool batched)
{
    return (struct calls_of){{{agent}}, batched};
}

static void add(struct turns *t, unsigned char agent, bool batched)
{
    struct calls_of one = of(agent, batched);
    turns_add(t, &one);
}

/* "1 2b": agents 1 and 2, the latter's batch. */
static void expect(struct turns *t, unsigned char agent, bool batched, struct turn *turn)
{
    ck_assert(turns_take(t, turn));
    ck_assert_uint_eq(turn->of.agent_id.b[0], agent);
    ck_assert_int_eq(turn->of.batched, batched);
}

START_TEST(agents_take_turns_and_single_calls_go_first)
{
    struct turns t;
    struct turn turn;
    turns_init(&t);
    add(&t, 1, true);
    add(&t, 2, false);
    add(&t, 2, true);
    add(&t, 3, false);
    add(&t, 2, false); /* twice is once */
    expect(&t, 2, false, &turn);
    turns_again(&t, &turn);
    expect(&t, 3, false, &turn);
    expect(&t, 2, false, &turn);
    expect(&t, 1, true, &turn);
    expect(&t, 2, true, &turn);
    ck_assert(!turns_take(&t, &turn));
    turns_deinit(&t);
}
END_TEST

START_TEST(batches_are_not_left_out_for_long)
{
    struct turns t;
    struct turn turn;
    unsigned singles = 0;
    turns_init(&t);
    add(&t, 1, false);
    add(&t, 2, true);
    do {
        ck_assert(turns_take(&t, &turn));
        turns_again(&t, &turn);
        singles++;
    } while (!turn.of.batched && singles < 100);
    ck_assert_uint_lt(singles, 20);
    turns_deinit(&t);
}
END_TEST

START_TEST(a_free_line_makes_those_of_its_workspace_ready)
{
    struct turns t;
    struct turn turn;
    struct id ours = {{101}}, theirs = {{102}};
    turns_init(&t);
    for (unsigned char i = 1; i <= 3; i++)
        add(&t, i, i == 1);
    expect(&t, 2, false, &turn);
    turn.workspace_id = ours;
    turn.until = INT64_MAX;
    turns_wait(&t, &turn);
    expect(&t, 3, false, &turn);
    turn.workspace_id = theirs;
    turn.until = INT64_MAX;
    turns_wait(&t, &turn);
    expect(&t, 1, true, &turn);
    turn.workspace_id = ours;
    turn.until = INT64_MAX;
    turns_wait(&t, &turn);
    ck_assert(!turns_take(&t, &turn));
    turns_line_free(&t, &ours);
    expect(&t, 2, false, &turn);
    expect(&t, 1, true, &turn);
    ck_assert(!turns_take(&t, &turn));
    ck_assert_uint_eq(t.waiting_count, 1);
    turns_deinit(&t);
}
END_TEST

START_TEST(who_waits_for_a_moment_is_ready_then)
{
    struct turns t;
    struct turn turn;
    turns_init(&t);
    ck_assert(turns_next(&t) == INT64_MAX);
    add(&t, 1, false);
    add(&t, 2, false);
    expect(&t, 1, false, &turn);
    turn.until = 50;
    turn.told_at = 7;
    turns_wait(&t, &turn);
    expect(&t, 2, false, &turn);
    turn.until = INT64_MAX;
    turns_wait(&t, &turn);
    ck_assert(turns_next(&t) == 50);
    turns_time(&t, 49);
    ck_assert(!turns_take(&t, &turn));
    turns_time(&t, 50);
    expect(&t, 1, false, &turn);
    ck_assert(turn.told_at == 7);
    add(&t, 2, false); /* a new call of who waits */
    expect(&t, 2, false, &turn);
    ck_assert_uint_eq(t.waiting_count, 0);
    add(&t, 2, false); /* a word comes while it is looked at */
    turns_wait(&t, &turn);
    ck_assert_uint_eq(t.waiting_count, 0);
    expect(&t, 2, false, &turn);
    turns_deinit(&t);
}
END_TEST

START_TEST(a_request_that_ended_makes_those_ready_that_wait_for_room)
{
    struct turns t;
    struct turn for_room = {.of = of(1, true), .until = INT64_MAX, .for_room = true};
    struct turn for_line = {.of = of(2, true), .until = INT64_MAX};
    struct turn turn;
    turns_init(&t);
    turns_wait(&t, &for_room);
    turns_wait(&t, &for_line);
    turns_room_free(&t);
    expect(&t, 1, true, &turn);
    ck_assert(!turn.for_room);
    ck_assert(!turns_take(&t, &turn));
    turns_deinit(&t);
}
END_TEST

static Suite *turns_suite(void)
{
    Suite *suite = suite_create("turns");
    TCase *tc = tcase_create("turns");

    tcase_add_test(tc, agents_take_turns_and_single_calls_go_first);
    tcase_add_test(tc, batches_are_not_left_out_for_long);
    tcase_add_test(tc, a_free_line_makes_those_of_its_workspace_ready);
    tcase_add_test(tc, who_waits_for_a_moment_is_ready_then);
    tcase_add_test(tc, a_request_that_ended_makes_those_ready_that_wait_for_room);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(turns_suite)
