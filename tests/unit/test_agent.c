/*
 * test_agent.c - an agent's settings as callers write them; hours, days and names of time zones.
 */
#include "lib/rules/agent.h"
#include "tests/unit/check_main.h"

#include <string.h>

static struct pool *pool;
static struct err err;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static int read_text(const char *text, bool changing, struct agent_settings *s, uint64_t *given)
{
    struct json *json;
    ck_assert_msg(json_parse(pool, str_of(text), &json, &err) == 0, "%s: %s", text, err.message);
    agent_settings_init(s);
    return agent_settings_read(pool, json, changing, s, given, &err);
}

START_TEST(refused_values_are_named)
{
    static const struct {
        const char *json, *says;
    } cases[] = {
        {"{}", "name is required"},
        {"{\"name\":\"\"}", "name must not be empty"},
        {"{\"name\":\"a\",\"prompt\":\"\\u0007\"}", "prompt"},
        {"{\"name\":\"a\",\"prompt\":\"Hi {{contact.nam\"}",
         "prompt: at character 4: {{ is not closed"},
        {"{\"name\":\"a\",\"greeting\":\"{{args.x}}\"}", "greeting: at character 3: this name"},
        {"{\"name\":\"a\",\"language\":\"e\"}", "language"},
        {"{\"name\":\"a\",\"language\":\"en_IN\"}", "language"},
        {"{\"name\":\"a\",\"language\":\"en-\"}", "language"},
        {"{\"name\":\"a\",\"language\":\"1n\"}", "language"},
        {"{\"name\":\"a\",\"carrier_id\":\"car_x\"}", "carrier_id \"car_x\""},
        {"{\"name\":\"a\",\"from_number\":\"12\"}", "from_number"},
        {"{\"name\":\"a\",\"from_number\":\"+12a4\"}", "from_number"},
        {"{\"name\":\"a\",\"start_delay_seconds\":-1}", "start_delay_seconds"},
        {"{\"name\":\"a\",\"ring_timeout_seconds\":0}", "ring_timeout_seconds"},
        {"{\"name\":\"a\",\"max_duration_seconds\":86401}", "max_duration_seconds"},
        {"{\"name\":\"a\",\"max_attempts\":21}", "max_attempts"},
        {"{\"name\":\"a\",\"retry_on\":[\"rejected\"]}", "retry_on must be an array of busy"},
        {"{\"name\":\"a\",\"retry_gaps_minutes\":[]}", "retry_gaps_minutes"},
        {"{\"name\":\"a\",\"retry_gaps_minutes\":[0]}", "retry_gaps_minutes"},
        {"{\"name\":\"a\",\"retry_gaps_minutes\":[10081]}", "retry_gaps_minutes"},
        {"{\"name\":\"a\",\"retry_gaps_minutes\":30}", "retry_gaps_minutes"},
        {"{\"name\":\"a\",\"retry_gaps_minutes\":null}", "retry_gaps_minutes"},
        {"{\"name\":\"a\",\"redial_on_unknown\":1}", "redial_on_unknown"},
        {"{\"name\":\"a\",\"calling_hours\":{}}", "calling_hours: from is required"},
        {"{\"name\":\"a\",\"calling_hours\":[]}", "calling_hours must be"},
        {"{\"name\":\"a\",\"calling_hours\":{\"from\":\"9:00\",\"to\":\"21:00\",\"days\":[\"mon\"]}"
         "}",
         "calling_hours.from"},
        {"{\"name\":\"a\",\"calling_hours\":{\"from\":\"09:00\",\"to\":\"24:01\",\"days\":[\"mon\"]"
         "}}",
         "calling_hours.to"},
        {"{\"name\":\"a\",\"calling_hours\":{\"from\":\"21:00\",\"to\":\"09:00\",\"days\":[\"mon\"]"
         "}}",
         "later"},
        {"{\"name\":\"a\",\"calling_hours\":{\"from\":\"09:00\",\"to\":\"21:00\",\"days\":[]}}",
         "calling_hours: days"},
        {"{\"name\":\"a\",\"calling_hours\":{\"from\":\"09:00\",\"to\":\"21:00\",\"days\":[\"mon\"]"
         ","
         "\"zone\":1}}",
         "\"zone\""},
        {"{\"name\":\"a\",\"outside_hours\":\"wait\"}", "outside_hours must be hold or disallow"},
        {"{\"name\":\"a\",\"concurrent_calls\":0}", "concurrent_calls"},
        {"{\"name\":\"a\",\"calls_per_day\":0}", "calls_per_day"},
        {"{\"name\":\"a\",\"enabled\":\"yes\"}", "enabled"},
        {"{\"name\":\"a\",\"workspace_id\":\"ws_1\"}", "\"workspace_id\""},
    };
    struct agent_settings s;
    uint64_t given;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(read_text(cases[i].json, false, &s, &given) == -1, "%s", cases[i].json);
        ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "%s: %s", cases[i].json,
                      err.message);
    }
}
END_TEST

