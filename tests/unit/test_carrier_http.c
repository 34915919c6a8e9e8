/*
 * test_carrier_http.c - the http carrier's protocol: the requests to the byte, and what answers,
 * look-ups and callbacks are read as.
 */
#include "lib/base/json.h"
#include "lib/voice/carrier.h"
#include "tests/unit/check_main.h"
#include <string.h>

#define NOW (INT64_C(1705313700) * USEC_PER_S) /* 2024-01-15T10:15:00Z */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define TOKEN "000102030405060708090a0b0c0d0e0f"

static const struct carrier engine = {
    .kind = CARRIER_HTTP,
    .url = {"https://voice.example/calls", 27},
    .secret = {SECRET, sizeof(SECRET) - 1},
};
static const unsigned char token[ATTEMPT_TOKEN_SIZE] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                        8, 9, 10, 11, 12, 13, 14, 15};
static struct pool *pool;
static const struct carrier_ops *ops;

static void setup(void)
{
    pool_create(&pool);
    ops = carrier_ops(CARRIER_HTTP);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static struct placement full_placement(void)
{
    struct placement p = {
        .call_id = {{0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55,
                     0x44, 0x00, 0x00}},
        .attempt = 2,
        .test = true,
        .agent_id = {{[15] = 2}},
        .prompt = STR("Be \"brief\"."),
        .greeting = STR("Namaste"),
        .language = STR("en-IN"),
        .voice = STR("asha"),
        .from_number = STR("+911140000000"),
        .contact_number = STR("+919876543210"),
        .contact_name = STR("Raj Patel"),
        .contact_email = STR("raj@company.com"),
        .additional_info = STR("{\"company\":\"Acme\"}"),
        .variables = STR("{\"x\":1}"),
        .functions = STR("[{\"name\":\"f\"}]"),
        .callback_url = STR("https://h.example/v1/carriers/http/" TOKEN),
        .ring_timeout_seconds = 45,
        .max_duration_seconds = 900,
    };
    memcpy(p.token, token, sizeof(token));
    return p;
}

static struct str header_value(const struct carrier_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct str line = request->headers[i];
        if (str_starts(line, name) && line.p[strlen(name)] == ':')
            return str_trim((struct str){line.p + strlen(name) + 1, line.n - strlen(name) - 1});
    }
    return STR_NULL;
}

