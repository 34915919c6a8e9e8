/*
 * store_fixture.c - a database per test.
 */
#include "tests/store/store_fixture.h"
#include "sql/migrate.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef HV_MIGRATIONS_DIR
#define HV_MIGRATIONS_DIR "sql/migrations"
#endif
#define SKIPPED 77
#define ANSWER_MAX (1u << 20)
#define DEADLINE (20 * USEC_PER_S)

void store_require_server(void)
{
    if (getenv("HV_TEST_SOCKET") != NULL)
        return;
    fprintf(stderr, "HV_TEST_SOCKET is not set: no database to test with\n");
    exit(SKIPPED);
}

static const struct conf *configuration(struct pool *pool, const char *database,
                                        const char *key_file, const char *settings)
{
    const struct conf *conf;
    struct err err;
    const char *text =
        pool_printf(pool,
                    "database_hosts = unix:%s\ndatabase_user = root\n"
                    "database_name = %s\nkey_file = %s\n%s",
                    getenv("HV_TEST_SOCKET"), database, key_file, settings != NULL ? settings : "");

    ck_ok(conf_parse(pool, str_of(text), &conf, &err), &err);
    return conf;
}

static void make_files(struct store *s)
{
    char dir[] = "/tmp/hv-store-XXXXXX";
    unsigned char key[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    s->dir = pool_strdup(s->pool, dir);
    s->key_file = pool_printf(s->pool, "%s/keys", dir);
    crypto_random(key, sizeof(key));
    hex_encode(key, sizeof(key), hex);
    FILE *f = fopen(s->key_file, "we");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fchmod(fileno(f), 0600), 0);
    fprintf(f, "1 %s\n", hex);
    fclose(f);
}

/* Creates or drops the database, on a connection that is not in it. */
static void server_script(struct store *s, const char *text)
{
    struct db *db;

    db_create(&db, configuration(s->pool, "information_schema", s->key_file, NULL));
    store_script(db, text);
    db_destroy(&db);
}

void store_setup_empty(struct store *s, const char *name, const char *settings)
{
    struct err err;

    memset(s, 0, sizeof(*s));
    pool_create(&s->pool);
    make_files(s);
    ck_ok(keyring_load(&s->keys, s->key_file, &err), &err);
    s->database = pool_printf(s->pool, "hv_%s_%ld", name, (long)getpid());
    s->conf = configuration(s->pool, s->database, s->key_file, settings);
    /* What a test that died left behind may have this process's id. */
    server_script(
        s,
        pool_printf(s->pool, "DROP DATABASE IF EXISTS %s; CREATE DATABASE %s CHARACTER SET utf8mb4",
                    s->database, s->database));
    db_create(&s->db, s->conf);
}

void store_setup(struct store *s, const char *name, const char *settings)
{
    struct db *db;
    struct err err;
    unsigned applied;

    store_setup_empty(s, name, settings);
    /* Not through s->db, whose settings may be tight. */
    db_create(&db, configuration(s->pool, s->database, s->key_file, "database_timeout = 60s\n"));
    ck_ok(migrate_apply(db, s->pool, HV_MIGRATIONS_DIR, "test", NULL, NULL, &applied, &err), &err);
    db_destroy(&db);
}

void store_teardown(struct store *s)
{
    db_destroy(&s->db);
    server_script(s, pool_printf(s->pool, "DROP DATABASE %s", s->database));
    unlink(s->key_file);
    rmdir(s->dir);
    keyring_destroy(&s->keys);
    pool_destroy(&s->pool);
}

struct db *store_connect(const struct store *s)
{
    struct db *db;

    db_create(&db, s->conf);
    return db;
}

void store_script(struct db *db, const char *text)
{
    struct err err;

    ck_ok(db_script(db, str_of(text), &err), &err);
}

const char *store_ask(const struct store *s, const char *sql)
{
    const char *client = access("/usr/bin/mariadb", X_OK) == 0 ? "mariadb" : "mysql";
    const char *command = pool_printf(
        s->pool,
        "%s --no-defaults --socket='%s' --user=root --batch --skip-column-names -e \"%s\" %s",
        client, getenv("HV_TEST_SOCKET"), sql, s->database);
    FILE *f = popen(command, "r");

    ck_assert_ptr_nonnull(f);
    char *answer = pool_alloc(s->pool, ANSWER_MAX);
    size_t n = fread(answer, 1, ANSWER_MAX - 1, f);
    ck_assert_int_eq(pclose(f), 0);
    while (n > 0 && answer[n - 1] == '\n')
        n--;
    answer[n] = '\0';
    return answer;
}

void store_kill_others(const struct store *s, const char *running)
{
    const char *found = pool_printf(s->pool,
                                    "SELECT id FROM information_schema.processlist "
                                    "WHERE db = DATABASE() AND id <> CONNECTION_ID() "
                                    "AND COALESCE(info, '') LIKE '%s%%'",
                                    running != NULL ? running : "");
    usec_t deadline = clock_monotonic() + DEADLINE;
    const char *id = "";

    while (*id == '\0' && clock_monotonic() < deadline)
        id = store_ask(s, found);
    ck_assert_str_ne(id, "");
    long killed = strtol(id, NULL, 10);
    store_ask(s, pool_printf(s->pool, "KILL %ld", killed));
    const char *there = pool_printf(
        s->pool, "SELECT id FROM information_schema.processlist WHERE id = %ld", killed);
    while (*store_ask(s, there) != '\0')
        ck_assert(clock_monotonic() < deadline);
}
