/*
 * test_usage.c - usage by day: counted from rows, closed when a day is over, opened by retention.
 */
#include "sql/usage.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define DAYS 4

static struct call_fixture f;
static struct err err;
static int64_t first; /* the day before yesterday's eve; yesterday is first + 2 */

static const char *ask(const char *sql)
{
    return store_ask(&f.store, sql);
}

/* `count` calls of so many days ago, of 10 s each, each with an event. */
static void make(int from, int count, const char *status, int days_ago)
{
    char workspace[33], agent[33];
    const char *seq = pool_printf(f.store.pool, "seq_%d_to_%d", from, from + count - 1);

    hex_encode(f.workspace_id.b, 16, workspace);
    hex_encode(f.agent_id.b, 16, agent);
#define ID "UNHEX(LPAD(HEX(seq), 32, '0'))"
    ask(pool_printf(
        f.store.pool,
        "SET @at = UTC_DATE() - INTERVAL %d DAY + INTERVAL 5 MINUTE;"
        "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, "
        "scheduled_at, due_at, duration_seconds, origin, created_at, updated_at) SELECT " ID
        ", x'%s', x'%s', '%s', 0, '+919876543210', @at, @at, 10, 'api_live', @at, @at FROM %s;"
        "INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at) SELECT " ID
        ", x'%s', " ID ", 'call.completed', '{}', @at FROM %s;",
        days_ago, workspace, agent, status, seq, workspace, seq));
}

static void setup(void)
{
    call_fixture_setup(&f, "usage", NULL);
    store_script(f.store.db, "UPDATE workspaces SET created_at = NOW(6) - INTERVAL 90 DAY");
    first = strtol(ask("SELECT DATEDIFF(UTC_DATE(), '1970-01-01') - 3"), NULL, 10);
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static struct usage_day *usage(void)
{
    static struct usage_day days[DAYS];
    ck_ok(usage_read(f.store.db, &f.workspace_id, first, DAYS, days, &err), &err);
    return days;
}

/* As an hour after midnight. */
static void close_all(void)
{
    bool more = true;
    while (more)
        ck_ok(usage_close_next(f.store.db, &more, &err), &err);
}

static void assert_days(int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct usage_day *days = usage();
    int64_t wanted[DAYS] = {a, b, c, d};
    for (int i = 0; i < DAYS; i++) {
        ck_assert_int_eq(days[i].calls, wanted[i]);
        ck_assert_int_eq(days[i].events, wanted[i]);
        ck_assert_int_eq(days[i].talk_seconds, 10 * wanted[i]);
    }
}

/* Two days ago: always over for more than an hour. */
#define CLOSED "SELECT COUNT(*) FROM usage_closed WHERE due_at IS NULL AND calls > 0"

START_TEST(a_day_that_is_closed_is_not_counted_again)
{
    make(1, 3, "completed", 3);
    make(11, 5, "failed", 2);
    make(21, 2, "completed", 0);
    assert_days(3, 5, 0, 2);
    close_all();
    assert_days(3, 5, 0, 2);
    ck_assert_int_eq(usage()[1].failed, 5);
    ck_assert_int_eq(usage()[0].completed, 3);
    ck_assert_str_eq(ask(CLOSED), "2");
    /* nobody does so: it shows what is read */
    store_script(f.store.db, "UPDATE calls SET duration_seconds = 99");
    ck_assert_int_eq(usage()[0].talk_seconds, 30);
    ck_assert_int_eq(usage()[1].talk_seconds, 50);
    ck_assert_int_eq(usage()[3].talk_seconds, 198);
}
END_TEST

START_TEST(a_day_with_a_call_that_is_not_over_stays_open)
{
    make(1, 3, "completed", 2);
    make(11, 1, "scheduled", 2);
    close_all();
    ck_assert_str_eq(ask(CLOSED), "0");
    assert_days(0, 4, 0, 0);
    store_script(f.store.db, "UPDATE calls SET status = 'completed'");
    ck_assert_int_eq(usage()[1].completed, 4);
    close_all(); /* it is looked at again in an hour */
    ck_assert_str_eq(ask(CLOSED), "0");
    store_script(f.store.db, "UPDATE usage_closed SET due_at = NOW(6) WHERE due_at IS NOT NULL");
    close_all();
    ck_assert_str_eq(ask(CLOSED), "1");
    assert_days(0, 4, 0, 0);
}
END_TEST

START_TEST(what_retention_takes_is_counted_once)
{
    make(1, 6, "completed", 2);
    close_all();
    ck_ok(db_begin(f.store.db, &err), &err);
    ck_ok(usage_open(f.store.db, &f.workspace_id, first + 1, &err), &err);
    ck_ok(db_commit(f.store.db, &err), &err);
    store_script(f.store.db,
                 "DELETE FROM calls ORDER BY call_id LIMIT 4; DELETE FROM events ORDER BY event_id "
                 "LIMIT 4; INSERT INTO usage_days (workspace_id, day, calls, talk_seconds, events) "
                 "SELECT MIN(workspace_id), UTC_DATE() - INTERVAL 2 DAY, 4, 40, 4 FROM workspaces");
    assert_days(0, 6, 0, 0);
    close_all();
    assert_days(0, 6, 0, 0);
}
END_TEST

/* Whoever counted before retention took something does not write it after. */
START_TEST(a_count_from_before_retention_is_not_written)
{
    make(1, 6, "completed", 2);
    close_all();
    store_script(f.store.db, "UPDATE usage_closed SET due_at = NOW(6) + INTERVAL 1 HOUR "
                             "WHERE calls > 0");
    struct query *q = db_use(f.store.db, STMT_USAGE_CLOSE);
    for (int i = 0; i < 7; i++)
        query_bind_i64(q, 77);
    query_bind_id(q, &f.workspace_id);
    query_bind_i64(q, first + 1);
    query_bind_time(q, clock_wall());
    ck_ok(query_run(q, &err), &err);
    ck_assert_uint_eq(query_affected(q), 0);
    assert_days(0, 6, 0, 0);
}
END_TEST

START_TEST(another_workspaces_days_are_its_own)
{
    struct usage_day days[DAYS];
    make(1, 3, "completed", 2);
    close_all();
    ck_ok(usage_read(f.store.db, &f.other_workspace_id, first, DAYS, days, &err), &err);
    for (int i = 0; i < DAYS; i++)
        ck_assert_int_eq(days[i].calls + days[i].events, 0);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("usage");
    TCase *tcase = tcase_create("usage");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_day_that_is_closed_is_not_counted_again);
    tcase_add_test(tcase, a_day_with_a_call_that_is_not_over_stays_open);
    tcase_add_test(tcase, what_retention_takes_is_counted_once);
    tcase_add_test(tcase, a_count_from_before_retention_is_not_written);
    tcase_add_test(tcase, another_workspaces_days_are_its_own);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
