/* Functions of workflows: what may be saved, and by which message the rest is refused. */
#include "lib/rules/event.h"
#include "lib/rules/function.h"
#include "tests/unit/check_main.h"

#include <string.h>

static struct pool *pool;
static struct url_guard *guard;

static void set_up(void)
{
    struct err err;
    pool_create(&pool);
    ck_assert_ok(url_guard_parse(pool, STR(""), &guard, &err), err);
}

static void tear_down(void)
{
    pool_destroy(&pool);
}

static int read_function(const char *text, bool changing, struct function *f, uint64_t *given,
                         struct err *err)
{
    struct json *body;
    ck_assert_ok(json_parse(pool, str_of(text), &body, err), *err);
    return function_settings_read(pool, body, changing, guard, f, given, err);
}

static const char *make(const char *phase, const char *more)
{
    char agent[ID_TEXT_SIZE];
    struct id id = {{1}};
    id_format(ID_AGENT, &id, agent);
    bool url = strstr(more, "\"url\"") != NULL, name = strstr(more, "\"name\"") != NULL;
    return pool_printf(pool, "{\"agent_id\":\"%s\",\"phase\":\"%s\"%s%s%s%s}", agent, phase,
                       name ? "" : ",\"name\":\"look_up\"",
                       url ? "" : ",\"url\":\"https://crm.example/a\"", more[0] != '\0' ? "," : "",
                       more);
}

#define PRE "pre_call"
#define DURING "during_call"
#define POST "post_call"

