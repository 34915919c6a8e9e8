/*
 * test_pool.c - memory that dies together: alignment, zeroing, sizes, and what runs at the end.
 */
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static bool is_zero(const unsigned char *p, size_t n)
{
    while (n > 0 && p[n - 1] == 0) {
        n--;
    }
    return n == 0;
}

static const size_t sizes[] = {0,    1,     7,     16,    100,   4095,   4096,
                               4097, 16384, 16385, 65536, 65537, 1000000};

START_TEST(memory_is_aligned_and_zero)
{
    for (int i = 0; i < 3; i++) {
        unsigned char *p = pool_alloc(pool, sizes[_i]);
        ck_assert_uint_eq((uintptr_t)p % alignof(max_align_t), 0);
        ck_assert(is_zero(p, sizes[_i]));
        memset(p, 0xff, sizes[_i]);
    }
}
END_TEST

START_TEST(memory_is_zero_again_after_clearing)
{
    for (int i = 0; i < 3; i++) {
        unsigned char *p = pool_alloc(pool, 3000);
        ck_assert(is_zero(p, 3000));
        memset(p, 0xff, 3000);
        pool_clear(pool);
    }
}
END_TEST

START_TEST(nothing_overlaps)
{
    unsigned char *small[500], *large[20];
    for (size_t i = 0; i < 500; i++) {
        small[i] = pool_alloc(pool, i + 1);
        memset(small[i], (int)(i % 251), i + 1);
        if (i % 25 == 0) {
            large[i / 25] = pool_alloc(pool, 20000);
            memset(large[i / 25], 0xee, 20000);
        }
    }
    for (size_t i = 0; i < 500; i++) {
        ck_assert_uint_eq(small[i][0], i % 251);
        ck_assert_uint_eq(small[i][i], i % 251);
    }
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(large[i][0], 0xee);
        ck_assert_uint_eq(large[i][19999], 0xee);
    }
}
END_TEST

START_TEST(a_cleared_pool_uses_its_block_again)
{
    char *first = pool_alloc(pool, 100);
    pool_clear(pool);
    ck_assert_ptr_eq(pool_alloc(pool, 100), first);
}
END_TEST

START_TEST(copies)
{
    ck_assert_str_eq(pool_dup(pool, "abcdef", 3), "abc");
    ck_assert_str_eq(pool_strdup(pool, "text"), "text");
    ck_assert_ptr_null(pool_strdup(pool, NULL));
    ck_assert_str_is(pool_str(pool, STR("a")), "a");
    ck_assert_str_is(pool_str(pool, STR_NULL), NULL);
    ck_assert_str_is(pool_str(pool, STR("")), "");
    ck_assert_str_eq(pool_printf(pool, "%d-%s", 7, "x"), "7-x");
}
END_TEST

static char order[8];

static void note(void *ctx)
{
    strcat(order, ctx);
}

START_TEST(what_is_registered_runs_once_newest_first)
{
    char a[] = "a", b[] = "b";
    pool_on_clear(pool, note, a);
    pool_on_clear(pool, note, b);
    pool_clear(pool);
    ck_assert_str_eq(order, "ba");
    pool_clear(pool);
    ck_assert_str_eq(order, "ba");
    pool_on_clear(pool, note, a);
    pool_destroy(&pool);
    ck_assert_str_eq(order, "baa");
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(an_array_too_large_dies)
{
    pool_alloc_array(pool, SIZE_MAX / 2, 4);
}
END_TEST

static Suite *pool_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tc = tcase_create("pool");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, memory_is_aligned_and_zero, 0, CASES(sizes));
    tcase_add_test(tc, memory_is_zero_again_after_clearing);
    tcase_add_test(tc, nothing_overlaps);
    tcase_add_test(tc, a_cleared_pool_uses_its_block_again);
    tcase_add_test(tc, copies);
    tcase_add_test(tc, what_is_registered_runs_once_newest_first);
    tcase_add_test_raise_signal(tc, an_array_too_large_dies, SIGABRT);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(pool_suite)
