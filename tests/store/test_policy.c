/*
 * test_policy.c - what the fence lets through, and what it does with the rest: lines, caps, gaps
 * and pace that hold with several dispatchers, hours, suppressed numbers, expiry, retries, calls
 * that are prepared first.
 */
#include "sql/held_calls.h"
#include "sql/workspaces.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CARRIER "x'01900000000070008000000000000040'"
#define FUNCTION "x'01900000000070008000000000000050'"

static struct call_fixture f;

static void script(const char *text)
{
    store_script(f.store.db, text);
}

/* An agent with a carrier, in a workspace that calls at any hour; each test sets its own limit. */
static void setup(void)
{
    call_fixture_setup(&f, "policy", "place_retry_schedule = 0s, 0s, 0s\n");
    script("INSERT INTO carriers (carrier_id, workspace_id, kind, url, secret, created_at, "
           "updated_at) SELECT " CARRIER ", workspace_id, 'http', 'http://127.0.0.1/', '', NOW(6), "
           "NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1;"
           "UPDATE agents SET carrier_id = " CARRIER " ORDER BY agent_id LIMIT 1;"
           "UPDATE workspaces SET calling_from_minute = 0, calling_to_minute = 1440, "
           "concurrent_calls = 1000, number_calls_per_day = 1000, number_gap_minutes = 0");
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static const char *ask(const char *sql)
{
    return store_ask(&f.store, sql);
}

static struct call_made make_for(const struct credential *who, const char *number,
                                 usec_t expires_at)
{
    struct call_request request = call_fixture_request(&f.agent_id, number);
    struct call_made made;
    struct err err;
    request.expires_at = expires_at;
    ck_ok(call_fixture_create(&f, f.store.db, who, &request, NULL, &made, &err), &err);
    return made;
}

static struct call_made make(const char *number)
{
    return make_for(&f.live, number, TIME_NONE);
}

static void make_many(int count)
{
    for (int i = 0; i < count; i++)
        make(pool_printf(f.store.pool, "+9198765%05d", i));
}

static struct fence_result fence(size_t limit)
{
    struct fence_result result;
    struct err err;
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, limit), &result, &err),
          &err);
    return result;
}

static struct attempt_outcome report(const struct fenced_call *call, enum report_kind kind,
                                     enum end_reason reason)
{
    struct attempt_outcome outcome;
    struct err err;
    ck_ok(call_fixture_report(&f, call->placement.token, kind, reason, &outcome, &err), &err);
    return outcome;
}

static const char *events(void)
{
    return ask("SELECT COALESCE(GROUP_CONCAT(type ORDER BY created_at, event_id SEPARATOR ' '), '')"
               " FROM events");
}

/* ---- lines ---- */

/* Each process has a connection of its own, as a dispatcher has. */
static void race(size_t dispatchers, unsigned rounds)
{
    pid_t pids[8];
    for (size_t i = 0; i < dispatchers; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] > 0)
            continue;
        struct db *db = store_connect(&f.store);
        struct pool *pool;
        pool_create(&pool);
        for (unsigned n = 0; n < rounds; n++) {
            struct fence_result result;
            struct err err;
            if (fence_calls(db, pool, f.store.conf, CALL_ASK(&f, 5), &result, &err) &&
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
    ck_assert_int_eq(atoi(ask(pool_printf(f.store.pool,
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
    ck_assert(id_eq(&over.workspace_id, &f.workspace_id));
    ck_assert_uint_eq(fence(10).count, 1);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason IS NOT NULL"), "0");
}
END_TEST

START_TEST(test_calls_need_no_line)
{
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(3);
    make_for(&f.test, "+919000000001", TIME_NONE);
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
    struct fence_ask batch = {.of = {f.agent_id, true}, .limit = 10, .prepare_limit = 10};
    struct fence_result result;
    struct err err;
    script("UPDATE workspaces SET concurrent_calls = 2");
    make_many(5);
    script("UPDATE calls SET batched = TRUE;"
           "INSERT INTO agents (agent_id, workspace_id, name, prompt, greeting, carrier_id, "
           "created_at, updated_at) SELECT x'01900000000070008000000000000060', workspace_id, 'B', "
           "'', '', " CARRIER ", NOW(6), NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &batch, &result, &err), &err);
    ck_assert_uint_eq(result.count, 2);
    make("+919876543210");
    script("UPDATE calls SET agent_id = x'01900000000070008000000000000060' WHERE NOT batched");
    struct fence_ask single = batch;
    single.of.batched = false;
    ck_assert_int_eq(hex_decode(STR("01900000000070008000000000000060"), single.of.agent_id.b, 16),
                     0);
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &single, &result, &err), &err);
    ck_assert_int_eq(result.no_line, HOLD_CAPACITY);
    script("UPDATE calls SET status = 'completed' WHERE status = 'initiated' LIMIT 1");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &batch, &result, &err), &err);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_int_eq(result.no_line, HOLD_CAPACITY);
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &single, &result, &err), &err);
    ck_assert_uint_eq(result.count, 1);
    script("UPDATE calls SET status = 'completed' WHERE status = 'initiated' LIMIT 1");
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &batch, &result, &err), &err);
    ck_assert_uint_eq(result.count, 1);
}
END_TEST

