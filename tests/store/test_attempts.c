/*
 * test_attempts.c - the fence, what reports do to calls, events and deliveries, and the attempts
 * that have to be looked at.
 */
#include "sql/steps.h"
#include "sql/watch.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct call_fixture f;

static void setup(void)
{
    call_fixture_setup(&f, "attempts", "place_retry_schedule = 0s, 60s\n");
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static struct attempt_outcome reported(const unsigned char *token, enum report_kind kind,
                                       enum end_reason reason)
{
    struct attempt_outcome outcome;
    struct err err;
    ck_ok(call_fixture_report(&f, token, kind, reason, &outcome, &err), &err);
    return outcome;
}

static const char *events(void)
{
    return store_ask(&f.store,
                     "SELECT GROUP_CONCAT(type ORDER BY created_at SEPARATOR ' ') FROM events");
}

START_TEST(a_fenced_call_has_one_attempt_with_its_token)
{
    struct fenced_call call = call_fixture_fenced(&f);
    struct attempt_row row;
    struct err err;
    ck_assert_uint_eq(call.placement.attempt, 1);
    ck_assert_str_eq(call_fixture_column(&f, "status"), "initiated");
    ck_ok(attempts_by_token(f.store.db, f.store.pool, call.placement.token, &row, &err), &err);
    ck_assert(id_eq(&row.call_id, &call.placement.call_id));
    ck_assert_int_eq(row.state, ATTEMPT_FENCED);
    ck_assert_int_eq(row.kind, CARRIER_SIMULATOR);
}
END_TEST

START_TEST(an_unknown_token_is_not_found)
{
    unsigned char token[ATTEMPT_TOKEN_SIZE] = {1};
    struct attempt_row row;
    struct attempt_outcome outcome;
    struct err err;
    ck_assert_int_eq(attempts_by_token(f.store.db, f.store.pool, token, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(call_fixture_report(&f, token, REPORT_PLACED, END_COMPLETED, &outcome, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_whole_life_tells_two_events_once_each)
{
    struct fenced_call call = call_fixture_fenced(&f);
    const unsigned char *token = call.placement.token;
    static const enum report_kind life[] = {REPORT_PLACED, REPORT_RINGING, REPORT_ANSWERED,
                                            REPORT_ENDED};
    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < 4; i++)
            reported(token, life[i], END_COMPLETED);
    }
    ck_assert_str_eq(call_fixture_column(&f, "status, outcome, summary, duration_seconds"),
                     "completed\tsuccessful\tSaid hello.\t7");
    ck_assert_str_eq(events(), "call.initiated call.completed");
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'"),
                     "2");
}
END_TEST

START_TEST(an_end_that_overtakes_everything_still_tells_of_the_start)
{
    struct fenced_call call = call_fixture_fenced(&f);
    struct attempt_outcome outcome = reported(call.placement.token, REPORT_ENDED, END_BUSY);
    ck_assert_int_eq(outcome.status, CALL_FAILED);
    ck_assert_uint_eq(outcome.destination_count, 2);
    ck_assert_str_eq(call_fixture_column(&f, "error_code"), "busy");
    ck_assert_str_eq(events(), "call.initiated call.failed");
}
END_TEST

START_TEST(a_refusal_fails_without_a_start)
{
    struct fenced_call call = call_fixture_fenced(&f);
    reported(call.placement.token, REPORT_REFUSED, END_COMPLETED);
    ck_assert_str_eq(call_fixture_column(&f, "status, error_code"), "failed\trejected");
    ck_assert_str_eq(events(), "call.failed");
}
END_TEST

START_TEST(what_never_left_is_tried_again_then_given_up)
{
    struct fence_result result;
    struct err err;
    struct fenced_call call = call_fixture_fenced(&f);
    ck_assert_int_eq(reported(call.placement.token, REPORT_NOT_SENT, END_COMPLETED).status,
                     CALL_SCHEDULED);
    ck_assert_str_eq(call_fixture_column(&f, "voids, due_at <= NOW(6)"), "1\t1");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_uint_eq(result.calls[0].placement.attempt, 2);
    ck_assert_int_eq(
        reported(result.calls[0].placement.token, REPORT_NOT_SENT, END_COMPLETED).status,
        CALL_SCHEDULED);
    ck_assert_str_eq(call_fixture_column(&f, "due_at > NOW(6) + INTERVAL 50 SECOND"), "1");
    store_script(f.store.db, "UPDATE calls SET due_at = NOW(6)");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    ck_assert_int_eq(
        reported(result.calls[0].placement.token, REPORT_NOT_SENT, END_COMPLETED).status,
        CALL_FAILED);
    ck_assert_str_eq(call_fixture_column(&f, "error_code"), "carrier_error");
    ck_assert_str_eq(events(), "call.failed");
}
END_TEST

START_TEST(a_report_on_an_older_attempt_leaves_the_call_alone)
{
    struct fence_result result;
    struct err err;
    struct fenced_call first = call_fixture_fenced(&f);
    reported(first.placement.token, REPORT_NOT_SENT, END_COMPLETED);
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    reported(result.calls[0].placement.token, REPORT_RINGING, END_COMPLETED);
    ck_assert_int_eq(reported(first.placement.token, REPORT_ENDED, END_BUSY).status, CALL_RINGING);
    ck_assert_str_eq(call_fixture_column(&f, "status"), "ringing");
}
END_TEST

START_TEST(a_test_call_goes_to_the_simulator_whatever_the_carrier)
{
    struct call_request request = call_fixture_request(&f.agent_id, "+919876543210");
    struct call_made made;
    struct fence_result result;
    struct err err;
    store_script(f.store.db,
                 "INSERT INTO carriers (carrier_id, workspace_id, kind, url, secret, created_at, "
                 "updated_at) SELECT agent_id, workspace_id, 'http', 'https://c.example/', 's', "
                 "NOW(6), NOW(6) FROM agents; UPDATE agents SET carrier_id = agent_id");
    ck_ok(call_fixture_create(&f, f.store.db, &f.test, &request, NULL, &made, &err), &err);
    ck_ok(call_fixture_create(&f, f.store.db, &f.live, &request, NULL, &made, &err), &err);
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    ck_assert_uint_eq(result.count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool test = result.calls[i].placement.test;
        ck_assert_int_eq(result.calls[i].kind, test ? CARRIER_SIMULATOR : CARRIER_HTTP);
    }
}
END_TEST

START_TEST(policy_is_asked_again_at_the_fence)
{
    struct call_request request = call_fixture_request(&f.agent_id, "+919876543210");
    struct call_made made;
    struct fence_result result;
    struct err err;
    ck_ok(call_fixture_create(&f, f.store.db, &f.live, &request, NULL, &made, &err), &err);
    store_script(f.store.db, "UPDATE agents SET enabled = FALSE");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_uint_eq(result.disallowed, 1);
    ck_assert_uint_eq(result.wakes.count, 1);
    ck_assert_str_eq(call_fixture_column(&f, "status, error_code"), "disallowed\tagent_disabled");
    ck_assert_str_eq(events(), "call.disallowed");
}
END_TEST

START_TEST(due_agents_are_those_with_due_calls)
{
    struct call_request request = call_fixture_request(&f.agent_id, "+919876543210");
    struct call_made made;
    struct err err;
    struct calls_of *agents;
    size_t count;
    ck_ok(call_fixture_create(&f, f.store.db, &f.live, &request, NULL, &made, &err), &err);
    ck_ok(fence_due_agents(f.store.db, f.store.pool, &agents, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(id_eq(&agents[0].agent_id, &f.agent_id));
    ck_assert(!agents[0].batched);
    store_script(f.store.db, "UPDATE calls SET due_at = NOW(6) + INTERVAL 1 HOUR");
    ck_ok(fence_due_agents(f.store.db, f.store.pool, &agents, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(an_attempt_is_watched_until_it_is_over)
{
    struct watched_attempt *found;
    size_t count;
    struct err err;
    struct fenced_call call = call_fixture_fenced(&f);
    ck_ok(watch_draw(f.store.db, f.store.pool, 10, USEC_PER_S, &found, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    store_script(f.store.db, "UPDATE call_attempts SET watch_at = NOW(6)");
    ck_ok(watch_draw(f.store.db, f.store.pool, 10, 60 * USEC_PER_S, &found, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_mem_eq(found[0].token, call.placement.token, ATTEMPT_TOKEN_SIZE);
    ck_assert(!found[0].steps_left);
    ck_ok(watch_draw(f.store.db, f.store.pool, 10, 60 * USEC_PER_S, &found, &count, &err), &err);
    ck_assert_msg(count == 0, "a leased attempt is drawn again");
    ck_ok(watch_again(f.store.db, call.placement.token, 1, 0, &err), &err);
    ck_ok(watch_draw(f.store.db, f.store.pool, 10, 0, &found, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(found[0].denials, 1);
    reported(call.placement.token, REPORT_ENDED, END_COMPLETED);
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(watch_at) FROM call_attempts"), "0");
}
END_TEST

START_TEST(lost_attempts_close_the_call)
{
    struct fenced_call call = call_fixture_fenced(&f);
    reported(call.placement.token, REPORT_UNKNOWN, END_COMPLETED);
    ck_assert_str_eq(call_fixture_column(&f, "status"), "initiated");
    reported(call.placement.token, REPORT_LOST, END_COMPLETED);
    ck_assert_str_eq(call_fixture_column(&f, "status, error_code"),
                     "failed\tcarrier_outcome_unknown");
}
END_TEST

START_TEST(steps_are_played_once_each)
{
    unsigned char token[ATTEMPT_TOKEN_SIZE] = {9};
    struct simulated_step steps[3] = {{0, STR("{\"event\":\"ringing\"}")},
                                      {0, STR("{\"event\":\"answered\"}")},
                                      {3600 * USEC_PER_S, STR("{\"event\":\"ended\"}")}};
    struct step_row *rows;
    size_t count;
    struct err err;
    usec_t wait;
    ck_ok(steps_insert(f.store.db, token, steps, 3, &err), &err);
    ck_ok(steps_next(f.store.db, &wait, &err), &err);
    ck_assert_int_eq(wait, 0);
    ck_ok(steps_draw(f.store.db, f.store.pool, 10, 7200 * USEC_PER_S, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 2);
    ck_assert_mem_eq(rows[0].token, token, sizeof token);
    ck_ok(steps_next(f.store.db, &wait, &err), &err);
    ck_assert(wait > 3500 * USEC_PER_S);
    ck_ok(steps_delete(f.store.db, &rows[0].step_id, 1, &err), &err);
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM simulator_steps"), "2");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("attempts");
    TCase *tc = tcase_create("attempts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_fenced_call_has_one_attempt_with_its_token);
    tcase_add_test(tc, an_unknown_token_is_not_found);
    tcase_add_test(tc, a_whole_life_tells_two_events_once_each);
    tcase_add_test(tc, an_end_that_overtakes_everything_still_tells_of_the_start);
    tcase_add_test(tc, a_refusal_fails_without_a_start);
    tcase_add_test(tc, what_never_left_is_tried_again_then_given_up);
    tcase_add_test(tc, a_report_on_an_older_attempt_leaves_the_call_alone);
    tcase_add_test(tc, a_test_call_goes_to_the_simulator_whatever_the_carrier);
    tcase_add_test(tc, policy_is_asked_again_at_the_fence);
    tcase_add_test(tc, due_agents_are_those_with_due_calls);
    tcase_add_test(tc, an_attempt_is_watched_until_it_is_over);
    tcase_add_test(tc, lost_attempts_close_the_call);
    tcase_add_test(tc, steps_are_played_once_each);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
