/*
 * test_err.c - how failures are told: codes, messages, prefixes, and where a long message is cut.
 */
#include "lib/base/err.h"
#include "tests/unit/check_main.h"
#include <signal.h>
#include <string.h>

START_TEST(setting_fills_code_and_message)
{
    struct err err;
    ck_assert_int_eq(err_set(&err, ERR_CONFLICT, "%s is %d", "it", 7), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_str_eq(err.message, "it is 7");
}
END_TEST

START_TEST(a_prefix_keeps_the_code)
{
    struct err err;
    err_set(&err, ERR_INVALID, "is empty");
    ck_assert_int_eq(err_prefix(&err, "line %d", 3), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "line 3: is empty");
}
END_TEST

START_TEST(the_old_message_may_be_an_argument)
{
    struct err err;
    err_set(&err, ERR_INVALID, "inner");
    err_set(&err, ERR_INTERNAL, "outer(%s)", err.message);
    ck_assert_str_eq(err.message, "outer(inner)");
}
END_TEST

START_TEST(clearing_leaves_nothing)
{
    struct err err;
    err_set(&err, ERR_INVALID, "something");
    err_clear(&err);
    ck_assert_int_eq(err.code, ERR_NONE);
    ck_assert_str_eq(err.message, "");
}
END_TEST

/* A character is put across the place of the cut; what is left must be valid UTF-8. */
static const struct {
    const char *name, *character;
} wide[] = {
    {"two bytes", "\xc3\xa9"}, {"three bytes", "\xe2\x82\xac"}, {"four bytes", "\xf0\x9f\x98\x80"}};

START_TEST(a_long_message_is_cut_between_characters)
{
    struct err err;
    char filler[sizeof(err.message)];
    size_t width = strlen(wide[_i].character);
    for (size_t before = 0; before <= width; before++) {
        size_t n = sizeof(err.message) - 1 - before;
        memset(filler, 'x', n);
        filler[n] = '\0';
        err_set(&err, ERR_INVALID, "%s%szzzzzz", filler, wide[_i].character);
        ck_assert_msg(str_utf8_valid(str_of(err.message)), "%s, %zu before", wide[_i].name, before);
        bool whole = before == width;
        ck_assert_uint_eq(strlen(err.message), whole ? sizeof(err.message) - 1 : n);
    }
}
END_TEST

START_TEST(every_code_has_a_text)
{
    ck_assert_str_ne(err_code_text((enum err_code)_i), "");
}
END_TEST

START_TEST(the_texts_of_codes)
{
    ck_assert_str_eq(err_code_text(ERR_INVALID), "invalid_request");
    ck_assert_str_eq(err_code_text(ERR_KEY_REUSED), "idempotency_key_reused");
    ck_assert_str_eq(err_code_text(ERR_UNCERTAIN), "uncertain");
}
END_TEST

START_TEST(dying_aborts)
{
    die("a test of %s", "die");
}
END_TEST

static Suite *err_suite(void)
{
    Suite *suite = suite_create("err");
    TCase *tc = tcase_create("err");

    tcase_add_test(tc, setting_fills_code_and_message);
    tcase_add_test(tc, a_prefix_keeps_the_code);
    tcase_add_test(tc, the_old_message_may_be_an_argument);
    tcase_add_test(tc, clearing_leaves_nothing);
    tcase_add_loop_test(tc, a_long_message_is_cut_between_characters, 0, CASES(wide));
    tcase_add_loop_test(tc, every_code_has_a_text, 0, ERR_CODE_COUNT);
    tcase_add_test(tc, the_texts_of_codes);
    tcase_add_test_raise_signal(tc, dying_aborts, SIGABRT);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(err_suite)
