/*
 * test_db.c - statements and rows, against a real server: nothing is lost or bent on the way in
 * and out, blocking or through the wait callback. Failures: test_db_failures.c.
 */
#include "sql/accounts.h"
#include "sql/agents.h"
#include "sql/ids.h"
#include "sql/server_facts.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store s;
static struct err err;

static void setup(void)
{
    store_setup(&s, "db", "database_timeout = 2s\n");
}

static void teardown(void)
{
    store_teardown(&s);
}

/* ---- helpers ---- */

static struct id new_workspace(const char *name)
{
    struct workspace_row row;

    ck_ok(workspaces_create(s.db, str_of(name), &row, &err), &err);
    return row.workspace_id;
}

static int suspend(struct db *db, const struct id *workspace_id)
{
    struct query *q = db_use(db, STMT_WORKSPACE_SET_STATUS);

    query_bind_str(q, STR("suspended"));
    query_bind_id(q, workspace_id);
    return query_run(q, &err);
}

static int insert_event(struct db *db, const struct id *event_id, const struct id *call_id,
                        struct str body, usec_t at)
{
    struct id workspace_id = {{1}};
    struct query *q = db_use(db, STMT_EVENT_INSERT);

    query_bind_id(q, event_id);
    query_bind_id(q, &workspace_id);
    query_bind_id(q, call_id);
    query_bind_str(q, STR("call.failed"));
    query_bind_str(q, body);
    query_bind_time(q, at);
    return query_run(q, &err);
}

/* ---- in and out ---- */

START_TEST(texts_of_any_size_come_back)
{
    static const size_t sizes[] = {0, 1, 15, 16, 255, 256, 65535, 65536, 5000000};
    char *text = pool_alloc(s.pool, 5000001);
    struct agent_row row = {.workspace_id = new_workspace("w")};
    struct agent_row *rows;
    size_t count;

    agent_settings_init(&row.set);
    row.set.name = STR("n\xe0\xa4\xa8");
    for (size_t i = 0; i < 5000000; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        row.set.prompt = (struct str){text, sizes[i]};
        ck_ok(agents_create(s.db, &row, &err), &err);
    }
    ck_ok(agents_list(s.db, s.pool, &row.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, sizeof(sizes) / sizeof(sizes[0]));
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(rows[i].set.prompt.n, sizes[i]);
        ck_assert_int_eq(memcmp(rows[i].set.prompt.p, text, sizes[i]), 0);
        ck_assert(str_eq(rows[i].set.name, row.set.name));
        ck_assert(rows[i].set.greeting.p != NULL);
        ck_assert(id_is_zero(&rows[i].set.carrier_id));
    }
}
END_TEST

START_TEST(times_come_back_to_the_microsecond)
{
    static const char *const times[] = {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z",
                                        "1970-01-01T00:00:00Z", "2024-02-29T12:34:56.000001Z",
                                        "2038-01-19T03:14:08Z", "9999-12-31T23:59:59.999999Z"};
    struct id call_id = id_new();

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct id id = id_new();
        usec_t t;
        ck_assert_int_eq(time_parse(str_of(times[i]), &t), 0);
        ck_ok(insert_event(s.db, &id, &call_id, STR("{}"), t), &err);
        struct query *q = db_use(s.db, STMT_OPERATOR_EVENTS);
        query_bind_id(q, &call_id);
        ck_ok(query_run(q, &err), &err);
        bool found = false;
        while (query_next(q)) {
            struct id event_id;
            query_id(q, &event_id);
            query_skip(q, 1);
            if (id_eq(&event_id, &id))
                found = query_time(q) == t;
        }
        ck_assert_msg(found, "%s", times[i]);
    }
}
END_TEST

