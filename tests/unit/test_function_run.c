/* Running a function, without the sending: requests, answers, retries, variables. */
#include "lib/rules/function_run.h"
#include "lib/rules/signature.h"
#include "tests/unit/check_main.h"

#include <string.h>

#define CALL "01890a5d-ac96-774b-bcce-b302099a8057"

static struct pool *pool;
static struct function_context context;

static void set_up(void)
{
    pool_create(&pool);
    context = (struct function_context){
        .attempt = 2,
        .test = true,
        .contact_number = STR("+919876543210"),
        .contact_name = STR("Asha"),
        .agent_name = STR("Front desk"),
        .agent_language = STR("en-IN"),
        .additional_info = STR("{\"id\":\"a/b\",\"up\":\"..\",\"n\":7}"),
        .variables = STR("{\"tier\":\"gold\"}"),
        .arguments = STR("{\"date\":\"2026-01-02\",\"clinic\":1}"),
        .created_at = 0,
        .scheduled_at = TIME_NONE,
        .now = 1700000000 * USEC_PER_S,
        .offset_minutes = 330,
        .signed_at = 1700086400 * USEC_PER_S,
    };
    ck_assert_int_eq(id_parse(ID_CALL, STR(CALL), &context.call_id), 0);
    context.agent_id = context.call_id;
}

static void tear_down(void)
{
    pool_destroy(&pool);
}

static struct function function_of(enum function_phase phase)
{
    return (struct function){.phase = (int)phase,
                             .name = STR("book"),
                             .method = FUNCTION_POST,
                             .url = STR("https://crm.example/x")};
}

static struct function_request make(const struct function *f, const char *key)
{
    struct function_request request;
    struct err err;
    ck_assert_ok(function_request_make(pool, f, &context, str_of(key), NULL, 0, &request, &err),
                 err);
    return request;
}

static bool has_header(const struct function_request *request, const char *line)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (str_is(request->headers[i], line))
            return true;
    }
    return false;
}

START_TEST(during_a_call_the_arguments_are_sent)
{
    struct function f = function_of(PHASE_DURING_CALL);
    f.static_parameters = STR("{\"clinic\":9,\"by\":\"{{agent.name}}\"}");
    struct function_request r = make(&f, "run_1");
    ck_assert_str_eq(r.method, "POST");
    ck_assert_str_eq(r.url, "https://crm.example/x");
    ck_assert_str_is(r.body, "{\"date\":\"2026-01-02\",\"clinic\":9,\"by\":\"Front desk\"}");
    ck_assert_str_is(r.key, CALL ":book:run_1");
    ck_assert(has_header(&r, "Idempotency-Key: " CALL ":book:run_1"));
    ck_assert(has_header(&r, "Content-Type: application/json"));
    ck_assert(has_header(&r, "Accept: application/json"));
}
END_TEST

