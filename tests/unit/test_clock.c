/*
 * test_clock.c - moments as text and as fields, and which texts are no moments.
 */
#include "lib/base/clock.h"
#include "tests/unit/check_main.h"

static const struct {
    const char *text;
    usec_t t;
    const char *printed; /* NULL: the same */
} good[] = {
    {"1970-01-01T00:00:00.000Z", 0, NULL},
    {"2024-01-27T03:02:00.000Z", INT64_C(1706324520000000), NULL},
    {"2024-02-29T23:59:59.999Z", INT64_C(1709251199999000), NULL},
    {"2000-02-29T00:00:00.000Z", INT64_C(951782400000000), NULL},
    {"1969-12-31T23:59:59.500Z", -500000, NULL},
    {"0001-01-01T00:00:00.000Z", INT64_C(-62135596800000000), NULL},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999000), NULL},
    {"2024-01-27t03:02:00z", INT64_C(1706324520000000), "2024-01-27T03:02:00.000Z"},
    {"2024-01-27T08:32:00+05:30", INT64_C(1706324520000000), "2024-01-27T03:02:00.000Z"},
    {"2024-01-26T22:02:00-05:00", INT64_C(1706324520000000), "2024-01-27T03:02:00.000Z"},
    {"2024-01-27T03:02:00-00:00", INT64_C(1706324520000000), "2024-01-27T03:02:00.000Z"},
    {"2024-01-27T03:02:00.1Z", INT64_C(1706324520100000), "2024-01-27T03:02:00.100Z"},
    {"2024-01-27T03:02:00.123456Z", INT64_C(1706324520123456), "2024-01-27T03:02:00.123Z"},
    {"2024-01-27T03:02:00.123456789Z", INT64_C(1706324520123456), "2024-01-27T03:02:00.123Z"},
    {"2016-12-31T23:59:60Z", INT64_C(1483228799999999), "2016-12-31T23:59:59.999Z"},
    {"2017-01-01T05:29:60.5+05:30", INT64_C(1483228799999999), "2016-12-31T23:59:59.999Z"},
};

START_TEST(texts_that_are_moments)
{
    char text[TIME_TEXT_SIZE];
    usec_t t = TIME_NONE;
    ck_assert_int_eq(time_parse(str_of(good[_i].text), &t), 0);
    ck_assert_int_eq(t, good[_i].t);
    time_format(t, text);
    ck_assert_str_eq(text, good[_i].printed == NULL ? good[_i].text : good[_i].printed);
}
END_TEST

static const char *const bad[] = {
    "",
    "2024",
    "2024-01-27",
    "2024-01-27T03:02Z",
    "2024-01-27T03:02:00",
    "2024-01-27 03:02:00Z",
    "2024-01-27T03:02:00ZZ",
    " 2024-01-27T03:02:00Z",
    "2024-01-27T03:02:00Z ",
    "2024-00-27T03:02:00Z",
    "2024-13-27T03:02:00Z",
    "2024-01-00T03:02:00Z",
    "2024-01-32T03:02:00Z",
    "2024-04-31T03:02:00Z",
    "2023-02-29T03:02:00Z",
    "1900-02-29T03:02:00Z",
    "0000-01-01T00:00:00Z",
    "2024-01-27T24:00:00Z",
    "2024-01-27T03:60:00Z",
    "2024-01-27T03:02:61Z",
    "2024-01-27T03:02:60Z",
    "2024-01-27T03:02:00.Z",
    "2024-01-27T03:02:00.1234567890Z",
    "2024-01-27T03:02:00,5Z",
    "2024-01-27T03:02:00+5:30",
    "2024-01-27T03:02:00+0530",
    "2024-01-27T03:02:00+24:00",
    "2024-01-27T03:02:00+05:60",
    "2024-1-27T03:02:00Z",
    "24-01-27T03:02:00Z",
    "2024-01-27T03:02:0xZ",
    "+2024-01-27T03:02:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
};

START_TEST(texts_that_are_none)
{
    usec_t t = TIME_NONE;
    ck_assert_msg(time_parse(str_of(bad[_i]), &t) == -1, "%s", bad[_i]);
    ck_assert_int_eq(t, TIME_NONE);
}
END_TEST

START_TEST(no_text_is_no_moment)
{
    usec_t t;
    ck_assert_int_eq(time_parse(STR_NULL, &t), -1);
}
END_TEST

START_TEST(fields_of_every_day_of_four_centuries)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct time_fields want = {.year = 1801, .month = 1, .day = 1, .hour = 13, .usec = 1}, f;
    usec_t t = time_join(&want);
    while (want.year < 2201) {
        time_split(t, &f);
        ck_assert_int_eq(f.year, want.year);
        ck_assert_int_eq(f.month, want.month);
        ck_assert_int_eq(f.day, want.day);
        ck_assert_int_eq(f.hour, 13);
        ck_assert_int_eq(f.usec, 1);
        ck_assert_int_eq(time_join(&f), t);
        bool leap = want.year % 4 == 0 && (want.year % 100 != 0 || want.year % 400 == 0);
        if (want.day < lengths[want.month - 1] + (want.month == 2 && leap)) {
            want.day++;
        } else {
            want.day = 1;
            want.year += want.month == 12;
            want.month = want.month % 12 + 1;
        }
        t += 86400 * USEC_PER_S;
    }
}
END_TEST

START_TEST(moments_outside_the_years_are_printed_as_the_nearest)
{
    char text[TIME_TEXT_SIZE];
    time_format(TIME_NONE, text);
    ck_assert_str_eq(text, "0001-01-01T00:00:00.000Z");
    time_format(INT64_MAX, text);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
}
END_TEST

static const struct {
    const char *name;
    usec_t known, other, before, after, expected;
} offsets[] = {
    {"nothing known: never ahead of the other clock", TIME_NONE, 1000, 10, 30, 970},
    {"a slow answer that allows what is known", 985, 1000, 0, 900, 985},
    {"a quick one that says more", 970, 1000, 10, 12, 988},
    {"a quick one that says less", 995, 1000, 10, 12, 990},
    {"the other clock was set back", 985, 500, 10, 30, 490},
};

START_TEST(an_offset_is_moved_as_little_as_an_answer_allows)
{
    ck_assert_int_eq(
        clock_offset(offsets[_i].known, offsets[_i].other, offsets[_i].before, offsets[_i].after),
        offsets[_i].expected);
}
END_TEST

START_TEST(clocks_move_forward)
{
    usec_t before = clock_monotonic();
    ck_assert_int_ge(clock_monotonic(), before);
    ck_assert_int_gt(clock_wall(), INT64_C(1700000000) * USEC_PER_S);
}
END_TEST

static Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tc = tcase_create("clock");

    tcase_add_loop_test(tc, texts_that_are_moments, 0, CASES(good));
    tcase_add_loop_test(tc, texts_that_are_none, 0, CASES(bad));
    tcase_add_test(tc, no_text_is_no_moment);
    tcase_add_test(tc, fields_of_every_day_of_four_centuries);
    tcase_add_test(tc, moments_outside_the_years_are_printed_as_the_nearest);
    tcase_add_loop_test(tc, an_offset_is_moved_as_little_as_an_answer_allows, 0, CASES(offsets));
    tcase_add_test(tc, clocks_move_forward);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(clock_suite)
