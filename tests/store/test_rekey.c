/*
 * test_rekey.c - stored secrets sealed anew: every column that has some, while they are changed.
 */
#include "sql/ids.h"
#include "sql/rekey.h"
#include "sql/secrets.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct store s;
static struct err err;
static struct rekey_figures figures;

static void setup(void)
{
    store_setup(&s, "rekey", NULL);
    memset(&figures, 0, sizeof figures);
}

static void teardown(void)
{
    store_teardown(&s);
}

/* Columns of bytes that hold no sealed secret. */
static const char *const plain[] = {
    "calls.idempotency_key",      "events.body",
    "delivery_attempts.response", "simulator_steps.body",
    "batches.idempotency_key",    "function_runs.response",
};

static bool is_known(const char *column)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i], column) == 0)
            return true;
    for (size_t i = 0; sealed_column(i) != NULL; i++)
        if (strcmp(sealed_column(i), column) == 0)
            return true;
    return false;
}

/* Whoever adds a column of bytes says here or in sql/sealed.def what it holds. */
START_TEST(every_column_that_may_be_sealed_is_known)
{
    struct str rest = str_of(store_ask(
                   &s,
                   "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns "
                   "WHERE table_schema = DATABASE() AND data_type IN ('varbinary', 'tinyblob', "
                   "'blob', 'mediumblob', 'longblob')")),
               line;
    size_t count = 0;

    while (str_split(&rest, '\n', &line)) {
        const char *column = pool_str(s.pool, line).p;
        ck_assert_msg(is_known(column), "%s: is it sealed? see sql/sealed.def", column);
        count++;
    }
    ck_assert_uint_ge(count, sizeof plain / sizeof *plain);
}
END_TEST

struct place {
    struct str table, column;
    const char *key;
};

static struct place place_of(const char *name)
{
    struct place at = {.column = str_of(name)};

    (void)str_split(&at.column, '.', &at.table);
    at.key = store_ask(
        &s, pool_printf(s.pool,
                        "SELECT column_name FROM information_schema.key_column_usage WHERE "
                        "table_schema = DATABASE() AND table_name = '%.*s' AND "
                        "constraint_name = 'PRIMARY'",
                        STR_ARG(at.table)));
    return at;
}

static const char *hex_of(const void *p, size_t n)
{
    char *text = pool_alloc(s.pool, 2 * n + 1);
    hex_encode(p, n, text);
    return text;
}

/* A row of the column's table, of which nothing else matters. */
static struct id make_row(const char *name, struct str secret)
{
    struct id id = id_new();
    struct str sealed = secret_seal(s.keys, &id, secret, s.pool);
    struct place at = place_of(name);

    store_script(s.db, pool_printf(s.pool,
                                   "SET STATEMENT sql_mode = '' FOR "
                                   "INSERT INTO %.*s (%s, %.*s) VALUES (x'%s', x'%s')",
                                   STR_ARG(at.table), at.key, STR_ARG(at.column),
                                   hex_of(id.b, sizeof id.b), hex_of(sealed.p, sealed.n)));
    return id;
}

static struct str read_sealed(const char *name, const struct id *id)
{
    struct place at = place_of(name);
    const char *text = store_ask(
        &s, pool_printf(s.pool, "SELECT HEX(%.*s) FROM %.*s WHERE %s = x'%s'", STR_ARG(at.column),
                        STR_ARG(at.table), at.key, hex_of(id->b, sizeof id->b)));
    size_t n = strlen(text) / 2;
    char *sealed = pool_alloc(s.pool, n + 1);
    ck_assert_int_eq(hex_decode(str_of(text), sealed, n), 0);
    return (struct str){sealed, n};
}

static void assert_secret(const char *name, const struct id *id, unsigned key, const char *secret)
{
    struct str sealed = read_sealed(name, id), text;

    ck_assert_uint_eq((unsigned char)sealed.p[0], key);
    ck_ok(secret_open(s.keys, id, sealed, s.pool, &text, &err), &err);
    ck_assert(str_is(text, secret));
}

static void add_key_2(void)
{
    FILE *f = fopen(s.key_file, "ae");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "2 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n");
    fclose(f);
    keyring_destroy(&s.keys);
    ck_ok(keyring_load(&s.keys, s.key_file, &err), &err);
}

