/*
 * test_rates.c - rate limits against a real database: leases of many connections at once, and what
 * many processes on several hosts spend of one quota. A host here is a runtime folder of its own.
 */
#include "fcgi/limits.h"
#include "sql/accounts.h"
#include "sql/ids.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store s;
static struct err err;
static struct id key, workspace;

#define WINDOW 60
#define HOSTS_MAX 3
static struct conf hosts[HOSTS_MAX];

static void setup(void)
{
    store_setup(&s, "rates", "key_rate_per_minute = 0\nworkspace_rate_per_minute = 0\n");
    key = id_new();
    workspace = id_new();
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        hosts[i] = *s.conf;
        hosts[i].runtime_dir = pool_printf(s.pool, "%s/host%zu", s.dir, i);
        ck_assert_int_eq(mkdir(hosts[i].runtime_dir, 0700), 0);
    }
}

static void teardown(void)
{
    for (size_t i = 0; i < HOSTS_MAX; i++) {
        unlink(pool_printf(s.pool, "%s/rates", hosts[i].runtime_dir));
        rmdir(hosts[i].runtime_dir);
    }
    store_teardown(&s);
}

/* All that a test counts must fall into one window. */
static void await_window(int seconds)
{
    const char *sql =
        pool_printf(s.pool, "SELECT UNIX_TIMESTAMP() %% %d <= %d", WINDOW, WINDOW - 1 - seconds);
    while (strcmp(store_ask(&s, sql), "1") != 0)
        clock_sleep(100 * USEC_PER_MS);
}

/* ---- leases ---- */

static struct rate_lease lease_one(const struct id *subject, uint64_t wanted)
{
    struct rate_lease lease = {.subject = *subject, .wanted = wanted};
    usec_t now;
    ck_ok(rates_lease(s.db, WINDOW, &lease, 1, &now, &err), &err);
    return lease;
}

START_TEST(leases_count_up)
{
    await_window(2);
    ck_assert_uint_eq(lease_one(&key, 3).taken_r, 3);
    ck_assert_uint_eq(lease_one(&key, 4).taken_r, 7);
    ck_assert_uint_eq(lease_one(&workspace, 1).taken_r, 1);
    for (int swap = 0; swap < 2; swap++) {
        struct rate_lease two[] = {{.subject = swap ? workspace : key, .wanted = 5},
                                   {.subject = swap ? key : workspace, .wanted = 5}};
        usec_t now;
        ck_ok(rates_lease(s.db, WINDOW, two, 2, &now, &err), &err);
        ck_assert_uint_eq(two[swap].taken_r, swap ? 17 : 12);
        ck_assert_uint_eq(two[1 - swap].taken_r, swap ? 11 : 6);
    }
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*), MAX(window_at) % 60, "
                                   "MAX(window_at) <= UNIX_TIMESTAMP() FROM rate_windows"),
                     "2\t0\t1");
}
END_TEST

START_TEST(each_window_counts_for_itself)
{
    usec_t now, end = clock_monotonic() + 20 * USEC_PER_S;
    struct rate_lease lease = {.subject = key, .wanted = 1};
    uint64_t windows[2] = {0, 0}, taken[2] = {0, 0};

    for (int i = 0; i < 2 && clock_monotonic() < end;) {
        ck_ok(rates_lease(s.db, 1, &lease, 1, &now, &err), &err);
        uint64_t window = rate_window(now, 1);
        i += windows[i] != 0 && windows[i] != window;
        if (i < 2) {
            windows[i] = window;
            taken[i]++;
            ck_assert_uint_eq(lease.taken_r, taken[i]);
        }
    }
    ck_assert_uint_eq(windows[1], windows[0] + 1);
}
END_TEST