START_TEST(static_parameters_win_in_bodies_of_ones_own)
{
    struct function f = function_of(PHASE_DURING_CALL);
    f.static_parameters = STR("{\"clinic\":9}");
    f.body = STR("{\"clinic\":\"{{args.clinic}}\",\"day\":\"{{args.date}}\",\"n\":\"{{info.n}}\"}");
    ck_assert_str_is(make(&f, "x").body, "{\"day\":\"2026-01-02\",\"n\":7,\"clinic\":9}");
    f.body = STR("{\"all\":\"{{args}}\"}");
    ck_assert_str_is(make(&f, "x").body,
                     "{\"all\":{\"date\":\"2026-01-02\",\"clinic\":9},\"clinic\":9}");
    f.body = STR("\"{{args.date}}\"");
    struct function_request r;
    struct err err;
    ck_assert_int_eq(function_request_make(pool, &f, &context, STR("x"), NULL, 0, &r, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

START_TEST(get_carries_arguments_in_the_query)
{
    struct function f = function_of(PHASE_DURING_CALL);
    f.method = FUNCTION_GET;
    f.url = STR("https://crm.example/{{info.id}}/x?v=1");
    f.query = STR("{\"tier\":\"{{vars.tier}} &\",\"clinic\":5,\"date\":\"mine\"}");
    f.static_parameters = STR("{\"clinic\":9}");
    struct function_request r = make(&f, "x");
    ck_assert_str_eq(r.url, "https://crm.example/a%2Fb/x?v=1&tier=gold%20%26&date=mine&clinic=9");
    ck_assert_ptr_null(r.body.p);
    ck_assert(!has_header(&r, "Content-Type: application/json"));
}
END_TEST

/* Of two of a name some servers take the last. */
START_TEST(arguments_add_no_second_one_of_a_name)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct function_request r;
    struct err err;
    f.method = FUNCTION_GET;
    f.url = STR("https://crm.example/x?d%61te=mine&clinic");
    ck_assert_str_eq(make(&f, "x").url, "https://crm.example/x?d%61te=mine&clinic");
    f.url = STR("https://crm.example/x?{{args.date}}=1");
    f.static_parameters = STR("{\"2026-01-02\":9}");
    ck_assert_int_eq(function_request_make(pool, &f, &context, STR("x"), NULL, 0, &r, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "url: its query has the name of a static parameter, 2026-01-02.");
}
END_TEST

START_TEST(before_and_after_a_call_it_is_described)
{
    struct function f = function_of(PHASE_PRE_CALL);
    context.variables = STR_NULL;
    ck_assert_str_is(make(&f, "2").body,
                     "{\"call\":{\"id\":\"" CALL
                     "\",\"attempt\":2,\"test\":true,\"from_number\":null,"
                     "\"created_at\":\"1970-01-01T00:00:00.000Z\",\"scheduled_at\":null},"
                     "\"contact\":{\"number\":\"+919876543210\",\"name\":\"Asha\",\"email\":null},"
                     "\"info\":{\"id\":\"a/b\",\"up\":\"..\",\"n\":7},\"vars\":{}}");
    f = function_of(PHASE_POST_CALL);
    f.body = STR("{\"r\":\"{{result}}\",\"t\":\"{{result.transcript_text}}\"}");
    context.result.known = true;
    context.result.status = STR("completed");
    context.result.outcome = STR("booked");
    context.result.duration_seconds = 61;
    context.result.transcript =
        STR("[{\"role\":\"agent\",\"text\":\"Hi\"},{\"role\":\"contact\",\"text\":\"Yes\"}]");
    ck_assert_str_is(make(&f, NULL).body,
                     "{\"r\":{\"status\":\"completed\",\"outcome\":\"booked\",\"summary\":null,"
                     "\"transcript\":[{\"role\":\"agent\",\"text\":\"Hi\"},{\"role\":\"contact\","
                     "\"text\":\"Yes\"}],\"transcript_text\":\"agent: Hi\\ncontact: Yes\","
                     "\"duration_seconds\":61,\"error\":null},\"t\":\"agent: Hi\\ncontact: Yes\"}");
    ck_assert_str_is(make(&f, NULL).key, CALL ":book");
}
END_TEST

/* A trial may be with a call that has ended. */
START_TEST(before_and_during_a_call_there_is_no_result)
{
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_request before = make(&f, "2");
    context.result.known = true;
    context.result.status = STR("completed");
    ck_assert_str_is(make(&f, "2").body, before.body.p);
    f.body = STR("{\"r\":\"{{result}}\"}");
    ck_assert_str_is(make(&f, "2").body, "{\"r\":null}");
    f.phase = PHASE_DURING_CALL;
    ck_assert_str_is(make(&f, "2").body, "{\"r\":null}");
}
END_TEST

/* A text between two others. */
static struct str filled(const char *before, const char *unit, size_t count, const char *after)
{
    struct buf b;
    buf_init(&b, 4 * 1024 * 1024);
    buf_text(&b, before);
    for (size_t i = 0; i < count; i++)
        buf_text(&b, unit);
    buf_text(&b, after);
    ck_assert(!b.overflow);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

/* What callbacks of 1 MiB bring, and the rest of the event beside it. */
START_TEST(any_event_fits_after_a_call)
{
    struct function f = function_of(PHASE_POST_CALL);
    struct json *body;
    struct err err;
    context.additional_info = filled("{\"a\":\"", "x", 65000, "\"}");
    context.result.known = true;
    context.result.status = STR("completed");
    context.result.duration_seconds = 61;
    context.result.transcript =
        filled("[{\"role\":\"agent\",\"text\":\"", "\\u0001", 174000, "\"}]");
    f.static_parameters = STR("{\"clinic\":9}");
    struct function_request r = make(&f, NULL);
    ck_assert_uint_gt(r.body.n, 2 * context.result.transcript.n);
    ck_assert_ok(json_parse(pool, r.body, &body, &err), err);
    ck_assert_uint_eq(json_str(json_get(json_get(body, "result"), "transcript_text")).n, 174007);
    ck_assert_ptr_nonnull(json_get(body, "clinic"));
}
END_TEST

static const struct {
    enum function_method method;
    const char *query, *fixed;
} long_urls[] = {
    {FUNCTION_GET, NULL, NULL},
    {FUNCTION_GET, "{\"note\":\"{{args.q.note}}\"}", NULL},
    {FUNCTION_GET, NULL, "{\"x\":1}"},
    {FUNCTION_POST, "{\"q\":\"{{args.q.note}}\"}", NULL},
};

START_TEST(urls_are_whole_or_an_error)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct function_request r;
    struct err err;
    context.arguments = filled("{\"q\":{\"note\":\"", "abcdefghij", 1000, "\"}}");
    f.method = (int)long_urls[_i].method;
    f.query = str_of(long_urls[_i].query);
    f.static_parameters = str_of(long_urls[_i].fixed);
    ck_assert_int_eq(function_request_make(pool, &f, &context, STR("x"), NULL, 0, &r, &err), -1);
    ck_assert_int_eq(err.code, ERR_TOO_LARGE);
    if (long_urls[_i].method == FUNCTION_GET)
        ck_assert_str_eq(err.message, "url: it is over 8192 characters.");
}
END_TEST

START_TEST(values_do_not_leave_the_path)
{
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_request r;
    struct err err;
    f.url = STR("https://crm.example/a/{{info.up}}/b");
    ck_assert_int_eq(function_request_make(pool, &f, &context, STR("1"), NULL, 0, &r, &err), -1);
    ck_assert_str_eq(err.message, "url: a value would lead to another path.");
}
END_TEST

START_TEST(what_is_missing_is_empty_or_an_error)
{
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_request r;
    struct err err;
    f.body = STR("{\"a\":\"{{vars.none}}\",\"b\":\"x{{vars.none}}\"}");
    ck_assert_str_is(make(&f, "1").body, "{\"a\":null,\"b\":\"x\"}");
    f.missing_fails = true;
    ck_assert_int_eq(function_request_make(pool, &f, &context, STR("1"), NULL, 0, &r, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "body: {{vars.none}} is missing.");
}
END_TEST

START_TEST(is_signed_and_recorded_without_secrets)
{
    static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    struct str secrets[] = {{secret, sizeof(secret) - 1}};
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_request r;
    struct signature_input in = {STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    struct err err;

    f.headers = STR("{\"Authorization\":\"Bearer hush\",\"Accept\":\"text/csv\"}");
    f.body = STR("{\"a\":1}");
    ck_assert_ok(function_request_make(pool, &f, &context, STR("2"), secrets, 1, &r, &err), err);
    ck_assert(has_header(&r, "Authorization: Bearer hush"));
    ck_assert(!has_header(&r, "Accept: application/json"));
    for (size_t i = 0; i < r.header_count; i++) {
        struct str line = r.headers[i];
        if (str_starts(line, "webhook-id: "))
            in.webhook_id = (struct str){line.p + 12, line.n - 12};
        if (str_starts(line, "webhook-timestamp: "))
            in.webhook_timestamp = (struct str){line.p + 19, line.n - 19};
        if (str_starts(line, "webhook-signature: "))
            in.webhook_signature = (struct str){line.p + 19, line.n - 19};
    }
    ck_assert_str_is(in.webhook_id, CALL ":book:2");
    ck_assert_ok(signature_check(secrets, 1, &in, context.signed_at, r.body, &err), err);
    ck_assert_str_is(r.record,
                     "{\"method\":\"POST\",\"url\":\"https://crm.example/x\",\"headers\":{"
                     "\"Idempotency-Key\":\"" CALL ":book:2\",\"Authorization\":\"(hidden)\","
                     "\"Accept\":\"(hidden)\"},\"body\":{\"a\":1}}");
}
END_TEST

START_TEST(any_key_can_be_signed)
{
    struct str secrets[] = {STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_request r;
    struct err err;

    ck_assert_ok(function_request_make(pool, &f, &context, STR("a.b%2E"), secrets, 1, &r, &err),
                 err);
    ck_assert(has_header(&r, "Idempotency-Key: " CALL ":book:a.b%2E"));
    ck_assert(has_header(&r, "webhook-id: " CALL ":book:a%2Eb%252E"));
}
END_TEST

START_TEST(long_bodies_are_recorded_cut)
{
    struct function f = function_of(PHASE_PRE_CALL);
    char *body = pool_alloc(pool, 20003);
    struct json *record;
    struct err err;
    memset(body, 'a', 20002);
    body[0] = body[20001] = '"';
    f.body = str_of(body);
    struct function_request r = make(&f, "1");
    ck_assert_uint_eq(r.body.n, 20002);
    ck_assert_ok(json_parse(pool, r.record, &record, &err), err);
    ck_assert_uint_eq(json_str(json_get(record, "body")).n, FUNCTION_REQUEST_KEPT);
}
END_TEST

/* ---- answers ---- */

#define JSON_TYPE "application/json"

static const struct {
    enum function_phase phase;
    const char *save;
    bool missing_fails;
    enum http_outcome outcome;
    int status;
    const char *type, *body;
    enum run_error error;
    const char *saved, *result;
    bool rejected, retry;
} answers[] = {
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 200, JSON_TYPE, "{\"a\":1}", RUN_GOOD, NULL,
     "null", false, false},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 204, NULL, "", RUN_GOOD, NULL, "null", false,
     false},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 200, "text/html", "<p>", RUN_GOOD, NULL, "null",
     false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a.b\",\"y\":\"$.c\"}", false, HTTP_ANSWERED, 200,
     "application/json; charset=utf-8", "{\"a\":{\"b\":[1,\"z\"]}}", RUN_GOOD, "{\"x\":[1,\"z\"]}",
     "{\"a\":{\"b\":[1,\"z\"]}}", false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", true, HTTP_ANSWERED, 200, JSON_TYPE, "{\"b\":1}",
     RUN_SAVE_MISSED, NULL, NULL, false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", true, HTTP_ANSWERED, 204, NULL, "", RUN_SAVE_MISSED, NULL,
     NULL, false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", true, HTTP_ANSWERED, 200, JSON_TYPE, "{\"a\":null}",
     RUN_GOOD, "{\"x\":null}", "{\"a\":null}", false, false},
    {PHASE_PRE_CALL, "{\"eligible\":\"$.ok\"}", false, HTTP_ANSWERED, 200, JSON_TYPE,
     "{\"ok\":false}", RUN_GOOD, "{\"eligible\":false}", "{\"ok\":false}", true, false},
    {PHASE_PRE_CALL, "{\"eligible\":\"$.ok\"}", false, HTTP_ANSWERED, 200, JSON_TYPE,
     "{\"ok\":\"false\"}", RUN_GOOD, "{\"eligible\":\"false\"}", "{\"ok\":\"false\"}", false,
     false},
    {PHASE_PRE_CALL, "{\"eligible\":\"$.ok\"}", false, HTTP_ANSWERED, 500, JSON_TYPE,
     "{\"ok\":false}", RUN_SERVER_ERROR, NULL, NULL, false, true},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", false, HTTP_ANSWERED, 200, "text/html", "<p>",
     RUN_CONTENT_TYPE, NULL, NULL, false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", false, HTTP_ANSWERED, 200, JSON_TYPE, "rubbish",
     RUN_NOT_JSON, NULL, NULL, false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$.a\"}", false, HTTP_ANSWERED, 200, JSON_TYPE, "{\"a\":1,\"a\":2}",
     RUN_NOT_JSON, NULL, NULL, false, false},
    {PHASE_PRE_CALL, "{\"x\":\"$\"}", false, HTTP_ANSWERED, 200, JSON_TYPE,
     "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", RUN_SAVE_TOO_LARGE, NULL, NULL, false, false},
    {PHASE_DURING_CALL, NULL, false, HTTP_ANSWERED, 200, "application/problem+json", "[1, 2]",
     RUN_GOOD, NULL, "[1,2]", false, false},
    {PHASE_DURING_CALL, NULL, false, HTTP_ANSWERED, 200, "text/plain;charset=utf-8", "Free at 4",
     RUN_GOOD, NULL, "\"Free at 4\"", false, false},
    {PHASE_DURING_CALL, NULL, false, HTTP_ANSWERED, 200, "text/plain", "\xff", RUN_CONTENT_TYPE,
     NULL, NULL, false, false},
    {PHASE_DURING_CALL, NULL, false, HTTP_ANSWERED, 200, "text/html", "<p>", RUN_CONTENT_TYPE, NULL,
     NULL, false, false},
    {PHASE_DURING_CALL, NULL, false, HTTP_ANSWERED, 200, NULL, "true", RUN_GOOD, NULL, "true",
     false, false},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 302, NULL, "", RUN_REDIRECT, NULL, NULL, false,
     false},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 404, NULL, "", RUN_CLIENT_ERROR, NULL, NULL, false,
     false},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 408, NULL, "", RUN_CLIENT_ERROR, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 429, NULL, "", RUN_CLIENT_ERROR, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_ANSWERED, 503, NULL, "", RUN_SERVER_ERROR, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_TIMEOUT, 0, NULL, "", RUN_TIMEOUT, NULL, NULL, false, true},
    {PHASE_PRE_CALL, NULL, false, HTTP_NAME_FAILED, 0, NULL, "", RUN_NAME_FAILED, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_ADDRESS_REFUSED, 0, NULL, "", RUN_ADDRESS_REFUSED, NULL,
     NULL, false, false},
    {PHASE_PRE_CALL, NULL, false, HTTP_CONNECT_FAILED, 0, NULL, "", RUN_CONNECT_FAILED, NULL, NULL,
     false, true},
    {PHASE_PRE_CALL, NULL, false, HTTP_TLS_FAILED, 0, NULL, "", RUN_TLS_FAILED, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_NOT_SENT, 0, NULL, "", RUN_NOT_SENT, NULL, NULL, false,
     true},
    {PHASE_PRE_CALL, NULL, false, HTTP_RESET, 0, NULL, "", RUN_RESET, NULL, NULL, false, true},
    {PHASE_PRE_CALL, NULL, false, HTTP_BAD_ANSWER, 0, NULL, "", RUN_BAD_ANSWER, NULL, NULL, false,
     true},
};

START_TEST(answers_are_read)
{
    struct function f = function_of(answers[_i].phase);
    struct http_answer answer = {.outcome = answers[_i].outcome,
                                 .status = answers[_i].status,
                                 .content_type = str_of(answers[_i].type),
                                 .body = str_of(answers[_i].body),
                                 .duration = 5};
    struct function_outcome o;

    f.save = str_of(answers[_i].save);
    f.missing_fails = answers[_i].missing_fails;
    function_answer_read(pool, &f, &answer, &o);
    ck_assert_str_eq(run_error_text(o.error), run_error_text(answers[_i].error));
    ck_assert_str_is(o.saved, answers[_i].saved);
    ck_assert_str_is(o.result, answers[_i].result);
    ck_assert_int_eq(o.rejected, answers[_i].rejected);
    ck_assert_int_eq(o.retry, answers[_i].retry);
    ck_assert_int_eq(o.detail.p != NULL, answers[_i].error != RUN_GOOD);
    ck_assert_int_eq(o.status, answers[_i].status);
    ck_assert_int_eq(o.duration, 5);
}
END_TEST

START_TEST(large_answers_are_errors_and_cut)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct str body = {pool_alloc(pool, FUNCTION_RESPONSE_MAX + 1), FUNCTION_RESPONSE_MAX + 1};
    struct http_answer answer = {
        .outcome = HTTP_ANSWERED, .status = 200, .content_type = STR(JSON_TYPE), .body = body};
    struct function_outcome o;

    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_TOO_LARGE);
    ck_assert_uint_eq(o.response.n, FUNCTION_RESPONSE_KEPT);
}
END_TEST

