/*
 * test_policy_numbers.c - how often and which numbers are called: caps of the day, suppressed
 * numbers, types of numbers.
 */
#include "tests/store/policy_fixture.h"

START_TEST(a_number_has_its_calls_of_the_day)
{
    script("UPDATE workspaces SET number_calls_per_day = 2");
    for (int i = 0; i < 3; i++)
        make("+919876543210");
    make("+919876543211");
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 3);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert_str_eq(ask("SELECT error_code FROM calls WHERE status = 'disallowed'"),
                     "daily_limit_exceeded");
    ck_assert_str_eq(events(), "call.disallowed");
    script("UPDATE call_attempts SET fenced_at = fenced_at - INTERVAL 1 DAY");
    make("+919876543210");
    ck_assert_uint_eq(fence(10).count, 1);
}
END_TEST

/* Three of five attempts today, the rest on the days that follow. */
START_TEST(a_retry_waits_for_the_next_day_when_its_number_has_had_its_calls)
{
    script("UPDATE workspaces SET number_calls_per_day = 3;"
           "UPDATE agents SET max_attempts = 5, retry_gaps_minutes = '5'");
    make("+919876543210");
    for (int i = 1; i <= 5; i++) {
        struct fence_result result = fence(10);
        if (i == 4) {
            ck_assert_uint_eq(result.held, 1);
            ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', hold_reason, ' ', due_at = "
                                 "scheduled_at AND due_at > NOW(6)) FROM calls"),
                             "scheduled daily_limit 1");
            script("UPDATE call_attempts SET fenced_at = fenced_at - INTERVAL 1 DAY;"
                   "UPDATE calls SET due_at = NOW(6)");
            result = fence(10);
        }
        ck_assert_uint_eq(result.count, 1);
        ck_assert_uint_eq(result.calls[0].placement.attempt, (unsigned)i);
        report(&result.calls[0], REPORT_RINGING, 0);
        report(&result.calls[0], REPORT_ENDED, END_BUSY);
        script("UPDATE calls SET due_at = NOW(6) WHERE status = 'scheduled'");
    }
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code, ' ', attempts) FROM calls"),
                     "failed busy 5");
}
END_TEST

START_TEST(a_void_dial_gives_its_call_of_the_day_back)
{
    script("UPDATE workspaces SET calls_per_day = 1, number_calls_per_day = 1");
    make("+919876543210");
    struct fence_result result = fence(10);
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "1");
    struct fenced_call first = result.calls[0];
    report(&first, REPORT_NOT_SENT, 0);
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "0");
    report(&first, REPORT_NOT_SENT, 0); /* said twice */
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "0");
    result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "1");
    report(&first, REPORT_RINGING, 0); /* an old one after all */
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "2");
    make("+919876543211");
    ck_assert_uint_eq(fence(10).disallowed, 1);
}
END_TEST

START_TEST(an_agent_of_the_simulator_keeps_its_own_limit_of_the_day)
{
    script("UPDATE agents SET carrier_id = NULL, calls_per_day = 2;"
           "UPDATE workspaces SET calls_per_day = 1");
    make_many(3);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert_str_eq(ask("SELECT CONCAT(dials, simulated) FROM dial_days"), "21");
}
END_TEST

START_TEST(a_suppressed_number_is_refused_when_the_call_is_made)
{
    script("INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at) "
           "SELECT workspace_id, '+919876543210', NOW(6) FROM workspaces "
           "ORDER BY workspace_id LIMIT 1");
    struct call_made made = make("+919876543210");
    ck_assert_int_eq(made.status, CALL_DISALLOWED);
    ck_assert_int_eq(made.error, CALL_ERROR_NUMBER_SUPPRESSED);
    ck_assert_uint_eq(made.destination_count, 1);
    ck_assert_str_eq(events(), "call.disallowed");
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"),
                     "disallowed number_suppressed");
    ck_assert_int_eq(make("+919876543211").status, CALL_SCHEDULED);
}
END_TEST

START_TEST(a_number_that_is_suppressed_later_is_not_dialled)
{
    make("+919876543210");
    make("+919876543211");
    script("INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at) "
           "SELECT workspace_id, '+919876543210', NOW(6) FROM workspaces");
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert(str_is(result.calls[0].placement.contact_number, "+919876543211"));
    ck_assert_str_eq(ask("SELECT error_code FROM calls WHERE status = 'disallowed'"),
                     "number_suppressed");
}
END_TEST

START_TEST(numbers_of_services_and_of_types_that_are_not_called)
{
    ck_assert_int_eq(make("+911800123456").error, CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED);
    make("+911123456789");
    script("UPDATE workspaces SET number_types = 'mobile'");
    ck_assert_int_eq(make("+911123456789").error, CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED);
    ck_assert_int_eq(make("+919876543210").error, CALL_ERROR_NONE);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_uint_eq(result.disallowed, 1);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("numbers");

    tcase_add_test(tc, a_number_has_its_calls_of_the_day);
    tcase_add_test(tc, a_retry_waits_for_the_next_day_when_its_number_has_had_its_calls);
    tcase_add_test(tc, a_void_dial_gives_its_call_of_the_day_back);
    tcase_add_test(tc, an_agent_of_the_simulator_keeps_its_own_limit_of_the_day);
    tcase_add_test(tc, a_suppressed_number_is_refused_when_the_call_is_made);
    tcase_add_test(tc, a_number_that_is_suppressed_later_is_not_dialled);
    tcase_add_test(tc, numbers_of_services_and_of_types_that_are_not_called);
    return policy_run("policy_numbers", tc);
}