START_TEST(those_in_front_say_that_they_wait_for_a_line)
{
    struct calls_of of = {f.agent_id, false};
    struct err err;
    script("UPDATE workspaces SET concurrent_calls = 1");
    make_many(30);
    fence(4);
    ck_ok(held_calls_tell_capacity(f.store.db, &of, HOLD_CAPACITY, &err), &err);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason = 'capacity'"), "29");
}
END_TEST

/* ---- how often ---- */

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

/* ---- hours ---- */

static void set_hours(int64_t from, int64_t to, unsigned days)
{
    struct workspace_settings set = {.calling_hours = {from, to, days}};
    struct err err;
    ck_ok(workspaces_change(f.store.db, &f.workspace_id, &set,
                            UINT64_C(1) << WORKSPACE_CALLING_HOURS, &err),
          &err);
}

static size_t recheck_all(void)
{
    struct id agent;
    struct err err;
    size_t count = 0;
    do {
        ck_ok(held_calls_recheck(f.store.db, 2, &agent, &err), &err);
        count += !id_is_zero(&agent);
    } while (!id_is_zero(&agent));
    return count;
}

START_TEST(outside_hours_calls_are_held_and_judged_anew_when_hours_change)
{
    set_hours(0, 1440, 0);
    recheck_all();
    make_many(5);
    struct fence_result result = fence(2);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_uint_eq(result.held, 5);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason = 'outside_calling_hours' "
                         "AND due_at = scheduled_at AND due_at > NOW(6) + INTERVAL 23 HOUR"),
                     "5");
    ck_assert_uint_eq(fence(10).count, 0);
    set_hours(0, 1440, 0); /* still closed: each is looked at once more, and held once more */
    ck_assert_uint_eq(recheck_all(), 1);
    ck_assert_uint_eq(fence(10).held, 5);
    ck_assert_uint_eq(recheck_all(), 0);
    set_hours(0, 1440, 127);
    ck_assert_uint_eq(recheck_all(), 1);
    ck_assert_uint_eq(fence(10).count, 5);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM rechecks"), "0");
}
END_TEST

START_TEST(an_agents_change_has_its_calls_judged_anew)
{
    struct agent_settings set;
    bool no_carrier;
    struct err err;
    agent_settings_init(&set);
    set_hours(0, 1440, 0);
    recheck_all();
    make_many(2);
    fence(10);
    set.own_hours = true;
    set.calling_hours = (struct calling_hours){0, 1440, 127};
    ck_ok(agents_change(f.store.db, &f.workspace_id, &f.agent_id, &set,
                        UINT64_C(1) << AGENT_CALLING_HOURS, &no_carrier, &err),
          &err);
    ck_assert_uint_eq(recheck_all(), 1);
    ck_assert_uint_eq(fence(10).count, 2);
}
END_TEST

START_TEST(an_agent_may_disallow_what_is_outside_hours)
{
    script("UPDATE agents SET outside_hours = 'disallow'");
    set_hours(0, 1440, 0);
    make_many(1);
    ck_assert_uint_eq(fence(10).disallowed, 1);
    ck_assert_str_eq(ask("SELECT error_code FROM calls"), "outside_calling_hours");
    ck_assert_str_eq(events(), "call.disallowed");
}
END_TEST

START_TEST(in_a_zone_that_cannot_be_read_calls_wait)
{
    script("UPDATE workspaces SET time_zone = 'Asia/Nowhere';"
           "UPDATE agents SET outside_hours = 'disallow'");
    make_many(1);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.held, 1);
    ck_assert(result.no_zone);
    ck_assert_str_eq(ask("SELECT hold_reason FROM calls"), "outside_calling_hours");
}
END_TEST

START_TEST(the_simulator_skips_hours_unless_the_agent_has_its_own)
{
    script("UPDATE agents SET carrier_id = NULL");
    set_hours(0, 1440, 0);
    make_many(1);
    ck_assert_uint_eq(fence(10).count, 1);
    script("UPDATE agents SET calling_from_minute = 0, calling_to_minute = 1440, calling_days = 0");
    make_many(1);
    ck_assert_uint_eq(fence(10).held, 1);
}
END_TEST

/* ---- numbers ---- */

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

/* ---- expiry ---- */

static size_t expire(void)
{
    struct wakes wakes;
    size_t looked_at, failed;
    struct err err;
    ck_ok(held_calls_expire(f.store.db, f.store.pool, f.store.conf, 10, &looked_at, &failed, &wakes,
                            &err),
          &err);
    return failed;
}