/* Of text every byte may become an escape. */
START_TEST(results_are_whole)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct http_answer answer = {.outcome = HTTP_ANSWERED,
                                 .status = 200,
                                 .content_type = STR("text/plain"),
                                 .body = filled("", "\x01", FUNCTION_RESPONSE_MAX, "")};
    struct function_outcome o;
    struct json *result;
    struct err err;

    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_GOOD);
    ck_assert_ok(json_parse(pool, o.result, &result, &err), err);
    ck_assert_uint_eq(json_str(result).n, FUNCTION_RESPONSE_MAX);
}
END_TEST

/* 256 KiB that would take 68 MB. */
START_TEST(answers_have_so_many_values)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct http_answer answer = {.outcome = HTTP_ANSWERED,
                                 .status = 200,
                                 .content_type = STR(JSON_TYPE),
                                 .body = filled("[", "{},", 87000, "{}]")};
    struct function_outcome o;

    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_NOT_JSON);
    ck_assert_str_is(o.detail, "The answer is no good JSON: body: has too many values");
    answer.body = filled("[",
                         "{\"slot_id\":1234567,\"doctor\":\"Dr. Rao\",\"date\":\"2026-01-26\","
                         "\"time\":\"10:30\",\"free\":true},",
                         3000, "{}]");
    ck_assert_uint_le(answer.body.n, FUNCTION_RESPONSE_MAX);
    f.save = STR("{\"first\":\"$[0].doctor\"}");
    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_NOT_JSON);
    answer.body = filled("[",
                         "{\"slot_id\":1234567,\"doctor\":\"Dr. Rao\",\"date\":\"2026-01-26\","
                         "\"time\":\"10:30\",\"free\":true},",
                         1900, "{}]");
    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_GOOD);
    ck_assert_str_is(o.saved, "{\"first\":\"Dr. Rao\"}");
    ck_assert_uint_eq(o.result.n, answer.body.n);
}
END_TEST

