/*
 * test_policy_lines.c - how many calls the fence lets through at once: lines that hold with several
 * dispatchers, single calls before batches, the pace of carriers.
 */
#include "tests/store/policy_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each process has a connection of its own, as a dispatcher has. */
static void race(size_t dispatchers, unsigned rounds)
{
    pid_t pids[8];
    for (size_t i = 0; i < dispatchers; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] > 0)
            continue;
        struct db *db = store_connect(&fixture.store);
        struct pool *pool;
        pool_create(&pool);
        for (unsigned n = 0; n < rounds; n++) {
            struct fence_result result;
            struct err err;
            if (fence_calls(db, pool, fixture.store.conf, CALL_ASK(&fixture, 5), &result, &err) &&
                err.code != ERR_UNAVAILABLE)
                _exit(1);
        }
        _exit(0);
    }
    for (size_t i = 0; i < dispatchers; i++) {
        int status;
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
}

START_TEST(dispatchers_that_race_never_overshoot_two_lines)
{
    script("UPDATE workspaces SET concurrent_calls = 2");
    make_many(20);
    for (int ended = 0; ended < 6; ended++) {
        race(3, 8);
        ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'initiated'"), "2");
        ck_assert_int_eq(atoi(ask("SELECT COUNT(*) FROM call_attempts")), 2 + ended);
        script("UPDATE calls SET status = 'completed' WHERE status = 'initiated' LIMIT 1");
    }
}
END_TEST

START_TEST(dispatchers_that_race_never_overshoot_a_day)
{
    script("UPDATE workspaces SET calls_per_day = 7");
    make_many(20);
    race(3, 8);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts"), "7");
    ck_assert_str_eq(ask("SELECT dials FROM dial_days"), "7");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE error_code = 'daily_limit_exceeded' AND "
                         "status = 'disallowed'"),
                     "13");
}
END_TEST

START_TEST(dispatchers_that_race_call_a_number_once)
{
    script("UPDATE workspaces SET number_gap_minutes = 30");
    for (int i = 0; i < 10; i++)
        make("+919876543210");
    race(3, 8);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts"), "1");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason = 'number_gap' "
                         "AND due_at = scheduled_at AND TIMESTAMPDIFF(SECOND, NOW(6), due_at) "
                         "BETWEEN 1700 AND 1800"),
                     "9");
}
END_TEST

/* Who may have how many lines; of 5 due calls so many are fenced. */
static const struct {
    const char *name, *settings;
    size_t fenced;
    const char *waits; /* the others */
} lines[] = {
    {"the workspace's", "UPDATE workspaces SET concurrent_calls = 3", 3, "capacity"},
    {"the agent's", "UPDATE agents SET concurrent_calls = 2", 2, "agent_capacity"},
    {"the carrier's", "UPDATE carriers SET concurrent_calls = 1", 1, "agent_capacity"},
    {"the least of them",
     "UPDATE agents SET concurrent_calls = 4; UPDATE carriers SET concurrent_calls = 2", 2,
     "agent_capacity"},
    {"the simulator has all",
     "UPDATE agents SET carrier_id = NULL; UPDATE workspaces SET concurrent_calls = 1", 5, ""},
    {"but the agent's own", "UPDATE agents SET carrier_id = NULL, concurrent_calls = 2", 2,
     "agent_capacity"},
};

START_TEST(free_lines)
{
    script(lines[_i].settings);
    make_many(5);
    struct fence_result result = fence(10);
    ck_assert_msg(result.count == lines[_i].fenced, "%s: %zu", lines[_i].name, result.count);
    ck_assert_str_eq(hold_reason_text(result.no_line), lines[_i].waits);
    ck_assert(!result.more);
    ck_assert_int_eq(atoi(ask(pool_printf(fixture.store.pool,
                                          "SELECT COUNT(*) FROM calls WHERE "
                                          "COALESCE(hold_reason, '') = '%s' "
                                          "AND status = 'scheduled'",
                                          lines[_i].waits))),
                     5 - (int)result.count);
    result = fence(10);
    ck_assert_uint_eq(result.count, 0);
}
END_TEST

