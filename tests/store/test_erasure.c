/*
 * test_erasure.c - one person's data goes out of every column that may hold it, in small batches,
 * and also out of what comes while it is erased.
 */
#include "sql/deliveries.h"
#include "sql/erasure.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER "+919876543210"
#define OTHER "+919876543211"
#define MARK "Raj Patel"

static struct call_fixture f;
static struct err err;

static void setup(void)
{
    call_fixture_setup(&f, "erasure", NULL);
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static const char *ask(const char *sql)
{
    return store_ask(&f.store, sql);
}

/* `count` calls of the number with everything that hangs on one; ids count from `first` on. */
static void make(int first, int count, const char *number, const char *status)
{
    char workspace[33], agent[33], endpoint[33];
    const char *seq = pool_printf(f.store.pool, "seq_%d_to_%d", first, first + count - 1);

    hex_encode(f.workspace_id.b, 16, workspace);
    hex_encode(f.agent_id.b, 16, agent);
    hex_encode(f.endpoint_id.b, 16, endpoint);
#define ID "UNHEX(LPAD(HEX(seq), 32, '0'))"
    store_script(
        f.store.db,
        pool_printf(
            f.store.pool,
            "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, "
            "scheduled_at, due_at, origin, created_at, updated_at) SELECT " ID
            ", x'%s', x'%s', '%s', 0, '%s', NOW(6), NOW(6), 'api_live', NOW(6), NOW(6) FROM %s;"
            "INSERT INTO call_attempts (call_id, n, workspace_id, kind, state, token, "
            "redial_on_unknown, fenced_at, silent_at, contact_number) SELECT " ID
            ", 1, x'%s', 'simulator', 'ended', " ID ", 0, NOW(6), NOW(6), '%s' FROM %s;"
            "INSERT INTO simulator_steps (step_id, token, due_at, body) SELECT " ID ", " ID
            ", NOW(6), '" MARK "' FROM %s;"
            "INSERT INTO function_runs (run_id, workspace_id, call_id, function_id, phase, "
            "attempt, "
            "started_at, duration_ms, request) SELECT " ID ", x'%s', " ID ", " ID
            ", 'pre_call', 1, NOW(6), 3, '" MARK "' FROM %s;",
            workspace, agent, status, number, seq, workspace, number, seq, seq, workspace, seq));
    store_script(
        f.store.db,
        pool_printf(
            f.store.pool,
            "INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at) "
            "SELECT " ID ", x'%s', " ID ", 'call.completed', '{\"x\":\"" MARK
            "%s\"}', NOW(6) FROM %s;"
            "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, state, "
            "due_at, created_at, updated_at) SELECT " ID ", x'%s', x'%s', " ID
            ", 'waiting', NOW(6), NOW(6), NOW(6) FROM %s;"
            "INSERT INTO delivery_attempts (delivery_id, fence, workspace_id, started_at, "
            "duration_ms) SELECT " ID ", 9, x'%s', NOW(6), 5 FROM %s;",
            workspace, number, seq, workspace, endpoint, seq, workspace, seq));
}

/* Where a person's data may be: what tells of one call. */
#define TABLES                                                                                     \
    "('calls', 'call_attempts', 'events', 'deliveries', 'delivery_attempts', 'function_runs', "    \
    "'simulator_steps')"
/* Words of our own, and what the caller names the request by. */
#define NO_DATA "('hold_reason', 'error_code', 'reason', 'last_error', 'error', 'idempotency_key')"

/* Puts the mark into every column that takes a text. */
static void mark_all(void)
{
    struct str rest = str_of(ask("SELECT CONCAT(table_name, '.', column_name) "
                                 "FROM information_schema.columns WHERE table_schema = DATABASE() "
                                 "AND table_name IN " TABLES " AND is_nullable = 'YES' "
                                 "AND data_type IN ('varchar', 'text', 'mediumtext', 'blob', "
                                 "'mediumblob', 'varbinary') AND column_name NOT IN " NO_DATA)),
               line, table;
    int count = 0;

    while (str_split(&rest, '\n', &line)) {
        struct str column = line;
        (void)str_split(&column, '.', &table);
        if (str_is(column, "contact_number"))
            continue;
        store_script(f.store.db, pool_printf(f.store.pool, "UPDATE %.*s SET %.*s = '" MARK "'",
                                             STR_ARG(table), STR_ARG(column)));
        count++;
    }
    ck_assert_int_gt(count, 10);
}

/* "table.column ..." of each that has the text somewhere. */
static const char *columns_with(const char *text)
{
    struct str rest = str_of(ask("SELECT CONCAT(table_name, '.', column_name) "
                                 "FROM information_schema.columns WHERE table_schema = DATABASE() "
                                 "AND data_type IN ('varchar', 'text', 'mediumtext', 'blob', "
                                 "'mediumblob', 'varbinary')")),
               line, table;
    const char *found = "";

    while (str_split(&rest, '\n', &line)) {
        struct str column = line;
        (void)str_split(&column, '.', &table);
        const char *sql = pool_printf(f.store.pool,
                                      "SELECT COUNT(*) FROM %.*s WHERE INSTR(CAST(%.*s AS BINARY), "
                                      "CAST('%s' AS BINARY)) > 0",
                                      STR_ARG(table), STR_ARG(column), text);
        if (strcmp(ask(sql), "0") != 0)
            found = pool_printf(f.store.pool, "%s%.*s ", found, STR_ARG(line));
    }
    return found;
}

static struct erased erase(void)
{
    struct erased erased;
    ck_ok(erase_contact(f.store.db, f.store.pool, &f.workspace_id, STR(NUMBER), &erased, &err),
          &err);
    return erased;
}

START_TEST(nothing_of_the_person_is_left_anywhere)
{
    make(1, 2, NUMBER, "completed");
    mark_all();
    ck_assert_ptr_nonnull(strstr(columns_with(MARK), "function_runs.saved"));
    struct erased erased = erase();
    ck_assert_uint_eq(erased.calls, 2);
    ck_assert_uint_eq(erased.events, 2);
    ck_assert_str_eq(columns_with(MARK), "");
    ck_assert_str_eq(columns_with(NUMBER), "");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls"), "2");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM simulator_steps"), "0");
    ck_assert_str_eq(ask("SELECT DISTINCT state, last_error FROM deliveries"),
                     "dropped\tcontact_erased");
}
END_TEST

