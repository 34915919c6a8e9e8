/*
 * test_log.c - log lines as they arrive on stderr, and what is hidden or replaced in them.
 */
#include "lib/base/log.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char line[8192];
static int ends[2], saved;

static void setup(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_init("prog", LOG_INFO);
}

static void teardown(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

/* What came, without the time at its beginning. */
static const char *read_line(void)
{
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    ck_assert_int_gt(n, 25);
    line[n] = '\0';
    return line + 25;
}

START_TEST(a_line_has_level_program_message_and_pairs)
{
    char want[200];
    log_write(LOG_WARNING, "it went wrong", "call=%s n=%d", "abc", 3);
    snprintf(want, sizeof(want), "warning prog[%ld] msg=\"it went wrong\" call=abc n=3\n",
             (long)getpid());
    ck_assert_str_eq(read_line(), want);
    ck_assert_int_eq(line[10], 'T');
    ck_assert_int_eq(line[23], 'Z');
}
END_TEST

START_TEST(pairs_may_be_absent)
{
    log_write(LOG_ERROR, "alone", NULL);
    ck_assert_ptr_nonnull(strstr(read_line(), "msg=\"alone\"\n"));
}
END_TEST

START_TEST(levels_above_the_chosen_one_are_silent)
{
    log_write(LOG_DEBUG, "hidden", NULL);
    log_write(LOG_INFO, "shown", NULL);
    ck_assert_ptr_nonnull(strstr(read_line(), "msg=\"shown\"\n"));
    ck_assert(!log_enabled(LOG_DEBUG));
    ck_assert(log_enabled(LOG_ERROR));
}
END_TEST

static const struct {
    const char *name, *value, *printed;
} values[] = {
    {"line break", "a\nmsg=forged", "v=a?msg=forged\n"},
    {"carriage return, escape, DEL", "a\r\x1b[2J\x7f", "v=a??[2J?\n"},
    {"C1 control",
     "a\xc2\x9b"
     "31m",
     "v=a??31m\n"},
    {"no control", "\xc3\x9b\xe2\x82\xac", "v=\xc3\x9b\xe2\x82\xac\n"},
};

START_TEST(control_bytes_cannot_forge_lines)
{
    log_write(LOG_INFO, "m", "v=%s", values[_i].value);
    const char *got = strstr(read_line(), "v=");
    ck_assert_msg(strcmp(got, values[_i].printed) == 0, "%s: %s", values[_i].name, got);
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_ends)
{
    char long_text[6000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    log_write(LOG_INFO, "m", "v=%s", long_text);
    (void)read_line();
    ck_assert_uint_le(strlen(line), 4096);
    ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

static const struct {
    const char *number, *shown;
} numbers[] = {
    {"+919876543210", "+9198*****210"},
    {"+4915112345678", "+4915*****678"},
    {"+12345678901", "+12*****01"},
    {"+1234567890123456789", "+1234*****789"},
    {"112", "*****"},
    {"", "*****"},
    {"+91 8\n543210", "+91*****10"},
    {"\n\n\n\n\n\n\n\n\n\n\n\n\n", "?????*****???"},
};

START_TEST(phone_numbers_are_masked)
{
    char out[16];
    ck_assert_str_eq(log_number(str_of(numbers[_i].number), out), numbers[_i].shown);
}
END_TEST

static const struct {
    const char *text;
    size_t size;
    const char *shown;
} quotes[] = {
    {"", 8, "\"\""},
    {"plain", 20, "\"plain\""},
    {"a\"b\\c", 20, "\"a\\\"b\\\\c\""},
    {"a\nb", 20, "\"a?b\""},
    {"12345", 8, "\"12345\""},
    {"123456", 8, "\"12...\""},
    {"1\xe2\x82\xac"
     "456",
     8, "\"1...\""},
};

START_TEST(quoted_values)
{
    char out[64];
    ck_assert_str_eq(log_quote(str_of(quotes[_i].text), out, quotes[_i].size), quotes[_i].shown);
}
END_TEST

START_TEST(names_of_levels)
{
    enum log_level level = LOG_ERROR;
    ck_assert_int_eq(log_level_parse(STR("debug"), &level), 0);
    ck_assert_int_eq(level, LOG_DEBUG);
    ck_assert_int_eq(log_level_parse(STR("DEBUG"), &level), -1);
    ck_assert_int_eq(log_level_parse(STR(""), &level), -1);
}
END_TEST

static Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    TCase *parts = tcase_create("parts");

    tcase_add_checked_fixture(lines, setup, teardown);
    tcase_add_test(lines, a_line_has_level_program_message_and_pairs);
    tcase_add_test(lines, pairs_may_be_absent);
    tcase_add_test(lines, levels_above_the_chosen_one_are_silent);
    tcase_add_loop_test(lines, control_bytes_cannot_forge_lines, 0, CASES(values));
    tcase_add_test(lines, a_long_line_is_cut_and_still_ends);
    suite_add_tcase(suite, lines);
    tcase_add_loop_test(parts, phone_numbers_are_masked, 0, CASES(numbers));
    tcase_add_loop_test(parts, quoted_values, 0, CASES(quotes));
    tcase_add_test(parts, names_of_levels);
    suite_add_tcase(suite, parts);
    return suite;
}

CHECK_MAIN(log_suite)
