/*
 * test_fiber.c - fibers: order of running, own stacks, many at once, and misuse.
 */
#include "lib/base/fiber.h"
#include "tests/unit/check_main.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static char trace[200];

static void note(const char *text)
{
    strcat(trace, text);
}

static void three_steps(void *ctx)
{
    for (int i = 1; i <= 3; i++) {
        char step[16];
        snprintf(step, sizeof(step), "%s%d ", (const char *)ctx, i);
        note(step);
        if (i < 3) {
            fiber_yield();
        }
    }
}

START_TEST(fibers_take_turns)
{
    char a_name[] = "a", b_name[] = "b";
    struct fiber *a, *b;
    fiber_create(&a, three_steps, a_name);
    fiber_create(&b, three_steps, b_name);
    ck_assert_str_eq(trace, "");
    while (!fiber_ended(a) || !fiber_ended(b)) {
        note("- ");
        if (!fiber_ended(a)) {
            fiber_resume(a);
        }
        if (!fiber_ended(b)) {
            fiber_resume(b);
        }
    }
    ck_assert_str_eq(trace, "- a1 b1 - a2 b2 - a3 b3 ");
    fiber_destroy(&a);
    fiber_destroy(&b);
    ck_assert_ptr_null(a);
}
END_TEST

static struct fiber *seen;

static void look(void *ctx)
{
    (void)ctx;
    seen = fiber_current();
    fiber_yield();
    seen = fiber_current();
}

START_TEST(the_current_one_is_known)
{
    struct fiber *fiber;
    fiber_create(&fiber, look, NULL);
    ck_assert_ptr_null(fiber_current());
    fiber_resume(fiber);
    ck_assert_ptr_eq(seen, fiber);
    ck_assert_ptr_null(fiber_current());
    ck_assert(!fiber_ended(fiber));
    seen = NULL;
    fiber_resume(fiber);
    ck_assert_ptr_eq(seen, fiber);
    ck_assert(fiber_ended(fiber));
    fiber_destroy(&fiber);
}
END_TEST

/* Fills a part of the stack, yields with it alive, and looks whether it is still the same. */
static int fill_and_check(int depth, unsigned char value)
{
    unsigned char bytes[1000];
    memset(bytes, value, sizeof(bytes));
    if (depth > 0) {
        return fill_and_check(depth - 1, (unsigned char)(value + 1)) + (bytes[999] == value);
    }
    fiber_yield();
    return bytes[0] == value;
}

struct deep {
    unsigned char value;
    int intact;
};

static void deep_stack(void *ctx)
{
    struct deep *deep = ctx;
    deep->intact = fill_and_check(99, deep->value);
}

START_TEST(each_has_a_stack_of_its_own)
{
    static struct deep deep[40];
    struct fiber *fibers[40];
    for (int round = 0; round < 2; round++) { /* the second on stacks that were used */
        for (unsigned i = 0; i < 40; i++) {
            deep[i] = (struct deep){.value = (unsigned char)(i * 5)};
            fiber_create(&fibers[i], deep_stack, &deep[i]);
            fiber_resume(fibers[i]);
        }
        for (unsigned i = 0; i < 40; i++) {
            fiber_resume(fibers[39 - i]);
            ck_assert(fiber_ended(fibers[39 - i]));
            ck_assert_int_eq(deep[39 - i].intact, 100);
            fiber_destroy(&fibers[39 - i]);
        }
    }
}
END_TEST

START_TEST(one_that_never_ran_can_be_destroyed)
{
    struct fiber *fiber;
    fiber_create(&fiber, look, NULL);
    fiber_destroy(&fiber);
    ck_assert_ptr_null(fiber);
    fiber_destroy(&fiber);
}
END_TEST

START_TEST(yielding_outside_dies)
{
    fiber_yield();
}
END_TEST

START_TEST(resuming_an_ended_one_dies)
{
    char name[] = "x";
    struct fiber *fiber;
    fiber_create(&fiber, three_steps, name);
    for (int i = 0; i < 4; i++) {
        fiber_resume(fiber);
    }
}
END_TEST

START_TEST(destroying_a_suspended_one_dies)
{
    struct fiber *fiber;
    fiber_create(&fiber, look, NULL);
    fiber_resume(fiber);
    fiber_destroy(&fiber);
}
END_TEST

static void resume_another(void *ctx)
{
    fiber_resume(ctx);
}

START_TEST(resuming_inside_a_fiber_dies)
{
    struct fiber *inner, *outer;
    fiber_create(&inner, look, NULL);
    fiber_create(&outer, resume_another, inner);
    fiber_resume(outer);
}
END_TEST

static Suite *fiber_suite(void)
{
    Suite *suite = suite_create("fiber");
    TCase *tc = tcase_create("fiber");

    tcase_add_test(tc, fibers_take_turns);
    tcase_add_test(tc, the_current_one_is_known);
    tcase_add_test(tc, each_has_a_stack_of_its_own);
    tcase_add_test(tc, one_that_never_ran_can_be_destroyed);
    tcase_add_test_raise_signal(tc, yielding_outside_dies, SIGABRT);
    tcase_add_test_raise_signal(tc, resuming_an_ended_one_dies, SIGABRT);
    tcase_add_test_raise_signal(tc, destroying_a_suspended_one_dies, SIGABRT);
    tcase_add_test_raise_signal(tc, resuming_inside_a_fiber_dies, SIGABRT);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(fiber_suite)