START_TEST(old_windows_are_deleted)
{
    store_script(s.db, "INSERT INTO rate_windows VALUES (UNHEX(REPEAT('01', 16)), 60, 5)");
    lease_one(&key, 1);
    ck_ok(rates_prune(s.db, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*), MIN(taken) FROM rate_windows"), "1\t1");
}
END_TEST

/* ---- many processes ---- */

/* What the processes of a test say. */
struct tally {
    uint64_t accepted, refused;
};

static struct tally *tally_new(void)
{
    struct tally *tally =
        mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(tally, MAP_FAILED);
    return tally;
}

static void add(uint64_t *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* Leases slices of odd sizes until there are none; tallies what is granted. */
static void lease_all(struct tally *tally, uint64_t quota, unsigned seed)
{
    struct db *db = store_connect(&s);
    uint64_t granted;
    do {
        struct rate_lease two[] = {{.subject = seed % 2 ? key : workspace, .wanted = 1 + seed % 7},
                                   {.subject = seed % 2 ? workspace : key, .wanted = 2}};
        usec_t now;
        if (rates_lease(db, WINDOW, two, 2, &now, &err) != 0)
            _exit(1);
        granted = rate_granted(quota, two[0].wanted, two[0].taken_r) +
                  rate_granted(quota, two[1].wanted, two[1].taken_r);
        __atomic_fetch_add(&tally->accepted, granted, __ATOMIC_RELAXED);
        seed = seed * 1103515245 + 12345;
    } while (granted > 0);
    _exit(0);
}

static void wait_for_all(int processes, int expected)
{
    for (int i = 0; i < processes; i++) {
        int status = -1;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, expected);
    }
}

START_TEST(leases_of_many_connections_are_the_quota_to_the_last)
{
    struct tally *tally = tally_new();
    await_window(15);
    for (unsigned i = 0; i < 8; i++) {
        if (fork() == 0)
            lease_all(tally, 500, i);
    }
    wait_for_all(8, 0);
    ck_assert_uint_eq(tally->accepted, 1000); /* of both subjects */
}
END_TEST

/* What a responder does with each request, until this many were refused. */
static void spend(struct tally *tally, const struct conf *host, struct rates rates, int refusals,
                  uint64_t most)
{
    struct limits_ask ask = {RATE_KEY, key, workspace, rates};
    struct rate_verdict verdict;
    struct limits *limits;
    struct err failed;
    struct db *db;

    db_create(&db, host);
    if (limits_create(&limits, host, &err) != 0)
        _exit(1);
    for (uint64_t n = 0; refusals > 0 && n < most; n++) {
        if (limits_spend(limits, db, &ask, &verdict, &failed, &err) == 0) {
            add(&tally->accepted);
        } else {
            add(&tally->refused);
            refusals--;
        }
        if (failed.code != ERR_NONE)
            _exit(2);
    }
    _exit(0);
}

static const struct {
    const char *name;
    int64_t key_rate, workspace_rate;
    int hosts, processes; /* processes: of each */
    uint64_t least, most;
} floods[] = {
    {"60 on one host", 60, RATE_NONE, 1, 6, 60, 60},
    {"60 on three hosts", 60, RATE_NONE, 3, 3, 60, 60},
    {"10,000 on one host", 10000, RATE_NONE, 1, 6, 9500, 10000},
    {"10,000 on three hosts", 10000, RATE_NONE, 3, 3, 9500, 10000},
    {"the workspace's limit", 10000, 600, 2, 3, 570, 600},
    {"the key's limit", 600, 10000, 2, 3, 570, 600},
};

START_TEST(a_flood_is_accepted_to_within_five_percent)
{
    struct rates rates = {floods[_i].key_rate, floods[_i].workspace_rate};
    struct tally *tally = tally_new();

    await_window(20);
    for (int i = 0; i < floods[_i].hosts * floods[_i].processes; i++) {
        if (fork() == 0)
            spend(tally, &hosts[i % floods[_i].hosts], rates, 20, UINT64_MAX);
    }
    wait_for_all(floods[_i].hosts * floods[_i].processes, 0);
    ck_assert_msg(tally->accepted >= floods[_i].least && tally->accepted <= floods[_i].most,
                  "%s: %llu", floods[_i].name, (unsigned long long)tally->accepted);
}
END_TEST

/* Two hosts were busy and fell silent; what they hold is lost, and is little. */
START_TEST(hosts_that_fall_silent_hold_little)
{
    struct rates rates = {10000, RATE_NONE};
    struct tally *tally = tally_new();

    await_window(20);
    for (int i = 0; i < 8; i++) {
        if (fork() == 0)
            spend(tally, &hosts[i % 2], rates, 1, 700 + (uint64_t)i);
    }
    wait_for_all(8, 0);
    if (fork() == 0)
        spend(tally, &hosts[2], rates, 1, UINT64_MAX);
    wait_for_all(1, 0);
    ck_assert_msg(tally->accepted >= 9500 && tally->accepted <= 10000, "%llu",
                  (unsigned long long)tally->accepted);
}
END_TEST

/* Killed wherever they are; who comes after them is not held up. */
START_TEST(processes_that_are_killed_harm_nobody)
{
    struct rates rates = {10000, RATE_NONE};
    struct tally *tally = tally_new();
    pid_t pids[4];
    int status;

    await_window(25);
    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < 4; i++) {
            pids[i] = fork();
            if (pids[i] == 0)
                spend(tally, &hosts[0], rates, 1, 200);
        }
        clock_sleep((3 + round) * USEC_PER_MS);
        for (size_t i = 0; i < 4; i++)
            kill(pids[i], SIGKILL);
        for (size_t i = 0; i < 4; i++)
            ck_assert_int_gt(wait(&status), 0);
    }
    usec_t began = clock_monotonic();
    if (fork() == 0)
        spend(tally, &hosts[0], rates, 1, UINT64_MAX);
    wait_for_all(1, 0);
    ck_assert_int_lt(clock_monotonic() - began, 15 * USEC_PER_S);
    ck_assert_uint_le(tally->accepted, 10000);
    ck_assert_uint_ge(tally->accepted, 9000); /* 48 deaths cost a slice each at most */
    ck_assert_uint_eq(tally->refused, 1);
}
END_TEST

