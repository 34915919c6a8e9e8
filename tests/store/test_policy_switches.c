/*
 * test_policy_switches.c - what forbids calls, set while a fence is under way: whoever is answered
 * knows that no dial follows that did not see it.
 */
#include "sql/agents.h"
#include "sql/suppressed_numbers.h"
#include "sql/workspaces.h"
#include "tests/store/policy_fixture.h"

START_TEST(a_fence_under_way_is_waited_for)
{
    struct db *db = fixture.store.db, *fence = store_connect(&fixture.store);
    struct suppression set = {STR("+919876543210"), SUPPRESSION_CONTACT, STR("")};
    struct suppressed_number row;
    struct agent_settings off;
    struct id *workspace = &fixture.workspace_id, *agent = &fixture.agent_id;
    bool made, no_carrier;
    size_t count;
    struct err err;

    agent_settings_init(&off);
    off.enabled = false;
    script("SET innodb_lock_wait_timeout = 0");
    ck_ok(db_begin(fence, &err), &err);
    ck_ok(workspaces_lock(fence, workspace, &err), &err);
    ck_assert_int_ne(
        suppressed_numbers_put(db, fixture.store.pool, workspace, &set, &row, &made, &err), 0);
    ck_assert_int_ne(suppressed_numbers_put_many(db, workspace, &set, 1, &count, &err), 0);
    ck_assert_int_ne(
        agents_change(db, workspace, agent, &off, UINT64_C(1) << AGENT_ENABLED, &no_carrier, &err),
        0);
    ck_assert_int_ne(agents_set_enabled(db, agent, false, &err), 0);
    ck_assert_int_ne(agents_delete(db, workspace, agent, &err), 0);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_str_eq(ask("SELECT CONCAT(MIN(enabled), COUNT(deleted_at), (SELECT COUNT(*) FROM "
                         "suppressed_numbers)) FROM agents"),
                     "100");
    ck_ok(db_commit(fence, &err), &err);
    ck_ok(suppressed_numbers_put(db, fixture.store.pool, workspace, &set, &row, &made, &err), &err);
    ck_assert(made);
    ck_ok(agents_set_enabled(db, agent, false, &err), &err);
    ck_ok(agents_delete(db, workspace, agent, &err), &err);
    db_destroy(&fence);
}
END_TEST

START_TEST(a_gap_longer_than_dials_are_kept_is_refused)
{
    struct workspace_settings set = {.number_gap_minutes = 1441, .retention_days = 1};
    uint64_t gap = UINT64_C(1) << WORKSPACE_NUMBER_GAP;
    uint64_t retention = UINT64_C(1) << WORKSPACE_RETENTION;
    struct db *db = fixture.store.db;
    struct err err;

    ck_ok(workspaces_change(db, &fixture.workspace_id, &set, gap, &err), &err);
    ck_assert_int_ne(workspaces_change(db, &fixture.workspace_id, &set, retention, &err), 0);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "number_gap_minutes"));
    ck_assert_str_eq(ask("SELECT MIN(retention_days) > 1 FROM workspaces"), "1");
    set.number_gap_minutes = 1440;
    ck_ok(workspaces_change(db, &fixture.workspace_id, &set, gap | retention, &err), &err);
    set.number_gap_minutes = 1441;
    ck_assert_int_ne(workspaces_change(db, &fixture.workspace_id, &set, gap, &err), 0);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("switches");

    tcase_add_test(tc, a_fence_under_way_is_waited_for);
    tcase_add_test(tc, a_gap_longer_than_dials_are_kept_is_refused);
    return policy_run("policy_switches", tc);
}