static void go_through(struct rekey_batch batch)
{
    memset(&figures, 0, sizeof figures);
    batch.limit = 2;
    for (bool end = false; !end;)
        ck_ok(rekey_batch(s.db, s.pool, s.keys, &batch, &figures, &end, &err), &err);
}

#define ROWS 5
START_TEST(every_column_is_sealed_anew)
{
    struct id ids[32][ROWS];

    for (size_t i = 0; sealed_column(i) != NULL; i++)
        for (int n = 0; n < ROWS; n++)
            ids[i][n] = make_row(sealed_column(i), str_of(pool_printf(s.pool, "secret %d", n)));
    add_key_2();
    for (size_t i = 0; sealed_column(i) != NULL; i++) {
        go_through((struct rekey_batch){.column = i});
        ck_assert_uint_eq(figures.under[1], ROWS);
        ck_assert_uint_eq(figures.resealed, 0);
        go_through((struct rekey_batch){.column = i, .write = true});
        ck_assert_uint_eq(figures.resealed, ROWS);
        go_through((struct rekey_batch){.column = i, .write = true});
        ck_assert_uint_eq(figures.under[1], 0);
        ck_assert_uint_eq(figures.under[2], ROWS);
        for (int n = 0; n < ROWS; n++)
            assert_secret(sealed_column(i), &ids[i][n], 2, pool_printf(s.pool, "secret %d", n));
    }
}
END_TEST

struct meanwhile {
    struct id changed, unreadable;
    size_t told;
};

static void change_meanwhile(void *ctx, const char *column, const struct id *row_id,
                             const char *why)
{
    struct meanwhile *m = ctx;
    struct str sealed = secret_seal(s.keys, &m->changed, STR("changed"), s.pool);

    ck_assert(id_eq(row_id, &m->unreadable));
    ck_assert_ptr_nonnull(strstr(why, "key 77"));
    store_ask(&s, pool_printf(s.pool, "UPDATE carriers SET secret = x'%s' WHERE carrier_id = x'%s'",
                              hex_of(sealed.p, sealed.n), hex_of(m->changed.b, 16)));
    ck_assert_str_eq(column, "carriers.secret");
    m->told++;
}

/* The unreadable one is told of between the look and the write. */
START_TEST(what_is_changed_meanwhile_stays_changed)
{
    struct meanwhile m = {.told = 0};
    size_t carriers = 0;

    while (strcmp(sealed_column(carriers), "carriers.secret") != 0)
        carriers++;
    m.changed = make_row("carriers.secret", STR("before"));
    m.unreadable = make_row("carriers.secret", STR("lost"));
    store_script(s.db, pool_printf(s.pool,
                                   "UPDATE carriers SET secret = CONCAT(CHAR(77), "
                                   "SUBSTR(secret, 2)) WHERE carrier_id = x'%s'",
                                   hex_of(m.unreadable.b, 16)));
    add_key_2();
    go_through((struct rekey_batch){
        .column = carriers, .write = true, .unreadable = change_meanwhile, .ctx = &m});
    ck_assert_uint_eq(m.told, 1);
    ck_assert_uint_eq(figures.resealed, 0);
    ck_assert_uint_eq(figures.unreadable, 1);
    ck_assert_uint_eq(figures.under[77], 1);
    assert_secret("carriers.secret", &m.changed, 2, "changed");
}
END_TEST

START_TEST(the_simulators_carrier_has_no_secret)
{
    store_script(s.db, "SET STATEMENT sql_mode = '' FOR INSERT INTO carriers (carrier_id) "
                       "VALUES (x'00112233445566778899aabbccddeeff')");
    add_key_2();
    for (size_t i = 0; sealed_column(i) != NULL; i++) {
        go_through((struct rekey_batch){.column = i, .write = true});
        ck_assert_uint_eq(figures.resealed + figures.unreadable, 0);
    }
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("rekey");
    TCase *tcase = tcase_create("rekey");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_column_that_may_be_sealed_is_known);
    tcase_add_test(tcase, every_column_is_sealed_anew);
    tcase_add_test(tcase, what_is_changed_meanwhile_stays_changed);
    tcase_add_test(tcase, the_simulators_carrier_has_no_secret);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
