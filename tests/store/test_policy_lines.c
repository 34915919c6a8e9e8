/*
 * test_policy_lines.c - how many calls the fence lets through at once: lines that hold with several
 * dispatchers, single calls before batches, the pace of carriers.
 */
#include "tests/store/policy_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_AGENT "x'01900000000070008000000000000060'"

static struct id other_agent(void)
{
    struct id id;
    ck_assert_int_eq(hex_decode(STR("01900000000070008000000000000060"), id.b, 16), 0);
    return id;
}

/* Each process has a connection of its own, as a dispatcher has; every other one begins with
 * another agent. */
static void race_of(size_t dispatchers, unsigned rounds, bool two_agents)
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
            struct fence_ask ask = *CALL_ASK(&fixture, 5);
            struct fence_result result;
            struct err err;
            if (two_agents && (i + n) % 2 == 1)
                ask.of.agent_id = other_agent();
            if (fence_calls(db, pool, fixture.store.conf, &ask, &result, &err) &&
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

static void race(size_t dispatchers, unsigned rounds)
{
    race_of(dispatchers, rounds, false);
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

/* Of a carrier that two agents share; in the end all their calls have had one. */
START_TEST(dispatchers_that_race_never_overshoot_a_carriers_lines)
{
    script("UPDATE carriers SET concurrent_calls = 3;"
           "INSERT INTO agents (agent_id, workspace_id, name, prompt, greeting, carrier_id, "
           "created_at, updated_at) SELECT " OTHER_AGENT ", workspace_id, 'B', '', '', " CARRIER
           ", NOW(6), NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1");
    make_many(8);
    script("UPDATE calls SET agent_id = " OTHER_AGENT " ORDER BY call_id LIMIT 4");
    for (int ended = 0; ended < 6; ended++) {
        race_of(4, 8, true);
        ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'initiated'"), "3");
        ck_assert_int_eq(atoi(ask("SELECT COUNT(*) FROM call_attempts")), 3 + ended);
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

/* Nor wait they behind calls that do. */
START_TEST(test_calls_go_past_those_that_wait)
{
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(20);
    make_for(&fixture.test, "+919000000001", TIME_NONE);
    make_for(&fixture.test, "+919000000001", TIME_NONE);
    struct fence_result first = fence(4), second = fence(4);
    ck_assert_uint_eq(first.count, 1);
    ck_assert_uint_eq(second.count, 2);
    for (size_t i = 0; i < second.count; i++)
        ck_assert_int_eq(second.calls[i].kind, CARRIER_SIMULATOR);
    ck_assert_int_eq(second.no_line, HOLD_CAPACITY);
    ck_assert(!second.more);
    ck_assert_uint_eq(fence(4).count, 0);
}
END_TEST

START_TEST(test_calls_go_past_those_that_wait_for_a_pace)
{
    script("UPDATE carriers SET calls_per_second = 1;"
           "UPDATE carriers SET paced_until = NOW(6) + INTERVAL 1 HOUR");
    make_many(6);
    for (int i = 0; i < 4; i++)
        make_for(&fixture.test, "+919000000001", TIME_NONE);
    struct fence_result first = fence(3);
    ck_assert_uint_eq(first.count, 3);
    ck_assert(first.more); /* there may be others */
    ck_assert_uint_eq(fence(3).count, 1);
}
END_TEST

/* Where their agent has no line, they wait as all do. */
START_TEST(test_calls_that_wait_for_their_agent_end_the_search)
{
    script("UPDATE agents SET concurrent_calls = 1");
    make_many(6);
    for (int i = 0; i < 4; i++)
        make_for(&fixture.test, "+919000000001", TIME_NONE);
    ck_assert_uint_eq(fence(3).count, 1);
    struct fence_result result = fence(3);
    ck_assert_uint_eq(result.count, 0);
    ck_assert(!result.more);
    ck_assert_int_eq(result.no_line, HOLD_AGENT_CAPACITY);
}
END_TEST

static size_t no_room(void *ctx, const struct id *workspace_id)
{
    *(struct id *)ctx = *workspace_id;
    return 0;
}

START_TEST(without_room_for_the_workspace_nothing_is_looked_at)
{
    struct id asked = {{0}};
    struct fence_ask ask_room = *CALL_ASK(&fixture, 10);
    struct fence_result result;
    struct err err;
    ask_room.place_room = no_room;
    ask_room.ctx = &asked;
    make_many(2);
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &ask_room, &result,
                      &err),
          &err);
    ck_assert(result.no_room && !result.more && result.count == 0);
    ck_assert(id_eq(&asked, &fixture.workspace_id));
    ck_assert(id_eq(&result.workspace_id, &fixture.workspace_id));
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
           "created_at, updated_at) SELECT " OTHER_AGENT ", workspace_id, 'B', "
           "'', '', " CARRIER ", NOW(6), NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1");
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &batch, &result,
                      &err),
          &err);
    ck_assert_uint_eq(result.count, 2);
    make("+919876543210");
    script("UPDATE calls SET agent_id = " OTHER_AGENT " WHERE NOT batched");
    struct fence_ask single = batch;
    single.of = (struct calls_of){other_agent(), false};
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
    ck_ok(held_calls_tell_waiting(fixture.store.db, &of, HOLD_CAPACITY, &err), &err);
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
                         "AND hold_reason = 'carrier_pace' AND due_at <= NOW(6)"),
                     "1");
    script("UPDATE carriers SET paced_until = NULL");
    ck_assert_uint_eq(fence(10).count, 1);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason IS NOT NULL"), "0");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("lines");

    tcase_add_test(tc, dispatchers_that_race_never_overshoot_two_lines);
    tcase_add_test(tc, dispatchers_that_race_never_overshoot_a_carriers_lines);
    tcase_add_test(tc, dispatchers_that_race_never_overshoot_a_day);
    tcase_add_test(tc, dispatchers_that_race_call_a_number_once);
    tcase_add_test(tc, a_call_that_is_over_frees_its_line);
    tcase_add_test(tc, test_calls_need_no_line);
    tcase_add_test(tc, test_calls_go_past_those_that_wait);
    tcase_add_test(tc, test_calls_go_past_those_that_wait_for_a_pace);
    tcase_add_test(tc, test_calls_that_wait_for_their_agent_end_the_search);
    tcase_add_test(tc, without_room_for_the_workspace_nothing_is_looked_at);
    tcase_add_test(tc, a_batch_leaves_a_free_line_to_a_single_call_that_waits);
    tcase_add_test(tc, those_in_front_say_that_they_wait_for_a_line);
    tcase_add_test(tc, a_carrier_has_its_pace);
    tcase_add_loop_test(tc, free_lines, 0, (int)(sizeof lines / sizeof *lines));
    return policy_run("policy_lines", tc);
}