static void assert_signed(const struct carrier_request *request, const char *id)
{
    struct signature_input in = {
        .x_webhook_signature = header_value(request, "X-Webhook-Signature"),
        .webhook_id = header_value(request, "webhook-id"),
        .webhook_timestamp = header_value(request, "webhook-timestamp"),
        .webhook_signature = header_value(request, "webhook-signature"),
    };
    struct err err = {.code = ERR_NONE};

    ck_assert_msg(str_is(in.webhook_id, id), "%.*s", STR_ARG(in.webhook_id));
    ck_assert_msg(ops->verify(&engine, &in, NOW, request->body, &err) == 0, "%s", err.message);
    in.x_webhook_signature = STR_NULL;
    ck_assert_int_eq(ops->verify(&engine, &in, NOW, request->body, &err), 0);
    ck_assert_int_eq(ops->verify(&engine, &in, NOW, STR("{}"), &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
}

START_TEST(place_with_everything)
{
    struct placement p = full_placement();
    struct carrier_request request;
    struct err err;

    ck_assert_int_eq(ops->place(pool, &engine, &p, NOW, &request, &err), 0);
    ck_assert_str_eq(request.method, "POST");
    ck_assert_str_eq(request.url, "https://voice.example/calls");
    ck_assert(str_is(header_value(&request, "Content-Type"), "application/json"));
    ck_assert_msg(
        str_is(request.body,
               "{\"call_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"attempt\":2,"
               "\"token\":\"" TOKEN "\",\"test\":true,"
               "\"agent\":{\"agent_id\":\"agent_00000000000000000000000008\","
               "\"prompt\":\"Be \\\"brief\\\".\",\"greeting\":\"Namaste\","
               "\"language\":\"en-IN\",\"voice\":\"asha\"},\"from_number\":\"+911140000000\","
               "\"contact\":{\"number\":\"+919876543210\",\"name\":\"Raj Patel\","
               "\"email\":\"raj@company.com\"},\"additional_info\":{\"company\":\"Acme\"},"
               "\"variables\":{\"x\":1},\"functions\":[{\"name\":\"f\"}],"
               "\"callback_url\":\"https://h.example/v1/carriers/http/" TOKEN "\","
               "\"ring_timeout_seconds\":45,\"max_duration_seconds\":900}"),
        "%.*s", STR_ARG(request.body));
    assert_signed(&request, "550e8400-e29b-41d4-a716-446655440000_2");
}
END_TEST

START_TEST(place_with_little)
{
    struct placement p = {.attempt = 1, .contact_number = STR("+919876543210")};
    struct carrier_request request;
    struct json *body;
    struct err err;

    ck_assert_int_eq(ops->place(pool, &engine, &p, NOW, &request, &err), 0);
    ck_assert_int_eq(json_parse(pool, request.body, &body, &err), 0);
    ck_assert_int_eq(json_type(json_get(json_get(body, "contact"), "name")), JSON_NULL);
    ck_assert_int_eq(json_type(json_get(body, "additional_info")), JSON_OBJECT);
    ck_assert_int_eq(json_type(json_get(body, "variables")), JSON_OBJECT);
    ck_assert_int_eq(json_type(json_get(body, "functions")), JSON_ARRAY);
    ck_assert(!json_bool(json_get(body, "test")));
}
END_TEST

static const struct {
    const char *url, *want;
} token_urls[] = {
    {"https://voice.example/calls", "https://voice.example/calls?token=" TOKEN},
    {"https://voice.example", "https://voice.example?token=" TOKEN},
    {"https://voice.example/?tenant=1", "https://voice.example/?tenant=1&token=" TOKEN},
    {"https://voice.example/?", "https://voice.example/?token=" TOKEN},
    {"https://voice.example/?a=b&", "https://voice.example/?a=b&token=" TOKEN},
};

START_TEST(find_and_hang_up)
{
    struct carrier carrier = engine;
    struct carrier_request request;
    struct err err;

    carrier.url = str_of(token_urls[_i].url);
    ck_assert_int_eq(ops->find(pool, &carrier, token, NOW, &request, &err), 0);
    ck_assert_str_eq(request.method, "GET");
    ck_assert_str_eq(request.url, token_urls[_i].want);
    ck_assert(request.body.p == NULL);
    assert_signed(&request, TOKEN "_find");
    ck_assert_int_eq(ops->hang_up(pool, &carrier, token, NOW, &request, &err), 0);
    ck_assert_str_eq(request.method, "DELETE");
    ck_assert_str_eq(request.url, token_urls[_i].want);
    ck_assert(request.body.p == NULL);
    assert_signed(&request, TOKEN "_hang_up");
}
END_TEST

#define REFUSAL(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"No such line\"}}"

static const struct {
    const char *name;
    enum http_outcome outcome;
    int status;
    const char *body;
    enum report_kind kind;
    enum call_error refusal;
    const char *ref, *message;
} answers[] = {
    {"200 and a reference", HTTP_ANSWERED, 200, "{\"ref\":\"CA1\"}", REPORT_PLACED, 0, "CA1", NULL},
    {"201", HTTP_ANSWERED, 201, "{\"ref\":\"CA1\",\"more\":[1]}", REPORT_PLACED, 0, "CA1", NULL},
    {"202 without a word", HTTP_ANSWERED, 202, "", REPORT_PLACED, 0, NULL, NULL},
    {"204", HTTP_ANSWERED, 204, "", REPORT_PLACED, 0, NULL, NULL},
    {"200 with text", HTTP_ANSWERED, 200, "OK", REPORT_PLACED, 0, NULL, NULL},
    {"200 with an array", HTTP_ANSWERED, 200, "[1]", REPORT_PLACED, 0, NULL, NULL},
    {"200 with a reference that is none", HTTP_ANSWERED, 200, "{\"ref\":7}", REPORT_PLACED, 0, NULL,
     NULL},
    {"200 cut", HTTP_ANSWERED, 200, "{\"ref\":\"CA", REPORT_PLACED, 0, NULL, NULL},
    {"400 busy", HTTP_ANSWERED, 400, REFUSAL("busy"), REPORT_REFUSED, CALL_ERROR_BUSY, NULL,
     "No such line"},
    {"404 invalid_number", HTTP_ANSWERED, 404, REFUSAL("invalid_number"), REPORT_REFUSED,
     CALL_ERROR_INVALID_NUMBER, NULL, "No such line"},
    {"422 rejected", HTTP_ANSWERED, 422, REFUSAL("rejected"), REPORT_REFUSED, CALL_ERROR_REJECTED,
     NULL, "No such line"},
    {"499 no_answer", HTTP_ANSWERED, 499, REFUSAL("no_answer"), REPORT_REFUSED,
     CALL_ERROR_NO_ANSWER, NULL, "No such line"},
    {"403 with a code of its own", HTTP_ANSWERED, 403, REFUSAL("out_of_credit"), REPORT_REFUSED,
     CALL_ERROR_CARRIER_ERROR, NULL, "No such line"},
    {"400 with a code that is ours alone", HTTP_ANSWERED, 400, REFUSAL("expired"), REPORT_REFUSED,
     CALL_ERROR_CARRIER_ERROR, NULL, "No such line"},
    {"400 without a message", HTTP_ANSWERED, 400, "{\"error\":{\"code\":\"busy\"}}", REPORT_REFUSED,
     CALL_ERROR_BUSY, NULL, NULL},
    {"404 of a proxy", HTTP_ANSWERED, 404, "<html>Not Found</html>", REPORT_UNKNOWN, 0, NULL, NULL},
    {"400 with another form", HTTP_ANSWERED, 400, "{\"error\":\"busy\"}", REPORT_UNKNOWN, 0, NULL,
     NULL},
    {"400 with an array", HTTP_ANSWERED, 400, "[]", REPORT_UNKNOWN, 0, NULL, NULL},
    {"429 without a word", HTTP_ANSWERED, 429, "", REPORT_UNKNOWN, 0, NULL, NULL},
    {"301", HTTP_ANSWERED, 301, "", REPORT_UNKNOWN, 0, NULL, NULL},
    {"500 with an error", HTTP_ANSWERED, 500, REFUSAL("busy"), REPORT_UNKNOWN, 0, NULL, NULL},
    {"502", HTTP_ANSWERED, 502, "Bad Gateway", REPORT_UNKNOWN, 0, NULL, NULL},
    {"no such name", HTTP_NAME_FAILED, 0, NULL, REPORT_NOT_SENT, 0, NULL, NULL},
    {"address refused", HTTP_ADDRESS_REFUSED, 0, NULL, REPORT_NOT_SENT, 0, NULL, NULL},
    {"no connection", HTTP_CONNECT_FAILED, 0, NULL, REPORT_NOT_SENT, 0, NULL, NULL},
    {"no TLS", HTTP_TLS_FAILED, 0, NULL, REPORT_NOT_SENT, 0, NULL, NULL},
    {"not sent", HTTP_NOT_SENT, 0, NULL, REPORT_NOT_SENT, 0, NULL, NULL},
    {"timeout", HTTP_TIMEOUT, 0, NULL, REPORT_UNKNOWN, 0, NULL, NULL},
    {"reset", HTTP_RESET, 0, NULL, REPORT_UNKNOWN, 0, NULL, NULL},
    {"not HTTP", HTTP_BAD_ANSWER, 0, NULL, REPORT_UNKNOWN, 0, NULL, NULL},
};

static bool same(struct str got, const char *want)
{
    return want == NULL ? got.p == NULL : str_is(got, want);
}

START_TEST(what_the_answer_says)
{
    struct http_answer answer = {.outcome = answers[_i].outcome,
                                 .status = answers[_i].status,
                                 .body = str_of(answers[_i].body)};
    struct carrier_report got;

    ops->read_placed(pool, &answer, &got);
    ck_assert_msg(got.report.kind == answers[_i].kind, "%s: %s", answers[_i].name,
                  report_kind_text(got.report.kind));
    if (got.report.kind == REPORT_REFUSED)
        ck_assert_msg(got.report.refusal == answers[_i].refusal, "%s", answers[_i].name);
    ck_assert_msg(same(got.ref, answers[_i].ref), "%s", answers[_i].name);
    ck_assert_msg(same(got.message, answers[_i].message), "%s", answers[_i].name);
    ck_assert(got.at == TIME_NONE && got.duration_seconds == -1);
}
END_TEST

START_TEST(a_long_refusal_is_cut_between_characters)
{
    struct http_answer answer = {.outcome = HTTP_ANSWERED, .status = 400};
    struct carrier_report got;
    struct buf b;

    buf_init(&b, 65536);
    buf_lit(&b, "{\"error\":{\"code\":\"busy\",\"message\":\"x");
    for (int i = 0; i < 400; i++)
        buf_lit(&b, "\xe0\xa4\xb0");
    buf_lit(&b, "\"}}");
    answer.body = buf_as_str(&b);
    ops->read_placed(pool, &answer, &got);
    ck_assert_uint_eq(got.message.n, 499);
    ck_assert(str_utf8_valid(got.message));
    buf_deinit(&b);
}
END_TEST

static const struct {
    const char *name;
    enum http_outcome outcome;
    int status;
    const char *body;
    enum report_kind kind;
    const char *ref;
} lookups[] = {
    {"ringing", HTTP_ANSWERED, 200, "{\"event\":\"ringing\",\"ref\":\"CA1\"}", REPORT_RINGING,
     "CA1"},
    {"answered", HTTP_ANSWERED, 200, "{\"event\":\"answered\"}", REPORT_ANSWERED, NULL},
    {"ended", HTTP_ANSWERED, 200, "{\"event\":\"ended\",\"reason\":\"busy\"}", REPORT_ENDED, NULL},
    {"nothing yet", HTTP_ANSWERED, 200, "{}", REPORT_PLACED, NULL},
    {"nothing yet but a reference", HTTP_ANSWERED, 200, "{\"event\":null,\"ref\":\"CA1\"}",
     REPORT_PLACED, "CA1"},
    {"never placed", HTTP_ANSWERED, 404, "", REPORT_NEVER_PLACED, NULL},
    {"never placed, in words", HTTP_ANSWERED, 404, "{\"error\":{}}", REPORT_NEVER_PLACED, NULL},
    {"an event of another kind", HTTP_ANSWERED, 200, "{\"event\":\"queued\"}", REPORT_UNKNOWN,
     NULL},
    {"ended, without a reason", HTTP_ANSWERED, 200, "{\"event\":\"ended\"}", REPORT_UNKNOWN, NULL},
    {"no JSON", HTTP_ANSWERED, 200, "<html>", REPORT_UNKNOWN, NULL},
    {"empty", HTTP_ANSWERED, 200, "", REPORT_UNKNOWN, NULL},
    {"an array", HTTP_ANSWERED, 200, "[]", REPORT_UNKNOWN, NULL},
    {"204", HTTP_ANSWERED, 204, "", REPORT_UNKNOWN, NULL},
    {"401", HTTP_ANSWERED, 401, "{}", REPORT_UNKNOWN, NULL},
    {"410", HTTP_ANSWERED, 410, "{}", REPORT_UNKNOWN, NULL},
    {"500", HTTP_ANSWERED, 500, "{}", REPORT_UNKNOWN, NULL},
    {"no connection", HTTP_CONNECT_FAILED, 0, NULL, REPORT_UNKNOWN, NULL},
    {"timeout", HTTP_TIMEOUT, 0, NULL, REPORT_UNKNOWN, NULL},
};

START_TEST(what_a_look_up_says)
{
    struct http_answer answer = {.outcome = lookups[_i].outcome,
                                 .status = lookups[_i].status,
                                 .body = str_of(lookups[_i].body)};
    struct carrier_report got;

    ops->read_found(pool, &answer, &got);
    ck_assert_msg(got.report.kind == lookups[_i].kind, "%s: %s", lookups[_i].name,
                  report_kind_text(got.report.kind));
    ck_assert_msg(same(got.ref, lookups[_i].ref), "%s", lookups[_i].name);
}
END_TEST

START_TEST(a_full_callback)
{
    struct carrier_report got;
    struct err err = {.code = ERR_NONE};
    int result = ops->read_callback(
        pool,
        STR("{\"event\":\"ended\",\"at\":\"2024-01-15T10:15:00Z\",\"ref\":\"CA1\","
            "\"reason\":\"voicemail\",\"duration_seconds\":42,\"outcome\":\"successful\","
            "\"summary\":\"All well.\",\"transcript\":[{\"role\":\"agent\",\"text\":\"Hi\","
            "\"at\":\"2024-01-15T10:15:00+05:30\"}, {\"role\":\"contact\",\"text\":\"\"}],"
            "\"cost\":{\"of\":1}}"),
        &got, &err);

    ck_assert_msg(result == 0, "%s", err.message);
    ck_assert_int_eq(got.report.kind, REPORT_ENDED);
    ck_assert_int_eq(got.report.reason, END_VOICEMAIL);
    ck_assert_int_eq(got.at, NOW);
    ck_assert(str_is(got.ref, "CA1"));
    ck_assert_int_eq(got.duration_seconds, 42);
    ck_assert(str_is(got.outcome, "successful"));
    ck_assert(str_is(got.summary, "All well."));
    ck_assert(str_is(got.transcript,
                     "[{\"role\":\"agent\",\"text\":\"Hi\",\"at\":\"2024-01-15T10:15:00+05:30\"},"
                     "{\"role\":\"contact\",\"text\":\"\"}]"));
}
END_TEST

START_TEST(a_bare_callback)
{
    struct carrier_report got;
    struct err err;

    ck_assert_int_eq(ops->read_callback(pool,
                                        STR("{\"event\":\"ringing\",\"at\":null,\"ref\":null,"
                                            "\"reason\":null,\"duration_seconds\":null,"
                                            "\"outcome\":null,\"summary\":null,"
                                            "\"transcript\":null}"),
                                        &got, &err),
                     0);
    ck_assert_int_eq(got.report.kind, REPORT_RINGING);
    ck_assert(got.at == TIME_NONE && got.duration_seconds == -1);
    ck_assert(got.ref.p == NULL && got.outcome.p == NULL && got.summary.p == NULL);
    ck_assert(got.transcript.p == NULL);
}
END_TEST

#define ENDED "\"event\":\"ended\",\"reason\":\"completed\""
#define REASONS "reason must be completed, busy, no_answer, rejected, failed or voicemail"
#define DURATION "duration_seconds must be a whole number of seconds, 0 or more."

static const struct {
    const char *body, *message; /* message NULL: fine */
} callbacks[] = {
    {"{" ENDED "}", NULL},
    {"{" ENDED ",\"duration_seconds\":0}", NULL},
    {"{" ENDED ",\"transcript\":[]}", NULL},
    {"{\"event\":\"answered\",\"reason\":\"completed\"}", NULL},
    {"[]", "The callback must be a JSON object."},
    {"{}", "event must be ringing, answered or ended."},
    {"{\"event\":\"placed\"}", "event must be ringing, answered or ended."},
    {"{\"event\":1}", "event must be ringing, answered or ended."},
    {"{\"event\":\"ended\"}", REASONS ", and is required with ended."},
    {"{\"event\":\"ended\",\"reason\":null}", REASONS ", and is required with ended."},
    {"{\"event\":\"ended\",\"reason\":\"no-answer\"}", REASONS "."},
    {"{\"event\":\"ringing\",\"reason\":\"tired\"}", REASONS "."},
    {"{\"event\":\"ended\",\"reason\":7}", "reason must be a string."},
    {"{" ENDED ",\"at\":5}", "at must be a string."},
    {"{" ENDED ",\"at\":\"now\"}", "at must be an RFC 3339 time such as 2024-01-27T03:02:00Z."},
    {"{" ENDED ",\"ref\":5}", "ref must be a string."},
    {"{" ENDED ",\"duration_seconds\":-1}", DURATION},
    {"{" ENDED ",\"duration_seconds\":1.5}", DURATION},
    {"{" ENDED ",\"duration_seconds\":\"1\"}", DURATION},
    {"{" ENDED ",\"duration_seconds\":4294967296}", DURATION},
    {"{" ENDED ",\"outcome\":{}}", "outcome must be a string."},
    {"{" ENDED ",\"outcome\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
     "outcome must be at most 100 characters."},
    {"{" ENDED ",\"summary\":false}", "summary must be a string."},
    {"{" ENDED ",\"transcript\":\"x\"}", "transcript must be an array."},
    {"{" ENDED ",\"transcript\":[{\"role\":\"agent\",\"text\":\"x\"},7]}",
     "transcript[1] must be an object with the strings role and text."},
    {"{" ENDED ",\"transcript\":[{\"role\":\"agent\"}]}",
     "transcript[0] must be an object with the strings role and text."},
    {"{" ENDED ",\"transcript\":[{\"role\":\"agent\",\"text\":\"x\",\"at\":1}]}",
     "transcript[0]: at must be a string."},
};

START_TEST(faults_in_callbacks_are_named)
{
    struct carrier_report got;
    struct err err = {.code = ERR_NONE};
    int result = ops->read_callback(pool, str_of(callbacks[_i].body), &got, &err);

    if (callbacks[_i].message == NULL) {
        ck_assert_msg(result == 0, "%s: %s", callbacks[_i].body, err.message);
        return;
    }
    ck_assert_msg(result == -1, "%s", callbacks[_i].body);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strcmp(err.message, callbacks[_i].message) == 0, "%s: %s", callbacks[_i].body,
                  err.message);
}
END_TEST

START_TEST(a_callback_that_is_no_json)
{
    struct carrier_report got;
    struct err err;

    ck_assert_int_eq(ops->read_callback(pool, STR("event=ended"), &got, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(ops->read_callback(pool, STR(""), &got, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

static Suite *carrier_http_suite(void)
{
    Suite *suite = suite_create("carrier_http");
    TCase *tc = tcase_create("carrier_http");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, place_with_everything);
    tcase_add_test(tc, place_with_little);
    tcase_add_loop_test(tc, find_and_hang_up, 0, (int)(sizeof(token_urls) / sizeof(token_urls[0])));
    tcase_add_loop_test(tc, what_the_answer_says, 0, (int)(sizeof(answers) / sizeof(answers[0])));
    tcase_add_test(tc, a_long_refusal_is_cut_between_characters);
    tcase_add_loop_test(tc, what_a_look_up_says, 0, (int)(sizeof(lookups) / sizeof(lookups[0])));
    tcase_add_test(tc, a_full_callback);
    tcase_add_test(tc, a_bare_callback);
    tcase_add_loop_test(tc, faults_in_callbacks_are_named, 0,
                        (int)(sizeof(callbacks) / sizeof(callbacks[0])));
    tcase_add_test(tc, a_callback_that_is_no_json);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(carrier_http_suite)