START_TEST(a_call_that_is_over_frees_its_line)
{
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(2);
    struct fence_result first = fence(10);
    ck_assert(!report(&first.calls[0], REPORT_PLACED, 0).line_free);
    ck_assert_uint_eq(fence(10).count, 0);
    struct attempt_outcome over = report(&first.calls[0], REPORT_ENDED, END_COMPLETED);
    ck_assert(over.line_free);
    ck_assert(id_eq(&over.workspace_id, &fixture.workspace_id));
    ck_assert_uint_eq(fence(10).count, 1);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason IS NOT NULL"), "0");
}
END_TEST

START_TEST(test_calls_need_no_line)
{
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(3);
    make_for(&fixture.test, "+919000000001", TIME_NONE);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts WHERE kind = 'simulator' "
                         "AND contact_number IS NULL AND dial_day IS NULL"),
                     "1");
}
END_TEST

/* Another agent's, too: a free line goes to the single call, whoever looks first. */
START_TEST(a_batch_leaves_a_free_line_to_a_single_call_that_waits)
{
    struct fence_ask batch = {.of = {fixture.agent_id, true}, .limit = 10, .prepare_limit = 10};
    struct fence_result result;
    struct err err;
    script("UPDATE workspaces SET concurrent_calls = 2");
    make_many(5);
    script("UPDATE calls SET batched = TRUE;"
           "INSERT INTO agents (agent_id, workspace_id, name, prompt, greeting, carrier_id, "
           "created_at, updated_at) SELECT x'01900000000070008000000000000060', workspace_id, 'B', "
           "'', '', " CARRIER ", NOW(6), NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1");
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &batch, &result,
                      &err),
          &err);
    ck_assert_uint_eq(result.count, 2);
    make("+919876543210");
    script("UPDATE calls SET agent_id = x'01900000000070008000000000000060' WHERE NOT batched");
    struct fence_ask single = batch;
    single.of.batched = false;
    ck_assert_int_eq(hex_decode(STR("01900000000070008000000000000060"), single.of.agent_id.b, 16),
                     0);
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &single, &result,
                      &err),
          &err);
    ck_assert_int_eq(result.no_line, HOLD_CAPACITY);
    script("UPDATE calls SET status = 'completed' WHERE status = 'initiated' LIMIT 1");
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &batch, &result,
                      &err),
          &err);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_int_eq(result.no_line, HOLD_CAPACITY);
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &single, &result,
                      &err),
          &err);
    ck_assert_uint_eq(result.count, 1);
    script("UPDATE calls SET status = 'completed' WHERE status = 'initiated' LIMIT 1");
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &batch, &result,
                      &err),
          &err);
    ck_assert_uint_eq(result.count, 1);
}
END_TEST

START_TEST(those_in_front_say_that_they_wait_for_a_line)
{
    struct calls_of of = {fixture.agent_id, false};
    struct err err;
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(30);
    fence(4);
    ck_ok(held_calls_tell_capacity(fixture.store.db, &of, HOLD_CAPACITY, &err), &err);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason = 'capacity'"), "29");
}
END_TEST

START_TEST(a_carrier_has_its_pace)
{
    script("UPDATE carriers SET calls_per_second = 2");
    make_many(3);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert(result.wait > 0 && result.wait <= 510 * USEC_PER_MS);
    ck_assert(!result.more && result.no_line == HOLD_NONE);
    result = fence(10);
    ck_assert(result.count == 0 ? result.wait > 0 : result.count == 1);
    script("UPDATE carriers SET paced_until = NOW(6)");
    result = fence(10);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'scheduled' "
                         "AND hold_reason IS NULL AND due_at <= NOW(6)"),
                     "1");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("lines");

    tcase_add_test(tc, dispatchers_that_race_never_overshoot_two_lines);
    tcase_add_test(tc, dispatchers_that_race_never_overshoot_a_day);
    tcase_add_test(tc, dispatchers_that_race_call_a_number_once);
    tcase_add_test(tc, a_call_that_is_over_frees_its_line);
    tcase_add_test(tc, test_calls_need_no_line);
    tcase_add_test(tc, a_batch_leaves_a_free_line_to_a_single_call_that_waits);
    tcase_add_test(tc, those_in_front_say_that_they_wait_for_a_line);
    tcase_add_test(tc, a_carrier_has_its_pace);
    tcase_add_loop_test(tc, free_lines, 0, (int)(sizeof lines / sizeof *lines));
    return policy_run("policy_lines", tc);
}
