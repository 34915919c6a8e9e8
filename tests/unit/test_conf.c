/*
 * test_conf.c - the settings: defaults, every form of value, what is refused and how it is said.
 */
#include "lib/base/conf.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pool *pool;
static struct err err;
static const struct conf *conf;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static void parse(const char *text)
{
    ck_assert_ok(conf_parse(pool, str_of(text), &conf, &err), err);
}

START_TEST(an_empty_file_gives_the_defaults)
{
    parse("");
    ck_assert_str_eq(conf->database_name, "huskyvoice");
    ck_assert_str_eq(conf->hosts_file, "");
    ck_assert(!conf->log_requests);
    ck_assert_int_eq(conf->body_bytes_max, 65536);
    ck_assert_int_eq(conf->poll_interval, USEC_PER_S);
    ck_assert_uint_eq(conf->retry_schedule.count, 10);
    ck_assert_int_eq(conf->retry_schedule.at[0], 0);
    ck_assert_int_eq(conf->retry_schedule.at[9], 24 * 3600 * USEC_PER_S);
    ck_assert_str_ne(conf->migrations_dir, "");
}
END_TEST

START_TEST(every_form_of_value)
{
    parse("# a comment\r\n"
          "\n"
          "  database_name =  other name \r\n"
          "database_password=a#b=c\n"
          "log_requests = yes\n"
          "body_bytes_max = 64k\n"
          "response_bytes_max = 1m\n"
          "window_start = 7\n"
          "poll_interval = 250ms\n"
          "hold_first = 2m\n"
          "retry_after_max = 2d\n"
          "migrations_dir = /m\n"
          "hosts_file =\n"
          "retry_schedule = 0s,5s , 1h");
    ck_assert_str_eq(conf->database_name, "other name");
    ck_assert_str_eq(conf->database_password, "a#b=c");
    ck_assert(conf->log_requests);
    ck_assert_int_eq(conf->body_bytes_max, 65536);
    ck_assert_int_eq(conf->response_bytes_max, 1048576);
    ck_assert_int_eq(conf->window_start, 7);
    ck_assert_int_eq(conf->poll_interval, 250 * USEC_PER_MS);
    ck_assert_int_eq(conf->hold_first, 120 * USEC_PER_S);
    ck_assert_int_eq(conf->retry_after_max, 2 * 86400 * USEC_PER_S);
    ck_assert_str_eq(conf->migrations_dir, "/m");
    ck_assert_str_eq(conf->hosts_file, "");
    ck_assert_uint_eq(conf->retry_schedule.count, 3);
    ck_assert_int_eq(conf->retry_schedule.at[2], 3600 * USEC_PER_S);
}
END_TEST

static const struct {
    const char *name, *text, *message;
} bad[] = {
    {"duration of no unit", "\n\nretry_schedule = 0s, 5x",
     "line 3: retry_schedule: \"5x\" is no duration (use ms, s, m, h or d)"},
    {"bare number", "poll_interval = 5",
     "line 1: poll_interval: \"5\" is no duration (use ms, s, m, h or d)"},
    {"empty duration",
     "poll_interval =", "line 1: poll_interval: \"\" is no duration (use ms, s, m, h or d)"},
    {"fraction", "poll_interval = 1.5s",
     "line 1: poll_interval: \"1.5s\" is no duration (use ms, s, m, h or d)"},
    {"negative", "poll_interval = -1s",
     "line 1: poll_interval: \"-1s\" is no duration (use ms, s, m, h or d)"},
    {"endless", "poll_interval = 99999999999999999d",
     "line 1: poll_interval: \"99999999999999999d\" is no duration (use ms, s, m, h or d)"},
    {"too short", "poll_interval = 1ms",
     "line 1: poll_interval: \"1ms\" is not between 10ms and 60s"},
    {"too long", "poll_interval = 2m", "line 1: poll_interval: \"2m\" is not between 10ms and 60s"},
    {"empty list",
     "retry_schedule =", "line 1: retry_schedule: \"\" is no duration (use ms, s, m, h or d)"},
    {"comma at the end", "retry_schedule = 1s,",
     "line 1: retry_schedule: \"\" is no duration (use ms, s, m, h or d)"},
    {"no number", "window_start = many", "line 1: window_start: \"many\" is no number"},
    {"unit alone", "body_bytes_max = k", "line 1: body_bytes_max: \"k\" is no number"},
    {"huge", "body_bytes_max = 99999999999999999999m",
     "line 1: body_bytes_max: \"99999999999999999999m\" is no number"},
    {"too small", "body_bytes_max = 1",
     "line 1: body_bytes_max: \"1\" is not between 1024 and 16777216"},
    {"too large", "body_bytes_max = 17m",
     "line 1: body_bytes_max: \"17m\" is not between 1024 and 16777216"},
    {"no flag", "log_requests = 1", "line 1: log_requests: \"1\" must be yes or no"},
    {"unknown name", "data_base = x", "line 1: data_base: there is no setting of this name"},
    {"name in capitals", "Poll_Interval = 1s",
     "line 1: Poll_Interval: there is no setting of this name"},
    {"given twice", "base_path = /a\n#\nbase_path = /b",
     "line 3: base_path: is given twice (first in line 1)"},
    {"no equals sign", "base_path /a", "line 1: must have the form: name = value"},
    {"no name", " = 5", "line 1: must have the form: name = value"},
    {"control character", "base_path = /a\x01", "line 1: control characters are not allowed"},
    {"no UTF-8", "base_path = /\xff", "line 1: must be valid UTF-8"},
    {"unknown level", "log_level = loud",
     "line 1: log_level: \"loud\" must be error, warning, info or debug"},
};

