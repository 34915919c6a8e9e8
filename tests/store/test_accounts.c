/*
 * test_accounts.c - what the operator makes and switches: workspaces, keys, agents, carriers,
 * webhook endpoints.
 */
#include "lib/rules/event.h"
#include "lib/rules/signature.h"
#include "sql/accounts.h"
#include "sql/agents.h"
#include "sql/carriers.h"
#include "sql/destinations.h"
#include "sql/ids.h"
#include "sql/usage.h"
#include "sql/workspaces.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct store s;
static struct err err;
static struct workspace_row one, two;

static void setup(void)
{
    store_setup(&s, "accounts", NULL);
    ck_ok(workspaces_create(s.db, STR("one"), &one, &err), &err);
    ck_ok(workspaces_create(s.db, STR("two"), &two, &err), &err);
}

static void teardown(void)
{
    store_teardown(&s);
}

/* ---- workspaces ---- */

START_TEST(workspaces_are_listed_in_the_order_they_were_made)
{
    struct workspace_row *rows;
    size_t count;

    ck_ok(workspaces_list(s.db, s.pool, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(id_eq(&rows[0].workspace_id, &one.workspace_id));
    ck_assert(str_is(rows[1].name, "two"));
    ck_assert(str_eq(rows[0].time_zone, one.time_zone));
    ck_assert_int_eq(rows[0].status, WORKSPACE_ACTIVE);
    ck_assert(rows[0].created_at == one.created_at);
}
END_TEST

START_TEST(status_is_set_again_without_error)
{
    struct id nobody = id_new();

    for (int i = 0; i < 2; i++)
        ck_ok(workspaces_set_status(s.db, &one.workspace_id, WORKSPACE_SUSPENDED, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT GROUP_CONCAT(status ORDER BY name) FROM workspaces"),
                     "suspended,active");
    ck_assert_int_eq(workspaces_set_status(s.db, &nobody, WORKSPACE_ACTIVE, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(workspaces_exists(s.db, &nobody, &err), 0);
    ck_assert_int_eq(workspaces_exists(s.db, &one.workspace_id, &err), 1);
}
END_TEST

/* ---- keys ---- */

START_TEST(scopes)
{
    static const struct {
        const char *text;
        unsigned scopes; /* 0: refused */
        const char *back;
    } cases[] = {{"calls", SCOPE_CALLS, "calls"},
                 {"manage", SCOPE_MANAGE, "manage"},
                 {"manage, calls", SCOPE_ALL, "calls,manage"},
                 {"calls,calls", SCOPE_CALLS, "calls"},
                 {"", 0, ""},
                 {"all", 0, ""},
                 {"calls,", 0, ""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned mask;
        char text[SCOPES_TEXT_SIZE];
        int result = scopes_parse(str_of(cases[i].text), &mask, &err);
        ck_assert_msg(result == (cases[i].scopes != 0 ? 0 : -1), "'%s'", cases[i].text);
        if (result < 0)
            continue;
        ck_assert_uint_eq(mask, cases[i].scopes);
        scopes_format(mask, text);
        ck_assert_str_eq(text, cases[i].back);
    }
}
END_TEST

/* The scopes that it gives, or -1. */
static int check_credential(const char *key)
{
    struct credential credential;
    struct principal principal;

    crypto_sha256(str_of(key), credential.key_hash);
    if (credentials_read(s.db, &credential, &principal, &err) < 0) {
        ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
        return -1;
    }
    ck_assert(id_eq(&principal.workspace_id, &one.workspace_id));
    ck_assert(principal.active);
    return (int)principal.scopes;
}

START_TEST(key_is_good_until_it_is_revoked)
{
    struct api_key_new new_key = {
        .workspace_id = one.workspace_id, .name = STR("ci"), .test = true, .scopes = SCOPE_CALLS};
    struct api_key_row *rows;
    struct id key_id;
    size_t count;
    char key[API_KEY_TEXT_SIZE];

    ck_ok(api_keys_create(s.db, &new_key, &key_id, key, &err), &err);
    ck_assert_uint_eq(strlen(key), API_KEY_TEXT_SIZE - 1);
    ck_assert_int_eq(strncmp(key, "sk_test_", 8), 0);
    ck_assert_int_eq(check_credential(key), SCOPE_CALLS);
    ck_assert_str_eq(store_ask(&s, pool_printf(s.pool,
                                               "SELECT COUNT(*) FROM api_keys WHERE "
                                               "secret_hash = UNHEX(SHA2('%s', 256))",
                                               key)),
                     "1");
    for (int i = 0; i < 2; i++)
        ck_ok(api_keys_revoke(s.db, &key_id, &err), &err);
    ck_assert_int_eq(check_credential(key), -1);
    ck_ok(api_keys_list(s.db, s.pool, &one.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(rows[0].revoked_at != TIME_NONE);
    ck_assert(rows[0].last_used_at != TIME_NONE);
    ck_assert_uint_eq(rows[0].prefix.n, API_KEY_PREFIX);
    ck_assert_int_eq(memcmp(rows[0].prefix.p, key, API_KEY_PREFIX), 0);
    ck_assert(rows[0].test);
    ck_ok(api_keys_list(s.db, s.pool, &two.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(key_of_nobody_is_not_made)
{
    struct api_key_new new_key = {.workspace_id = id_new(), .name = STR(""), .scopes = SCOPE_ALL};
    struct id key_id;
    char key[API_KEY_TEXT_SIZE];

    ck_assert_int_eq(api_keys_create(s.db, &new_key, &key_id, key, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(api_keys_revoke(s.db, &key_id, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(own_keys_are_read_in_pages_and_revoked)
{
    struct api_key_new new_key = {
        .workspace_id = one.workspace_id, .name = STR("k"), .scopes = SCOPE_CALLS};
    struct api_key_filter filter = {.revoked = -1, .page.limit = 2};
    struct api_key_row *rows, row;
    struct page_end end;
    struct id key_id;
    size_t count, seen = 0;
    char key[API_KEY_TEXT_SIZE];

    for (int i = 0; i < 3; i++)
        ck_ok(api_keys_create(s.db, &new_key, &key_id, key, &err), &err);
    do {
        ck_ok(api_keys_page(s.db, s.pool, &one.workspace_id, &filter, &rows, &count, &end, &err),
              &err);
        seen += count;
        filter.page.from_cursor = true;
        filter.page.cursor = end.cursor;
    } while (end.more);
    ck_assert_uint_eq(seen, 3);
    ck_assert_int_eq(api_keys_get(s.db, s.pool, &two.workspace_id, &key_id, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(api_keys_revoke_own(s.db, &two.workspace_id, &key_id, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(api_keys_revoke_own(s.db, &one.workspace_id, &key_id, &err), &err);
    ck_ok(api_keys_get(s.db, s.pool, &one.workspace_id, &key_id, &row, &err), &err);
    ck_assert(row.revoked_at != TIME_NONE);
    ck_assert_int_eq(row.rate_per_minute, 0);
    filter = (struct api_key_filter){.revoked = 1, .page.limit = 2};
    ck_ok(api_keys_page(s.db, s.pool, &one.workspace_id, &filter, &rows, &count, &end, &err), &err);
    ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(workspace_is_changed_by_what_is_given)
{
    struct workspace_settings set = {.name = STR("new"), .holidays = STR("2026-01-26")};
    struct workspace_view view;
    struct usage_day days[2];

    ck_ok(workspaces_change(s.db, &one.workspace_id, &set, 1u << WORKSPACE_HOLIDAYS, &err), &err);
    ck_ok(workspaces_get(s.db, s.pool, &one.workspace_id, &view, &err), &err);
    ck_assert(str_is(view.set.name, "one"));
    ck_assert(str_is(view.set.holidays, "2026-01-26"));
    ck_assert_int_eq(view.set.retention_days, 90);
    ck_assert_int_eq(view.set.calling_hours.to_minute, 1260);
    ck_assert_int_eq(view.status, WORKSPACE_ACTIVE);
    ck_ok(usage_read(s.db, &one.workspace_id, 19000, 2, days, &err), &err);
    ck_assert_int_eq(days[0].calls + days[1].events, 0);
}
END_TEST

/* ---- carriers and agents ---- */

static struct carrier_row new_carrier(enum carrier_kind kind, struct str *secret)
{
    struct carrier_row row = {.workspace_id = one.workspace_id,
                              .kind = kind,
                              .name = STR("c"),
                              .url = kind == CARRIER_HTTP ? STR("https://x.test/") : STR("")};

    ck_ok(carriers_create(s.db, s.pool, s.keys, &row, STR_NULL, secret, &err), &err);
    return row;
}

START_TEST(carrier_secret_is_sealed_and_opens)
{
    struct str secret, sealed, opened;
    struct carrier_row row = new_carrier(CARRIER_HTTP, &secret);
    const char *hex = store_ask(&s, "SELECT HEX(secret) FROM carriers");

    ck_assert_int_eq(secret_check(secret, "secret", &err), 0);
    sealed.n = strlen(hex) / 2;
    sealed.p = pool_alloc(s.pool, sealed.n);
    ck_assert_int_eq(hex_decode(str_of(hex), (char *)(uintptr_t)sealed.p, sealed.n), 0);
    ck_assert_ptr_null(memmem(sealed.p, sealed.n, secret.p, secret.n));
    ck_ok(carrier_secret(s.keys, row.kind, &row.carrier_id, sealed, s.pool, &opened, &err), &err);
    ck_assert(str_eq(opened, secret));
}
END_TEST

START_TEST(carriers_are_listed)
{
    struct carrier_row *rows;
    struct str secret;
    size_t count;

    new_carrier(CARRIER_HTTP, &secret);
    new_carrier(CARRIER_SIMULATOR, &secret);
    ck_assert_ptr_null(secret.p);
    ck_ok(carriers_list(s.db, s.pool, NULL, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(rows[0].kind, CARRIER_HTTP);
    ck_assert(str_is(rows[0].url, "https://x.test/"));
    ck_assert_int_eq(rows[1].kind, CARRIER_SIMULATOR);
}
END_TEST

static struct agent_row agent_of(const struct workspace_row *workspace)
{
    struct agent_row row = {.workspace_id = workspace->workspace_id};

    agent_settings_init(&row.set);
    row.set.name = STR("a");
    row.set.prompt = STR("be brief");
    row.set.greeting = STR("hello");
    row.set.from_number = STR("+911234567890");
    row.set.start_delay_seconds = 1;
    row.set.ring_timeout_seconds = 2;
    row.set.max_duration_seconds = 3;
    row.set.redial_on_unknown = true;
    return row;
}

START_TEST(agent_comes_back_as_it_was_made)
{
    struct str secret;
    struct carrier_row carrier = new_carrier(CARRIER_HTTP, &secret);
    struct agent_row row = agent_of(&one), *rows;
    size_t count;

    row.set.carrier_id = carrier.carrier_id;
    ck_ok(agents_create(s.db, &row, &err), &err);
    ck_ok(agents_list(s.db, s.pool, &one.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(id_eq(&rows[0].agent_id, &row.agent_id));
    ck_assert(id_eq(&rows[0].set.carrier_id, &carrier.carrier_id));
    ck_assert(str_is(rows[0].set.prompt, "be brief"));
    ck_assert(str_is(rows[0].set.greeting, "hello"));
    ck_assert(str_is(rows[0].set.from_number, "+911234567890"));
    ck_assert_int_eq(rows[0].set.start_delay_seconds, 1);
    ck_assert_int_eq(rows[0].set.ring_timeout_seconds, 2);
    ck_assert_int_eq(rows[0].set.max_duration_seconds, 3);
    ck_assert(rows[0].set.enabled && rows[0].set.redial_on_unknown);
    ck_assert(rows[0].created_at == row.created_at);
    ck_ok(agents_list(s.db, s.pool, &two.workspace_id, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(agent_takes_no_carrier_of_another_workspace)
{
    struct str secret;
    struct carrier_row carrier = new_carrier(CARRIER_HTTP, &secret);
    struct agent_row row = agent_of(&two);

    row.set.carrier_id = carrier.carrier_id;
    ck_assert_int_eq(agents_create(s.db, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "carrier"));
    row.workspace_id = id_new();
    ck_assert_int_eq(agents_create(s.db, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "workspace"));
}
END_TEST

START_TEST(agent_is_switched)
{
    struct agent_row row = agent_of(&one);
    struct id nobody = id_new();

    ck_ok(agents_create(s.db, &row, &err), &err);
    for (int i = 0; i < 2; i++)
        ck_ok(agents_set_enabled(s.db, &row.agent_id, false, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT enabled FROM agents"), "0");
    ck_ok(agents_set_enabled(s.db, &row.agent_id, true, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT enabled FROM agents"), "1");
    ck_assert_int_eq(agents_set_enabled(s.db, &nobody, true, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

/* ---- webhook endpoints ---- */

static struct endpoint_row new_endpoint(struct str given, struct str *secret)
{
    struct endpoint_row row = {.workspace_id = one.workspace_id,
                               .url = STR("https://x.test/hook"),
                               .description = STR("d"),
                               .events = 1u << EVENT_CALL_FAILED,
                               .timeout_seconds = 7,
                               .max_in_flight = 8};

    ck_ok(endpoints_create(s.db, s.pool, s.keys, &row, given, secret, &err), &err);
    return row;
}

/* The secret in this column, in clear; STR_NULL: NULL. */
static struct str stored_secret(const struct id *id, const char *column)
{
    const char *hex = store_ask(
        &s, pool_printf(s.pool, "SELECT COALESCE(HEX(%s), '') FROM destinations", column));
    size_t n = strlen(hex) / 2;
    char *sealed = pool_alloc(s.pool, n + 1);
    struct str opened;

    if (n == 0)
        return STR_NULL;
    ck_assert_int_eq(hex_decode(str_of(hex), sealed, n), 0);
    ck_ok(secret_open(s.keys, id, (struct str){sealed, n}, s.pool, &opened, &err), &err);
    return opened;
}

START_TEST(endpoint_comes_back_as_it_was_made)
{
    struct str secret;
    struct endpoint_row row = new_endpoint(STR_NULL, &secret), *rows;
    size_t count;

    ck_assert_int_eq(secret_check(secret, "secret", &err), 0);
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "secret"), secret));
    ck_ok(endpoints_list(s.db, s.pool, NULL, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(id_eq(&rows[0].endpoint_id, &row.endpoint_id));
    ck_assert(str_is(rows[0].url, "https://x.test/hook"));
    ck_assert(str_is(rows[0].description, "d"));
    ck_assert_uint_eq(rows[0].events, 1u << EVENT_CALL_FAILED);
    ck_assert_int_eq(rows[0].timeout_seconds, 7);
    ck_assert_int_eq(rows[0].max_in_flight, 8);
    ck_assert_int_eq(rows[0].status, DESTINATION_ENABLED);
    ck_assert(rows[0].held_until == TIME_NONE);
    ck_assert_ptr_null(rows[0].status_reason.p);
}
END_TEST

START_TEST(given_secret_is_kept)
{
    struct str given = STR("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"), secret;
    struct endpoint_row row = new_endpoint(given, &secret);

    ck_assert(str_eq(secret, given));
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "secret"), given));
}
END_TEST

START_TEST(rotation_keeps_the_old_secret_for_the_grace)
{
    struct str first, second, third;
    struct endpoint_row row = new_endpoint(STR_NULL, &first);
    usec_t until;

    ck_ok(endpoints_rotate_secret(s.db, s.pool, s.keys, NULL, &row.endpoint_id, STR_NULL,
                                  3600 * USEC_PER_S, &second, &until, &err),
          &err);
    ck_assert(!str_eq(first, second));
    ck_assert(until > row.created_at + 3599 * USEC_PER_S);
    ck_assert(until < clock_wall() + 3660 * USEC_PER_S);
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "secret"), second));
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "previous_secret"), first));
    ck_ok(endpoints_rotate_secret(s.db, s.pool, s.keys, NULL, &row.endpoint_id, STR_NULL, 0, &third,
                                  &until, &err),
          &err);
    ck_assert(until == TIME_NONE);
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "secret"), third));
    ck_assert_ptr_null(stored_secret(&row.endpoint_id, "previous_secret").p);
    row.endpoint_id = id_new();
    ck_assert_int_eq(endpoints_rotate_secret(s.db, s.pool, s.keys, NULL, &row.endpoint_id, STR_NULL,
                                             0, &third, &until, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

/* As after a commit whose answer was lost: what is there already is not rotated to again, though it
 * is sealed otherwise each time. */
START_TEST(a_rotation_to_the_secret_that_is_there_changes_nothing)
{
    const struct str given = STR("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    struct str first, second;
    struct endpoint_row row = new_endpoint(STR_NULL, &first);
    usec_t until, again;

    ck_ok(endpoints_rotate_secret(s.db, s.pool, s.keys, NULL, &row.endpoint_id, given,
                                  3600 * USEC_PER_S, &second, &until, &err),
          &err);
    ck_ok(endpoints_rotate_secret(s.db, s.pool, s.keys, NULL, &row.endpoint_id, given,
                                  3600 * USEC_PER_S, &second, &again, &err),
          &err);
    ck_assert(str_eq(second, given));
    ck_assert_int_eq(until, again);
    ck_assert(str_eq(stored_secret(&row.endpoint_id, "previous_secret"), first));
}
END_TEST

static const char *status_of_endpoint(void)
{
    return store_ask(&s, "SELECT status, failures, held_until IS NULL, "
                         "COALESCE(status_reason, '-') FROM destinations");
}

START_TEST(endpoint_is_switched)
{
    struct str secret;
    struct endpoint_row row = new_endpoint(STR_NULL, &secret);
    const struct id *id = &row.endpoint_id;

    store_ask(&s, "UPDATE destinations SET failures = 5, held_until = NOW(6), hold_wait_ms = 9");
    ck_ok(endpoints_pause(s.db, NULL, id, &err), &err);
    ck_ok(endpoints_pause(s.db, NULL, id, &err), &err);
    ck_assert_str_eq(status_of_endpoint(), "paused\t5\t0\t-");
    ck_ok(endpoints_resume(s.db, NULL, id, &err), &err);
    ck_assert_str_eq(status_of_endpoint(), "enabled\t5\t0\t-");
    ck_ok(endpoints_disable(s.db, NULL, id, STR("gone"), &err), &err);
    ck_assert_str_eq(status_of_endpoint(), "disabled\t5\t0\tgone");
    ck_assert_int_eq(endpoints_resume(s.db, NULL, id, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_int_eq(endpoints_pause(s.db, NULL, id, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_ok(endpoints_enable(s.db, NULL, id, &err), &err);
    ck_assert_str_eq(status_of_endpoint(), "enabled\t0\t1\t-");
}
END_TEST

START_TEST(deleted_and_unknown_endpoints_are_not_found)
{
    struct str secret;
    struct endpoint_row row = new_endpoint(STR_NULL, &secret), *rows;
    struct id ids[2] = {row.endpoint_id, id_new()};
    size_t count;

    store_ask(&s, "UPDATE destinations SET status = 'deleted'");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(endpoints_enable(s.db, NULL, &ids[i], &err), -1);
        ck_assert_int_eq(err.code, ERR_NOT_FOUND);
        ck_assert_int_eq(endpoints_disable(s.db, NULL, &ids[i], STR("x"), &err), -1);
        ck_assert_int_eq(err.code, ERR_NOT_FOUND);
        ck_assert_int_eq(endpoints_pause(s.db, NULL, &ids[i], &err), -1);
        ck_assert_int_eq(err.code, ERR_NOT_FOUND);
        ck_assert_int_eq(endpoints_resume(s.db, NULL, &ids[i], &err), -1);
        ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    }
    ck_ok(endpoints_list(s.db, s.pool, NULL, &rows, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("accounts");
    TCase *made = tcase_create("operator");
    tcase_add_checked_fixture(made, setup, teardown);
    tcase_set_timeout(made, 60);
    tcase_add_test(made, workspaces_are_listed_in_the_order_they_were_made);
    tcase_add_test(made, status_is_set_again_without_error);
    tcase_add_test(made, scopes);
    tcase_add_test(made, key_is_good_until_it_is_revoked);
    tcase_add_test(made, key_of_nobody_is_not_made);
    tcase_add_test(made, own_keys_are_read_in_pages_and_revoked);
    tcase_add_test(made, workspace_is_changed_by_what_is_given);
    tcase_add_test(made, carrier_secret_is_sealed_and_opens);
    tcase_add_test(made, carriers_are_listed);
    tcase_add_test(made, agent_comes_back_as_it_was_made);
    tcase_add_test(made, agent_takes_no_carrier_of_another_workspace);
    tcase_add_test(made, agent_is_switched);
    tcase_add_test(made, endpoint_comes_back_as_it_was_made);
    tcase_add_test(made, given_secret_is_kept);
    tcase_add_test(made, rotation_keeps_the_old_secret_for_the_grace);
    tcase_add_test(made, a_rotation_to_the_secret_that_is_there_changes_nothing);
    tcase_add_test(made, endpoint_is_switched);
    tcase_add_test(made, deleted_and_unknown_endpoints_are_not_found);
    suite_add_tcase(suite, made);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
