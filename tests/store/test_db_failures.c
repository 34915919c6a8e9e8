/*
 * test_db_failures.c - what is told of conflicts, lost connections and servers that are not there:
 * whether a thing was done, was not, or may have been.
 */
#include "sql/accounts.h"
#include "sql/ids.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store s;
static struct err err;

static void setup(void)
{
    store_setup(&s, "db_failures", "database_timeout = 2s\n");
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

/* ---- conflicts ---- */

START_TEST(duplicate_names_its_key)
{
    struct id ids[1] = {id_new()}, event_id = id_new(), other[1] = {id_new()};

    ck_ok(insert_event(s.db, &event_id, NULL, STR("{}"), 0), &err);
    ck_assert_int_eq(insert_event(s.db, &event_id, NULL, STR("{}"), 0), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_str_eq(query_duplicate_key(db_use(s.db, STMT_EVENT_INSERT)), "PRIMARY");

    struct query *q = db_use(s.db, STMT_EVENT_DELIVERIES);
    bind_delivery(q, ids, 0, &event_id);
    ck_ok(query_run(q, &err), &err);
    q = db_use(s.db, STMT_EVENT_DELIVERIES);
    query_bind_id(q, &other[0]);
    query_bind_id(q, &other[0]);
    query_bind_id(q, &ids[0]);
    query_bind_id(q, &event_id);
    query_bind_time(q, 0);
    query_bind_time(q, 0);
    query_bind_time(q, 0);
    ck_assert_int_eq(query_run(q, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_str_eq(query_duplicate_key(q), "once");
}
END_TEST

START_TEST(duplicate_leaves_the_transaction_usable)
{
    struct id event_id = id_new(), workspace_id = new_workspace("w");

    ck_ok(insert_event(s.db, &event_id, NULL, STR("{}"), 0), &err);
    ck_ok(db_begin(s.db, &err), &err);
    ck_assert_int_eq(insert_event(s.db, &event_id, NULL, STR("{}"), 0), -1);
    ck_ok(suspend(s.db, &workspace_id), &err);
    ck_ok(db_commit(s.db, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT status FROM workspaces"), "suspended");
}
END_TEST

START_TEST(lock_timeout_ends_the_transaction)
{
    struct id one = new_workspace("one"), two = new_workspace("two");
    struct db *other = store_connect(&s);

    ck_ok(db_begin(other, &err), &err);
    ck_ok(suspend(other, &two), &err);
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &one), &err);
    ck_assert_int_eq(suspend(s.db, &two), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_int_eq(suspend(s.db, &one), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_int_eq(db_commit(s.db, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    db_rollback(other);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM workspaces WHERE status = 'active'"), "2");
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &two), &err);
    ck_ok(db_commit(s.db, &err), &err);
    db_destroy(&other);
}
END_TEST

/* A transaction that locks its two in the opposite order of the test's own; tells through a pipe
 * that it has the first. Its exit code says whether it was the one that lost. */
static pid_t cross(const struct id *first, const struct id *second, int told)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    struct db *db = store_connect(&s);
    if (db_begin(db, &err) < 0 || suspend(db, first) < 0 || write(told, "1", 1) != 1)
        _exit(9);
    if (suspend(db, second) < 0 || db_commit(db, &err) < 0)
        _exit(err.code == ERR_UNAVAILABLE ? 1 : 9);
    db_destroy(&db);
    _exit(0);
}

START_TEST(deadlock_ends_one_transaction)
{
    struct id one = new_workspace("one"), two = new_workspace("two");
    int told[2], status;
    char byte;

    ck_assert_int_eq(pipe(told), 0);
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &one), &err);
    pid_t pid = cross(&two, &one, told[1]);
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    int lost = suspend(s.db, &two) < 0 || db_commit(s.db, &err) < 0;
    if (lost)
        ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    db_rollback(s.db);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status) + lost, 1);
}
END_TEST

/* ---- lost connections ---- */

START_TEST(idle_connection_that_died_is_replaced)
{
    struct id workspace_id = new_workspace("w");
    unsigned generation = db_generation(s.db);

    store_kill_others(&s, NULL);
    ck_ok(suspend(s.db, &workspace_id), &err);
    ck_assert_uint_eq(db_generation(s.db), generation + 1);
    store_kill_others(&s, NULL);
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &workspace_id), &err);
    ck_ok(db_commit(s.db, &err), &err);
    store_kill_others(&s, NULL);
    ck_ok(db_ping(s.db, &err), &err);
}
END_TEST

