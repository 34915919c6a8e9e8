/*
 * test_policy_paused.c - a batch that is paused while its calls wait for something else: what they
 * wait for goes on, and they expire as ever.
 */
#include "sql/batches.h"
#include "sql/workspaces.h"
#include "tests/store/policy_fixture.h"

#define BATCH_ID "01900000000070008000000000000077"

static struct id batch_id;

/* Makes one batch of all calls that are there. */
static void batch_them(void)
{
    ck_assert_int_eq(hex_decode(STR(BATCH_ID), batch_id.b, sizeof batch_id.b), 0);
    script("INSERT INTO batches (batch_id, workspace_id, agent_id, test, total, disallowed, "
           "refused, scheduled_at, created_at, updated_at) SELECT x'" BATCH_ID "', workspace_id, "
           "agent_id, FALSE, COUNT(*), 0, 0, NOW(6), NOW(6), NOW(6) FROM calls; "
           "UPDATE calls SET batched = TRUE, batch_id = x'" BATCH_ID "'");
}

static void turn_to(enum batch_status status)
{
    struct err err;
    ck_ok(batches_switch(fixture.store.db, NULL, &batch_id, status, &err), &err);
}

static struct fence_result fence_batch(void)
{
    struct fence_ask ask = {.of = {fixture.agent_id, true}, .limit = 10, .prepare_limit = 10};
    struct fence_result result;
    struct err err;
    ck_ok(
        fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &ask, &result, &err),
        &err);
    return result;
}

static size_t expire(void)
{
    size_t looked_at, failed;
    struct wakes wakes;
    struct err err;
    ck_ok(held_calls_expire(fixture.store.db, fixture.store.pool, fixture.store.conf, 100,
                            &looked_at, &failed, &wakes, &err),
          &err);
    return failed;
}

START_TEST(what_policy_holds_says_so_while_its_batch_is_paused)
{
    make_many(3);
    batch_them();
    set_hours(0, 1440, 0);
    ck_assert_uint_eq(fence_batch().held, 3);
    turn_to(BATCH_PAUSED);
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(DISTINCT hold_reason) FROM calls"),
                     "outside_calling_hours");
    turn_to(BATCH_RUNNING);
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(DISTINCT hold_reason) FROM calls"),
                     "outside_calling_hours");
    ck_assert_uint_eq(fence_batch().count, 0);
}
END_TEST

START_TEST(hours_that_change_during_a_pause_hold_after_it)
{
    make_many(3);
    batch_them();
    set_hours(0, 1440, 0);
    ck_assert_uint_eq(fence_batch().held, 3);
    turn_to(BATCH_PAUSED);
    set_hours(0, 1440, 127);
    recheck_all();
    ck_assert_uint_eq(fence_batch().count, 0); /* and they are stopped there */
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(DISTINCT hold_reason) FROM calls"), "batch_paused");
    turn_to(BATCH_RUNNING);
    ck_assert_uint_eq(fence_batch().count, 3);
}
END_TEST

START_TEST(a_call_being_prepared_is_stopped_when_it_is_prepared)
{
    make_many(1);
    batch_them();
    script("UPDATE calls SET hold_reason = 'preparing', due_at = NOW(6) + INTERVAL 10 SECOND");
    turn_to(BATCH_PAUSED);
    turn_to(BATCH_RUNNING);
    ck_assert_str_eq(ask("SELECT CONCAT(hold_reason, ' ', due_at > NOW(6)) FROM calls"),
                     "preparing 1"); /* and not a second time beside the first */
    turn_to(BATCH_PAUSED);
    script("UPDATE calls SET hold_reason = NULL, due_at = NOW(6)");
    ck_assert_uint_eq(fence_batch().count, 0);
    ck_assert_str_eq(ask("SELECT hold_reason FROM calls"), "batch_paused");
}
END_TEST

/* It expired while it was under way, and comes back to wait. */
START_TEST(a_dial_that_never_left_expires_in_a_paused_batch)
{
    make_many(1);
    batch_them();
    script("UPDATE calls SET expires_at = NOW(6) + INTERVAL 1 HOUR, expiry_due = expires_at");
    struct fence_result result = fence_batch();
    ck_assert_uint_eq(result.count, 1);
    turn_to(BATCH_PAUSED);
    script("UPDATE calls SET expires_at = NOW(6), expiry_due = NOW(6)");
    ck_assert_uint_eq(expire(), 0);
    report(&result.calls[0], REPORT_NOT_SENT, 0);
    script("UPDATE calls SET due_at = NOW(6) WHERE status = 'scheduled'");
    fence_batch();
    expire();
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed expired");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("paused");
    tcase_add_test(tc, what_policy_holds_says_so_while_its_batch_is_paused);
    tcase_add_test(tc, hours_that_change_during_a_pause_hold_after_it);
    tcase_add_test(tc, a_call_being_prepared_is_stopped_when_it_is_prepared);
    tcase_add_test(tc, a_dial_that_never_left_expires_in_a_paused_batch);
    return policy_run("policy_paused", tc);
}