START_TEST(nulls_are_told_apart)
{
    struct query *q = db_use(s.db, STMT_STEP_NEXT_DUE); /* MIN() of no row, NOW(6) */

    ck_ok(query_run(q, &err), &err);
    ck_assert(query_next(q));
    ck_assert(query_null(q));
    ck_assert(query_time(q) == TIME_NONE);
    ck_assert(!query_null(q));
    usec_t now = query_time(q), here = clock_wall();
    ck_assert(now > here - 60 * USEC_PER_S && now < here + 60 * USEC_PER_S);
    ck_assert(!query_next(q));
    ck_assert(!query_next(q));
}
END_TEST

START_TEST(event_without_call_is_null)
{
    struct id id = id_new();

    ck_ok(insert_event(s.db, &id, NULL, STR("{}"), 0), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT call_id IS NULL FROM events"), "1");
}
END_TEST

START_TEST(strict_mode_refuses_what_does_not_fit)
{
    char name[300];
    struct workspace_row row;

    memset(name, 'x', sizeof(name));
    ck_assert_int_eq(workspaces_create(s.db, (struct str){name, sizeof(name)}, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, "1406"));
}
END_TEST

START_TEST(session_is_as_promised)
{
    struct server_facts facts;

    ck_ok(server_facts_read(s.db, s.pool, &facts, &err), &err);
    ck_assert(str_is(facts.isolation, "READ-COMMITTED"));
    ck_assert_int_eq(facts.flush_log_at_commit, 1);
    ck_assert_uint_ge(server_version_number(facts.version), 1006);
}
END_TEST

/* ---- repeated groups ---- */

static void bind_delivery(struct query *q, const struct id *ids, size_t i,
                          const struct id *event_id)
{
    static const struct id workspace_id = {{1}};

    query_bind_id(q, &ids[i]);
    query_bind_id(q, &workspace_id);
    query_bind_id(q, &ids[i]);
    query_bind_id(q, event_id);
    query_bind_time(q, 0);
    query_bind_time(q, 0);
    query_bind_time(q, 0);
}

START_TEST(chunks_insert_every_row_once)
{
    enum { ROWS = 391 };
    struct id *ids = pool_new(s.pool, struct id, ROWS), event_id = id_new();

    for (size_t i = 0; i < ROWS; i++)
        ids[i] = id_new();
    for (size_t done = 0; done < ROWS;) {
        size_t n = db_many_chunk(ROWS - done);
        struct query *q = db_use_many(s.db, STMT_EVENT_DELIVERIES, n);
        for (size_t i = 0; i < n; i++)
            bind_delivery(q, ids, done + i, &event_id);
        ck_ok(query_run(q, &err), &err);
        ck_assert_uint_eq(query_affected(q), n);
        done += n;
    }
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM deliveries"), "391");
}
END_TEST

static void read_bodies(size_t n)
{
    struct query *q = db_use_many(s.db, STMT_DELIVERY_BODIES, n);
    struct id nobody = {{1}};
    for (size_t i = 0; i < n; i++)
        query_bind_id(q, &nobody);
    ck_ok(query_run(q, &err), &err);
    ck_assert(!query_next(q));
}

/* Of this connection: how many prepared statements it has closed. */
static void note_closes(void)
{
    store_script(s.db, "INSERT INTO closes SELECT VARIABLE_VALUE FROM "
                       "information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_CLOSE'");
}

START_TEST(what_was_prepared_for_many_is_given_back)
{
    store_script(s.db, "CREATE TABLE closes (n BIGINT)");
    read_bodies(1);
    read_bodies(256);
    note_closes();
    db_forget_many(s.db);
    note_closes();
    ck_assert_str_eq(store_ask(&s, "SELECT MAX(n) - MIN(n) FROM closes"), "1");
    read_bodies(256);
    read_bodies(1);
}
END_TEST

START_TEST(lists_are_filled_up_with_their_last)
{
    struct id ids[5];

    for (size_t i = 0; i < 5; i++) {
        char body[] = {(char)('0' + i)};
        ids[i] = id_new();
        ck_ok(insert_event(s.db, &ids[i], NULL, (struct str){body, 1}, 0), &err);
    }
    for (size_t n = 1; n <= 5; n++) {
        struct query *q = db_use_many(s.db, STMT_DELIVERY_BODIES, n);
        size_t found = 0;
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &ids[i]);
        ck_ok(query_run(q, &err), &err);
        while (query_next(q)) {
            struct id id;
            query_id(q, &id);
            struct str body = query_str(q, s.pool);
            ck_assert(id_eq(&id, &ids[body.p[0] - '0']));
            found++;
        }
        ck_assert_uint_eq(found, n);
    }
}
END_TEST