START_TEST(what_is_given_is_filled_and_the_rest_kept)
{
    struct agent_settings s;
    uint64_t given;

    ck_assert_int_eq(read_text("{\"retry_gaps_minutes\":[5,60],\"calls_per_day\":null,"
                               "\"retry_on\":[],\"calling_hours\":{\"from\":\"00:00\","
                               "\"to\":\"24:00\",\"days\":[\"sun\",\"mon\"]}}",
                               true, &s, &given),
                     0);
    ck_assert_uint_eq(given, (1u << AGENT_RETRY_GAPS) | (1u << AGENT_CALLS_PER_DAY) |
                                 (1u << AGENT_RETRY_ON) | (1u << AGENT_CALLING_HOURS));
    ck_assert(str_is(s.retry_gaps_minutes, "5,60"));
    ck_assert_uint_eq(s.retry_on, 0);
    ck_assert(s.own_hours);
    ck_assert_int_eq(s.calling_hours.from_minute, 0);
    ck_assert_int_eq(s.calling_hours.to_minute, DAY_MINUTES);
    ck_assert_uint_eq(s.calling_hours.days, 65);
    ck_assert_int_eq(s.ring_timeout_seconds, 45);
    ck_assert_int_eq(read_text("{\"calling_hours\":null}", true, &s, &given), 0);
    ck_assert(!s.own_hours);
    ck_assert_int_eq(read_text("{}", true, &s, &given), -1);
}
END_TEST

START_TEST(minutes_come_back_as_they_were_written)
{
    static const char *const good[] = {"00:00", "09:05", "23:59", "24:00"};
    static const char *const bad[] = {"", "9:00", "24:01", "12:60", "ab:cd", "12.30", "12:300"};
    char text[MINUTE_TEXT_SIZE];
    int64_t minute;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(minute_parse(str_of(good[i]), &minute), 0);
        minute_format(minute, text);
        ck_assert_str_eq(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(minute_parse(str_of(bad[i]), &minute) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(dates_are_days_that_exist)
{
    static const struct {
        const char *text;
        int64_t days;
    } good[] = {{"1970-01-01", 0}, {"1970-02-01", 31}, {"1969-12-31", -1}, {"2024-02-29", 19782}};
    static const char *const bad[] = {"2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1",
                                      "0000-01-01", "2026-01-32", "2026/01/01", ""};
    int64_t days;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(date_parse(str_of(good[i].text), &days) == 0, "%s", good[i].text);
        ck_assert_int_eq(days, good[i].days);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(date_parse(str_of(bad[i]), &days) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(time_zones_by_their_form)
{
    static const char *const good[] = {"UTC", "Asia/Kolkata", "America/Argentina/Ushuaia",
                                       "Etc/GMT+5"};
    static const char *const bad[] = {"",        "/etc/passwd",  "Asia/",    "../x",
                                      "Asia//X", "Asia/Kol ata", "Asia/.x",  "+05:30",
                                      "a.tab",   "posix/UTC",    "right/UTC"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(time_zone_form(str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!time_zone_form(str_of(bad[i])), "%s", bad[i]);
}
END_TEST

static Suite *agent_suite(void)
{
    Suite *suite = suite_create("agent");
    TCase *tc = tcase_create("agent");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, refused_values_are_named);
    tcase_add_test(tc, what_is_given_is_filled_and_the_rest_kept);
    tcase_add_test(tc, minutes_come_back_as_they_were_written);
    tcase_add_test(tc, dates_are_days_that_exist);
    tcase_add_test(tc, time_zones_by_their_form);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(agent_suite)
