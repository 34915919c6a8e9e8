/*
 * test_hooks.c - inbound hooks: their tokens, their secrets, and what is told to whom.
 */
#include "sql/accounts.h"
#include "sql/agents.h"
#include "sql/hooks.h"
#include "sql/ids.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct store s;
static struct err err;
static struct workspace_row one, two;

static void setup(void)
{
    store_setup(&s, "hooks", NULL);
    ck_ok(workspaces_create(s.db, STR("one"), &one, &err), &err);
    ck_ok(workspaces_create(s.db, STR("two"), &two, &err), &err);
}

static void teardown(void)
{
    store_teardown(&s);
}

static struct hook_row made(const struct workspace_row *workspace, struct str secret,
                            char token[HOOK_TOKEN_TEXT_SIZE])
{
    struct hook_change hook = {
        .set_name = true, .set_secret = true, .name = STR("crm"), .secret = secret};
    struct hook_row row = {.workspace_id = workspace->workspace_id};
    ck_ok(hooks_create(s.db, s.pool, s.keys, &hook, &row, token, &err), &err);
    return row;
}

static int facts_by(const char *token, struct hook_facts *facts)
{
    unsigned char hash[SHA256_SIZE];
    crypto_sha256(str_of(token), hash);
    return hooks_facts(s.db, s.pool, hash, facts, &err);
}

static bool good(const char *token)
{
    struct hook_facts facts;
    if (facts_by(token, &facts) == 0)
        return true;
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_str_eq(err.message, "No such inbound hook.");
    return false;
}

START_TEST(a_hook_comes_back_as_it_was_made)
{
    char token[HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR_NULL, token), read;

    ck_assert_uint_eq(strlen(token), HOOK_TOKEN_TEXT_SIZE - 1);
    ck_assert_int_eq(strncmp(token, "tok_", 4), 0);
    ck_ok(hooks_get(s.db, s.pool, &one.workspace_id, &row.hook_id, &read, &err), &err);
    ck_assert(id_eq(&read.workspace_id, &one.workspace_id));
    ck_assert(str_is(read.name, "crm"));
    ck_assert(!read.is_signed);
    ck_assert_int_eq(read.status, HOOK_ENABLED);
    ck_assert_uint_eq(read.hint.n, HOOK_HINT);
    ck_assert_int_eq(memcmp(read.hint.p, token, HOOK_HINT), 0);
    ck_assert(read.previous_until == TIME_NONE && read.last_used_at == TIME_NONE);
    ck_assert_str_eq(store_ask(&s, pool_printf(s.pool,
                                               "SELECT COUNT(*) FROM inbound_hook_tokens WHERE "
                                               "token_hash = UNHEX(SHA2('%s', 256))",
                                               token)),
                     "1");
}
END_TEST