START_TEST(content_types_are_shown_if_they_are_ascii)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct http_answer answer = {.outcome = HTTP_ANSWERED,
                                 .status = 200,
                                 .content_type = STR("text/html"),
                                 .body = STR("x")};
    struct function_outcome o;

    function_answer_read(pool, &f, &answer, &o);
    ck_assert_str_is(o.detail, "The answer is no JSON but text/html.");
    answer.content_type = STR("text/\xe9t\xe9");
    function_answer_read(pool, &f, &answer, &o);
    ck_assert_int_eq(o.error, RUN_CONTENT_TYPE);
    ck_assert_str_is(o.detail, "The answer is no JSON, and its Content-Type is no text in ASCII.");
}
END_TEST

START_TEST(answers_are_kept_without_the_secrets_that_they_repeat)
{
    struct function f = function_of(PHASE_DURING_CALL);
    struct function_outcome o;
    struct http_answer answer = {
        .outcome = HTTP_ANSWERED,
        .status = 200,
        .content_type = STR("application/json"),
        .body = STR("{\"authorization\":\"Bearer hush-hush\",\"x\":\"abc\"}"),
    };
    f.headers = STR("{\"Authorization\":\"Bearer hush-hush\",\"X\":\"abc\"}");
    function_answer_read(pool, &f, &answer, &o);
    ck_assert_str_is(o.response, "{\"authorization\":\"(hidden)\",\"x\":\"abc\"}");
    ck_assert_str_is(o.result, "{\"authorization\":\"Bearer hush-hush\",\"x\":\"abc\"}");
    ck_assert_str_is(function_hide_secrets(pool, &f, STR("token=hush-hush;hush-hush")),
                     "token=(hidden);(hidden)");
}
END_TEST