START_TEST(transaction_dies_with_its_connection)
{
    struct id workspace_id = new_workspace("w");

    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &workspace_id), &err);
    store_kill_others(&s, NULL);
    unsigned generation = db_generation(s.db);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(suspend(s.db, &workspace_id), -1);
        ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    }
    ck_assert_uint_eq(db_generation(s.db), generation);
    ck_assert_int_eq(db_commit(s.db, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_str_eq(store_ask(&s, "SELECT status FROM workspaces"), "active");
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &workspace_id), &err);
    ck_ok(db_commit(s.db, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT status FROM workspaces"), "suspended");
}
END_TEST

START_TEST(commit_on_a_dead_connection_is_certain_not_to_have_happened_or_uncertain)
{
    struct id workspace_id = new_workspace("w");

    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(suspend(s.db, &workspace_id), &err);
    store_kill_others(&s, NULL);
    ck_assert_int_eq(db_commit(s.db, &err), -1);
    ck_assert(err.code == ERR_UNAVAILABLE || err.code == ERR_UNCERTAIN);
    ck_assert_str_eq(store_ask(&s, "SELECT status FROM workspaces"), "active");
    ck_ok(suspend(s.db, &workspace_id), &err);
}
END_TEST

/* The connection is killed by another process while its statement waits for a lock. */
static void lose_while_running(enum err_code expected, int (*run)(struct db *, const struct id *))
{
    struct id workspace_id = new_workspace("w");
    struct db *other = store_connect(&s);
    int status;

    ck_ok(db_begin(other, &err), &err);
    ck_ok(suspend(other, &workspace_id), &err);
    pid_t pid = fork();
    if (pid == 0) {
        store_kill_others(&s, "UPDATE workspaces");
        _exit(0);
    }
    ck_assert_int_eq(run(s.db, &workspace_id), -1);
    ck_assert_msg(err.code == expected, "%s: %s", err_code_text(err.code), err.message);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    db_rollback(other);
    db_destroy(&other);
    db_rollback(s.db);
    ck_ok(suspend(s.db, &workspace_id), &err);
}

static int suspend_in_transaction(struct db *db, const struct id *workspace_id)
{
    ck_ok(db_begin(db, &err), &err);
    return suspend(db, workspace_id);
}

START_TEST(write_under_way_when_the_connection_broke_is_uncertain)
{
    lose_while_running(ERR_UNCERTAIN, suspend);
}
END_TEST

START_TEST(write_in_a_transaction_is_not)
{
    lose_while_running(ERR_UNAVAILABLE, suspend_in_transaction);
}
END_TEST

START_TEST(rows_outlive_their_connection)
{
    for (int i = 0; i < 3; i++)
        new_workspace("a workspace whose name is a little longer");
    struct query *q = db_use(s.db, STMT_WORKSPACE_LIST);
    ck_ok(query_run(q, &err), &err);
    ck_assert(query_next(q));
    store_kill_others(&s, NULL);
    ck_ok(db_ping(s.db, &err), &err);
    size_t rows = 1;
    do {
        query_skip(q, 1);
        ck_assert_uint_eq(query_str(q, s.pool).n, 41);
    } while (query_next(q) && ++rows);
    ck_assert_uint_eq(rows, 3);
    ck_ok(query_run(db_use(s.db, STMT_WORKSPACE_LIST), &err), &err);
}
END_TEST

START_TEST(errors_of_the_statement_leave_the_connection)
{
    unsigned generation;
    struct workspace_row row;

    new_workspace("w");
    generation = db_generation(s.db);
    ck_assert_int_eq(workspaces_create(s.db, STR("\xff\xff"), &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_INTERNAL);
    new_workspace("x");
    ck_assert_uint_eq(db_generation(s.db), generation);
}
END_TEST

START_TEST(numbers_mean_what_they_should)
{
    static const struct {
        unsigned number;
        enum err_code code;
        bool connection_stays;
    } cases[] = {
        {1062, ERR_CONFLICT, true},     {1064, ERR_INTERNAL, true},
        {1213, ERR_UNAVAILABLE, true},  {1205, ERR_UNAVAILABLE, true},
        {1020, ERR_UNAVAILABLE, true},  {1317, ERR_UNAVAILABLE, true},
        {1969, ERR_UNAVAILABLE, true},  {3024, ERR_UNAVAILABLE, true},
        {1114, ERR_UNAVAILABLE, true},  {1047, ERR_UNAVAILABLE, false},
        {1290, ERR_UNAVAILABLE, false}, {1836, ERR_UNAVAILABLE, false},
        {1040, ERR_UNAVAILABLE, false}, {1203, ERR_UNAVAILABLE, false},
        {1053, ERR_UNAVAILABLE, false}, {1927, ERR_UNCERTAIN, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text =
            pool_printf(s.pool, "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = %u", cases[i].number);
        ck_ok(db_ping(s.db, &err), &err);
        unsigned generation = db_generation(s.db);
        ck_assert_int_eq(db_script(s.db, str_of(text), &err), -1);
        ck_assert_msg(err.code == cases[i].code, "%u is %s", cases[i].number,
                      err_code_text(err.code));
        ck_ok(db_ping(s.db, &err), &err);
        ck_assert_msg((db_generation(s.db) == generation) == cases[i].connection_stays, "%u",
                      cases[i].number);
    }
}
END_TEST

/* ---- connecting ---- */

static struct db *connect_with(const char *settings)
{
    const struct conf *conf;
    struct db *db;

    ck_ok(conf_parse(s.pool,
                     str_of(pool_printf(s.pool, "database_user = root\ndatabase_name = %s\n%s",
                                        s.database, settings)),
                     &conf, &err),
          &err);
    db_create(&db, conf);
    return db;
}

START_TEST(hosts_are_tried_in_order)
{
    struct db *db = connect_with(
        pool_printf(s.pool, "database_hosts = unix:/nowhere/sock, 127.0.0.1:1, [::1]:1, unix:%s\n",
                    getenv("HV_TEST_SOCKET")));
    const char *version;

    ck_ok(db_server_version(db, s.pool, &version, &err), &err);
    ck_assert_ptr_nonnull(strstr(version, "MariaDB"));
    db_destroy(&db);
}
END_TEST

START_TEST(nobody_there_is_unavailable)
{
    struct db *db = connect_with("database_hosts = unix:/nowhere/sock\n");
    struct query *q = db_use(db, STMT_WORKSPACE_LIST);

    ck_assert_int_eq(query_run_again(q, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_int_eq(db_begin(db, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_int_eq(db_ping(db, &err), -1);
    ck_assert_uint_eq(db_generation(db), 0);
    db_destroy(&db);
}
END_TEST

/* A listener that never speaks: how often did somebody connect? */
static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static unsigned count_connections(int fd)
{
    unsigned n = 0;

    for (int client; (client = accept(fd, NULL, NULL)) >= 0; n++)
        close(client);
    return n;
}

START_TEST(silent_server_is_given_up_and_not_hammered)
{
    const char *path = pool_printf(s.pool, "%s/silent", s.dir);
    int fd = listen_at(path);
    struct db *db = connect_with(
        pool_printf(s.pool, "database_hosts = unix:%s\ndatabase_timeout = 1s\n", path));
    usec_t start = clock_monotonic();

    ck_assert_int_eq(query_run_again(db_use(db, STMT_WORKSPACE_LIST), &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert(clock_monotonic() - start < 3 * USEC_PER_S);
    ck_assert_uint_eq(count_connections(fd), 1);
    ck_assert_int_eq(db_begin(db, &err), -1);
    ck_assert_uint_eq(count_connections(fd), 1);
    db_destroy(&db);
    close(fd);
    unlink(path);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("db failures");
    TCase *failures = tcase_create("failures");
    tcase_add_checked_fixture(failures, setup, teardown);
    tcase_set_timeout(failures, 60);
    tcase_add_test(failures, duplicate_names_its_key);
    tcase_add_test(failures, duplicate_leaves_the_transaction_usable);
    tcase_add_test(failures, lock_timeout_ends_the_transaction);
    tcase_add_test(failures, deadlock_ends_one_transaction);
    tcase_add_test(failures, idle_connection_that_died_is_replaced);
    tcase_add_test(failures, transaction_dies_with_its_connection);
    tcase_add_test(failures,
                   commit_on_a_dead_connection_is_certain_not_to_have_happened_or_uncertain);
    tcase_add_test(failures, write_under_way_when_the_connection_broke_is_uncertain);
    tcase_add_test(failures, write_in_a_transaction_is_not);
    tcase_add_test(failures, rows_outlive_their_connection);
    tcase_add_test(failures, errors_of_the_statement_leave_the_connection);
    tcase_add_test(failures, numbers_mean_what_they_should);
    tcase_add_test(failures, hosts_are_tried_in_order);
    tcase_add_test(failures, nobody_there_is_unavailable);
    tcase_add_test(failures, silent_server_is_given_up_and_not_hammered);
    suite_add_tcase(suite, failures);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
