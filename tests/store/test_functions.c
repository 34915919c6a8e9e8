/*
 * test_functions.c - functions of workflows in the database: their order, their names, their
 * destinations, what signs them, and their runs.
 */
#include "sql/agents.h"
#include "sql/erasure.h"
#include "sql/function_runs.h"
#include "sql/functions.h"
#include "sql/ids.h"
#include "sql/retention.h"
#include "sql/signing.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct call_fixture f;
static struct store *s;
static struct err err;

static void setup(void)
{
    call_fixture_setup(&f, "functions", NULL);
    s = &f.store;
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

static struct function described(const char *name, enum function_phase phase)
{
    return (struct function){.workspace_id = f.workspace_id,
                             .agent_id = f.agent_id,
                             .phase = (int)phase,
                             .name = str_of(name),
                             .description = STR("Looks up."),
                             .method = FUNCTION_PUT,
                             .url = STR("https://crm.example/{{contact.number}}"),
                             .headers = STR("{\"Authorization\":\"Bearer hush\"}"),
                             .body = STR("{\"a\":1}"),
                             .timeout_ms = 2500,
                             .retries = 1,
                             .on_error = ON_ERROR_ABORT,
                             .missing_fails = true,
                             .save = STR("{\"x\":\"$.x\"}"),
                             .when = WHEN_FAILED,
                             .say_while_running = STR("Wait"),
                             .say_on_error = STR("Sorry"),
                             .enabled = true};
}

static struct function made(const char *name, enum function_phase phase)
{
    struct function function = described(name, phase);
    ck_ok(functions_create(s->db, s->pool, s->keys, &function, &err), &err);
    return function;
}

static struct function got(const struct id *id)
{
    struct function function;
    ck_ok(functions_get(s->db, s->pool, s->keys, &f.workspace_id, id, &function, &err), &err);
    return function;
}

static const char *ask(const char *form, const struct id *id)
{
    char hex[33];
    hex_encode(id->b, sizeof(id->b), hex);
    return store_ask(s, pool_printf(s->pool, "%s UNHEX('%s')", form, hex));
}

static const char *order_of(enum function_phase phase)
{
    struct function *list;
    struct buf b;
    size_t count;

    ck_ok(functions_of_agent(s->db, s->pool, s->keys, &f.workspace_id, &f.agent_id, &list, &count,
                             &err),
          &err);
    buf_init(&b, 1000);
    for (size_t i = 0; i < count; i++) {
        if (list[i].phase == (int)phase)
            buf_printf(&b, "%.*s%d ", STR_ARG(list[i].name), (int)list[i].position);
    }
    const char *text = pool_dup(s->pool, b.data, b.len);
    buf_deinit(&b);
    return text;
}

START_TEST(a_function_comes_back_as_it_was_made)
{
    struct function made_one = made("look_up", PHASE_PRE_CALL), read = got(&made_one.function_id);

    ck_assert(id_eq(&read.agent_id, &f.agent_id));
    ck_assert_int_eq(read.phase, PHASE_PRE_CALL);
    ck_assert_int_eq(read.position, 0);
    ck_assert(str_is(read.name, "look_up") && str_is(read.description, "Looks up."));
    ck_assert_int_eq(read.method, FUNCTION_PUT);
    ck_assert(str_is(read.url, "https://crm.example/{{contact.number}}"));
    ck_assert(str_is(read.headers, "{\"Authorization\":\"Bearer hush\"}"));
    ck_assert(str_is(read.body, "{\"a\":1}") && str_is(read.save, "{\"x\":\"$.x\"}"));
    ck_assert(read.query.p == NULL && read.parameters.p == NULL);
    ck_assert_int_eq(read.timeout_ms, 2500);
    ck_assert_int_eq(read.retries, 1);
    ck_assert_int_eq(read.on_error, ON_ERROR_ABORT);
    ck_assert(read.missing_fails && read.enabled);
    ck_assert_int_eq(read.when, WHEN_FAILED);
    ck_assert(str_is(read.say_while_running, "Wait") && str_is(read.say_on_error, "Sorry"));
    ck_assert_str_eq(
        ask("SELECT LOCATE('hush', headers) FROM functions WHERE function_id =", &read.function_id),
        "0");
    ck_assert_str_eq(store_ask(s, "SELECT COUNT(*) FROM destinations WHERE kind = 'function'"),
                     "0");
}
END_TEST

START_TEST(names_are_of_one_agent_and_free_again)
{
    struct function one = made("a", PHASE_PRE_CALL), two = described("a", PHASE_POST_CALL);

    ck_assert_int_eq(functions_create(s->db, s->pool, s->keys, &two, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_str_eq(err.message, "The agent has a function named \"a\" already.");
    ck_ok(functions_delete(s->db, &f.workspace_id, &one.function_id, &err), &err);
    ck_ok(functions_create(s->db, s->pool, s->keys, &two, &err), &err);
    ck_assert_int_eq(functions_delete(s->db, &f.workspace_id, &one.function_id, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(what_is_another_workspaces_is_not_found)
{
    struct function function = made("a", PHASE_PRE_CALL), read, of_other = function;
    struct function *list;
    struct page_end end;
    size_t count;

    ck_assert_int_eq(functions_get(s->db, s->pool, s->keys, &f.other_workspace_id,
                                   &function.function_id, &read, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(functions_delete(s->db, &f.other_workspace_id, &function.function_id, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    of_other.workspace_id = f.other_workspace_id;
    of_other.name = STR("b");
    ck_assert_int_eq(functions_create(s->db, s->pool, s->keys, &of_other, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(functions_of_agent(s->db, s->pool, s->keys, &f.other_workspace_id, &f.agent_id, &list,
                             &count, &err),
          &err);
    ck_assert_uint_eq(count, 0);
    ck_ok(functions_page(s->db, s->pool, s->keys, &f.other_workspace_id,
                         &(struct page){.limit = 10}, &list, &count, &end, &err),
          &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_deleted_agent_takes_its_functions_along)
{
    struct function function = made("a", PHASE_PRE_CALL), read, *list;
    struct page_end end;
    size_t count;

    ck_ok(agents_delete(s->db, &f.workspace_id, &f.agent_id, &err), &err);
    ck_assert_int_eq(
        functions_get(s->db, s->pool, s->keys, &f.workspace_id, &function.function_id, &read, &err),
        -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(functions_page(s->db, s->pool, s->keys, &f.workspace_id, &(struct page){.limit = 10},
                         &list, &count, &end, &err),
          &err);
    ck_assert_uint_eq(count, 0);
}
END_TEST

static int move_to(struct function *function, void *ctx, struct err *e)
{
    (void)e;
    function->position = *(int64_t *)ctx;
    return 0;
}

static const struct {
    size_t moved;
    int64_t to;
    const char *order;
} moves[] = {
    {0, 2, "b0 c1 a2 d3 "}, {3, 0, "d0 a1 b2 c3 "}, {1, 1, "a0 b1 c2 d3 "},
    {1, 2, "a0 c1 b2 d3 "}, {2, 1, "a0 c1 b2 d3 "}, {0, 99, "b0 c1 d2 a3 "},
};

START_TEST(functions_are_moved)
{
    struct function functions[4];
    const char *names[] = {"a", "b", "c", "d"};
    int64_t to = moves[_i].to;

    made("other", PHASE_DURING_CALL);
    for (int i = 0; i < 4; i++)
        functions[i] = made(names[i], PHASE_PRE_CALL);
    ck_assert_str_eq(order_of(PHASE_PRE_CALL), "a0 b1 c2 d3 ");
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id,
                           &functions[moves[_i].moved].function_id, move_to, &to, &err),
          &err);
    ck_assert_str_eq(order_of(PHASE_PRE_CALL), moves[_i].order);
    ck_assert_str_eq(order_of(PHASE_DURING_CALL), "other0 ");
}
END_TEST

START_TEST(deleting_closes_the_gap)
{
    made("a", PHASE_PRE_CALL);
    struct function b = made("b", PHASE_PRE_CALL);
    made("c", PHASE_PRE_CALL);
    ck_ok(functions_delete(s->db, &f.workspace_id, &b.function_id, &err), &err);
    ck_assert_str_eq(order_of(PHASE_PRE_CALL), "a0 c1 ");
    made("d", PHASE_PRE_CALL);
    ck_assert_str_eq(order_of(PHASE_PRE_CALL), "a0 c1 d2 ");
}
END_TEST

START_TEST(an_agent_has_only_so_many)
{
    for (int i = 0; i < FUNCTIONS_PER_AGENT_MAX; i++)
        made(pool_printf(s->pool, "f%d", i), PHASE_PRE_CALL);
    struct function more = described("more", PHASE_PRE_CALL);
    ck_assert_int_eq(functions_create(s->db, s->pool, s->keys, &more, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
}
END_TEST

static int edit(struct function *function, void *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    function->url = STR("https://other.example/x?q={{info.q}}");
    function->when = WHEN_ALWAYS;
    function->enabled = false;
    function->headers = STR_NULL;
    return 0;
}

static int enable(struct function *function, void *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    function->enabled = true;
    return 0;
}

START_TEST(a_post_call_function_is_a_destination)
{
#define DESTINATION                                                                                \
    "SELECT kind, url, events, timeout_seconds, status, headers IS NULL, agent_id = "              \
    "(SELECT agent_id FROM functions f WHERE f.function_id = destination_id), failures "           \
    "FROM destinations WHERE destination_id ="
    struct function function = made("a", PHASE_POST_CALL), *list;
    const struct id *id = &function.function_id;
    size_t count;

    ck_assert_str_eq(ask(DESTINATION, id),
                     "function\thttps://crm.example/\t4\t3\tenabled\t0\t1\t0");
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id, id, edit, NULL, &err), &err);
    ck_assert_str_eq(ask(DESTINATION, id),
                     "function\thttps://other.example/x?q=\t6\t3\tdisabled\t1\t1\t0");
    ck_assert(!got(id).enabled && got(id).headers.p == NULL);
    ck_ok(functions_to_run(s->db, s->pool, s->keys, &f.agent_id, PHASE_POST_CALL, &list, &count,
                           &err),
          &err);
    ck_assert_uint_eq(count, 0);
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id, id, enable, NULL, &err), &err);
    ck_assert(got(id).enabled);
    /* what the dispatcher does to one that fails for ever */
    store_script(s->db, "UPDATE destinations SET status = 'disabled', failures = 20, "
                        "status_reason = 'it failed' WHERE kind = 'function'");
    ck_assert(!got(id).enabled);
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id, id, enable, NULL, &err), &err);
    ck_assert(got(id).enabled);
    ck_assert_str_eq(ask(DESTINATION, id),
                     "function\thttps://other.example/x?q=\t6\t3\tenabled\t1\t1\t0");
    ck_ok(functions_delete(s->db, &f.workspace_id, id, &err), &err);
    ck_assert_str_eq(ask("SELECT status FROM destinations WHERE destination_id =", id), "deleted");
}
END_TEST

START_TEST(functions_are_run_in_their_order)
{
    struct function *list;
    size_t count;

    made("a", PHASE_PRE_CALL);
    struct function b = made("b", PHASE_PRE_CALL);
    int64_t first = 0;
    made("c", PHASE_DURING_CALL);
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id, &b.function_id, move_to,
                           &first, &err),
          &err);
    ck_ok(
        functions_to_run(s->db, s->pool, s->keys, &f.agent_id, PHASE_PRE_CALL, &list, &count, &err),
        &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(str_is(list[0].name, "b") && str_is(list[1].name, "a"));
    ck_assert(str_is(list[0].headers, "{\"Authorization\":\"Bearer hush\"}"));
}
END_TEST

START_TEST(pages_go_on_where_they_ended)
{
    struct function *list;
    struct page page = {.limit = 2};
    struct page_end end;
    size_t count;

    made("a", PHASE_PRE_CALL);
    made("b", PHASE_PRE_CALL);
    made("c", PHASE_PRE_CALL);
    ck_ok(
        functions_page(s->db, s->pool, s->keys, &f.workspace_id, &page, &list, &count, &end, &err),
        &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(str_is(list[0].name, "c") && end.more);
    page = (struct page){.from_cursor = true, .cursor = end.cursor, .limit = 2};
    ck_ok(
        functions_page(s->db, s->pool, s->keys, &f.workspace_id, &page, &list, &count, &end, &err),
        &err);
    ck_assert_uint_eq(count, 1);
    ck_assert(str_is(list[0].name, "a") && !end.more);
}
END_TEST

static int other_headers(struct function *function, void *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    if (!function->headers_lost)
        return 0;
    function->headers = STR("{\"A\":\"new\"}");
    function->headers_lost = false;
    return 0;
}

START_TEST(headers_that_are_lost_are_kept_until_others_are_set)
{
    struct function function = made("a", PHASE_PRE_CALL);
    int64_t to = 0;

    store_script(s->db, "UPDATE functions SET headers = CONCAT(CHAR(1), REPEAT('x', 60))");
    ck_assert_int_eq(functions_change(s->db, s->pool, s->keys, &f.workspace_id,
                                      &function.function_id, move_to, &to, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_INTERNAL);
    ck_ok(functions_change(s->db, s->pool, s->keys, &f.workspace_id, &function.function_id,
                           other_headers, NULL, &err),
          &err);
    ck_assert(str_is(got(&function.function_id).headers, "{\"A\":\"new\"}"));
}
END_TEST

/* ---- what signs ---- */

static size_t secrets(struct str **list)
{
    size_t count;
    ck_ok(signing_secrets(s->db, s->pool, s->keys, &f.workspace_id, list, &count, &err), &err);
    return count;
}

START_TEST(a_secret_is_made_with_the_first_function)
{
    struct str *list, *again;

    ck_assert_uint_eq(secrets(&list), 0);
    made("a", PHASE_PRE_CALL);
    ck_assert_uint_eq(secrets(&list), 1);
    ck_assert(str_starts(list[0], "whsec_"));
    made("b", PHASE_PRE_CALL);
    ck_assert_uint_eq(secrets(&again), 1);
    ck_assert(str_eq(list[0], again[0]));
}
END_TEST

static struct str destination_secret(const struct id *id, const char *column)
{
    const char *hex = ask(pool_printf(s->pool,
                                      "SELECT HEX(%s) FROM destinations WHERE "
                                      "destination_id =",
                                      column),
                          id);
    char *bytes = pool_alloc(s->pool, 600);
    struct str sealed = {bytes, strlen(hex) / 2}, secret;
    ck_assert_int_eq(hex_decode(str_of(hex), bytes, sealed.n), 0);
    ck_ok(secret_open(s->keys, id, sealed, s->pool, &secret, &err), &err);
    return secret;
}

START_TEST(a_rotation_keeps_the_old_for_a_while)
{
    struct function function = made("a", PHASE_POST_CALL);
    struct str *before, *after, secret;
    usec_t until;

    ck_assert_uint_eq(secrets(&before), 1);
    ck_assert(str_eq(destination_secret(&function.function_id, "secret"), before[0]));
    ck_ok(signing_secret_rotate(s->db, s->pool, s->keys, &f.workspace_id, STR_NULL,
                                3600 * USEC_PER_S, &secret, &until, &err),
          &err);
    ck_assert(until != TIME_NONE);
    ck_assert_uint_eq(secrets(&after), 2);
    ck_assert(str_eq(after[0], secret) && str_eq(after[1], before[0]));
    ck_assert(str_eq(destination_secret(&function.function_id, "secret"), secret));
    ck_assert(str_eq(destination_secret(&function.function_id, "previous_secret"), before[0]));
    ck_ok(signing_secret_rotate(s->db, s->pool, s->keys, &f.workspace_id, STR_NULL, 0, &secret,
                                &until, &err),
          &err);
    ck_assert(until == TIME_NONE);
    ck_assert_uint_eq(secrets(&after), 1);
    ck_assert(str_eq(after[0], secret));
}
END_TEST

/* ---- runs ---- */

static struct function_run run_of(const struct id *call_id, const struct id *function_id,
                                  usec_t started_at)
{
    return (struct function_run){.workspace_id = f.workspace_id,
                                 .call_id = *call_id,
                                 .function_id = *function_id,
                                 .phase = PHASE_PRE_CALL,
                                 .attempt = 1,
                                 .tried = 1,
                                 .started_at = started_at,
                                 .duration_ms = 12,
                                 .request = STR("{\"method\":\"GET\"}"),
                                 .status = 200,
                                 .response = STR("\xff\x00"),
                                 .saved = STR("{\"a\":1}")};
}

static struct id completed_call(void)
{
    struct fenced_call fenced = call_fixture_fenced(&f);
    struct attempt_outcome outcome;
    ck_ok(call_fixture_report(&f, fenced.placement.token, REPORT_ENDED, END_COMPLETED, &outcome,
                              &err),
          &err);
    return fenced.placement.call_id;
}

START_TEST(runs_are_kept_once_and_listed)
{
    struct function function = made("a", PHASE_DURING_CALL);
    struct id call_id = completed_call(), none = {{0}};
    struct function_run runs[3], *list;
    struct page page = {.limit = 2};
    struct page_end end;
    size_t count;

    for (int i = 0; i < 3; i++)
        runs[i] =
            run_of(i == 2 ? &none : &call_id, &function.function_id, (1700000000 + i) * USEC_PER_S);
    runs[1].error = STR("timeout");
    runs[1].status = 0;
    runs[2].trial = true;
    ck_ok(function_runs_insert(s->db, runs, 3, &err), &err);
    ck_ok(function_runs_insert(s->db, runs, 3, &err), &err);
    ck_ok(function_runs_page(s->db, s->pool, &f.workspace_id, &call_id, NULL, &page, &list, &count,
                             &end, &err),
          &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(!end.more);
    ck_assert(str_is(list[0].error, "timeout") && list[0].status == 0);
    ck_assert(str_is(list[0].function_name, "a") && list[1].error.p == NULL);
    ck_assert_uint_eq(list[1].response.n, 2);
    ck_assert(str_is(list[1].saved, "{\"a\":1}") && list[1].duration_ms == 12);
    ck_ok(function_runs_page(s->db, s->pool, &f.workspace_id, NULL, &function.function_id, &page,
                             &list, &count, &end, &err),
          &err);
    ck_assert_uint_eq(count, 2);
    ck_assert(end.more && list[0].trial && id_is_zero(&list[0].call_id));
    ck_assert_int_eq(function_runs_page(s->db, s->pool, &f.other_workspace_id, &call_id, NULL,
                                        &page, &list, &count, &end, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(function_runs_page(s->db, s->pool, &f.other_workspace_id, NULL,
                                        &function.function_id, &page, &list, &count, &end, &err),
                     -1);
}
END_TEST

START_TEST(variables_are_laid_over_while_the_call_lives)
{
    struct fenced_call fenced = call_fixture_fenced(&f);
    struct attempt_outcome outcome;

    ck_ok(call_variables_save(s->db, &fenced.placement.call_id, STR("{\"a\":1,\"b\":{\"c\":1}}"),
                              &err),
          &err);
    ck_ok(call_variables_save(s->db, &fenced.placement.call_id, STR("{\"b\":null}"), &err), &err);
    ck_assert_str_eq(call_fixture_column(&f, "variables"), "{\"a\":1,\"b\":null}");
    ck_ok(call_fixture_report(&f, fenced.placement.token, REPORT_ENDED, END_COMPLETED, &outcome,
                              &err),
          &err);
    ck_ok(call_variables_save(s->db, &fenced.placement.call_id, STR("{\"late\":1}"), &err), &err);
    ck_assert_str_eq(call_fixture_column(&f, "variables"), "{\"a\":1,\"b\":null}");
}
END_TEST

START_TEST(erasing_a_contact_takes_runs_and_variables)
{
    struct function function = made("a", PHASE_DURING_CALL);
    struct id call_id = completed_call();
    struct function_run run = run_of(&call_id, &function.function_id, USEC_PER_S);
    struct erased erased;
    const char *number = call_fixture_column(&f, "contact_number");

    ck_ok(function_runs_insert(s->db, &run, 1, &err), &err);
    store_script(s->db, "UPDATE calls SET variables = '{\"a\":1}'");
    ck_ok(erase_contact(s->db, s->pool, &f.workspace_id, str_of(number), &erased, &err), &err);
    ck_assert_str_eq(store_ask(s, "SELECT request, response IS NULL, saved IS NULL "
                                  "FROM function_runs"),
                     "{}\t1\t1");
    ck_assert_str_eq(call_fixture_column(&f, "variables IS NULL"), "1");
}
END_TEST

START_TEST(retention_takes_runs_with_their_calls_and_old_trials)
{
    struct function function = made("a", PHASE_DURING_CALL);
    struct id call_id = completed_call(), none = {{0}};
    struct function_run runs[3];
    struct retention_round round = {.workspace = {f.workspace_id, 1}};

    for (int i = 0; i < 3; i++)
        runs[i] = run_of(i == 0 ? &call_id : &none, &function.function_id, USEC_PER_S);
    runs[2].started_at = clock_wall();
    ck_ok(function_runs_insert(s->db, runs, 3, &err), &err);
    store_script(s->db, "UPDATE calls SET created_at = created_at - INTERVAL 3 DAY, "
                        "updated_at = updated_at - INTERVAL 3 DAY;"
                        "UPDATE deliveries SET state = 'succeeded'");
    while (!round.done)
        ck_ok(retention_step(s->db, s->pool, 10, &round, &err), &err);
    ck_assert_str_eq(store_ask(s, "SELECT COUNT(*) FROM calls"), "0");
    ck_assert_str_eq(store_ask(s, "SELECT COUNT(*), SUM(call_id IS NULL) FROM function_runs"),
                     "1\t1");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("functions");
    TCase *tc = tcase_create("functions");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_function_comes_back_as_it_was_made);
    tcase_add_test(tc, names_are_of_one_agent_and_free_again);
    tcase_add_test(tc, what_is_another_workspaces_is_not_found);
    tcase_add_test(tc, a_deleted_agent_takes_its_functions_along);
    tcase_add_loop_test(tc, functions_are_moved, 0, (int)(sizeof(moves) / sizeof(moves[0])));
    tcase_add_test(tc, deleting_closes_the_gap);
    tcase_add_test(tc, an_agent_has_only_so_many);
    tcase_add_test(tc, a_post_call_function_is_a_destination);
    tcase_add_test(tc, functions_are_run_in_their_order);
    tcase_add_test(tc, pages_go_on_where_they_ended);
    tcase_add_test(tc, headers_that_are_lost_are_kept_until_others_are_set);
    tcase_add_test(tc, a_secret_is_made_with_the_first_function);
    tcase_add_test(tc, a_rotation_keeps_the_old_for_a_while);
    tcase_add_test(tc, runs_are_kept_once_and_listed);
    tcase_add_test(tc, variables_are_laid_over_while_the_call_lives);
    tcase_add_test(tc, erasing_a_contact_takes_runs_and_variables);
    tcase_add_test(tc, retention_takes_runs_with_their_calls_and_old_trials);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