/* As plain CGI does without a folder to write in: nothing is kept between two requests. */
START_TEST(without_shared_memory_the_database_counts)
{
    struct conf nowhere = *s.conf;
    struct tally *tally = tally_new();

    nowhere.runtime_dir = "/nonexistent";
    await_window(15);
    for (int i = 0; i < 5; i++) {
        if (fork() == 0)
            spend(tally, &nowhere, (struct rates){60, RATE_NONE}, 1, i == 0 ? 1 : UINT64_MAX);
    }
    wait_for_all(5, 0);
    ck_assert_uint_eq(tally->accepted, 60);
}
END_TEST

/* ---- one request ---- */

static struct limits *limits;
static struct rate_verdict verdict;
static struct err failed;

static int ask(struct db *db, int64_t key_rate, int64_t workspace_rate)
{
    struct limits_ask request = {RATE_KEY, key, workspace, {key_rate, workspace_rate}};
    return limits_spend(limits, db, &request, &verdict, &failed, &err);
}

/* No connection: a question to the database would be the end of the test. */
#define NO_DATABASE NULL

START_TEST(a_refused_request_asks_the_database_nothing)
{
    ck_ok(limits_create(&limits, &hosts[0], &err), &err);
    await_window(5);
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(s.db, 3, 100), 0);
        ck_assert(verdict.known);
        ck_assert_uint_eq(verdict.count, 2);
        ck_assert_uint_eq(verdict.figures[0].remaining, 2 - i);
        ck_assert_uint_eq(verdict.figures[1].remaining, 99 - i);
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(ask(NO_DATABASE, 3, 100), -1);
        ck_assert_int_eq(err.code, ERR_RATE_LIMITED);
        ck_assert_ptr_eq(verdict.refused_by, &verdict.figures[0]);
    }
    ck_assert_uint_eq(verdict.figures[0].remaining, 0);
    ck_assert_uint_eq(verdict.figures[1].remaining, 97);
    limits_destroy(&limits);
    /* nor does another process of this host */
    ck_ok(limits_create(&limits, &hosts[0], &err), &err);
    ck_assert_int_eq(ask(NO_DATABASE, 3, 100), -1);
    /* another host asks once */
    limits_destroy(&limits);
    ck_ok(limits_create(&limits, &hosts[1], &err), &err);
    ck_assert_int_eq(ask(s.db, 3, 100), -1);
    ck_assert_int_eq(ask(NO_DATABASE, 3, 100), -1);
    limits_destroy(&limits);
}
END_TEST

START_TEST(what_the_workspace_refuses_the_key_keeps)
{
    ck_ok(limits_create(&limits, &hosts[0], &err), &err);
    await_window(5);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ask(s.db, 5, 2), 0);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask(s.db, 5, 2), -1);
        ck_assert_ptr_eq(verdict.refused_by, &verdict.figures[1]);
        ck_assert_uint_eq(verdict.figures[0].remaining, 3);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(s.db, 5, RATE_NONE), 0);
    ck_assert_int_eq(ask(s.db, 5, RATE_NONE), -1);
    limits_destroy(&limits);
}
END_TEST

START_TEST(a_changed_limit_holds_at_once)
{
    ck_ok(limits_create(&limits, &hosts[0], &err), &err);
    await_window(5);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ask(s.db, 2, RATE_NONE), 0);
    ck_assert_int_eq(ask(s.db, 2, RATE_NONE), -1);
    ck_assert_int_eq(ask(s.db, 10, RATE_NONE), 0);
    ck_assert_int_eq(ask(s.db, 2, RATE_NONE), -1);
    ck_assert_int_eq(ask(s.db, RATE_NONE, RATE_NONE), 0);
    ck_assert_uint_eq(verdict.count, 0);
    ck_assert_int_eq(ask(s.db, RATE_DEFAULT, RATE_DEFAULT), 0); /* the setting: 0 */
    ck_assert_uint_eq(verdict.count, 0);
    limits_destroy(&limits);
}
END_TEST

