/*
 * test_calls.c - making, reading, listing and cancelling calls, against a real server.
 */
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct call_fixture f;

static void setup(void)
{
    call_fixture_setup(&f, "calls", NULL);
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static struct call_made made(const struct credential *who, const char *number, const char *key)
{
    struct call_request request = call_fixture_request(&f.agent_id, number);
    struct call_made result;
    struct err err;
    ck_ok(call_fixture_create(&f, f.store.db, who, &request, key, &result, &err), &err);
    return result;
}

static enum err_code refused(const struct credential *who, const struct id *agent_id,
                             const char *number, const char *key)
{
    struct call_request request = call_fixture_request(agent_id, number);
    struct call_made result;
    struct err err;
    err_clear(&err);
    ck_assert_int_eq(call_fixture_create(&f, f.store.db, who, &request, key, &result, &err), -1);
    return err.code;
}

START_TEST(a_call_is_scheduled_and_due_now)
{
    struct call_made call = made(&f.live, "+919876543210", NULL);
    ck_assert_int_eq(call.status, CALL_SCHEDULED);
    ck_assert(call.due_now);
    ck_assert_str_eq(call_fixture_column(&f, "status"), "scheduled");
}
END_TEST

START_TEST(a_start_delay_puts_it_off)
{
    store_script(f.store.db, "UPDATE agents SET start_delay_seconds = 60");
    ck_assert(!made(&f.live, "+919876543210", NULL).due_now);
    ck_assert_str_eq(call_fixture_column(&f, "TIMESTAMPDIFF(SECOND, created_at, due_at)"), "60");
}
END_TEST

START_TEST(an_unknown_key_is_unauthorized)
{
    struct credential nobody = {{1}};
    ck_assert_int_eq(refused(&nobody, &f.agent_id, "+919876543210", NULL), ERR_UNAUTHORIZED);
}
END_TEST

START_TEST(a_revoked_key_is_unauthorized)
{
    store_script(f.store.db, "UPDATE api_keys SET revoked_at = NOW(6)");
    ck_assert_int_eq(refused(&f.live, &f.agent_id, "+919876543210", NULL), ERR_UNAUTHORIZED);
}
END_TEST

START_TEST(a_key_without_the_scope_is_forbidden)
{
    store_script(f.store.db, "UPDATE api_keys SET scopes = 2");
    ck_assert_int_eq(refused(&f.live, &f.agent_id, "+919876543210", NULL), ERR_FORBIDDEN);
}
END_TEST

START_TEST(another_workspaces_agent_is_not_found)
{
    ck_assert_int_eq(refused(&f.live, &f.other_agent_id, "+919876543210", NULL), ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_same_key_and_request_give_the_first_call_again)
{
    struct call_made first = made(&f.live, "+919876543210", "k");
    struct call_made second = made(&f.live, "+919876543210", "k");
    ck_assert(!first.replayed);
    ck_assert(second.replayed);
    ck_assert(id_eq(&first.call_id, &second.call_id));
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM calls"), "1");
}
END_TEST

START_TEST(the_same_key_and_another_request_are_refused)
{
    made(&f.live, "+919876543210", "k");
    ck_assert_int_eq(refused(&f.live, &f.agent_id, "+919876543211", "k"), ERR_KEY_REUSED);
}
END_TEST

START_TEST(keys_compare_byte_by_byte)
{
    made(&f.live, "+919876543210", "Key-A");
    ck_assert(!made(&f.live, "+919876543210", "key-a").replayed);
    ck_assert(!made(&f.live, "+919876543210", "Key-A ").replayed);
}
END_TEST

START_TEST(test_and_live_keys_are_apart)
{
    made(&f.live, "+919876543210", "k");
    ck_assert(!made(&f.test, "+919876543210", "k").replayed);
}
END_TEST

START_TEST(an_old_idempotency_key_is_free_again)
{
    struct call_made first = made(&f.live, "+919876543210", "k");
    store_script(f.store.db, "UPDATE calls SET created_at = NOW(6) - INTERVAL 25 HOUR");
    struct call_made second = made(&f.live, "+919876543211", "k");
    ck_assert(!id_eq(&first.call_id, &second.call_id));
    ck_assert_str_eq(
        store_ask(&f.store, "SELECT COUNT(*) FROM calls WHERE idempotency_key IS NOT NULL"), "1");
}
END_TEST

START_TEST(a_replay_comes_before_a_disabled_agent)
{
    made(&f.live, "+919876543210", "k");
    store_script(f.store.db, "UPDATE agents SET enabled = FALSE");
    struct call_made again = made(&f.live, "+919876543210", "k");
    ck_assert(again.replayed);
    ck_assert_int_eq(again.status, CALL_SCHEDULED);
}
END_TEST

static const struct {
    const char *change, *code;
} policies[] = {
    {"UPDATE agents SET enabled = FALSE", "agent_disabled"},
    {"UPDATE workspaces SET status = 'suspended'", "account_suspended"},
};

START_TEST(policy_makes_a_disallowed_call_with_its_event)
{
    store_script(f.store.db, policies[_i].change);
    struct call_made call = made(&f.live, "+919876543210", "k");
    ck_assert_int_eq(call.status, CALL_DISALLOWED);
    ck_assert_uint_eq(call.destination_count, 1);
    ck_assert_str_eq(call_fixture_column(&f, "error_code"), policies[_i].code);
    ck_assert_str_eq(store_ask(&f.store, "SELECT type, COUNT(d.delivery_id) FROM events "
                                         "JOIN deliveries d USING (event_id) GROUP BY type"),
                     "call.disallowed\t1");
    struct call_made again = made(&f.live, "+919876543210", "k");
    ck_assert_int_eq(again.status, CALL_DISALLOWED);
    ck_assert_int_eq(again.error, call.error);
    ck_assert_str_eq(call_error_code(again.error), policies[_i].code);
}
END_TEST

/* Each on a connection of its own, all at once. */
START_TEST(fifty_at_once_with_one_key_make_one_call)
{
    pid_t children[50];
    int failed = 0;
    for (int i = 0; i < 50; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct call_request request = call_fixture_request(&f.agent_id, "+919876543210");
            struct call_made result;
            struct err err;
            struct db *db = store_connect(&f.store);
            int status = call_fixture_create(&f, db, &f.live, &request, "k", &result, &err);
            db_destroy(&db);
            _exit(status == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < 50; i++) {
        int status;
        waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    ck_assert_int_eq(failed, 0);
    ck_assert_str_eq(store_ask(&f.store, "SELECT COUNT(*) FROM calls"), "1");
}
END_TEST

START_TEST(get_shows_what_was_written)
{
    struct call_made call = made(&f.test, "+919876543210", NULL);
    struct call_row row;
    struct err err;
    ck_ok(calls_get(f.store.db, f.store.pool, &f.workspace_id, &call.call_id, &row, &err), &err);
    ck_assert(str_is(row.contact_number, "+919876543210"));
    ck_assert(row.test);
    ck_assert(row.contact_name.p == NULL);
    ck_assert(row.completed_at == TIME_NONE);
    ck_assert_int_eq(row.duration_seconds, -1);
}
END_TEST

START_TEST(another_workspaces_call_is_not_found)
{
    struct call_made call = made(&f.live, "+919876543210", NULL);
    struct call_row row;
    struct err err;
    usec_t when;
    ck_assert_int_eq(
        calls_get(f.store.db, f.store.pool, &f.other_workspace_id, &call.call_id, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(calls_cancel(f.store.db, &f.other_workspace_id, &call.call_id, &when, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_second_cancel_gives_the_same_moment)
{
    struct call_made call = made(&f.live, "+919876543210", NULL);
    struct err err;
    usec_t first = 0, second = 1;
    ck_ok(calls_cancel(f.store.db, &f.workspace_id, &call.call_id, &first, &err), &err);
    ck_ok(calls_cancel(f.store.db, &f.workspace_id, &call.call_id, &second, &err), &err);
    ck_assert_int_eq(first, second);
}
END_TEST

START_TEST(what_is_fenced_is_not_cancelled)
{
    struct fenced_call call = call_fixture_fenced(&f);
    struct err err;
    usec_t when;
    ck_assert_int_eq(
        calls_cancel(f.store.db, &f.workspace_id, &call.placement.call_id, &when, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_CANCELLABLE);
}
END_TEST

START_TEST(what_is_cancelled_is_not_fenced)
{
    struct call_made call = made(&f.live, "+919876543210", NULL);
    struct fence_result result;
    struct err err;
    usec_t when;
    ck_ok(calls_cancel(f.store.db, &f.workspace_id, &call.call_id, &when, &err), &err);
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, CALL_ASK(&f, 10), &result, &err),
          &err);
    ck_assert_uint_eq(result.count, 0);
}
END_TEST

/* Pages of 3 over 10 calls, some made in the same microsecond: each once, newest first. */
START_TEST(a_list_shows_each_call_once_newest_first)
{
    for (int i = 0; i < 10; i++)
        made(&f.live, "+919876543210", NULL);
    store_script(f.store.db, "UPDATE calls SET created_at = '2026-01-01 00:00:00.000001' LIMIT 5");
    struct call_filter filter = {.contact_number = STR_NULL,
                                 .created_after = TIME_NONE,
                                 .created_before = TIME_NONE,
                                 .page.limit = 3};
    struct call_row *rows;
    size_t count, seen = 0;
    struct page_end end = {.more = true};
    struct err err;
    usec_t last = INT64_MAX;
    struct id last_id = {{0}};
    while (end.more) {
        ck_ok(calls_list(f.store.db, f.store.pool, &f.workspace_id, &filter, &rows, &count, &end,
                         &err),
              &err);
        for (size_t i = 0; i < count; i++) {
            bool after =
                rows[i].created_at < last ||
                (rows[i].created_at == last && memcmp(rows[i].call_id.b, last_id.b, 16) < 0);
            ck_assert(after);
            last = rows[i].created_at;
            last_id = rows[i].call_id;
        }
        seen += count;
        filter.page.from_cursor = true;
        filter.page.cursor = end.cursor;
    }
    ck_assert_uint_eq(seen, 10);
}
END_TEST

static size_t listed(struct call_filter filter)
{
    struct call_row *rows;
    struct page_end end;
    size_t count;
    struct err err;
    filter.page.limit = 100;
    ck_ok(calls_list(f.store.db, f.store.pool, &f.workspace_id, &filter, &rows, &count, &end, &err),
          &err);
    return count;
}

START_TEST(filters_choose)
{
    struct call_filter any = {.created_after = TIME_NONE, .created_before = TIME_NONE};
    struct call_made first = made(&f.live, "+919876543210", NULL);
    struct err err;
    usec_t when;
    made(&f.live, "+919876543211", NULL);
    ck_ok(calls_cancel(f.store.db, &f.workspace_id, &first.call_id, &when, &err), &err);

    struct call_filter filter = any;
    ck_assert_uint_eq(listed(filter), 2);
    filter.by_status = true;
    filter.status = CALL_CANCELLED;
    ck_assert_uint_eq(listed(filter), 1);
    filter.contact_number = STR("+919876543211");
    ck_assert_uint_eq(listed(filter), 0);
    filter.by_status = false;
    ck_assert_uint_eq(listed(filter), 1);
    filter = any;
    filter.by_agent = true;
    filter.agent_id = f.other_agent_id;
    ck_assert_uint_eq(listed(filter), 0);
    filter.agent_id = f.agent_id;
    ck_assert_uint_eq(listed(filter), 2);
    filter = any;
    filter.created_before = 1;
    ck_assert_uint_eq(listed(filter), 0);
    filter = any;
    filter.created_after = clock_wall() + 3600 * USEC_PER_S;
    ck_assert_uint_eq(listed(filter), 0);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("calls");
    TCase *tc = tcase_create("calls");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_call_is_scheduled_and_due_now);
    tcase_add_test(tc, a_start_delay_puts_it_off);
    tcase_add_test(tc, an_unknown_key_is_unauthorized);
    tcase_add_test(tc, a_revoked_key_is_unauthorized);
    tcase_add_test(tc, a_key_without_the_scope_is_forbidden);
    tcase_add_test(tc, another_workspaces_agent_is_not_found);
    tcase_add_test(tc, the_same_key_and_request_give_the_first_call_again);
    tcase_add_test(tc, the_same_key_and_another_request_are_refused);
    tcase_add_test(tc, keys_compare_byte_by_byte);
    tcase_add_test(tc, test_and_live_keys_are_apart);
    tcase_add_test(tc, an_old_idempotency_key_is_free_again);
    tcase_add_test(tc, a_replay_comes_before_a_disabled_agent);
    tcase_add_loop_test(tc, policy_makes_a_disallowed_call_with_its_event, 0,
                        (int)(sizeof policies / sizeof *policies));
    tcase_add_test(tc, fifty_at_once_with_one_key_make_one_call);
    tcase_add_test(tc, get_shows_what_was_written);
    tcase_add_test(tc, another_workspaces_call_is_not_found);
    tcase_add_test(tc, a_second_cancel_gives_the_same_moment);
    tcase_add_test(tc, what_is_fenced_is_not_cancelled);
    tcase_add_test(tc, what_is_cancelled_is_not_fenced);
    tcase_add_test(tc, a_list_shows_each_call_once_newest_first);
    tcase_add_test(tc, filters_choose);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