START_TEST(files_refused)
{
    ck_assert_int_eq(conf_parse(pool, str_of(bad[_i].text), &conf, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.message, bad[_i].message) == err.message, "%s: %s", bad[_i].name,
                  err.message);
}
END_TEST

START_TEST(what_is_printed_can_be_read_again)
{
    struct buf first, second;
    buf_init(&first, 65536);
    buf_init(&second, 65536);
    parse("poll_interval = 1500ms\nretry_schedule = 0s, 90s, 36h\nlog_requests = yes\nbase_path = "
          "/x");
    conf_print(conf, &first);
    ck_assert_ptr_nonnull(strstr(first.data, "\npoll_interval = 1500ms\n"));
    ck_assert_ptr_nonnull(strstr(first.data, "\nretry_schedule = 0s, 90s, 36h\n"));
    ck_assert_ptr_nonnull(strstr(first.data, "\nlog_requests = yes\n"));
    ck_assert_ok(conf_parse(pool, buf_as_str(&first), &conf, &err), err);
    conf_print(conf, &second);
    ck_assert_str_eq(first.data, second.data);
    buf_deinit(&first);
    buf_deinit(&second);
}
END_TEST

START_TEST(secrets_are_not_printed)
{
    struct buf text;
    buf_init(&text, 65536);
    parse("database_password = hunter2");
    conf_print(conf, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "\ndatabase_password = (hidden)\n"));
    ck_assert_ptr_null(strstr(text.data, "hunter2"));
    buf_deinit(&text);
}
END_TEST

START_TEST(every_setting_is_described_and_its_default_accepted)
{
    const char *name, *fallback, *doc;
    size_t i = 0;
    for (; conf_describe(i, &name, &fallback, &doc); i++) {
        ck_assert_str_ne(doc, "");
        parse(pool_printf(pool, "%s = %s\n", name, fallback));
    }
    ck_assert_uint_gt(i, 30);
}
END_TEST

START_TEST(files_are_loaded)
{
    char path[] = "/tmp/huskyvoice-test-conf-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "base_path = /here\n", 18), 18);
    close(fd);
    ck_assert_ok(conf_load(pool, path, &conf, &err), err);
    ck_assert_str_eq(conf->base_path, "/here");
    setenv("HUSKYVOICE_CONFIG", path, 1);
    conf = NULL;
    ck_assert_ok(conf_load(pool, NULL, &conf, &err), err);
    ck_assert_str_eq(conf->base_path, "/here");
    unlink(path);
    ck_assert_int_eq(conf_load(pool, path, &conf, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_int_eq(conf_load(pool, "/tmp", &conf, &err), -1);
}
END_TEST

static Suite *conf_suite(void)
{
    Suite *suite = suite_create("conf");
    TCase *tc = tcase_create("conf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_empty_file_gives_the_defaults);
    tcase_add_test(tc, every_form_of_value);
    tcase_add_loop_test(tc, files_refused, 0, CASES(bad));
    tcase_add_test(tc, what_is_printed_can_be_read_again);
    tcase_add_test(tc, secrets_are_not_printed);
    tcase_add_test(tc, every_setting_is_described_and_its_default_accepted);
    tcase_add_test(tc, files_are_loaded);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(conf_suite)
