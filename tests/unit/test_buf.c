/*
 * test_buf.c - the growing buffer: its maximum, numbers, formats and JSON strings.
 */
#include "lib/base/buf.h"
#include "tests/unit/check_main.h"
#include <string.h>

static struct buf b;

static void setup(void)
{
    buf_init(&b, 1000);
}

static void teardown(void)
{
    buf_deinit(&b);
}

START_TEST(pieces_follow_each_other)
{
    buf_lit(&b, "a");
    buf_char(&b, 'b');
    buf_text(&b, "cd");
    buf_str(&b, STR("e"));
    buf_str(&b, STR_NULL);
    buf_add(&b, "fgh", 2);
    buf_printf(&b, "%d", 7);
    ck_assert_str_is(buf_as_str(&b), "abcdefg7");
}
END_TEST

START_TEST(an_empty_buffer_is_empty_text)
{
    ck_assert_str_is(buf_as_str(&b), "");
}
END_TEST

START_TEST(the_maximum_is_reached_and_not_passed)
{
    b.max = 4;
    buf_text(&b, "abcd");
    ck_assert(!b.overflow);
    buf_char(&b, 'e');
    ck_assert(b.overflow);
    ck_assert_str_is(buf_as_str(&b), "abcd");
}
END_TEST

START_TEST(after_an_overflow_nothing_is_added)
{
    b.max = 4;
    buf_text(&b, "abc");
    buf_text(&b, "too long");
    buf_char(&b, 'd');
    ck_assert_str_is(buf_as_str(&b), "abc");
    buf_clear(&b);
    buf_char(&b, 'd');
    ck_assert(!b.overflow);
    ck_assert_str_is(buf_as_str(&b), "d");
}
END_TEST

START_TEST(room_is_filled_by_the_caller)
{
    char *room = buf_room(&b, 3);
    memcpy(room, "xyz", 3);
    b.len += 2;
    ck_assert_str_is(buf_as_str(&b), "xy");
    ck_assert_ptr_null(buf_room(&b, 999));
}
END_TEST

START_TEST(a_long_format)
{
    char long_text[400];
    memset(long_text, 'x', 399);
    long_text[399] = '\0';
    buf_printf(&b, "<%s>", long_text);
    ck_assert_uint_eq(b.len, 401);
    ck_assert_int_eq(b.data[400], '>');
    b.max = 600;
    buf_printf(&b, "<%s>", long_text);
    ck_assert(b.overflow);
    ck_assert_uint_eq(b.len, 401);
}
END_TEST

static const struct {
    int64_t value;
    const char *text;
} integers[] = {{0, "0"},
                {7, "7"},
                {-1, "-1"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};

START_TEST(integers_in_decimal)
{
    buf_i64(&b, integers[_i].value);
    ck_assert_str_is(buf_as_str(&b), integers[_i].text);
}
END_TEST

static const struct {
    const char *text, *json;
} strings[] = {
    {NULL, "null"},
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a/b", "\"a/b\""},
    {"\"\\", "\"\\\"\\\\\""},
    {"x\b\f\n\r\ty", "\"x\\b\\f\\n\\r\\ty\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
    {"\xe2\x82\xac", "\"\xe2\x82\xac\""},
};

START_TEST(json_strings)
{
    buf_json(&b, str_of(strings[_i].text));
    ck_assert_str_is(buf_as_str(&b), strings[_i].json);
}
END_TEST

static Suite *buf_suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, pieces_follow_each_other);
    tcase_add_test(tc, an_empty_buffer_is_empty_text);
    tcase_add_test(tc, the_maximum_is_reached_and_not_passed);
    tcase_add_test(tc, after_an_overflow_nothing_is_added);
    tcase_add_test(tc, room_is_filled_by_the_caller);
    tcase_add_test(tc, a_long_format);
    tcase_add_loop_test(tc, integers_in_decimal, 0, CASES(integers));
    tcase_add_loop_test(tc, json_strings, 0, CASES(strings));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(buf_suite)
