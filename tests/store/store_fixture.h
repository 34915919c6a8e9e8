/*
 * store_fixture.h - a migrated database of a test's own on the server whose socket HV_TEST_SOCKET
 * names (tests/store/mariadb.sh starts one), with a configuration and a key file that fit it.
 *
 * libcheck forks: set up and tear down in a checked fixture.
 */
#ifndef HV_STORE_FIXTURE_H
#define HV_STORE_FIXTURE_H

#include "lib/base/crypto.h"
#include "sql/db.h"

struct store {
    struct pool *pool;
    const struct conf *conf;
    struct keyring *keys;
    struct db *db;
    const char *database, *key_file, *dir; /* dir: a folder of the test's own */
};

/* Ends the program with 77 ("skipped") when no server is named. For main(). */
void store_require_server(void);

/* name: of the test, part of the database's name. settings: more lines of configuration, or NULL.
 */
void store_setup(struct store *s, const char *name, const char *settings);
/* The same without tables. */
void store_setup_empty(struct store *s, const char *name, const char *settings);
void store_teardown(struct store *s);

/* Another connection to the same database; the caller destroys it. */
struct db *store_connect(const struct store *s);
/* Runs text as a script; a failure is the test's. */
void store_script(struct db *db, const char *text);
/* The answer to one query, through the server's own client, as its text: rows by '\n', columns by
 * '\t'. In the pool. */
const char *store_ask(const struct store *s, const char *sql);

/* Kills a connection to the test's database as soon as it runs a statement that begins with
 * `running` (NULL: whatever it does), and waits until it is gone. */
void store_kill_others(const struct store *s, const char *running);

/* Fails the test with err's message. */
#define ck_ok(call, err) ck_assert_msg((call) == 0, "%s: %s", #call, (err)->message)

#endif