static const struct {
    const char *phase, *more;
    const char *message; /* NULL: it is good */
} cases[] = {
    {PRE, "", NULL},
    {DURING, "", NULL},
    {POST, "", NULL},
    {"before", "", "phase must be pre_call, during_call or post_call."},
    {PRE, "\"name\":\"a b\"", "name must be 1 to 64 letters"},
    {PRE, "\"name\":\"\"", "name must not be empty."},
    {PRE, "\"name\":\"caf\xc3\xa9\"", "name must be 1 to 64"},
    {PRE, "\"nmae\":1,\"name\":\"a\"", "Unknown field \"nmae\"."},
    {PRE, "\"url\":\"https://crm.example/{{contact.number}}?q={{info.x|default: \\\"a b\\\"}}\"",
     NULL},
    {PRE, "\"url\":\"https://{{info.host}}/a\"", "url must not have a template before the path"},
    {PRE, "\"url\":\"https://crm.example{{info.host}}/\"", "url must not have a template before"},
    {PRE, "\"url\":\"https://crm.example:{{info.port}}/\"", "url must not have a template before"},
    {PRE, "\"url\":\"{{info.url}}\"", "url must not have a template before"},
    {PRE, "\"url\":\"https:///{{info.host}}\"", "url must not have a template before"},
    {PRE, "\"url\":\"https://crm.example?x={{info.x}}\"", NULL},
    {PRE, "\"url\":\"https://crm.example/../a\"", "url must not have . or .. in its path."},
    {PRE, "\"url\":\"https://crm.example/{{info.x\"", "url: at character 21: {{ is not closed"},
    {PRE, "\"url\":\"https://crm.example/{{args.x}}\"", "url: at character 23: this name"},
    {PRE, "\"url\":\"https://crm.example/{{result.x}}\"", "url: at character 23: this name"},
    {POST, "\"url\":\"https://crm.example/{{result.outcome}}\"", NULL},
    {DURING, "\"url\":\"https://crm.example/{{args.x}}\"", NULL},
    {PRE, "\"url\":\"https://10.0.0.1/a\"", "url must not point to a private"},
    {PRE, "\"url\":\"http://crm.example/a\"", "url must be https."},
    {PRE, "\"url\":\"https://crm.example/a b\"", "url must not contain blanks"},
    {PRE, "\"method\":\"HEAD\"", "method must be GET, POST, PUT, PATCH or DELETE."},
    {PRE, "\"headers\":{\"Authorization\":\"Bearer x\"}", NULL},
    {PRE, "\"headers\":{\"Host\":\"x\"}", "headers: Host is set by the server."},
    {PRE, "\"headers\":{\"idempotency-key\":\"x\"}", "headers: Idempotency-Key is set"},
    {PRE, "\"headers\":{\"X-A\":\"{{info.x}}\"}", "headers.X-A can't be a template."},
    {PRE, "\"query\":{\"a\":\"{{info.x}}\",\"b\":1,\"c\":true}", NULL},
    {PRE, "\"query\":[]", "query must be an object"},
    {PRE, "\"query\":{\"a\":{}}", "query.a must be a string, a number or a boolean."},
    {PRE, "\"query\":{\"a\":\"{{x}}\"}", "query.a: at character 3: there is no such name"},
    {PRE, "\"body\":{\"a\":[\"{{contact.name}}\"]}", NULL},
    {PRE, "\"body\":{\"a\":[\"{{contact.name\"]}", "body.a[0]: at character 1: {{ is not closed"},
    {PRE, "\"body\":{},\"method\":\"GET\"", "body must not be set for GET."},
    {PRE, "\"body\":null,\"method\":\"GET\"", NULL},
    {PRE, "\"parameters\":{\"type\":\"object\"}", "parameters are for during_call functions."},
    {DURING, "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}",
     NULL},
    {DURING, "\"parameters\":{\"type\":\"object\",\"allOf\":[]}",
     "parameters.allOf: this keyword is not supported."},
    {DURING, "\"static_parameters\":{\"clinic\":7,\"by\":\"{{agent.id}}\"}", NULL},
    {DURING, "\"static_parameters\":{\"clinic\":\"{{args.clinic}}\"}",
     "static_parameters.clinic: at character 3: this name is not known here."},
    {DURING, "\"static_parameters\":[]", "static_parameters must be an object."},
    {DURING, "\"static_parameters\":{},\"body\":[]", "static_parameters need a body"},
    {DURING, "\"static_parameters\":{},\"body\":\"{{args}}\"", NULL},
    {DURING,
     "\"method\":\"GET\",\"url\":\"https://crm.example/?a=1\",\"static_parameters\":{\"b\":1}",
     NULL},
    {DURING,
     "\"method\":\"GET\",\"url\":\"https://crm.example/?b={{args.x}}\","
     "\"static_parameters\":{\"b\":1}",
     "static_parameters.b goes into the query, where url has this name."},
    {DURING, "\"url\":\"https://crm.example/?b=1\",\"static_parameters\":{\"b\":1}", NULL},
    {PRE, "\"timeout_ms\":10000", NULL},
    {PRE, "\"timeout_ms\":10001", "timeout_ms must be a whole number from 100 to 10000 in pre"},
    {DURING, "\"timeout_ms\":8001", "timeout_ms must be a whole number from 100 to 8000 in during"},
    {POST, "\"timeout_ms\":30000", NULL},
    {PRE, "\"timeout_ms\":99", "timeout_ms must be"},
    {PRE, "\"retries\":3", NULL},
    {PRE, "\"retries\":4", "retries must be a whole number from 0 to 3."},
    {POST, "\"retries\":1", "retries and on_error are not for post_call"},
    {PRE, "\"on_error\":\"disallow\"", NULL},
    {DURING, "\"on_error\":\"disallow\"", "on_error: disallow is for pre_call functions."},
    {DURING, "\"on_error\":\"abort\"", NULL},
    {PRE, "\"on_error\":\"stop\"", "on_error must be continue, abort or disallow."},
    {PRE, "\"on_missing\":\"error\"", NULL},
    {PRE, "\"on_missing\":\"null\"", "on_missing must be empty or error."},
    {PRE, "\"save\":{\"eligible\":\"$.ok\",\"_x1\":\"$\"}", NULL},
    {PRE, "\"save\":{\"a-b\":\"$.ok\"}", "save: \"a-b\" is no variable's name"},
    {PRE, "\"save\":{\"1a\":\"$.ok\"}", "save: \"1a\" is no variable's name"},
    {PRE, "\"save\":{\"a\":1}", "save.a must be a path"},
    {PRE, "\"save\":{\"a\":\"$.b[*]\"}", "save.a: at character 4: expected .name"},
    {POST, "\"save\":{\"a\":\"$.b\"}", "save is not for post_call functions"},
    {POST, "\"when\":\"failed\"", NULL},
    {PRE, "\"when\":\"failed\"", "when is for post_call functions."},
    {DURING, "\"say_while_running\":\"One moment.\",\"say_on_error\":\"Sorry.\"", NULL},
    {PRE, "\"say_on_error\":\"Sorry.\"", "say_while_running and say_on_error are for during_call"},
    {PRE, "\"position\":0", "position is changed afterwards"},
};