static const struct {
    const char *secret, *answer, *shown;
} echoes[] = {
    {"Basic YWJj/ZGVm/Zw==", "{\"got\":\"Basic YWJj\\/ZGVm\\/Zw==\"}", "{\"got\":\"(hidden)\"}"},
    {"Basic YWJj/ZGVm/Zw==", "token YWJj\\/ZGVm\\/Zw==;", "token (hidden);"},
    {"Basic YWJj/ZGVm/Zw==", "token YWJj/ZGVm/Zw==;", "token (hidden);"},
    {"key=\\\"abc/def\\\\\\\"", "{\"k\":\"key=\\\"abc/def\\\\\\\"\"}", "{\"k\":\"(hidden)\"}"},
    {"key=\\\"abc/def\\\\\\\"", "{\"k\":\"key=\\\"abc\\/def\\\\\\\"\"}", "{\"k\":\"(hidden)\"}"},
    {"Bearer hush-hush", "{\"a\":\"hush\\/hush\"}", "{\"a\":\"hush\\/hush\"}"},
};

START_TEST(secrets_are_hidden_as_json_escapes_them)
{
    struct function f = function_of(PHASE_DURING_CALL);
    f.headers = str_of(pool_printf(pool, "{\"Authorization\":\"%s\"}", echoes[_i].secret));
    ck_assert_str_is(function_hide_secrets(pool, &f, str_of(echoes[_i].answer)), echoes[_i].shown);
}
END_TEST

