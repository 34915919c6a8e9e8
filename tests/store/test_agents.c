/*
 * test_agents.c - a workspace's own agents: pages, changes, deletion, and what is another's.
 */
#include "sql/accounts.h"
#include "sql/agents.h"
#include "sql/fence.h"
#include "sql/ids.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BIT(setting) (UINT64_C(1) << (setting))

static struct store s;
static struct err err;
static struct workspace_row one, two;

static void setup(void)
{
    store_setup(&s, "agents", NULL);
    ck_ok(workspaces_create(s.db, STR("one"), &one, &err), &err);
    ck_ok(workspaces_create(s.db, STR("two"), &two, &err), &err);
}

static void teardown(void)
{
    store_teardown(&s);
}

static struct agent_row make(const struct workspace_row *workspace, const char *name)
{
    struct agent_row row = {.workspace_id = workspace->workspace_id};

    agent_settings_init(&row.set);
    row.set.name = str_of(name);
    ck_ok(agents_create(s.db, &row, &err), &err);
    return row;
}

static struct agent_row get(const struct agent_row *agent)
{
    struct agent_row row;

    ck_ok(agents_get(s.db, s.pool, &agent->workspace_id, &agent->agent_id, &row, &err), &err);
    return row;
}

START_TEST(every_setting_comes_back)
{
    struct agent_row row = {.workspace_id = one.workspace_id};
    struct agent_settings *set = &row.set, back;

    agent_settings_init(set);
    set->name = STR("n");
    set->language = STR("hi-IN");
    set->voice = STR("v");
    set->max_attempts = 3;
    set->retry_on = 4;
    set->retry_gaps_minutes = STR("5,60");
    set->own_hours = true;
    set->calling_hours = (struct calling_hours){600, 720, 31};
    set->outside_hours = 1;
    set->concurrent_calls = 7;
    set->calls_per_day = 8;
    set->enabled = false;
    ck_ok(agents_create(s.db, &row, &err), &err);
    back = get(&row).set;
    ck_assert(str_is(back.language, "hi-IN"));
    ck_assert(str_is(back.voice, "v"));
    ck_assert_int_eq(back.max_attempts, 3);
    ck_assert_uint_eq(back.retry_on, 4);
    ck_assert(str_is(back.retry_gaps_minutes, "5,60"));
    ck_assert(back.own_hours);
    ck_assert_int_eq(back.calling_hours.from_minute, 600);
    ck_assert_int_eq(back.calling_hours.to_minute, 720);
    ck_assert_uint_eq(back.calling_hours.days, 31);
    ck_assert_int_eq(back.outside_hours, 1);
    ck_assert_int_eq(back.concurrent_calls, 7);
    ck_assert_int_eq(back.calls_per_day, 8);
    ck_assert(!back.enabled);
}
END_TEST

START_TEST(a_change_writes_what_is_given_alone)
{
    struct agent_row row = make(&one, "a"), back;
    struct agent_settings set;
    bool no_carrier;

    agent_settings_init(&set);
    set.name = STR("not given");
    set.max_attempts = 5;
    set.own_hours = true;
    set.calling_hours = (struct calling_hours){1, 2, 3};
    set.concurrent_calls = 9;
    ck_ok(agents_change(s.db, &one.workspace_id, &row.agent_id, &set,
                        BIT(AGENT_MAX_ATTEMPTS) | BIT(AGENT_CALLING_HOURS) |
                            BIT(AGENT_CONCURRENT_CALLS),
                        &no_carrier, &err),
          &err);
    back = get(&row);
    ck_assert(str_is(back.set.name, "a"));
    ck_assert_int_eq(back.set.max_attempts, 5);
    ck_assert(back.set.own_hours);
    ck_assert_int_eq(back.set.concurrent_calls, 9);
    ck_assert(back.updated_at > row.updated_at);

    set.own_hours = false;
    set.concurrent_calls = 0;
    set.retry_on = 0;
    ck_ok(
        agents_change(s.db, &one.workspace_id, &row.agent_id, &set,
                      BIT(AGENT_RETRY_ON) | BIT(AGENT_CALLING_HOURS) | BIT(AGENT_CONCURRENT_CALLS),
                      &no_carrier, &err),
        &err);
    back = get(&row);
    ck_assert(!back.set.own_hours);
    ck_assert_int_eq(back.set.concurrent_calls, 0);
    ck_assert_uint_eq(back.set.retry_on, 0);
    ck_assert_int_eq(back.set.max_attempts, 5);
}
END_TEST

