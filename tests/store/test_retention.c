/*
 * test_retention.c - what is old and out of use is deleted and stays counted; what is in use stays;
 * every statement reads by an index.
 */
#include "sql/retention.h"
#include "sql/statements.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct call_fixture f;
static struct err err;

static void setup(void)
{
    call_fixture_setup(&f, "retention", NULL);
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static const char *ask(const char *sql)
{
    return store_ask(&f.store, sql);
}

/* `count` calls, each with an attempt, a step, an event, a delivery and its log; ids count from
 * `first` on. */
static void make(int first, int count, const char *status, int days_old, const char *delivery)
{
    char workspace[33], agent[33], endpoint[33];
    const char *seq = pool_printf(f.store.pool, "seq_%d_to_%d", first, first + count - 1);

    hex_encode(f.workspace_id.b, 16, workspace);
    hex_encode(f.agent_id.b, 16, agent);
    hex_encode(f.endpoint_id.b, 16, endpoint);
#define ID "UNHEX(LPAD(HEX(seq), 32, '0'))"
    ask(pool_printf(
        f.store.pool,
        "SET @at = NOW(6) - INTERVAL %d DAY;"
        "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, "
        "scheduled_at, due_at, duration_seconds, origin, created_at, updated_at) SELECT " ID
        ", x'%s', x'%s', '%s', 0, '+919876543210', @at, @at, 10, 'api_live', @at, @at FROM %s;"
        "INSERT INTO call_attempts (call_id, n, workspace_id, kind, state, token, "
        "redial_on_unknown, fenced_at, silent_at) SELECT " ID
        ", 1, x'%s', 'simulator', 'ended', " ID ", 0, @at, @at FROM %s;"
        "INSERT INTO simulator_steps (step_id, token, due_at, body) SELECT " ID ", " ID
        ", @at, '{}' FROM %s;"
        "INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at) SELECT " ID
        ", x'%s', " ID ", 'call.completed', '{}', @at FROM %s;"
        "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, state, "
        "due_at, created_at, updated_at) SELECT " ID ", x'%s', x'%s', " ID
        ", '%s', @at, @at, @at FROM %s;"
        "INSERT INTO delivery_attempts (delivery_id, fence, workspace_id, started_at, duration_ms) "
        "SELECT " ID ", 1, x'%s', @at, 5 FROM %s;",
        days_old, workspace, agent, status, seq, workspace, seq, seq, workspace, seq, workspace,
        endpoint, delivery, seq, workspace, seq));
}

/* A whole round; how many steps it took. */
static unsigned run(size_t batch, int64_t days)
{
    struct retention_round round = {.workspace = {f.workspace_id, days}};
    unsigned steps = 0;

    for (; !round.done; steps++)
        ck_ok(retention_step(f.store.db, f.store.pool, batch, &round, &err), &err);
    return steps;
}

static const char *rows_left(void)
{
    return ask("SELECT (SELECT COUNT(*) FROM calls), (SELECT COUNT(*) FROM call_attempts), "
               "(SELECT COUNT(*) FROM simulator_steps), (SELECT COUNT(*) FROM events), "
               "(SELECT COUNT(*) FROM deliveries), (SELECT COUNT(*) FROM delivery_attempts)");
}

START_TEST(the_old_goes_and_is_counted)
{
    make(1, 25, "completed", 40, "succeeded");
    make(101, 5, "disallowed", 41, "failed");
    make(201, 3, "completed", 20, "succeeded");
    ck_assert_uint_gt(run(10, 30), 5);
    ck_assert_str_eq(rows_left(), "3\t3\t3\t3\t3\t3");
    ck_assert_str_eq(
        ask("SELECT SUM(calls), SUM(completed), SUM(failed), SUM(cancelled), "
            "SUM(disallowed), SUM(talk_seconds), SUM(events), COUNT(*) FROM usage_days"),
        "30\t25\t0\t0\t5\t300\t30\t2");
    ck_assert_str_eq(
        ask("SELECT completed FROM usage_days WHERE day = DATE(NOW(6) - INTERVAL 40 DAY)"), "25");
    run(10, 30);
    ck_assert_str_eq(ask("SELECT SUM(calls) FROM usage_days"), "30");
}
END_TEST

START_TEST(what_is_in_use_stays)
{
    make(1, 4, "scheduled", 400, "succeeded");
    make(11, 4, "in_progress", 400, "succeeded");
    make(21, 4, "failed", 400, "waiting");
    make(31, 4, "failed", 400, "dropped");
    run(3, 30);
    ck_assert_str_eq(rows_left(), "12\t12\t12\t12\t12\t12");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'failed'"), "4");
    ask("UPDATE deliveries SET state = 'succeeded'");
    /* made long ago, over only now */
    ask("UPDATE calls SET status = 'completed', updated_at = NOW(6) WHERE status = 'scheduled'");
    run(3, 30);
    ck_assert_str_eq(rows_left(), "8\t8\t8\t8\t8\t8");
}
END_TEST

START_TEST(events_of_no_call_go_too)
{
    make(1, 5, "completed", 40, "succeeded");
    make(11, 2, "completed", 40, "waiting");
    ask("UPDATE events SET call_id = NULL");
    run(2, 30);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls"), "0");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM events"), "2");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM deliveries"), "2");
    ck_assert_str_eq(ask("SELECT SUM(calls), SUM(events) FROM usage_days"), "7\t5");
}
END_TEST

