/*
 * check_main.h - what every unit test shares: a main that runs one suite, and assertions on our
 * own types. A test file has CHECK_MAIN(suite_function) as its last line.
 */
#ifndef HV_CHECK_MAIN_H
#define HV_CHECK_MAIN_H

#include "lib/base/str.h"
#include <check.h>
#include <stdlib.h>

#define CASES(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* `actual` is a struct str; NULL as expectation means STR_NULL. */
#define ck_assert_str_is(actual, expected)                                                         \
    do {                                                                                           \
        struct str actual_ = (actual);                                                             \
        const char *expected_ = (expected);                                                        \
        ck_assert_msg(str_is(actual_, expected_), "%s is \"%.*s\", not \"%s\"", #actual,           \
                      actual_.p == NULL ? 6 : (int)actual_.n,                                      \
                      actual_.p == NULL ? "(null)" : actual_.p,                                    \
                      expected_ == NULL ? "(null)" : expected_);                                   \
    } while (0)

/* A call that fills a struct err must have worked. */
#define ck_assert_ok(call, err)                                                                    \
    do {                                                                                           \
        int result_ = (call);                                                                      \
        ck_assert_msg(result_ == 0, "%s failed: %s", #call, (err).message);                        \
    } while (0)

#define CHECK_MAIN(suite_function)                                                                 \
    int main(void)                                                                                 \
    {                                                                                              \
        SRunner *runner = srunner_create(suite_function());                                        \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
