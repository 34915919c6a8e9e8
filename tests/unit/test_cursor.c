/*
 * test_cursor.c - a list's place as text and back.
 */
#include "lib/rules/cursor.h"
#include "tests/unit/check_main.h"
#include <string.h>

static const usec_t moments[] = {0, 1, INT64_C(1705313700000000), INT64_C(253402300799999999),
                                 INT64_MAX};

START_TEST(comes_back)
{
    struct cursor c = {.created_at = moments[_i], .id = {{1, 2, 3, [15] = 0xff}}}, back;
    char text[CURSOR_TEXT_SIZE];

    cursor_format(&c, text);
    ck_assert_int_eq(cursor_parse(str_of(text), &back), 0);
    ck_assert_int_eq(back.created_at, c.created_at);
    ck_assert(id_eq(&back.id, &c.id));
    /* it stands in a query string without being encoded */
    ck_assert_uint_eq(strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"), strlen(text));
}
END_TEST

static const char *const rubbish[] = {
    "",
    "0",
    "00000000000000000000000000000000000000",   /* one short */
    "0000000000000000000000000000000000000000", /* one long */
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",  /* before 1970 */
    "00000000000000000000000000000000000000-",
};

START_TEST(rubbish_is_refused)
{
    struct cursor c;

    ck_assert_msg(cursor_parse(str_of(rubbish[_i]), &c) == -1, "\"%s\"", rubbish[_i]);
}
END_TEST

START_TEST(no_text_is_no_cursor)
{
    struct cursor c;

    ck_assert_int_eq(cursor_parse(STR_NULL, &c), -1);
}
END_TEST

static Suite *cursor_suite(void)
{
    Suite *suite = suite_create("cursor");
    TCase *tc = tcase_create("cursor");

    tcase_add_loop_test(tc, comes_back, 0, (int)(sizeof(moments) / sizeof(moments[0])));
    tcase_add_loop_test(tc, rubbish_is_refused, 0, (int)(sizeof(rubbish) / sizeof(rubbish[0])));
    tcase_add_test(tc, no_text_is_no_cursor);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(cursor_suite)