START_TEST(tries_are_counted_and_fit)
{
    struct function f = function_of(PHASE_PRE_CALL);
    struct function_outcome o = {.error = RUN_TIMEOUT, .retry = true};

    f.retries = 2;
    ck_assert_int_eq(function_retry_wait(&f, &o, 1, 10 * USEC_PER_S), 200 * USEC_PER_MS);
    ck_assert_int_eq(function_retry_wait(&f, &o, 2, 10 * USEC_PER_S), 400 * USEC_PER_MS);
    ck_assert_int_eq(function_retry_wait(&f, &o, 3, 10 * USEC_PER_S), TIME_NONE);
    ck_assert_int_eq(function_retry_wait(&f, &o, 1, 299 * USEC_PER_MS), TIME_NONE);
    ck_assert_int_eq(function_retry_wait(&f, &o, 1, 300 * USEC_PER_MS), 200 * USEC_PER_MS);
    o.retry = false;
    ck_assert_int_eq(function_retry_wait(&f, &o, 1, 10 * USEC_PER_S), TIME_NONE);
    f.retries = 0;
    o.retry = true;
    ck_assert_int_eq(function_retry_wait(&f, &o, 1, 10 * USEC_PER_S), TIME_NONE);
}
END_TEST

START_TEST(variables_are_laid_over)
{
    struct str merged;
    struct err err;

    ck_assert_ok(variables_merge(pool, STR_NULL, STR_NULL, &merged, &err), err);
    ck_assert_ptr_null(merged.p);
    ck_assert_ok(variables_merge(pool, STR_NULL, STR("{\"a\":1}"), &merged, &err), err);
    ck_assert_str_is(merged, "{\"a\":1}");
    ck_assert_ok(
        variables_merge(pool, STR("{\"a\":{\"x\":1},\"b\":2}"), STR("{\"a\":null}"), &merged, &err),
        err);
    ck_assert_str_is(merged, "{\"b\":2,\"a\":null}");
    char *large = pool_alloc(pool, VARIABLES_MAX + 1);
    memset(large, 'x', VARIABLES_MAX);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + VARIABLES_MAX - 2, "\"}", 2);
    ck_assert_int_eq(variables_merge(pool, str_of(large), STR("{\"b\":1}"), &merged, &err), -1);
    ck_assert_int_eq(err.code, ERR_TOO_LARGE);
}
END_TEST