START_TEST(two_at_once_count_each_row_once)
{
    struct retention_round here = {.workspace = {f.workspace_id, 30}}, there = here;
    struct db *other = store_connect(&f.store);

    make(1, 40, "completed", 40, "succeeded");
    while (!here.done || !there.done) {
        if (!here.done)
            ck_ok(retention_step(f.store.db, f.store.pool, 7, &here, &err), &err);
        if (!there.done)
            ck_ok(retention_step(other, f.store.pool, 7, &there, &err), &err);
    }
    ck_assert_str_eq(rows_left(), "0\t0\t0\t0\t0\t0");
    ck_assert_str_eq(ask("SELECT SUM(calls), SUM(events) FROM usage_days"), "40\t40");
    ck_assert_uint_eq(here.calls + there.calls, 40);
    db_destroy(&other);
}
END_TEST

/* ---- indexes ---- */

#define SOME_ID "x'00000000000000000000000000000007'"
static const struct {
    enum stmt stmt;
    const char *values[8]; /* of the placeholders; the last one for all others */
    const char *keys;      /* that are used, in order */
} explained[] = {
    {STMT_RETENTION_CALLS,
     {SOME_ID, "'completed'", "30", "'1970-01-01'", "'1970-01-01'", SOME_ID, "30", "500"},
     "by_status"},
    {STMT_RETENTION_EVENTS,
     {SOME_ID, "30", "'1970-01-01'", "'1970-01-01'", SOME_ID, "500"},
     "listed"},
    {STMT_RETENTION_EVENTS_OF, {SOME_ID}, "of_call"},
    {STMT_RETENTION_WAITING, {SOME_ID}, "once"},
    {STMT_RETENTION_DELIVERIES, {SOME_ID}, "once"},
    {STMT_RETENTION_DELETE_DELIVERIES, {SOME_ID}, "PRIMARY"},
    {STMT_RETENTION_DELETE_LOG, {SOME_ID}, "PRIMARY"},
    {STMT_RETENTION_DELETE_EVENTS, {SOME_ID}, "PRIMARY"},
    {STMT_RETENTION_DELETE_STEPS, {SOME_ID}, "PRIMARY,of_attempt"},
    {STMT_RETENTION_DELETE_ATTEMPTS, {SOME_ID}, "PRIMARY"},
    {STMT_RETENTION_DELETE_CALLS, {SOME_ID}, "PRIMARY"},
};

/* "type/key" of each table, with the placeholders filled. */
static const char *explain(size_t i, size_t copies)
{
    struct buf text, filled;
    size_t value = 0;

    buf_init(&text, 1u << 20);
    buf_init(&filled, 1u << 20);
    stmt_expand(&text, explained[i].stmt, copies);
    buf_lit(&filled, "EXPLAIN ");
    for (size_t at = 0; at < text.len; at++) {
        if (text.data[at] != '?') {
            buf_char(&filled, text.data[at]);
            continue;
        }
        buf_text(&filled, explained[i].values[value]);
        if (value + 1 < 8 && explained[i].values[value + 1] != NULL)
            value++;
    }
    const char *answer = ask(pool_dup(f.store.pool, filled.data, filled.len));
    buf_deinit(&filled);
    buf_deinit(&text);
    return answer;
}

START_TEST(every_statement_reads_by_an_index)
{
    make(1, 3000, "completed", 40, "succeeded");
    ask("ANALYZE TABLE calls, call_attempts, simulator_steps, events, deliveries, "
        "delivery_attempts");
    for (size_t i = 0; i < sizeof explained / sizeof *explained; i++) {
        const char *plan = explain(i, 8);
        struct str keys = str_of(explained[i].keys), key;
        ck_assert_msg(strstr(plan, "\tALL\t") == NULL && strstr(plan, "\tindex\t") == NULL,
                      "%s: %s", stmt_name(explained[i].stmt), plan);
        while (str_split(&keys, ',', &key))
            ck_assert_msg(strstr(plan, pool_printf(f.store.pool, "\t%.*s\t", STR_ARG(key))) != NULL,
                          "%s: %s", stmt_name(explained[i].stmt), plan);
    }
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("retention");
    TCase *tcase = tcase_create("retention");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_old_goes_and_is_counted);
    tcase_add_test(tcase, what_is_in_use_stays);
    tcase_add_test(tcase, events_of_no_call_go_too);
    tcase_add_test(tcase, two_at_once_count_each_row_once);
    tcase_add_test(tcase, every_statement_reads_by_an_index);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
