/*
 * test_simulator.c - what each number plays, read back the way the voice responder reads it, and
 * what becomes of the call.
 */
#include "lib/base/json.h"
#include "lib/voice/carrier.h"
#include "tests/unit/check_main.h"
#include <string.h>

#define RING (4 * USEC_PER_S)
#define TALK (3 * USEC_PER_S + 900 * USEC_PER_MS)

static struct pool *pool;
static const struct carrier_ops *ops;

static void setup(void)
{
    pool_create(&pool);
    ops = carrier_ops(CARRIER_SIMULATOR);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

/* steps: r ringing, a answered, e ended; status: the call's in the end. */
static const struct {
    const char *number, *steps;
    enum end_reason reason;
    enum call_status status;
    enum call_error error;
} scripts[] = {
    {"+919000000001", "rae", END_COMPLETED, CALL_COMPLETED, CALL_ERROR_NONE},
    {"+919000000002", "e", END_BUSY, CALL_FAILED, CALL_ERROR_BUSY},
    {"+919000000003", "re", END_NO_ANSWER, CALL_FAILED, CALL_ERROR_NO_ANSWER},
    {"+919000000004", "re", END_REJECTED, CALL_FAILED, CALL_ERROR_REJECTED},
    {"+919000000005", "e", END_FAILED, CALL_FAILED, CALL_ERROR_CARRIER_ERROR},
    {"+919000000006", "rae", END_VOICEMAIL, CALL_COMPLETED, CALL_ERROR_NONE},
    {"+919000000007", "", END_COMPLETED, CALL_INITIATED, CALL_ERROR_NONE},
    {"+919000000008", "rraaee", END_COMPLETED, CALL_COMPLETED, CALL_ERROR_NONE},
    {"+919000000009", "area", END_COMPLETED, CALL_COMPLETED, CALL_ERROR_NONE},
    {"+919000000010", "rae", END_COMPLETED, CALL_COMPLETED, CALL_ERROR_NONE},
    {"+919876543210", "rae", END_COMPLETED, CALL_COMPLETED, CALL_ERROR_NONE},
};

static char letter_of(enum report_kind kind)
{
    return kind == REPORT_RINGING ? 'r' : kind == REPORT_ANSWERED ? 'a' : 'e';
}

START_TEST(each_number_plays)
{
    struct placement p = {.attempt = 1, .contact_number = str_of(scripts[_i].number)};
    struct call_view view = {.status = CALL_INITIATED, .attempt = 1, .attempt_newest = 1};
    struct call_change change = call_advance(&view, &(struct call_report){.kind = REPORT_PLACED});
    struct simulated_step *steps;
    size_t count, told = 0;
    usec_t before = 0;

    ops->simulate(pool, &p, RING, TALK, &steps, &count);
    ck_assert_uint_eq(count, strlen(scripts[_i].steps));
    view.initiated_told = true;
    for (size_t i = 0; i < count; i++) {
        struct carrier_report report;
        struct err err = {.code = ERR_NONE};
        ck_assert_msg(ops->read_callback(pool, steps[i].body, &report, &err) == 0, "%s",
                      err.message);
        ck_assert_int_eq(letter_of(report.report.kind), scripts[_i].steps[i]);
        ck_assert(report.report.kind != REPORT_ENDED || report.report.reason == scripts[_i].reason);
        ck_assert(report.at == TIME_NONE);
        ck_assert_int_ge(steps[i].after, before);
        ck_assert_int_le(steps[i].after, RING + TALK);
        before = steps[i].after;
        view.state = change.state;
        view.status = change.status;
        change = call_advance(&view, &report.report);
        told += change.tell_completed + change.tell_failed;
        ck_assert(!change.tell_failed || change.error == scripts[_i].error);
    }
    ck_assert_int_eq(change.status, scripts[_i].status);
    ck_assert_uint_eq(told, count > 0);
}
END_TEST

START_TEST(a_completed_call_has_a_story)
{
    struct placement p = {.attempt = 1,
                          .contact_number = STR("+919876543210"),
                          .contact_name = STR("Raj \"RP\" Patel"),
                          .greeting = STR("Namaste!")};
    struct simulated_step *steps;
    struct carrier_report report;
    struct json *lines;
    struct err err;
    size_t count;

    ops->simulate(pool, &p, RING, TALK, &steps, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(steps[0].after, RING / 4);
    ck_assert_int_eq(steps[1].after, RING);
    ck_assert_int_eq(steps[2].after, RING + TALK);
    ck_assert_int_eq(ops->read_callback(pool, steps[2].body, &report, &err), 0);
    ck_assert_int_eq(report.duration_seconds, 3);
    ck_assert(str_is(report.outcome, "successful"));
    ck_assert(memmem(report.summary.p, report.summary.n, "Raj \"RP\" Patel", 14) != NULL);
    ck_assert_int_eq(json_parse(pool, report.transcript, &lines, &err), 0);
    ck_assert_uint_eq(json_count(lines), 2);
    ck_assert(str_is(json_str(json_get(json_at(lines, 0), "text")), "Namaste!"));
    ck_assert(str_is(json_str(json_get(json_at(lines, 1), "text")),
                     "Hello, this is Raj \"RP\" Patel. Thank you for the call."));
}
END_TEST

START_TEST(a_failed_call_has_none)
{
    struct placement p = {.attempt = 1, .contact_number = STR("+919000000002")};
    struct simulated_step *steps;
    size_t count;

    ops->simulate(pool, &p, RING, TALK, &steps, &count);
    ck_assert(str_is(steps[0].body, "{\"event\":\"ended\",\"reason\":\"busy\"}"));
}
END_TEST

START_TEST(a_long_greeting_fits_into_a_callback)
{
    static char greeting[60001];
    struct placement p = {.attempt = 1, .contact_number = STR("+919876543210")};
    struct simulated_step *steps;
    struct carrier_report report;
    struct err err;
    size_t count;

    for (size_t i = 0; i < 60000; i += 3)
        memcpy(greeting + i, "\xe0\xa4\xb0", 3);
    p.greeting = str_of(greeting);
    ops->simulate(pool, &p, RING, TALK, &steps, &count);
    ck_assert_uint_lt(steps[2].body.n, 32768);
    ck_assert_int_eq(ops->read_callback(pool, steps[2].body, &report, &err), 0);
}
END_TEST

START_TEST(no_time_at_all)
{
    struct placement p = {.attempt = 1, .contact_number = STR("+919876543210")};
    struct simulated_step *steps;
    size_t count;

    ops->simulate(pool, &p, 0, 0, &steps, &count);
    ck_assert_uint_eq(count, 3);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(steps[i].after, 0);
}
END_TEST

static Suite *simulator_suite(void)
{
    Suite *suite = suite_create("simulator");
    TCase *tc = tcase_create("simulator");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, each_number_plays, 0, (int)(sizeof(scripts) / sizeof(scripts[0])));
    tcase_add_test(tc, a_completed_call_has_a_story);
    tcase_add_test(tc, a_failed_call_has_none);
    tcase_add_test(tc, a_long_greeting_fits_into_a_callback);
    tcase_add_test(tc, no_time_at_all);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(simulator_suite)