START_TEST(anothers_agent_and_carrier_are_not_found)
{
    struct agent_row row = make(&one, "a");
    struct agent_settings set = row.set;
    bool no_carrier;

    ck_assert_int_eq(agents_get(s.db, s.pool, &two.workspace_id, &row.agent_id, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(agents_change(s.db, &two.workspace_id, &row.agent_id, &set, BIT(AGENT_NAME),
                                   &no_carrier, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert(!no_carrier);
    ck_assert_int_eq(agents_delete(s.db, &two.workspace_id, &row.agent_id, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    set.carrier_id = id_new();
    ck_assert_int_eq(agents_change(s.db, &one.workspace_id, &row.agent_id, &set, BIT(AGENT_CARRIER),
                                   &no_carrier, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert(no_carrier);
}
END_TEST

START_TEST(a_deleted_agent_is_gone_and_its_calls_disallowed)
{
    struct agent_row row = make(&one, "a"), *rows;
    struct agent_facts facts;
    bool no_carrier;
    size_t count;

    ck_ok(agents_delete(s.db, &one.workspace_id, &row.agent_id, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT enabled, deleted_at IS NOT NULL FROM agents"), "0\t1");
    ck_assert_int_eq(agents_get(s.db, s.pool, &one.workspace_id, &row.agent_id, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(agents_facts(s.db, &row.agent_id, &facts, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(agents_set_enabled(s.db, &row.agent_id, true, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(agents_change(s.db, &one.workspace_id, &row.agent_id, &row.set,
                                   BIT(AGENT_ENABLED), &no_carrier, &err),
                     -1);
    ck_assert_int_eq(agents_delete(s.db, &one.workspace_id, &row.agent_id, &err), -1);
    ck_ok(agents_list(s.db, s.pool, NULL, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(pages_have_every_agent_once_newest_first)
{
    struct agent_filter filter = {.enabled = -1, .page.limit = 3};
    struct agent_row *rows;
    struct page_end end;
    size_t count, seen = 0;
    char names[] = "0123456";

    for (size_t i = 0; i < 7; i++)
        make(&one, (char[]){names[i], '\0'});
    make(&two, "other");
    store_ask(&s, "UPDATE agents SET created_at = '2026-01-01', enabled = name <> '2'");
    do {
        ck_ok(agents_page(s.db, s.pool, &one.workspace_id, &filter, &rows, &count, &end, &err),
              &err);
        seen += count;
        filter.page.from_cursor = true;
        filter.page.cursor = end.cursor;
    } while (end.more);
    ck_assert_uint_eq(seen, 7);
    filter = (struct agent_filter){.enabled = 0, .page.limit = 3};
    ck_ok(agents_page(s.db, s.pool, &one.workspace_id, &filter, &rows, &count, &end, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(!end.more);
    ck_assert(str_is(rows[0].set.name, "2"));
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("agents");
    TCase *tcase = tcase_create("agents");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_setting_comes_back);
    tcase_add_test(tcase, a_change_writes_what_is_given_alone);
    tcase_add_test(tcase, anothers_agent_and_carrier_are_not_found);
    tcase_add_test(tcase, a_deleted_agent_is_gone_and_its_calls_disallowed);
    tcase_add_test(tcase, pages_have_every_agent_once_newest_first);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