START_TEST(unions_run_with_any_number_of_parts)
{
    for (size_t n = 1; n <= DB_MANY_MAX; n = n * 3) {
        struct id nobody = {{0}};
        struct query *q = db_use_many(s.db, STMT_DELIVERY_DRAW, n);
        for (size_t i = 0; i < n; i++) {
            query_bind_id(q, &nobody);
            query_bind_time(q, 0);
            query_bind_i64(q, 1);
        }
        ck_ok(query_run(q, &err), &err);
        ck_assert(!query_next(q));
    }
}
END_TEST

START_TEST(chunk_sizes)
{
    static const size_t cases[][2] = {{1, 1}, {2, 2}, {3, 2}, {255, 128}, {256, 256}, {9999, 256}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_uint_eq(db_many_chunk(cases[i][0]), cases[i][1]);
}
END_TEST

/* ---- waiting through the callback ---- */

struct waiter {
    unsigned calls;
    unsigned give_up_at; /* 0: never */
};

static short wait_by_poll(void *ctx, int fd, short events, usec_t deadline)
{
    struct waiter *w = ctx;
    struct pollfd p = {.fd = fd, .events = events};
    usec_t left = deadline - clock_monotonic();

    if (++w->calls == w->give_up_at)
        return 0;
    ck_assert(left > 0);
    return poll(&p, 1, (int)(left / USEC_PER_MS) + 1) > 0 ? p.revents : 0;
}

START_TEST(everything_works_through_the_wait_callback)
{
    struct waiter w = {0, 0};
    struct workspace_row row, *rows;
    size_t count;
    struct db *db = store_connect(&s);

    db_set_wait(db, wait_by_poll, &w);
    ck_ok(workspaces_create(db, STR("w"), &row, &err), &err);
    ck_ok(db_begin(db, &err), &err);
    ck_ok(suspend(db, &row.workspace_id), &err);
    ck_ok(db_commit(db, &err), &err);
    ck_ok(workspaces_list(db, s.pool, &rows, &count, &err), &err);
    ck_assert_int_eq(rows[0].status, WORKSPACE_SUSPENDED);
    ck_ok(db_ping(db, &err), &err);
    store_script(db, "SELECT 1; DO 0;");
    ck_assert_uint_gt(w.calls, 1);
    store_kill_others(&s, NULL);
    ck_ok(workspaces_list(db, s.pool, &rows, &count, &err), &err);
    db_destroy(&db);
}
END_TEST

/* Gives up at every wait in turn: never a crash, and the right word each time. */
START_TEST(timeouts_of_the_wait_callback_are_honoured)
{
    for (unsigned at = 1;; at++) {
        struct waiter w = {0, at};
        struct workspace_row row;
        struct id workspace_id = new_workspace("w");
        struct db *db = store_connect(&s);
        db_set_wait(db, wait_by_poll, &w);
        int result = suspend(db, &workspace_id);
        if (w.calls < at) {
            ck_assert_int_eq(result, 0);
            ck_assert_uint_gt(at, 1);
            db_destroy(&db);
            break;
        }
        ck_assert_int_eq(result, -1);
        ck_assert(err.code == ERR_UNAVAILABLE || err.code == ERR_UNCERTAIN);
        if (err.code == ERR_UNAVAILABLE) {
            const char *text =
                pool_printf(s.pool, "SELECT COUNT(*) FROM workspaces WHERE status = 'suspended'");
            ck_assert_str_eq(store_ask(&s, text), "0");
        }
        w.give_up_at = 0;
        ck_ok(workspaces_create(db, STR("again"), &row, &err), &err);
        db_destroy(&db);
        store_ask(&s, "UPDATE workspaces SET status = 'active'");
    }
}
END_TEST

/* ---- scripts ---- */

START_TEST(scripts_are_cut_where_statements_end)
{
    store_script(s.db, "-- a comment; with a semicolon\n"
                       "CREATE TABLE t (a TEXT COMMENT 'it''s; here', `b;` INT); /* c; */\n"
                       "INSERT INTO t VALUES ('x;y', 1), (\"\\\"; \", 2); # d; e\n"
                       ";;\n"
                       "SELECT * FROM t; INSERT INTO t VALUES (NULL, 3)\n-- end");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*), GROUP_CONCAT(\\`b;\\`) FROM t"), "3\t1,2,3");
}
END_TEST