START_TEST(reads_what_is_given)
{
    struct function f = {.name = STR_NULL};
    struct err err = {.message = ""};
    uint64_t given;

    int result = read_function(make(cases[_i].phase, cases[_i].more), false, &f, &given, &err);
    if (cases[_i].message == NULL) {
        ck_assert_ok(result, err);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_msg(strncmp(err.message, cases[_i].message, strlen(cases[_i].message)) == 0, "%s: %s",
                  cases[_i].more, err.message);
}
END_TEST

static const struct {
    const char *phase;
    int64_t timeout;
} defaults[] = {{PRE, 3000}, {DURING, 4000}, {POST, 10000}};

START_TEST(has_defaults)
{
    struct function f = {.name = STR_NULL};
    struct err err;
    uint64_t given;

    ck_assert_ok(read_function(make(defaults[_i].phase, ""), false, &f, &given, &err), err);
    ck_assert_int_eq(f.timeout_ms, defaults[_i].timeout);
    ck_assert_int_eq(f.method, FUNCTION_POST);
    ck_assert_int_eq(f.retries, 0);
    ck_assert_int_eq(f.on_error, ON_ERROR_CONTINUE);
    ck_assert_int_eq(f.when, WHEN_ALWAYS);
    ck_assert(f.enabled && !f.missing_fails);
    ck_assert_ptr_null(f.body.p);
    ck_assert_str_is(f.description, "");
}
END_TEST

START_TEST(changes_are_merged_and_judged_whole)
{
    struct function f = {.name = STR_NULL};
    struct err err;
    uint64_t given;

    ck_assert_ok(read_function(make(DURING, "\"headers\":{\"A\":\"1\",\"B\":\"2\"},"
                                            "\"body\":{\"x\":1},\"on_missing\":\"error\""),
                               false, &f, &given, &err),
                 err);
    ck_assert_ok(read_function("{\"headers\":{\"a\":null,\"C\":\"3\"},\"position\":2}", true, &f,
                               &given, &err),
                 err);
    ck_assert_str_is(f.headers, "{\"B\":\"2\",\"C\":\"3\"}");
    ck_assert_str_is(f.body, "{\"x\":1}");
    ck_assert(f.missing_fails);
    ck_assert_int_eq(f.position, 2);
    ck_assert_uint_eq(given, 1u << FUNCTION_HEADERS | 1u << FUNCTION_POSITION);
    ck_assert_int_eq(read_function("{\"method\":\"GET\"}", true, &f, &given, &err), -1);
    ck_assert_str_eq(err.message, "body must not be set for GET.");
    ck_assert_int_eq(f.method, FUNCTION_POST);
    ck_assert_ok(read_function("{\"method\":\"GET\",\"body\":null}", true, &f, &given, &err), err);
    ck_assert_int_eq(read_function("{\"phase\":\"pre_call\"}", true, &f, &given, &err), -1);
    ck_assert_str_eq(err.message, "phase can't be changed; make another function.");
    ck_assert_int_eq(read_function("{}", true, &f, &given, &err), -1);
}
END_TEST

static const struct {
    const char *url;
    bool dotted;
} urls[] = {
    {"https://a.example/b.c/..d?x=/../", false},
    {"https://a.example", false},
    {"https://a.example/..", true},
    {"https://a.example/a/./b", true},
    {"https://a.example/a/../b", true},
    {"https://a.example/a/..?x", true},
};

START_TEST(dotted_paths_are_seen)
{
    ck_assert_int_eq(function_url_dotted(str_of(urls[_i].url)), urls[_i].dotted);
}
END_TEST

START_TEST(events_follow_when)
{
    unsigned completed = 1u << EVENT_CALL_COMPLETED, failed = 1u << EVENT_CALL_FAILED;
    ck_assert_uint_eq(function_event_mask(WHEN_COMPLETED), completed);
    ck_assert_uint_eq(function_event_mask(WHEN_FAILED), failed);
    ck_assert_uint_eq(function_event_mask(WHEN_ALWAYS), completed | failed);
}
END_TEST

START_TEST(is_offered_to_models)
{
    struct function f[2] = {{.name = STR("a"), .description = STR("Says \"a\"")},
                            {.name = STR("b"),
                             .description = STR(""),
                             .parameters = STR("{\"type\":\"object\"}"),
                             .say_while_running = STR("One moment.")}};
    struct buf b;

    buf_init(&b, 1000);
    functions_offer(&b, f, 2);
    ck_assert_str_is(buf_as_str(&b),
                     "[{\"name\":\"a\",\"description\":\"Says \\\"a\\\"\",\"parameters\":{"
                     "\"type\":\"object\",\"properties\":{}},\"say_while_running\":null},"
                     "{\"name\":\"b\",\"description\":\"\",\"parameters\":{\"type\":\"object\"},"
                     "\"say_while_running\":\"One moment.\"}]");
    buf_clear(&b);
    functions_offer(&b, f, 0);
    ck_assert_str_is(buf_as_str(&b), "[]");
    buf_deinit(&b);
}
END_TEST

static Suite *function_suite(void)
{
    Suite *suite = suite_create("function");
    TCase *tc = tcase_create("function");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, reads_what_is_given, 0, CASES(cases));
    tcase_add_loop_test(tc, has_defaults, 0, CASES(defaults));
    tcase_add_test(tc, changes_are_merged_and_judged_whole);
    tcase_add_loop_test(tc, dotted_paths_are_seen, 0, CASES(urls));
    tcase_add_test(tc, events_follow_when);
    tcase_add_test(tc, is_offered_to_models);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(function_suite)
