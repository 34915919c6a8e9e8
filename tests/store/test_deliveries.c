/*
 * test_deliveries.c - drawing deliveries and writing what became of them: each claimed once,
 * guarded by owner and fence, safe to repeat.
 */
#include "sql/deliveries.h"
#include "sql/destinations.h"
#include "sql/figures.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define S USEC_PER_S

static struct call_fixture f;

static void setup(void)
{
    call_fixture_setup(&f, "deliveries", NULL);
    /* Twelve events for the endpoint, due now. */
    store_script(f.store.db,
                 "INSERT INTO events (event_id, workspace_id, type, body, created_at) "
                 "SELECT UNHEX(LPAD(HEX(seq), 32, '0')), w.workspace_id, 'call.completed', "
                 "CONCAT('{\"n\":', seq, '}'), NOW(6) FROM seq_1_to_12, "
                 "(SELECT MIN(workspace_id) AS workspace_id FROM workspaces) w; "
                 "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, "
                 "due_at, created_at, updated_at) SELECT event_id, e.workspace_id, destination_id, "
                 "event_id, NOW(6), NOW(6), NOW(6) FROM events e, destinations");
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static size_t drawn(struct db *db, uint64_t owner, unsigned limit, usec_t lease,
                    struct drawn_delivery **rows)
{
    struct draw_want want = {f.endpoint_id, 0, limit};
    size_t count;
    struct err err;
    ck_ok(deliveries_draw(db, f.store.pool, owner, &want, 1, lease, rows, &count, &err), &err);
    return count;
}

static struct finished_delivery ended(const struct drawn_delivery *row, bool succeeded)
{
    return (struct finished_delivery){
        .delivery_id = row->delivery_id,
        .destination_id = row->destination_id,
        .workspace_id = f.workspace_id,
        .fence = row->fence,
        .request_made = true,
        .succeeded = succeeded,
        .position = row->position + 1,
        .due_at = succeeded ? TIME_NONE : clock_wall() + 3600 * S,
        .started_at = clock_wall(),
        .duration_ms = 3,
        .status = succeeded ? 204 : 500,
        .error = succeeded ? NULL : "status",
        .response = STR("no"),
    };
}

static size_t finished(struct db *db, uint64_t owner, const struct finished_delivery *rows,
                       size_t count)
{
    size_t lost = 0;
    struct err err;
    ck_ok(deliveries_finish(db, owner, rows, count, NULL, 0, &lost, &err), &err);
    return lost;
}

START_TEST(a_draw_takes_up_to_its_limit_with_bodies)
{
    struct drawn_delivery *rows;
    ck_assert_uint_eq(drawn(f.store.db, 1, 5, 60 * S, &rows), 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert(str_starts(rows[i].body, "{\"n\":"));
        ck_assert_uint_eq(rows[i].fence, 1);
        ck_assert_uint_eq(rows[i].lost, 0);
    }
}
END_TEST

START_TEST(two_owners_never_draw_the_same)
{
    struct drawn_delivery *a, *b;
    struct db *other = store_connect(&f.store);
    size_t first = drawn(f.store.db, 1, 8, 60 * S, &a);
    size_t second = drawn(other, 2, 8, 60 * S, &b);
    ck_assert_uint_eq(first + second, 12);
    for (size_t i = 0; i < first; i++) {
        for (size_t k = 0; k < second; k++)
            ck_assert(!id_eq(&a[i].delivery_id, &b[k].delivery_id));
    }
    db_destroy(&other);
}
END_TEST

START_TEST(a_lease_that_ran_out_is_drawn_again_and_counted)
{
    struct drawn_delivery *rows;
    ck_assert_uint_eq(drawn(f.store.db, 1, 12, 0, &rows), 12);
    struct finished_delivery old = ended(&rows[0], true);
    ck_assert_uint_eq(drawn(f.store.db, 2, 12, 60 * S, &rows), 12);
    ck_assert_uint_eq(rows[0].fence, 2);
    ck_assert_uint_eq(rows[0].lost, 1);
    ck_assert_uint_eq(rows[0].position, 0);
    ck_assert_msg(finished(f.store.db, 1, &old, 1) == 1, "a lost claim was finished");
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'"),
                     "12");
}
END_TEST

