/*
 * test_policy_retries.c - which calls are dialled again, when, and as whose dials they are shown.
 */
#include "tests/store/policy_fixture.h"

#define RETRIES                                                                                    \
    "UPDATE agents SET max_attempts = 3, retry_on = 'busy,no_answer', retry_gaps_minutes = '5,60'"

static struct fenced_call fence_one(void)
{
    script("UPDATE calls SET due_at = NOW(6), scheduled_at = NOW(6) WHERE status = 'scheduled'");
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    return result.calls[0];
}

static const char *waits(void)
{
    return ask("SELECT CONCAT(status, ' ', hold_reason, ' ', "
               "ROUND(TIMESTAMPDIFF(SECOND, NOW(6), due_at) / 60)) FROM calls");
}

START_TEST(an_agent_dials_again)
{
    script(RETRIES);
    make("+919876543210");
    struct fenced_call call = fence_one();
    report(&call, REPORT_PLACED, 0);
    struct attempt_outcome outcome = report(&call, REPORT_ENDED, END_BUSY);
    ck_assert(outcome.line_free);
    ck_assert_str_eq(waits(), "scheduled retry_busy 5");
    call = fence_one();
    report(&call, REPORT_NOT_SENT, 0); /* is no dial */
    ck_assert_str_eq(waits(), "scheduled carrier_unreachable 0");
    call = fence_one();
    ck_assert_uint_eq(call.placement.attempt, 3);
    report(&call, REPORT_ENDED, END_NO_ANSWER);
    ck_assert_str_eq(waits(), "scheduled retry_no_answer 60");
    call = fence_one();
    report(&call, REPORT_ENDED, END_BUSY);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed busy");
    ck_assert_str_eq(events(), "call.initiated call.failed");
}
END_TEST

START_TEST(what_is_not_to_be_retried_fails_at_once)
{
    script(RETRIES);
    make("+919876543210");
    struct fenced_call call = fence_one();
    report(&call, REPORT_ENDED, END_FAILED);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"),
                     "failed carrier_error");
}
END_TEST

START_TEST(no_dial_is_made_after_a_call_expires)
{
    script(RETRIES);
    make_for(&fixture.live, "+919876543210", clock_wall() + 200 * USEC_PER_S);
    struct fenced_call call = fence_one();
    report(&call, REPORT_ENDED, END_BUSY);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed busy");
}
END_TEST

START_TEST(a_retry_is_made_inside_calling_hours)
{
    script(RETRIES);
    make("+919876543210");
    struct fenced_call call = fence_one();
    set_hours(0, 1440, 0); /* never, so a day later */
    report(&call, REPORT_ENDED, END_BUSY);
    ck_assert_str_eq(waits(), "scheduled retry_busy 1445");
}
END_TEST

START_TEST(policy_that_stops_a_retry_fails_the_call_with_its_last_error)
{
    script(RETRIES);
    make("+919876543210");
    struct fenced_call call = fence_one();
    report(&call, REPORT_ENDED, END_BUSY);
    script("INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at) "
           "SELECT workspace_id, '+919876543210', NOW(6) FROM workspaces;"
           "UPDATE calls SET due_at = NOW(6)");
    ck_assert_uint_eq(fence(10).failed, 1);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed busy");
    ck_assert_str_eq(events(), "call.initiated call.failed");
}
END_TEST

START_TEST(a_call_shows_its_dials)
{
    struct call_row row;
    struct err err;
    script(RETRIES);
    struct call_made made = make("+919876543210");
    ck_ok(calls_get(fixture.store.db, fixture.store.pool, &fixture.workspace_id, &made.call_id,
                    &row, &err),
          &err);
    ck_assert_uint_eq(row.dial_count, 0);
    struct fenced_call call = fence_one();
    report(&call, REPORT_PLACED, 0);
    report(&call, REPORT_ENDED, END_BUSY);
    fence_one();
    ck_ok(calls_get(fixture.store.db, fixture.store.pool, &fixture.workspace_id, &made.call_id,
                    &row, &err),
          &err);
    ck_assert_uint_eq(row.dial_count, 2);
    ck_assert_int_eq(row.status, CALL_INITIATED);
    ck_assert_int_eq(row.dials[0].state, ATTEMPT_ENDED);
    ck_assert(str_is(row.dials[0].reason, "busy"));
    ck_assert(row.dials[0].placed_at != TIME_NONE && row.dials[0].ringing_at == TIME_NONE);
    ck_assert_uint_eq(row.dials[1].n, 2);
    ck_assert_int_eq(row.dials[1].state, ATTEMPT_FENCED);
    ck_assert(row.dials[1].placed_at == TIME_NONE);
}
END_TEST

START_TEST(a_raised_cap_of_the_day_frees_the_retries_it_held)
{
    struct agent_settings set;
    bool no_carrier;
    struct err err;

    script("UPDATE agents SET max_attempts = 3, retry_on = 'busy', retry_gaps_minutes = '5', "
           "calls_per_day = 1");
    make("+919876543210");
    struct fenced_call call = fence_one();
    report(&call, REPORT_ENDED, END_BUSY);
    script("UPDATE calls SET due_at = NOW(6), scheduled_at = NOW(6)");
    ck_assert_uint_eq(fence(10).held, 1);
    ck_assert_str_eq(ask("SELECT hold_reason FROM calls"), "daily_limit");
    agent_settings_init(&set);
    set.calls_per_day = 10;
    ck_ok(agents_change(fixture.store.db, &fixture.workspace_id, &fixture.agent_id, &set,
                        UINT64_C(1) << AGENT_CALLS_PER_DAY, &no_carrier, &err),
          &err);
    ck_assert_uint_eq(recheck_all(), 1);
    ck_assert_uint_eq(fence(10).count, 1);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("retries");

    tcase_add_test(tc, an_agent_dials_again);
    tcase_add_test(tc, what_is_not_to_be_retried_fails_at_once);
    tcase_add_test(tc, no_dial_is_made_after_a_call_expires);
    tcase_add_test(tc, a_retry_is_made_inside_calling_hours);
    tcase_add_test(tc, policy_that_stops_a_retry_fails_the_call_with_its_last_error);
    tcase_add_test(tc, a_call_shows_its_dials);
    tcase_add_test(tc, a_raised_cap_of_the_day_frees_the_retries_it_held);
    return policy_run("policy_retries", tc);
}