START_TEST(without_a_database_requests_pass)
{
    struct conf away = hosts[0];
    struct db *db;

    away.database_hosts = "unix:/nonexistent.sock";
    db_create(&db, &away);
    ck_ok(limits_create(&limits, &away, &err), &err);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(db, 1, 1), 0);
        ck_assert_int_eq(failed.code, ERR_UNAVAILABLE);
        ck_assert(!verdict.known);
        ck_assert_uint_eq(verdict.count, 2);
    }
    ck_assert_int_eq(ask(s.db, 1, 1), 0);
    ck_assert_int_eq(failed.code, ERR_NONE);
    ck_assert_int_eq(ask(s.db, 1, 1), -1);
    limits_destroy(&limits);
    db_destroy(&db);
}
END_TEST

/* ---- what operators set ---- */

static struct rates rates_of(const char *secret)
{
    struct credential credential;
    struct principal principal;

    crypto_sha256(str_of(secret), credential.key_hash);
    ck_ok(credentials_read(s.db, &credential, &principal, &err), &err);
    return principal.rates;
}

START_TEST(limits_of_operators)
{
    struct workspace_row row;
    struct api_key_new new_key = {.name = STR(""), .scopes = SCOPE_ALL};
    struct id key_id, nobody = id_new();
    char secret[API_KEY_TEXT_SIZE];
    struct rates rates;
    int64_t number = 50, none = RATE_NONE, back = RATE_DEFAULT;

    ck_ok(workspaces_create(s.db, STR("one"), &row, &err), &err);
    new_key.workspace_id = row.workspace_id;
    ck_ok(api_keys_create(s.db, &new_key, &key_id, secret, &err), &err);
    rates = rates_of(secret);
    ck_assert(rates.subject == RATE_DEFAULT && rates.workspace == RATE_DEFAULT);

    ck_ok(workspaces_set_rates(s.db, &row.workspace_id, &number, NULL, &rates, &err), &err);
    ck_assert(rates.subject == 50 && rates.workspace == RATE_DEFAULT);
    ck_ok(workspaces_set_rates(s.db, &row.workspace_id, NULL, &none, &rates, &err), &err);
    ck_assert(rates.subject == 50 && rates.workspace == RATE_NONE);
    rates = rates_of(secret);
    ck_assert(rates.subject == 50 && rates.workspace == RATE_NONE);

    ck_ok(api_keys_set_rate(s.db, &key_id, RATE_NONE, &err), &err);
    ck_assert(rates_of(secret).subject == RATE_NONE);
    ck_ok(api_keys_set_rate(s.db, &key_id, 7, &err), &err);
    ck_assert(rates_of(secret).subject == 7);
    ck_ok(api_keys_set_rate(s.db, &key_id, RATE_DEFAULT, &err), &err);
    ck_assert(rates_of(secret).subject == 50);
    ck_ok(workspaces_set_rates(s.db, &row.workspace_id, &back, &back, &rates, &err), &err);
    ck_assert(rates.subject == RATE_DEFAULT && rates.workspace == RATE_DEFAULT);

    ck_assert_int_eq(api_keys_set_rate(s.db, &nobody, 7, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(workspaces_set_rates(s.db, &nobody, &number, NULL, &rates, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

static Suite *rates_suite(void)
{
    Suite *suite = suite_create("rates");
    TCase *tc = tcase_create("rates");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, leases_count_up);
    tcase_add_test(tc, each_window_counts_for_itself);
    tcase_add_test(tc, old_windows_are_deleted);
    tcase_add_test(tc, leases_of_many_connections_are_the_quota_to_the_last);
    tcase_add_loop_test(tc, a_flood_is_accepted_to_within_five_percent, 0,
                        (int)(sizeof(floods) / sizeof(floods[0])));
    tcase_add_test(tc, hosts_that_fall_silent_hold_little);
    tcase_add_test(tc, processes_that_are_killed_harm_nobody);
    tcase_add_test(tc, without_shared_memory_the_database_counts);
    tcase_add_test(tc, a_refused_request_asks_the_database_nothing);
    tcase_add_test(tc, what_the_workspace_refuses_the_key_keeps);
    tcase_add_test(tc, a_changed_limit_holds_at_once);
    tcase_add_test(tc, without_a_database_requests_pass);
    tcase_add_test(tc, limits_of_operators);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    store_require_server();
    SRunner *runner = srunner_create(rates_suite());
    srunner_run_all(runner, CK_NORMAL);
    int bad = srunner_ntests_failed(runner);
    srunner_free(runner);
    return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
