/*
 * test_migrate.c - migrations are applied once, in order, under a lock; edited and unknown ones
 * are refused; one that broke off is run again.
 */
#include "sql/migrate.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef HV_MIGRATIONS_DIR
#define HV_MIGRATIONS_DIR "sql/migrations"
#endif

static struct store s;
static struct err err;
static const char *dir; /* of the test's own migrations */
static char told[1000];

static void setup(void)
{
    store_setup_empty(&s, "migrate", "database_timeout = 5s\n");
    dir = pool_printf(s.pool, "%s/migrations", s.dir);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    told[0] = '\0';
}

static void teardown(void)
{
    DIR *d = opendir(dir);

    for (struct dirent *entry; (entry = readdir(d)) != NULL;)
        unlink(pool_printf(s.pool, "%s/%s", dir, entry->d_name));
    closedir(d);
    rmdir(dir);
    store_teardown(&s);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(pool_printf(s.pool, "%s/%s", dir, name), "we");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void tell(void *ctx, const struct migration_step *step)
{
    ck_assert_ptr_eq(ctx, &s);
    strcat(told, step->name);
    strcat(told, " ");
}

static int apply(const char *from, unsigned *applied_r)
{
    return migrate_apply(s.db, s.pool, from, "test", tell, &s, applied_r, &err);
}

static void applies(unsigned expected)
{
    unsigned applied;

    ck_ok(apply(dir, &applied), &err);
    ck_assert_uint_eq(applied, expected);
}

static void refuses(enum err_code code, const char *says)
{
    unsigned applied;

    ck_assert_int_eq(apply(dir, &applied), -1);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, says) != NULL, "\"%s\" does not say \"%s\"", err.message,
                  says);
}

START_TEST(own_migrations_make_the_schema_of_this_build)
{
    unsigned applied;

    ck_ok(apply(HV_MIGRATIONS_DIR, &applied), &err);
    ck_assert_uint_eq(applied, SCHEMA_VERSION);
    ck_ok(migrate_check(s.db, &err), &err);
    ck_ok(apply(HV_MIGRATIONS_DIR, &applied), &err);
    ck_assert_uint_eq(applied, 0);
    ck_assert_str_eq(store_ask(&s, "SELECT version, name, program FROM schema_versions "
                                   "WHERE version = 1"),
                     "1\t0001_init.sql\ttest");
}
END_TEST

START_TEST(own_migrations_can_be_run_again_after_a_crash)
{
    unsigned applied;

    ck_ok(apply(HV_MIGRATIONS_DIR, &applied), &err);
    store_ask(&s, "DELETE FROM schema_versions");
    ck_ok(apply(HV_MIGRATIONS_DIR, &applied), &err);
    ck_assert_uint_eq(applied, SCHEMA_VERSION);
}
END_TEST

START_TEST(only_what_is_missing_is_applied_in_order)
{
    put("0001_one.sql", "CREATE TABLE t (a INT);");
    applies(1);
    put("0002_two.sql", "ALTER TABLE t ADD b INT");
    put("0003_three.sql", "ALTER TABLE t ADD c INT AFTER b");
    put("notes.txt", "not a migration");
    applies(2);
    ck_assert_str_eq(told, "0001_one.sql 0002_two.sql 0003_three.sql ");
    applies(0);
}
END_TEST

START_TEST(broken_migration_is_not_recorded_and_runs_again)
{
    put("0001_one.sql", "CREATE TABLE IF NOT EXISTS t (a INT); ALTER TABLE nothing ADD b INT");
    refuses(ERR_INTERNAL, "0001_one.sql: statement 2");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM schema_versions"), "0");
    put("0001_one.sql", "CREATE TABLE IF NOT EXISTS t (a INT); ALTER TABLE t ADD b INT");
    applies(1);
}
END_TEST

START_TEST(edited_migration_is_refused)
{
    put("0001_one.sql", "CREATE TABLE t (a INT);");
    applies(1);
    put("0001_one.sql", "CREATE TABLE t (a INT); ");
    refuses(ERR_INVALID, "0001_one.sql is not the file that was applied");
}
END_TEST

START_TEST(unknown_migration_is_refused)
{
    put("0001_one.sql", "CREATE TABLE t (a INT);");
    put("0002_two.sql", "CREATE TABLE u (a INT);");
    applies(2);
    unlink(pool_printf(s.pool, "%s/0002_two.sql", dir));
    refuses(ERR_INVALID, "migration 2 (0002_two.sql)");
}
END_TEST

START_TEST(files_must_be_numbered_without_gap_or_twin)
{
    static const char *const wrong[] = {"0003_three.sql", "0001_again.sql", "2_two.sql",
                                        "0002-two.sql",   "0002_.sql",      "0002_Two.sql"};

    put("0001_one.sql", "CREATE TABLE t (a INT);");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        put(wrong[i], "");
        refuses(ERR_INVALID, ".sql: expected a file named 000");
        unlink(pool_printf(s.pool, "%s/%s", dir, wrong[i]));
    }
    applies(1);
}
END_TEST

START_TEST(missing_folder_is_refused)
{
    unsigned applied;

    refuses(ERR_INVALID, "no migrations");
    ck_assert_int_eq(apply("/nowhere", &applied), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

START_TEST(second_migrator_is_refused_while_the_first_works)
{
    struct db *other = store_connect(&s);

    put("0001_one.sql", "CREATE TABLE t (a INT);");
    struct query *q = db_use(other, STMT_MIGRATE_LOCK);
    ck_ok(query_run(q, &err), &err);
    ck_assert(query_next(q) && query_i64(q) == 1);
    refuses(ERR_CONFLICT, "somebody else");
    db_destroy(&other);
    applies(1);
}
END_TEST

START_TEST(check_names_the_remedy)
{
    unsigned applied;

    ck_assert_int_eq(migrate_check(s.db, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "huskyvoice-admin migrate"));
    ck_ok(apply(HV_MIGRATIONS_DIR, &applied), &err);
    store_ask(&s, "INSERT INTO schema_versions VALUES (9999, 'x', REPEAT('x', 32), 'x', NOW())");
    ck_assert_int_eq(migrate_check(s.db, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "install the release"));
    store_ask(&s, "DELETE FROM schema_versions");
    ck_assert_int_eq(migrate_check(s.db, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("migrate");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_set_timeout(files, 60);
    tcase_add_test(files, own_migrations_make_the_schema_of_this_build);
    tcase_add_test(files, own_migrations_can_be_run_again_after_a_crash);
    tcase_add_test(files, only_what_is_missing_is_applied_in_order);
    tcase_add_test(files, broken_migration_is_not_recorded_and_runs_again);
    tcase_add_test(files, edited_migration_is_refused);
    tcase_add_test(files, unknown_migration_is_refused);
    tcase_add_test(files, files_must_be_numbered_without_gap_or_twin);
    tcase_add_test(files, missing_folder_is_refused);
    tcase_add_test(files, second_migrator_is_refused_while_the_first_works);
    tcase_add_test(files, check_names_the_remedy);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
