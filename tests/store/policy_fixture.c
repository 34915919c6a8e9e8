/*
 * policy_fixture.c - see policy_fixture.h.
 */
#include "tests/store/policy_fixture.h"
#include "sql/workspaces.h"

#include <stdlib.h>

struct call_fixture fixture;
static const char *database;

void script(const char *text)
{
    store_script(fixture.store.db, text);
}

/* An agent with a carrier, in a workspace that calls at any hour; each test sets its own limit. */
static void setup(void)
{
    call_fixture_setup(&fixture, database, "place_retry_schedule = 0s, 0s, 0s\n");
    script("INSERT INTO carriers (carrier_id, workspace_id, kind, url, secret, created_at, "
           "updated_at) SELECT " CARRIER ", workspace_id, 'http', 'http://127.0.0.1/', '', NOW(6), "
           "NOW(6) FROM workspaces ORDER BY workspace_id LIMIT 1;"
           "UPDATE agents SET carrier_id = " CARRIER " ORDER BY agent_id LIMIT 1;"
           "UPDATE workspaces SET calling_from_minute = 0, calling_to_minute = 1440, "
           "concurrent_calls = 1000, number_calls_per_day = 1000, number_gap_minutes = 0");
}

static void teardown(void)
{
    call_fixture_teardown(&fixture);
}

const char *ask(const char *sql)
{
    return store_ask(&fixture.store, sql);
}

struct call_made make_for(const struct credential *who, const char *number, usec_t expires_at)
{
    struct call_request request = call_fixture_request(&fixture.agent_id, number);
    struct call_made made;
    struct err err;
    request.expires_at = expires_at;
    ck_ok(call_fixture_create(&fixture, fixture.store.db, who, &request, NULL, &made, &err), &err);
    return made;
}

struct call_made make(const char *number)
{
    return make_for(&fixture.live, number, TIME_NONE);
}

void make_many(int count)
{
    for (int i = 0; i < count; i++)
        make(pool_printf(fixture.store.pool, "+9198765%05d", i));
}

struct fence_result fence(size_t limit)
{
    struct fence_result result;
    struct err err;
    ck_ok(fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf,
                      CALL_ASK(&fixture, limit), &result, &err),
          &err);
    return result;
}

struct attempt_outcome report(const struct fenced_call *call, enum report_kind kind,
                              enum end_reason reason)
{
    struct attempt_outcome outcome;
    struct err err;
    ck_ok(call_fixture_report(&fixture, call->placement.token, kind, reason, &outcome, &err), &err);
    return outcome;
}

const char *events(void)
{
    return ask("SELECT COALESCE(GROUP_CONCAT(type ORDER BY created_at, event_id SEPARATOR ' '), '')"
               " FROM events");
}

void set_hours(int64_t from, int64_t to, unsigned days)
{
    struct workspace_settings set = {.calling_hours = {from, to, days}};
    struct err err;
    ck_ok(workspaces_change(fixture.store.db, &fixture.workspace_id, &set,
                            UINT64_C(1) << WORKSPACE_CALLING_HOURS, &err),
          &err);
}

size_t recheck_all(void)
{
    struct recheck *all;
    struct err err;
    size_t agents, calls = 0;
    ck_ok(held_calls_rechecks(fixture.store.db, fixture.store.pool, 10, &all, &agents, &err), &err);
    for (size_t i = 0; i < agents; i++) {
        for (bool done = false; !done; calls += all[i].made_due)
            ck_ok(held_calls_recheck(fixture.store.db, &all[i], 2, &done, &err), &err);
    }
    return calls;
}

int policy_run(const char *name, TCase *tc)
{
    Suite *suite = suite_create(name);

    store_require_server();
    database = name;
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