#define EXPIRE_ALL                                                                                 \
    "UPDATE calls SET expires_at = NOW(6) - INTERVAL 1 SECOND, "                                   \
    "expiry_due = NOW(6) - INTERVAL 1 SECOND"

START_TEST(what_expired_fails_and_is_not_dialled)
{
    make_for(&f.live, "+919876543210", clock_wall() + 3600 * USEC_PER_S);
    make_for(&f.live, "+919876543211", clock_wall() + 3600 * USEC_PER_S);
    ck_assert_uint_eq(expire(), 0);
    script(EXPIRE_ALL);
    struct fence_result result = fence(1);
    ck_assert_uint_eq(result.failed, 1);
    ck_assert_uint_eq(expire(), 1);
    ck_assert_uint_eq(expire(), 0);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'failed' AND error_code = "
                         "'expired' AND completed_at IS NOT NULL"),
                     "2");
    ck_assert_str_eq(events(), "call.failed call.failed");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM deliveries"), "2");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts"), "0");
}
END_TEST

START_TEST(what_is_under_way_does_not_expire)
{
    make_for(&f.live, "+919876543210", clock_wall() + 3600 * USEC_PER_S);
    struct fence_result result = fence(10);
    script(EXPIRE_ALL);
    ck_assert_uint_eq(expire(), 0);
    ck_assert_str_eq(ask("SELECT status FROM calls"), "initiated");
    /* but it isn't dialled again either */
    report(&result.calls[0], REPORT_NOT_SENT, 0);
    ck_assert_uint_eq(fence(10).failed, 1);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed expired");
}
END_TEST

/* ---- retries ---- */

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
    make_for(&f.live, "+919876543210", clock_wall() + 200 * USEC_PER_S);
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

/* ---- calls that are prepared first ---- */

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
    ck_ok(fence_prepared(f.store.db, f.store.pool, f.store.conf, &p, &taken, &wakes, &err), &err);
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
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(CONCAT(status, ' ', error_code) ORDER BY call_id) "
                         "FROM calls"),
                     "disallowed pre_call_rejected,failed agent_error");
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

/* ---- what a customer sees ---- */

START_TEST(a_call_shows_its_dials)
{
    struct call_row row;
    struct err err;
    script(RETRIES);
    struct call_made made = make("+919876543210");
    ck_ok(calls_get(f.store.db, f.store.pool, &f.workspace_id, &made.call_id, &row, &err), &err);
    ck_assert_uint_eq(row.dial_count, 0);
    struct fenced_call call = fence_one();
    report(&call, REPORT_PLACED, 0);
    report(&call, REPORT_ENDED, END_BUSY);
    fence_one();
    ck_ok(calls_get(f.store.db, f.store.pool, &f.workspace_id, &made.call_id, &row, &err), &err);
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

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("policy");
    TCase *tc = tcase_create("policy");
    const TTest *const tests[] = {
        dispatchers_that_race_never_overshoot_two_lines,
        dispatchers_that_race_never_overshoot_a_day,
        dispatchers_that_race_call_a_number_once,
        a_call_that_is_over_frees_its_line,
        test_calls_need_no_line,
        a_batch_leaves_a_free_line_to_a_single_call_that_waits,
        those_in_front_say_that_they_wait_for_a_line,
        a_number_has_its_calls_of_the_day,
        a_retry_waits_for_the_next_day_when_its_number_has_had_its_calls,
        a_void_dial_gives_its_call_of_the_day_back,
        an_agent_of_the_simulator_keeps_its_own_limit_of_the_day,
        a_carrier_has_its_pace,
        outside_hours_calls_are_held_and_judged_anew_when_hours_change,
        an_agents_change_has_its_calls_judged_anew,
        an_agent_may_disallow_what_is_outside_hours,
        in_a_zone_that_cannot_be_read_calls_wait,
        the_simulator_skips_hours_unless_the_agent_has_its_own,
        a_suppressed_number_is_refused_when_the_call_is_made,
        a_number_that_is_suppressed_later_is_not_dialled,
        numbers_of_services_and_of_types_that_are_not_called,
        what_expired_fails_and_is_not_dialled,
        what_is_under_way_does_not_expire,
        an_agent_dials_again,
        what_is_not_to_be_retried_fails_at_once,
        no_dial_is_made_after_a_call_expires,
        a_retry_is_made_inside_calling_hours,
        policy_that_stops_a_retry_fails_the_call_with_its_last_error,
        a_call_is_prepared_then_placed,
        who_prepared_too_slowly_has_lost_the_call,
        a_call_that_was_cancelled_while_it_was_prepared_stays_so,
        a_function_may_refuse_a_call,
        no_more_are_prepared_than_lines_are_free,
        policy_is_asked_before_a_call_is_prepared_and_again_after,
        a_call_shows_its_dials,
    };

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tc, tests[i]);
    tcase_add_loop_test(tc, free_lines, 0, (int)(sizeof lines / sizeof *lines));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