START_TEST(others_are_left_alone)
{
    make(1, 2, NUMBER, "completed");
    make(11, 3, OTHER, "failed");
    struct erased erased = erase();
    ck_assert_uint_eq(erased.calls, 2);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE contact_number = '" OTHER "'"), "3");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts WHERE contact_number = '" OTHER "'"),
                     "3");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM events WHERE body LIKE '%" OTHER "%'"), "3");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM function_runs WHERE request = '" MARK "'"), "3");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'"), "3");
    ck_ok(erase_contact(f.store.db, f.store.pool, &f.other_workspace_id, STR(OTHER), &erased, &err),
          &err);
    ck_assert_uint_eq(erased.calls, 0);
}
END_TEST

START_TEST(more_than_a_batch_is_erased_and_counted_once)
{
    make(1, 230, NUMBER, "cancelled");
    struct erased erased = erase();
    ck_assert_uint_eq(erased.calls, 230);
    ck_assert_uint_eq(erased.events, 230);
    erased = erase();
    ck_assert_uint_eq(erased.calls + erased.events, 0);
    ck_assert_str_eq(columns_with(NUMBER), "");
}
END_TEST

START_TEST(what_waits_is_cancelled_and_what_is_under_way_refuses)
{
    struct erased erased;
    make(1, 1, NUMBER, "scheduled");
    make(2, 1, NUMBER, "ringing");
    ck_assert_int_eq(
        erase_contact(f.store.db, f.store.pool, &f.workspace_id, STR(NUMBER), &erased, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(status ORDER BY status) FROM calls WHERE "
                         "contact_number = '" NUMBER "'"),
                     "ringing,cancelled");
    store_script(f.store.db, "UPDATE calls SET status = 'failed' WHERE status = 'ringing'");
    erased = erase();
    ck_assert_uint_eq(erased.calls, 2);
}
END_TEST

/* A hash of the number is data of the person, too; but the same request is not taken for new. */
START_TEST(an_idempotency_key_stays_taken)
{
    struct call_request request = call_fixture_request(&f.agent_id, NUMBER);
    struct call_made made;
    ck_ok(call_fixture_create(&f, f.store.db, &f.live, &request, "key", &made, &err), &err);
    erase();
    ck_assert_int_eq(call_fixture_create(&f, f.store.db, &f.live, &request, "key", &made, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_KEY_REUSED);
    ck_assert_str_eq(ask("SELECT COUNT(*), HEX(MAX(fingerprint)) = REPEAT('0', 64) FROM calls"),
                     "1\t1");
}
END_TEST

/* A request under way when its contact is erased: what its receiver says comes after. */
START_TEST(a_late_answer_is_not_kept)
{
    struct draw_want want = {f.endpoint_id, 0, 5};
    struct drawn_delivery *rows;
    size_t count, lost;

    make(1, 1, NUMBER, "completed");
    ck_ok(deliveries_draw(f.store.db, f.store.pool, 1, &want, 1, 60 * USEC_PER_S, &rows, &count,
                          &err),
          &err);
    ck_assert_uint_eq(count, 1);
    erase();
    struct finished_delivery late = {
        .delivery_id = rows[0].delivery_id,
        .destination_id = rows[0].destination_id,
        .workspace_id = f.workspace_id,
        .fence = rows[0].fence,
        .request_made = true,
        .succeeded = true,
        .due_at = TIME_NONE,
        .started_at = clock_wall(),
        .status = 200,
        .response = STR("Thanks for " MARK),
    };
    ck_ok(deliveries_finish(f.store.db, 1, &late, 1, NULL, 0, &lost, &err), &err);
    ck_assert_uint_eq(lost, 1);
    ck_assert_str_eq(columns_with(MARK), "");
    ck_assert_str_eq(ask("SELECT state FROM deliveries"), "dropped");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM delivery_attempts WHERE status = 200"), "1");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("erasure");
    TCase *tcase = tcase_create("erasure");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, nothing_of_the_person_is_left_anywhere);
    tcase_add_test(tcase, others_are_left_alone);
    tcase_add_test(tcase, more_than_a_batch_is_erased_and_counted_once);
    tcase_add_test(tcase, what_waits_is_cancelled_and_what_is_under_way_refuses);
    tcase_add_test(tcase, an_idempotency_key_stays_taken);
    tcase_add_test(tcase, a_late_answer_is_not_kept);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