START_TEST(a_hook_of_no_workspace_is_not_made)
{
    struct hook_change hook = {.set_name = true, .name = STR("x")};
    struct hook_row row = {.workspace_id = id_new()};
    char token[HOOK_TOKEN_TEXT_SIZE];

    ck_assert_int_eq(hooks_create(s.db, s.pool, s.keys, &hook, &row, token, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM inbound_hook_tokens"), "0");
}
END_TEST

START_TEST(a_token_stands_for_its_workspace_and_marks_the_use)
{
    char token[HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR_NULL, token);
    struct hook_facts facts;

    ck_ok(facts_by(token, &facts), &err);
    ck_assert(id_eq(&facts.who.workspace_id, &one.workspace_id));
    ck_assert(id_eq(&facts.who.hook_id, &row.hook_id));
    ck_assert_uint_eq(facts.who.scopes, SCOPE_CALLS);
    ck_assert(facts.who.active && !facts.who.test);
    ck_assert_uint_eq(facts.secret_length, 0);
    ck_assert(facts.ends_in == TIME_NONE);
    const char *used = store_ask(&s, "SELECT last_used_at FROM inbound_hooks");
    ck_assert_str_ne(used, "NULL");
    ck_ok(facts_by(token, &facts), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT last_used_at FROM inbound_hooks"), used);
    store_script(s.db, "UPDATE inbound_hooks SET last_used_at = NOW(6) - INTERVAL 61 SECOND");
    ck_ok(facts_by(token, &facts), &err);
    ck_assert_str_eq(
        store_ask(&s, "SELECT last_used_at > NOW(6) - INTERVAL 30 SECOND FROM inbound_hooks"), "1");
    ck_ok(workspaces_set_status(s.db, &one.workspace_id, WORKSPACE_SUSPENDED, &err), &err);
    ck_ok(facts_by(token, &facts), &err);
    ck_assert(!facts.who.active);
    store_script(s.db, "UPDATE workspaces SET rate_per_minute = 77");
    ck_ok(facts_by(token, &facts), &err);
    ck_assert_int_eq(facts.who.rates.workspace, 77);
}
END_TEST

START_TEST(a_secret_is_sealed_opens_changes_and_goes)
{
    char token[HOOK_TOKEN_TEXT_SIZE];
    struct str secret = STR("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), opened;
    struct hook_row row = made(&one, secret, token);
    struct hook_facts facts;

    ck_assert(row.is_signed);
    ck_assert_str_eq(store_ask(&s, "SELECT LOCATE('whsec_', signing_secret) FROM inbound_hooks"),
                     "0");
    ck_ok(facts_by(token, &facts), &err);
    ck_ok(hooks_secret(s.keys, &facts, s.pool, &opened, &err), &err);
    ck_assert(str_eq(opened, secret));

    struct hook_change change = {.set_name = true, .name = STR("new")};
    ck_ok(hooks_change(s.db, s.pool, s.keys, &one.workspace_id, &row.hook_id, &change, &err), &err);
    ck_ok(facts_by(token, &facts), &err);
    ck_assert_uint_gt(facts.secret_length, 0);
    change = (struct hook_change){.set_secret = true, .secret = STR_NULL};
    ck_ok(hooks_change(s.db, s.pool, s.keys, &one.workspace_id, &row.hook_id, &change, &err), &err);
    ck_ok(facts_by(token, &facts), &err);
    ck_assert_uint_eq(facts.secret_length, 0);
    ck_ok(hooks_get(s.db, s.pool, NULL, &row.hook_id, &row, &err), &err);
    ck_assert(str_is(row.name, "new") && !row.is_signed);
}
END_TEST

START_TEST(the_longest_secret_fits)
{
    char secret[SECRET_TEXT_SIZE] = "whsec_", token[HOOK_TOKEN_TEXT_SIZE];
    unsigned char key[64] = {0};
    struct hook_facts facts;
    struct str opened;

    base64_encode(key, sizeof key, secret + 6);
    ck_ok(secret_check(str_of(secret), "secret", &err), &err);
    made(&one, str_of(secret), token);
    ck_ok(facts_by(token, &facts), &err);
    ck_ok(hooks_secret(s.keys, &facts, s.pool, &opened, &err), &err);
    ck_assert(str_is(opened, secret));
}
END_TEST

START_TEST(a_rotation_without_grace_leaves_one_token)
{
    char first[HOOK_TOKEN_TEXT_SIZE], second[HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR_NULL, first);

    ck_ok(hooks_rotate(s.db, &one.workspace_id, &row.hook_id, 0, second, &err), &err);
    ck_assert(!good(first));
    ck_assert(good(second));
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM inbound_hook_tokens"), "1");
}
END_TEST

START_TEST(a_grace_keeps_older_tokens_and_never_longer_than_before)
{
    char token[4][HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR_NULL, token[0]);
    struct hook_facts facts;

    ck_ok(hooks_rotate(s.db, NULL, &row.hook_id, 60 * USEC_PER_S, token[1], &err), &err);
    ck_ok(hooks_rotate(s.db, NULL, &row.hook_id, HOOK_GRACE_MAX, token[2], &err), &err);
    ck_ok(facts_by(token[0], &facts), &err);
    ck_assert(facts.ends_in > 0 && facts.ends_in <= 60 * USEC_PER_S);
    ck_ok(facts_by(token[1], &facts), &err);
    ck_assert(facts.ends_in > 60 * USEC_PER_S && facts.ends_in <= HOOK_GRACE_MAX);
    ck_assert(good(token[2]));
    ck_ok(hooks_get(s.db, s.pool, NULL, &row.hook_id, &row, &err), &err);
    ck_assert(row.previous_until > clock_wall() + HOOK_GRACE_MAX - 60 * USEC_PER_S);
    ck_assert_int_eq(memcmp(row.hint.p, token[2], HOOK_HINT), 0);
    store_script(s.db,
                 "UPDATE inbound_hook_tokens SET expires_at = NOW(6) - INTERVAL 1 MICROSECOND "
                 "WHERE expires_at < NOW(6) + INTERVAL 2 MINUTE");
    ck_assert(!good(token[0]));
    ck_ok(hooks_rotate(s.db, NULL, &row.hook_id, 0, token[3], &err), &err);
    ck_assert(!good(token[1]) && !good(token[2]) && good(token[3]));
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM inbound_hook_tokens"), "1");
}
END_TEST

START_TEST(disabled_and_deleted_hooks_have_no_url)
{
    char token[HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), token);
    const struct id *workspace_id = &one.workspace_id;

    for (int i = 0; i < 2; i++)
        ck_ok(hooks_switch(s.db, workspace_id, &row.hook_id, HOOK_DISABLED, &err), &err);
    ck_assert(!good(token));
    ck_ok(hooks_switch(s.db, workspace_id, &row.hook_id, HOOK_ENABLED, &err), &err);
    ck_assert(good(token));
    ck_ok(hooks_delete(s.db, workspace_id, &row.hook_id, &err), &err);
    ck_assert(!good(token));
    ck_assert_int_eq(hooks_delete(s.db, workspace_id, &row.hook_id, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(hooks_switch(s.db, workspace_id, &row.hook_id, HOOK_ENABLED, &err), -1);
    ck_assert_int_eq(hooks_get(s.db, s.pool, workspace_id, &row.hook_id, &row, &err), -1);
    ck_assert_str_eq(store_ask(&s, "SELECT status, signing_secret IS NULL FROM inbound_hooks"),
                     "deleted\t1");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM inbound_hook_tokens"), "0");
}
END_TEST

START_TEST(another_workspaces_hook_does_not_exist)
{
    char token[HOOK_TOKEN_TEXT_SIZE], other[HOOK_TOKEN_TEXT_SIZE];
    struct hook_row row = made(&one, STR_NULL, token), read;
    const struct id *mine = &two.workspace_id, *id = &row.hook_id;
    struct hook_change change = {.set_name = true, .name = STR("mine")};

    int results[] = {
        hooks_get(s.db, s.pool, mine, id, &read, &err),
        hooks_change(s.db, s.pool, s.keys, mine, id, &change, &err),
        hooks_switch(s.db, mine, id, HOOK_DISABLED, &err),
        hooks_rotate(s.db, mine, id, 0, other, &err),
        hooks_delete(s.db, mine, id, &err),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        ck_assert_int_eq(results[i], -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert(good(token));
    ck_assert_str_eq(store_ask(&s, "SELECT name FROM inbound_hooks"), "crm");
}
END_TEST

START_TEST(lists_go_from_the_newest_page_by_page)
{
    char token[HOOK_TOKEN_TEXT_SIZE];
    struct id made_ids[3];
    struct hook_row *rows;
    struct page page = {.limit = 2};
    struct page_end end;
    size_t count;

    for (int i = 0; i < 3; i++)
        made_ids[i] = made(&one, STR_NULL, token).hook_id;
    made(&two, STR_NULL, token);
    ck_ok(hooks_list(s.db, s.pool, &one.workspace_id, &page, &rows, &count, &end, &err), &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(end.more && id_eq(&rows[0].hook_id, &made_ids[2]));
    page = (struct page){.from_cursor = true, .cursor = end.cursor, .limit = 2};
    ck_ok(hooks_list(s.db, s.pool, &one.workspace_id, &page, &rows, &count, &end, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(!end.more && id_eq(&rows[0].hook_id, &made_ids[0]));
    ck_ok(hooks_list_operator(s.db, s.pool, NULL, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 4);
    ck_ok(hooks_list_operator(s.db, s.pool, &one.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 3);
    ck_assert(id_eq(&rows[0].hook_id, &made_ids[0]));
}
END_TEST

START_TEST(an_idempotency_key_of_hooks_is_not_the_apis)
{
    struct agent_row agent = {.workspace_id = one.workspace_id};
    struct agent_facts agent_facts;
    struct hook_facts facts;
    struct call_made first, again;
    char token[HOOK_TOKEN_TEXT_SIZE];

    made(&one, STR_NULL, token);
    agent_settings_init(&agent.set);
    agent.set.name = STR("a");
    ck_ok(agents_create(s.db, &agent, &err), &err);
    ck_ok(agents_facts(s.db, &agent.agent_id, &agent_facts, &err), &err);
    ck_ok(facts_by(token, &facts), &err);
    struct principal key = {
        .workspace_id = one.workspace_id, .key_id = id_new(), .scopes = SCOPE_ALL, .active = true};
    struct call_request request = {.agent_id = agent.agent_id,
                                   .contact_number = STR("+919876543210"),
                                   .scheduled_at = TIME_NONE,
                                   .expires_at = TIME_NONE};
    struct call_new call = {.who = &facts.who,
                            .agent = &agent_facts,
                            .request = &request,
                            .idempotency_key = STR("k"),
                            .idempotency_retention = 86400 * USEC_PER_S};
    call.call_id = id_new();
    ck_ok(calls_create(s.db, s.pool, &call, &first, &err), &err);
    call.call_id = id_new();
    ck_ok(calls_create(s.db, s.pool, &call, &again, &err), &err);
    ck_assert(again.replayed && id_eq(&again.call_id, &first.call_id));
    call.call_id = id_new();
    call.who = &key;
    ck_ok(calls_create(s.db, s.pool, &call, &again, &err), &err);
    ck_assert(!again.replayed);
    ck_assert_str_eq(store_ask(&s, "SELECT GROUP_CONCAT(origin ORDER BY origin) FROM calls"),
                     "api_live,hook");
}
END_TEST

START_TEST(statuses_are_the_columns)
{
    ck_assert_str_eq(store_ask(&s, "SELECT column_type FROM information_schema.columns "
                                   "WHERE table_schema = DATABASE() AND table_name = "
                                   "'inbound_hooks' AND column_name = 'status'"),
                     "enum('enabled','disabled','deleted')");
    ck_assert_str_eq(hook_status_text(HOOK_ENABLED), "enabled");
    ck_assert_str_eq(hook_status_text(HOOK_DELETED), "deleted");
    ck_assert_str_eq(hook_status_text(HOOK_STATUS_COUNT), "?");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("store-hooks");
    TCase *tc = tcase_create("hooks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_hook_comes_back_as_it_was_made);
    tcase_add_test(tc, a_hook_of_no_workspace_is_not_made);
    tcase_add_test(tc, a_token_stands_for_its_workspace_and_marks_the_use);
    tcase_add_test(tc, a_secret_is_sealed_opens_changes_and_goes);
    tcase_add_test(tc, the_longest_secret_fits);
    tcase_add_test(tc, a_rotation_without_grace_leaves_one_token);
    tcase_add_test(tc, a_grace_keeps_older_tokens_and_never_longer_than_before);
    tcase_add_test(tc, disabled_and_deleted_hooks_have_no_url);
    tcase_add_test(tc, another_workspaces_hook_does_not_exist);
    tcase_add_test(tc, lists_go_from_the_newest_page_by_page);
    tcase_add_test(tc, an_idempotency_key_of_hooks_is_not_the_apis);
    tcase_add_test(tc, statuses_are_the_columns);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