static Suite *function_run_suite(void)
{
    Suite *suite = suite_create("function_run");
    TCase *tc = tcase_create("function_run");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, during_a_call_the_arguments_are_sent);
    tcase_add_test(tc, static_parameters_win_in_bodies_of_ones_own);
    tcase_add_test(tc, get_carries_arguments_in_the_query);
    tcase_add_test(tc, arguments_add_no_second_one_of_a_name);
    tcase_add_test(tc, before_and_after_a_call_it_is_described);
    tcase_add_test(tc, before_and_during_a_call_there_is_no_result);
    tcase_add_test(tc, any_event_fits_after_a_call);
    tcase_add_loop_test(tc, urls_are_whole_or_an_error, 0, CASES(long_urls));
    tcase_add_test(tc, values_do_not_leave_the_path);
    tcase_add_test(tc, what_is_missing_is_empty_or_an_error);
    tcase_add_test(tc, is_signed_and_recorded_without_secrets);
    tcase_add_test(tc, any_key_can_be_signed);
    tcase_add_test(tc, long_bodies_are_recorded_cut);
    tcase_add_loop_test(tc, answers_are_read, 0, CASES(answers));
    tcase_add_test(tc, large_answers_are_errors_and_cut);
    tcase_add_test(tc, results_are_whole);
    tcase_add_test(tc, answers_have_so_many_values);
    tcase_add_test(tc, content_types_are_shown_if_they_are_ascii);
    tcase_add_test(tc, answers_are_kept_without_the_secrets_that_they_repeat);
    tcase_add_loop_test(tc, secrets_are_hidden_as_json_escapes_them, 0, CASES(echoes));
    tcase_add_test(tc, tries_are_counted_and_fit);
    tcase_add_test(tc, variables_are_laid_over);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(function_run_suite)
