/*
 * test_suppressed_numbers.c - the list of numbers that must not be called: each workspace's own,
 * once per number, whatever dies meanwhile.
 */
#include "sql/accounts.h"
#include "sql/suppressed_numbers.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

static struct store s;
static struct err err;
static struct workspace_row one, two;

static void setup(void)
{
    store_setup(&s, "suppressed", NULL);
    ck_ok(workspaces_create(s.db, STR("one"), &one, &err), &err);
    ck_ok(workspaces_create(s.db, STR("two"), &two, &err), &err);
}

static void teardown(void)
{
    store_teardown(&s);
}

static struct suppression entry(const char *number, const char *note)
{
    return (struct suppression){str_of(number), SUPPRESSION_CONTACT, str_of(note)};
}

static bool put(const struct workspace_row *workspace, const char *number, const char *note)
{
    struct suppression set = entry(number, note);
    struct suppressed_number row;
    bool made;
    ck_ok(suppressed_numbers_put(s.db, s.pool, &workspace->workspace_id, &set, &row, &made, &err),
          &err);
    ck_assert(str_is(row.set.contact_number, number));
    return made;
}

START_TEST(a_number_stands_there_once_and_as_it_came_first)
{
    struct suppressed_number row;

    ck_assert(put(&one, "+919876543210", "first"));
    ck_assert(!put(&one, "+919876543210", "second"));
    ck_assert(put(&two, "+919876543210", "another's"));
    ck_ok(suppressed_numbers_get(s.db, s.pool, &one.workspace_id, STR("+919876543210"), &row, &err),
          &err);
    ck_assert(str_is(row.set.note, "first"));
    ck_assert_int_eq(row.set.source, SUPPRESSION_CONTACT);
    ck_assert(row.created_at != TIME_NONE);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct id nobody = {{1}};
    struct suppression set = entry("+919876543210", "");
    struct suppressed_number row;
    bool made;

    put(&two, "+919876543210", "");
    ck_assert_int_eq(
        suppressed_numbers_get(s.db, s.pool, &one.workspace_id, STR("+919876543210"), &row, &err),
        -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(suppressed_numbers_delete(s.db, &one.workspace_id, STR("+919876543210"), &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(suppressed_numbers_put(s.db, s.pool, &nobody, &set, &row, &made, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(suppressed_numbers_delete(s.db, &two.workspace_id, STR("+919876543210"), &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM suppressed_numbers"), "0");
}
END_TEST

START_TEST(a_list_goes_by_numbers)
{
    struct suppressed_number *rows;
    size_t count;
    bool more;

    put(&one, "+919876543212", "");
    put(&one, "+919876543210", "");
    put(&one, "+919876543211", "");
    put(&two, "+919876543213", "");
    ck_ok(suppressed_numbers_list(s.db, s.pool, &one.workspace_id, STR_NULL, 2, &rows, &count,
                                  &more, &err),
          &err);
    ck_assert(count == 2 && more);
    ck_assert(str_is(rows[0].set.contact_number, "+919876543210"));
    ck_ok(suppressed_numbers_list(s.db, s.pool, &one.workspace_id, rows[1].set.contact_number, 2,
                                  &rows, &count, &more, &err),
          &err);
    ck_assert(count == 1 && !more);
    ck_assert(str_is(rows[0].set.contact_number, "+919876543212"));
}
END_TEST

/* count numbers from +9198000NNNNN on. */
static struct suppression *many(size_t count)
{
    struct suppression *all = pool_new(s.pool, struct suppression, count);
    for (size_t i = 0; i < count; i++)
        all[i] = entry(pool_printf(s.pool, "+91980%07zu", i), "");
    return all;
}

START_TEST(many_come_at_once_and_again_without_harm)
{
    struct suppression *all = many(1000);
    size_t made;

    put(&one, "+919800000500", "kept");
    ck_ok(suppressed_numbers_put_many(s.db, &one.workspace_id, all, 1000, &made, &err), &err);
    ck_assert_uint_eq(made, 999);
    ck_ok(suppressed_numbers_put_many(s.db, &one.workspace_id, all, 1000, &made, &err), &err);
    ck_assert_uint_eq(made, 0);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*), SUM(note = 'kept') FROM suppressed_numbers"),
                     "1000\t1");
}
END_TEST

struct importer {
    struct db *db;
    struct suppression *all;
    size_t count, made;
    int result;
    struct err err;
};

static void *import(void *ctx)
{
    struct importer *in = ctx;
    in->result = suppressed_numbers_put_many(in->db, &one.workspace_id, in->all, in->count,
                                             &in->made, &in->err);
    return NULL;
}

/* The transaction waits for a row that another connection holds, and its connection is killed
 * there: it comes back with a new one, and all is there, once. */
START_TEST(a_killed_import_is_whole)
{
    struct importer in = {.db = store_connect(&s), .all = many(600), .count = 600};
    struct db *holder = store_connect(&s);
    struct suppression last = in.all[599];
    struct suppressed_number row;
    pthread_t thread;
    bool made;

    ck_ok(suppressed_numbers_put(s.db, s.pool, &one.workspace_id, &last, &row, &made, &err), &err);
    ck_ok(db_ping(in.db, &err), &err);
    ck_ok(db_begin(holder, &err), &err);
    ck_ok(suppressed_numbers_delete(holder, &one.workspace_id, last.contact_number, &err), &err);
    ck_assert_int_eq(pthread_create(&thread, NULL, import, &in), 0);
    store_kill_others(&s, "INSERT IGNORE");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM suppressed_numbers"), "1");
    ck_ok(db_commit(holder, &err), &err);
    pthread_join(thread, NULL);
    ck_assert_msg(in.result == 0, "%s", in.err.message);
    ck_assert_uint_eq(in.made, 600);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM suppressed_numbers"), "600");
    db_destroy(&in.db);
    db_destroy(&holder);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("suppressed_numbers");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_number_stands_there_once_and_as_it_came_first);
    tcase_add_test(tcase, what_is_not_there_is_not_found);
    tcase_add_test(tcase, a_list_goes_by_numbers);
    tcase_add_test(tcase, many_come_at_once_and_again_without_harm);
    tcase_add_test(tcase, a_killed_import_is_whole);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
