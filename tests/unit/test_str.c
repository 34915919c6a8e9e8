/*
 * test_str.c - counted text: comparing, trimming, splitting, numbers, UTF-8.
 */
#include "tests/unit/check_main.h"

START_TEST(equality)
{
    ck_assert(str_eq(STR("a"), STR("a")));
    ck_assert(!str_eq(STR("a"), STR("b")));
    ck_assert(!str_eq(STR("a"), STR("ab")));
    ck_assert(str_eq(STR(""), STR("")));
    ck_assert(str_eq(STR_NULL, STR_NULL));
    ck_assert(!str_eq(STR_NULL, STR("")));
    ck_assert(str_is(STR("abc"), "abc"));
    ck_assert(!str_is(STR("a\0b"), "a"));
    ck_assert(str_is_nocase(STR("Content-TYPE"), "content-type"));
    ck_assert(!str_is_nocase(STR("content-typ"), "content-type"));
    ck_assert(!str_is_nocase(STR("\xc3\x89"), "\xc3\xa9"));
    ck_assert(str_starts(STR("prefix"), "pre"));
    ck_assert(str_starts(STR("pre"), ""));
    ck_assert(!str_starts(STR("pr"), "pre"));
    ck_assert(!str_starts(STR_NULL, ""));
}
END_TEST

static const struct {
    const char *text, *want;
} trims[] = {{"", ""},   {" ", ""},          {" \t a b \t", "a b"},
             {"a", "a"}, {"\na\n", "\na\n"}, {NULL, NULL}};

START_TEST(trimming)
{
    ck_assert_str_is(str_trim(str_of(trims[_i].text)), trims[_i].want);
}
END_TEST

static const struct {
    const char *text;
    const char *parts[4];
} splits[] = {
    {NULL, {NULL}},      {"", {"", NULL}},        {"a", {"a", NULL}},
    {"a,b", {"a", "b"}}, {"a,", {"a", "", NULL}}, {",,", {"", "", ""}},
};

START_TEST(splitting)
{
    struct str rest = str_of(splits[_i].text), part;
    for (size_t i = 0; splits[_i].parts[i] != NULL; i++) {
        ck_assert(str_split(&rest, ',', &part));
        ck_assert_str_is(part, splits[_i].parts[i]);
    }
    ck_assert(!str_split(&rest, ',', &part));
}
END_TEST

static const struct {
    const char *text;
    uint64_t max;
    int result;
    uint64_t value;
} numbers[] = {
    {"0", 10, 0, 0},
    {"007", 10, 0, 7},
    {"10", 10, 0, 10},
    {"11", 10, -1, 0},
    {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, -1, 0},
    {"99999999999999999999999", UINT64_MAX, -1, 0},
    {"", 10, -1, 0},
    {NULL, 10, -1, 0},
    {"-1", 10, -1, 0},
    {"+1", 10, -1, 0},
    {" 1", 10, -1, 0},
    {"1 ", 10, -1, 0},
    {"0x1", 10, -1, 0},
};

START_TEST(decimal_numbers)
{
    uint64_t value = 0;
    ck_assert_int_eq(str_u64(str_of(numbers[_i].text), numbers[_i].max, &value),
                     numbers[_i].result);
    ck_assert_uint_eq(value, numbers[_i].value);
}
END_TEST

static const struct {
    const char *name, *text;
    bool valid;
    size_t count;
} utf8[] = {
    {"empty", "", true, 0},
    {"ASCII of more than a word", "0123456789abcdefg", true, 17},
    {"two bytes", "\xc2\x80\xdf\xbf", true, 2},
    {"three bytes", "\xe0\xa0\x80\xef\xbf\xbf", true, 2},
    {"four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true, 2},
    {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", true, 2},
    {"after ASCII", "01234567\xe2\x82\xac", true, 9},
    {"lone continuation", "\x80", false, 0},
    {"overlong slash", "\xc0\xaf", false, 0},
    {"overlong, C1", "\xc1\xbf", false, 0},
    {"overlong, three bytes", "\xe0\x9f\xbf", false, 0},
    {"overlong, four bytes", "\xf0\x8f\xbf\xbf", false, 0},
    {"surrogate", "\xed\xa0\x80", false, 0},
    {"last surrogate", "\xed\xbf\xbf", false, 0},
    {"over U+10FFFF", "\xf4\x90\x80\x80", false, 0},
    {"F5", "\xf5\x80\x80\x80", false, 0},
    {"FF", "\xff", false, 0},
    {"cut after one of two", "01234567\xc3", false, 0},
    {"cut after two of three", "\xe2\x82", false, 0},
    {"cut after three of four", "\xf0\x9f\x98", false, 0},
    {"ASCII where a continuation belongs", "\xe2\x28\xa1", false, 0},
};

START_TEST(utf8_validity)
{
    struct str text = str_of(utf8[_i].text);
    ck_assert_msg(str_utf8_valid(text) == utf8[_i].valid, "%s", utf8[_i].name);
    if (utf8[_i].valid) {
        ck_assert_uint_eq(str_utf8_count(text), utf8[_i].count);
    }
}
END_TEST

static const struct {
    const char *text;
    size_t max;
    const char *want;
} utf8_cuts[] = {
    {"abc", 3, "abc"},
    {"abc", 2, "ab"},
    {"abc", 0, ""},
    {"a\xc3\xa9", 3, "a\xc3\xa9"},
    {"a\xc3\xa9", 2, "a"},
    {"\xf0\x9f\x98\x80z", 4, "\xf0\x9f\x98\x80"},
    {"\xf0\x9f\x98\x80z", 3, ""},
    {"", 5, ""},
    {NULL, 5, NULL},
};

START_TEST(utf8_is_cut_between_characters)
{
    ck_assert_str_is(str_utf8_cut(str_of(utf8_cuts[_i].text), utf8_cuts[_i].max),
                     utf8_cuts[_i].want);
}
END_TEST

static Suite *str_suite(void)
{
    Suite *suite = suite_create("str");
    TCase *tc = tcase_create("str");

    tcase_add_test(tc, equality);
    tcase_add_loop_test(tc, trimming, 0, CASES(trims));
    tcase_add_loop_test(tc, splitting, 0, CASES(splits));
    tcase_add_loop_test(tc, decimal_numbers, 0, CASES(numbers));
    tcase_add_loop_test(tc, utf8_validity, 0, CASES(utf8));
    tcase_add_loop_test(tc, utf8_is_cut_between_characters, 0, CASES(utf8_cuts));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(str_suite)