START_TEST(script_error_names_its_statement)
{
    ck_assert_int_eq(db_script(s.db, STR("DO 1; DO nothing_like_that; DO 2"), &err), -1);
    ck_assert_int_eq(err.code, ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.message, "statement 2"));
}
END_TEST

/* ---- our own bugs die ---- */

static void too_few_values(void)
{
    if (query_run(db_use(s.db, STMT_WORKSPACE_EXISTS), &err) < 0)
        return;
}

static void too_many_values(void)
{
    query_bind_null(db_use(s.db, STMT_WORKSPACE_LIST));
}

static struct query *one_time(void)
{
    struct query *q = db_use(s.db, STMT_CLOCK);

    ck_ok(query_run(q, &err), &err);
    ck_assert(query_next(q));
    return q;
}

static void read_past_the_last_column(void)
{
    struct query *q = one_time();

    query_time(q);
    query_time(q);
}

static void read_another_type(void)
{
    query_i64(one_time());
}

static void read_without_a_row(void)
{
    struct query *q = one_time();

    query_next(q);
    query_time(q);
}

static void commit_nothing(void)
{
    if (db_commit(s.db, &err) < 0)
        return;
}

static void begin_twice(void)
{
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(db_begin(s.db, &err), &err);
}

START_TEST(misuse_dies)
{
    static void (*const misuses[])(void) = {
        too_few_values,    too_many_values,    read_past_the_last_column,
        read_another_type, read_without_a_row, commit_nothing,
        begin_twice};

    for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            fclose(stderr);
            db_create(&s.db, s.conf);
            misuses[i]();
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "misuse %zu", i);
    }
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("db");
    TCase *works = tcase_create("works");
    tcase_add_checked_fixture(works, setup, teardown);
    tcase_set_timeout(works, 60);
    tcase_add_test(works, texts_of_any_size_come_back);
    tcase_add_test(works, times_come_back_to_the_microsecond);
    tcase_add_test(works, nulls_are_told_apart);
    tcase_add_test(works, event_without_call_is_null);
    tcase_add_test(works, strict_mode_refuses_what_does_not_fit);
    tcase_add_test(works, session_is_as_promised);
    tcase_add_test(works, chunks_insert_every_row_once);
    tcase_add_test(works, lists_are_filled_up_with_their_last);
    tcase_add_test(works, what_was_prepared_for_many_is_given_back);
    tcase_add_test(works, unions_run_with_any_number_of_parts);
    tcase_add_test(works, chunk_sizes);
    tcase_add_test(works, everything_works_through_the_wait_callback);
    tcase_add_test(works, timeouts_of_the_wait_callback_are_honoured);
    tcase_add_test(works, scripts_are_cut_where_statements_end);
    tcase_add_test(works, script_error_names_its_statement);
    tcase_add_test(works, misuse_dies);
    suite_add_tcase(suite, works);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
