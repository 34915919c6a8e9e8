/*
 * test_policy_prepared.c - calls that are prepared by functions before they are fenced.
 */
#include "tests/store/policy_fixture.h"

#define FUNCTION "x'01900000000070008000000000000050'"

static void add_function(void)
{
    script("INSERT INTO functions (function_id, workspace_id, agent_id, phase, position, name, "
           "live_name, url, timeout_ms, created_at, updated_at) SELECT " FUNCTION
           ", workspace_id, agent_id, 'pre_call', 1, 'look', 'look', 'https://example.com/', 3000, "
           "NOW(6), NOW(6) FROM agents ORDER BY agent_id LIMIT 1");
}

static bool prepared(const struct call_to_prepare *one, enum call_error refusal,
                     const char *variables)
{
    struct prepared p = {.call_id = one->call.placement.call_id,
                         .prepare_fence = one->prepare_fence,
                         .variables = str_of(variables),
                         .refusal = refusal};
    struct wakes wakes;
    struct err err;
    bool taken;
    ck_ok(fence_prepared(fixture.store.db, fixture.store.pool, fixture.store.conf, &p, &taken,
                         &wakes, &err),
          &err);
    return taken;
}

START_TEST(a_call_is_prepared_then_placed)
{
    add_function();
    make_many(1);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_uint_eq(result.prepare_count, 1);
    struct call_to_prepare first = result.to_prepare[0];
    ck_assert_uint_eq(first.call.placement.attempt, 1);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', hold_reason, ' ', attempts, ' ', "
                         "due_at > NOW(6) + INTERVAL 20 SECOND) FROM calls"),
                     "scheduled preparing 0 1");
    ck_assert_uint_eq(fence(10).prepare_count, 0); /* it is being prepared */
    ck_assert(prepared(&first, CALL_ERROR_NONE, "{\"plan\":\"gold\"}"));
    ck_assert(!prepared(&first, CALL_ERROR_NONE, "{}")); /* once */
    result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert(str_is(result.calls[0].placement.variables, "{\"plan\":\"gold\"}"));
    ck_assert_str_eq(ask("SELECT COALESCE(hold_reason, '') FROM calls"), "");
    /* The next attempt is prepared anew. */
    report(&result.calls[0], REPORT_NOT_SENT, 0);
    result = fence(10);
    ck_assert_uint_eq(result.prepare_count, 1);
    ck_assert_uint_eq(result.to_prepare[0].call.placement.attempt, 2);
    ck_assert(str_is(result.to_prepare[0].call.placement.variables, "{\"plan\":\"gold\"}"));
}
END_TEST

START_TEST(who_prepared_too_slowly_has_lost_the_call)
{
    add_function();
    make_many(1);
    struct fence_result first = fence(10);
    script("UPDATE calls SET due_at = NOW(6)"); /* the lease ran out */
    struct fence_result second = fence(10);
    ck_assert_uint_eq(second.prepare_count, 1);
    ck_assert(!prepared(&first.to_prepare[0], CALL_ERROR_PRE_CALL_REJECTED, NULL));
    ck_assert(prepared(&second.to_prepare[0], CALL_ERROR_NONE, NULL));
}
END_TEST

START_TEST(a_call_that_was_cancelled_while_it_was_prepared_stays_so)
{
    add_function();
    make_many(1);
    struct fence_result result = fence(10);
    script("UPDATE calls SET status = 'cancelled'");
    ck_assert(!prepared(&result.to_prepare[0], CALL_ERROR_PRE_CALL_REJECTED, NULL));
    ck_assert_str_eq(ask("SELECT status FROM calls"), "cancelled");
    ck_assert_str_eq(events(), "");
}
END_TEST

START_TEST(a_function_may_refuse_a_call)
{
    add_function();
    make_many(2);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.prepare_count, 2);
    ck_assert(prepared(&result.to_prepare[0], CALL_ERROR_PRE_CALL_REJECTED, NULL));
    ck_assert(prepared(&result.to_prepare[1], CALL_ERROR_AGENT_ERROR, NULL));
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(CONCAT(status, ' ', error_code) ORDER BY error_code) "
                         "FROM calls"),
                     "failed agent_error,disallowed pre_call_rejected");
    ck_assert_str_eq(events(), "call.disallowed call.failed");
}
END_TEST

START_TEST(no_more_are_prepared_than_lines_are_free)
{
    add_function();
    script("UPDATE workspaces SET concurrent_calls = 2");
    make_many(5);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.prepare_count, 2);
    ck_assert_int_eq(result.no_line, HOLD_CAPACITY);
    /* What is prepared stands where it stood: before those that are not. */
    ck_assert(prepared(&result.to_prepare[0], CALL_ERROR_NONE, NULL));
    ck_assert(prepared(&result.to_prepare[1], CALL_ERROR_NONE, NULL));
    result = fence(10);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_uint_eq(result.prepare_count, 0);
}
END_TEST

START_TEST(policy_is_asked_before_a_call_is_prepared_and_again_after)
{
    add_function();
    make("+919876543210");
    make("+919876543211");
    script("INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at) "
           "SELECT workspace_id, '+919876543210', NOW(6) FROM workspaces");
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert_uint_eq(result.prepare_count, 1);
    ck_assert(prepared(&result.to_prepare[0], CALL_ERROR_NONE, NULL));
    script("INSERT INTO suppressed_numbers (workspace_id, contact_number, created_at) "
           "SELECT workspace_id, '+919876543211', NOW(6) FROM workspaces");
    result = fence(10);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert_uint_eq(result.count, 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("prepared");

    tcase_add_test(tc, a_call_is_prepared_then_placed);
    tcase_add_test(tc, who_prepared_too_slowly_has_lost_the_call);
    tcase_add_test(tc, a_call_that_was_cancelled_while_it_was_prepared_stays_so);
    tcase_add_test(tc, a_function_may_refuse_a_call);
    tcase_add_test(tc, no_more_are_prepared_than_lines_are_free);
    tcase_add_test(tc, policy_is_asked_before_a_call_is_prepared_and_again_after);
    return policy_run("policy_prepared", tc);
}