START_TEST(successes_and_failures_are_written_with_their_log)
{
    struct drawn_delivery *rows;
    struct finished_delivery results[3];
    ck_assert_uint_eq(drawn(f.store.db, 1, 3, 60 * S, &rows), 3);
    results[0] = ended(&rows[0], true);
    results[1] = ended(&rows[1], false);
    results[2] = ended(&rows[2], false);
    results[2].used_up = true;
    results[2].due_at = TIME_NONE;
    for (int twice = 0; twice < 2; twice++)
        finished(f.store.db, 1, results, 3);
    ck_assert_str_eq(store_ask(&f.store,
                               "SELECT GROUP_CONCAT(CONCAT(state, attempts, owner, position) "
                               "ORDER BY state) FROM deliveries WHERE attempts > 0"),
                     "waiting101,succeeded101,failed101");
    ck_assert_str_eq(
        store_ask(&f.store, "SELECT COUNT(*), SUM(response = 'no') FROM delivery_attempts"),
        "3\t3");
}
END_TEST

START_TEST(given_back_is_as_it_was)
{
    struct drawn_delivery *rows;
    struct finished_delivery results[12];
    ck_assert_uint_eq(drawn(f.store.db, 1, 12, 60 * S, &rows), 12);
    for (size_t i = 0; i < 12; i++) {
        results[i] = ended(&rows[i], false);
        results[i].given_back = true;
        results[i].request_made = false;
        results[i].due_at = rows[i].due_at;
    }
    ck_assert_uint_eq(finished(f.store.db, 1, results, 12), 0);
    ck_assert_uint_eq(drawn(f.store.db, 2, 12, 60 * S, &rows), 12);
    ck_assert_uint_eq(rows[0].lost, 0);
    ck_assert_uint_eq(rows[0].position, 0);
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM delivery_attempts"), "0");
}
END_TEST

START_TEST(health_is_written_and_read)
{
    struct destination_health health = {
        .destination_id = f.endpoint_id,
        .health = {.failures = 7,
                   .held_until = clock_wall() + 60 * S,
                   .hold_wait = 30 * S,
                   .good_since = clock_wall()},
        .disable_reason = "Enough.",
    };
    struct destination_row *rows;
    size_t count, lost;
    struct err err;
    ck_ok(deliveries_finish(f.store.db, 1, NULL, 0, &health, 1, &lost, &err), &err);
    ck_ok(deliveries_destinations(f.store.db, f.store.pool, &f.endpoint_id, 1, &rows, &count, &err),
          &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(rows[0].health.failures, 7);
    ck_assert_int_eq(rows[0].health.held_until, health.health.held_until);
    ck_assert_int_eq(rows[0].health.hold_wait, 30 * S);
    ck_assert_int_eq(rows[0].status, DESTINATION_DISABLED);
}
END_TEST

/* What was learned before the owner enabled the endpoint says nothing of it any more. */
START_TEST(health_from_before_an_enabling_is_not_written)
{
    struct destination_health health = {
        .destination_id = f.endpoint_id,
        .health = {.failures = 7, .held_until = TIME_NONE, .good_since = clock_wall()},
        .disable_reason = "Enough.",
    };
    size_t lost;
    struct err err;
    ck_ok(endpoints_enable(f.store.db, NULL, &f.endpoint_id, &err), &err);
    ck_ok(deliveries_finish(f.store.db, 1, NULL, 0, &health, 1, &lost, &err), &err);
    ck_assert_str_eq(store_ask(&f.store, "SELECT status, failures, switches FROM destinations"),
                     "enabled\t0\t1");
    health.switches = 1;
    ck_ok(deliveries_finish(f.store.db, 1, NULL, 0, &health, 1, &lost, &err), &err);
    ck_assert_str_eq(store_ask(&f.store, "SELECT status, failures, switches FROM destinations"),
                     "disabled\t7\t1");
}
END_TEST

static void write_hold(unsigned failures, usec_t held_until)
{
    struct destination_health health = {
        .destination_id = f.endpoint_id,
        .health = {.failures = failures, .held_until = held_until, .good_since = clock_wall()},
    };
    size_t lost;
    struct err err;
    ck_ok(deliveries_finish(f.store.db, 1, NULL, 0, &health, 1, &lost, &err), &err);
}

/* What owners are told of by mail counts from there. */
START_TEST(a_hold_counts_from_the_first_of_a_row)
{
    const usec_t later = clock_wall() + 60 * S;
    write_hold(5, later);
    ck_assert_str_eq(store_ask(&f.store, "SELECT held_since > NOW(6) - INTERVAL 1 MINUTE AND "
                                         "held_since <= NOW(6) FROM destinations"),
                     "1");
    store_script(f.store.db, "UPDATE destinations SET held_since = NOW(6) - INTERVAL 5 HOUR");
    write_hold(6, later + 60 * S); /* the probe failed, too: the same hold goes on */
    ck_assert_str_eq(
        store_ask(&f.store, "SELECT held_since < NOW(6) - INTERVAL 4 HOUR FROM destinations"), "1");
    write_hold(0, TIME_NONE);
    ck_assert_str_eq(store_ask(&f.store, "SELECT held_until IS NULL FROM destinations"), "1");
    write_hold(1, TIME_NONE);
    write_hold(5, later); /* another one, for which owners are told anew */
    ck_assert_str_eq(
        store_ask(&f.store, "SELECT held_since > NOW(6) - INTERVAL 1 MINUTE FROM destinations"),
        "1");
}
END_TEST

static bool turn_won(struct db *db, unsigned rate, unsigned count)
{
    bool won;
    struct err err;
    ck_ok(deliveries_take_turn(db, &f.endpoint_id, rate, count, S / 20, &won, &err), &err);
    return won;
}

/* Whoever asks: what one took is gone for all, and comes back with time. */
START_TEST(a_rate_is_shared_by_all_who_send)
{
    struct db *other = store_connect(&f.store);
    ck_assert(turn_won(f.store.db, 1, 100));
    ck_assert(!turn_won(other, 1, 1));
    ck_assert(!turn_won(f.store.db, 1, 1));
    ck_assert_str_eq(store_ask(&f.store, "SELECT paced_until > NOW(6) + INTERVAL 90 SECOND AND "
                                         "paced_until <= NOW(6) + INTERVAL 100 SECOND "
                                         "FROM destinations"),
                     "1");
    /* long ago: no more than the slack is made up for */
    store_script(f.store.db, "UPDATE destinations SET paced_until = NOW(6) - INTERVAL 1 HOUR");
    ck_assert(turn_won(other, 1, 100));
    ck_assert(!turn_won(f.store.db, 1, 1));
    ck_assert_str_eq(
        store_ask(&f.store, "SELECT paced_until > NOW(6) + INTERVAL 90 SECOND FROM destinations"),
        "1");
    db_destroy(&other);
}
END_TEST

static size_t probes_won(void)
{
    struct id ids[3] = {f.agent_id, f.endpoint_id, f.workspace_id}, ours[3];
    size_t count;
    struct err err;
    ck_ok(deliveries_probe(f.store.db, ids, 3, 60 * S, ours, &count, &err), &err);
    ck_assert(count == 0 || id_eq(&ours[0], &f.endpoint_id));
    return count;
}

START_TEST(a_probe_is_won_once)
{
    ck_assert_msg(probes_won() == 0, "an endpoint that is not held was probed");
    store_script(f.store.db, "UPDATE destinations SET held_until = NOW(6)");
    ck_assert_uint_eq(probes_won(), 1);
    ck_assert_uint_eq(probes_won(), 0);
}
END_TEST

/* What was drawn before is not walked through again, and not looked for. */
START_TEST(drawing_goes_on_where_it_ended)
{
    struct drawn_delivery *rows;
    struct draw_want want = {f.endpoint_id, 0, 12};
    size_t count;
    struct err err;
    store_script(f.store.db, "UPDATE deliveries SET due_at = NOW(6) - INTERVAL 1 MINUTE LIMIT 5");
    want.from = clock_wall() - 30 * S;
    ck_ok(deliveries_draw(f.store.db, f.store.pool, 1, &want, 1, 60 * S, &rows, &count, &err),
          &err);
    ck_assert_uint_eq(count, 7);
    ck_assert_uint_eq(drawn(f.store.db, 1, 12, 60 * S, &rows), 5);
}
END_TEST

START_TEST(work_is_found_by_destination)
{
    struct due_destination *rows;
    size_t count;
    usec_t offset = TIME_NONE;
    struct err err;
    ck_ok(deliveries_due(f.store.db, f.store.pool, &rows, &count, &offset, &err), &err);
    usec_t now = clock_monotonic() + offset;
    ck_assert_uint_eq(count, 1);
    ck_assert(id_eq(&rows[0].destination_id, &f.endpoint_id));
    ck_assert(rows[0].due_at <= now);
}
END_TEST

/* The look for work must jump from destination to destination, not read every row. */
START_TEST(finding_work_is_a_loose_index_scan)
{
    store_script(
        f.store.db,
        "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, "
        "due_at, created_at, updated_at) SELECT UNHEX(CONCAT('AA', LPAD(HEX(seq), 30, '0'))), "
        "UNHEX(LPAD('1', 32, '0')), UNHEX(CONCAT('BB', LPAD(HEX(seq MOD 20), 30, '0'))), "
        "UNHEX(CONCAT('CC', LPAD(HEX(seq), 30, '0'))), NOW(6), NOW(6), NOW(6) FROM seq_1_to_20000; "
        "ANALYZE TABLE deliveries");
    const char *plan =
        store_ask(&f.store, pool_printf(f.store.pool, "EXPLAIN %s", stmt_text(STMT_DELIVERY_DUE)));
    ck_assert_msg(strstr(plan, "Using index for group-by") != NULL, "%s", plan);
}
END_TEST

/* Backups flush tables: the statement must not lose its way by that. */
START_TEST(finding_work_stays_cheap_when_tables_are_flushed)
{
    struct figures figures;
    struct err err;
    const char *read =
        "SELECT COALESCE(SUM(rows_read), 0) FROM information_schema.index_statistics "
        "WHERE table_schema = DATABASE() AND index_name = 'due'";
    store_script(
        f.store.db,
        "SET GLOBAL userstat = 1; "
        "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, "
        "due_at, created_at, updated_at) SELECT UNHEX(CONCAT('AA', LPAD(HEX(seq), 30, '0'))), "
        "UNHEX(LPAD('1', 32, '0')), UNHEX(CONCAT('BB', LPAD(HEX(seq MOD 20), 30, '0'))), "
        "UNHEX(CONCAT('CC', LPAD(HEX(seq), 30, '0'))), NOW(6), NOW(6), NOW(6) FROM seq_1_to_20000; "
        "ANALYZE TABLE deliveries");
    struct db *db = store_connect(&f.store); /* what it reads is told when it ends */
    for (int i = 0; i < 4; i++) {
        store_ask(&f.store, "FLUSH TABLES deliveries");
        ck_ok(figures_read(db, 1, S, &figures, &err), &err);
    }
    db_destroy(&db);
    int64_t rows = strtoll(store_ask(&f.store, read), NULL, 10);
    ck_assert_msg(rows < 10000, "%lld rows of the index were read", (long long)rows);
}
END_TEST

/* Many calls that are over are not walked through to find what is due. */
START_TEST(finding_due_calls_is_a_loose_index_scan)
{
    store_script(
        f.store.db,
        "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, "
        "scheduled_at, due_at, origin, created_at, updated_at) SELECT "
        "UNHEX(CONCAT('AA', LPAD(HEX(seq), 30, '0'))), UNHEX(LPAD('1', 32, '0')), "
        "UNHEX(CONCAT('BB', LPAD(HEX(seq MOD 20), 30, '0'))), 'completed', 0, '+919876543210', "
        "NOW(6), NOW(6), 'api_live', NOW(6), NOW(6) FROM seq_1_to_20000; ANALYZE TABLE calls");
    const char *plan = store_ask(
        &f.store, pool_printf(f.store.pool, "EXPLAIN %s", stmt_text(STMT_FENCE_DUE_AGENTS)));
    const char *first = strstr(plan, "Using index for group-by");
    ck_assert_msg(first != NULL && strstr(first + 1, "Using index for group-by") != NULL, "%s",
                  plan);
}
END_TEST

START_TEST(figures_count)
{
    struct drawn_delivery *rows;
    struct figures figures;
    struct err err;
    ck_assert_uint_eq(drawn(f.store.db, 1, 5, 60 * S, &rows), 5);
    ck_ok(figures_read(f.store.db, FIGURES_MOST, S, &figures, &err), &err);
    ck_assert_int_eq(figures.deliveries_waiting, 7);
    ck_assert_int_eq(figures.deliveries_in_flight, 5);
    ck_assert_int_eq(figures.deliveries_failed, 0);
    ck_assert_int_eq(figures.calls_due, 0);
    ck_assert_int_eq(figures.endpoints_held, 0);
}
END_TEST

START_TEST(figures_stop_at_a_limit)
{
    struct figures figures;
    struct err err;
    store_script(f.store.db, "UPDATE deliveries SET due_at = NOW(6) - INTERVAL 1 HOUR");
    ck_ok(figures_read(f.store.db, 3, S, &figures, &err), &err);
    ck_assert_int_eq(figures.deliveries_waiting, 3);
    ck_assert_int_ge(figures.oldest_waiting_delivery_age, 3600 * S);
    ck_assert_int_lt(figures.oldest_waiting_delivery_age, 3660 * S);
    store_script(f.store.db, "UPDATE deliveries SET state = 'failed'");
    ck_ok(figures_read(f.store.db, 3, S, &figures, &err), &err);
    ck_assert_int_eq(figures.deliveries_failed, 3);
    ck_assert_int_eq(figures.deliveries_waiting, 0);
    ck_assert_int_eq(figures.oldest_waiting_delivery_age, 0);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("deliveries");
    TCase *tc = tcase_create("deliveries");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_draw_takes_up_to_its_limit_with_bodies);
    tcase_add_test(tc, two_owners_never_draw_the_same);
    tcase_add_test(tc, a_lease_that_ran_out_is_drawn_again_and_counted);
    tcase_add_test(tc, successes_and_failures_are_written_with_their_log);
    tcase_add_test(tc, given_back_is_as_it_was);
    tcase_add_test(tc, health_is_written_and_read);
    tcase_add_test(tc, health_from_before_an_enabling_is_not_written);
    tcase_add_test(tc, a_hold_counts_from_the_first_of_a_row);
    tcase_add_test(tc, a_rate_is_shared_by_all_who_send);
    tcase_add_test(tc, a_probe_is_won_once);
    tcase_add_test(tc, drawing_goes_on_where_it_ended);
    tcase_add_test(tc, work_is_found_by_destination);
    tcase_add_test(tc, finding_work_is_a_loose_index_scan);
    tcase_add_test(tc, finding_work_stays_cheap_when_tables_are_flushed);
    tcase_add_test(tc, finding_due_calls_is_a_loose_index_scan);
    tcase_add_test(tc, figures_count);
    tcase_add_test(tc, figures_stop_at_a_limit);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
