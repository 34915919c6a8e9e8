/*
 * carrier_http.c - the `http` carrier: any voice engine that takes a signed POST to place a call
 * and tells of it by signed callbacks.
 *
 * Place: POST url. Ask what became of a token: GET url?token=. Hang up: DELETE url?token=. What
 * an engine sends beyond the members named here is passed over, so that it may say more.
 */
#include "lib/voice/carrier_http.h"
#include "lib/base/buf.h"
#include "lib/base/json.h"
#include <string.h>

#define BODY_MAX ((size_t)64 << 20)
#define REF_MAX 255     /* characters */
#define OUTCOME_MAX 100 /* characters */
#define MESSAGE_MAX 500 /* bytes */
#define SECONDS_MAX 4294967295

static const char *const event_texts[] = {
    [REPORT_RINGING] = "ringing",
    [REPORT_ANSWERED] = "answered",
    [REPORT_ENDED] = "ended",
};

static void member(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, value);
}

/* value: JSON text already. */
static void member_raw(struct buf *b, const char *name, struct str value, const char *fallback)
{
    buf_printf(b, ",\"%s\":", name);
    if (value.p != NULL)
        buf_str(b, value);
    else
        buf_text(b, fallback);
}

static void add_place_body(struct buf *b, const struct placement *p)
{
    char call_id[ID_TEXT_SIZE], agent_id[ID_TEXT_SIZE], token[ATTEMPT_TOKEN_TEXT_SIZE];

    id_format(ID_CALL, &p->call_id, call_id);
    id_format(ID_AGENT, &p->agent_id, agent_id);
    attempt_token_format(p->token, token);
    buf_printf(b, "{\"call_id\":\"%s\",\"attempt\":%u,\"token\":\"%s\",\"test\":%s", call_id,
               p->attempt, token, p->test ? "true" : "false");
    buf_printf(b, ",\"agent\":{\"agent_id\":\"%s\"", agent_id);
    member(b, "prompt", p->prompt);
    member(b, "greeting", p->greeting);
    member(b, "language", p->language);
    member(b, "voice", p->voice);
    buf_lit(b, "}");
    member(b, "from_number", p->from_number);
    buf_lit(b, ",\"contact\":{\"number\":");
    buf_json(b, p->contact_number);
    member(b, "name", p->contact_name);
    member(b, "email", p->contact_email);
    buf_lit(b, "}");
    member_raw(b, "additional_info", p->additional_info, "{}");
    member_raw(b, "variables", p->variables, "{}");
    member_raw(b, "functions", p->functions, "[]");
    member(b, "callback_url", p->callback_url);
    buf_printf(b, ",\"ring_timeout_seconds\":%lld,\"max_duration_seconds\":%lld}",
               (long long)p->ring_timeout_seconds, (long long)p->max_duration_seconds);
}

/* id: unique to what is asked, so that an engine can tell a repeat by it. */
static void sign(struct pool *pool, const struct carrier *carrier, struct str id, usec_t now,
                 struct carrier_request *request)
{
    struct signed_headers signed_headers;

    signature_make(pool, &carrier->secret, 1, id, now, request->body, &signed_headers);
    for (size_t i = 0; i < sizeof(signed_headers.line) / sizeof(signed_headers.line[0]); i++)
        request->headers[request->header_count++] = signed_headers.line[i];
}

static int http_place(struct pool *pool, const struct carrier *carrier, const struct placement *p,
                      usec_t now, struct carrier_request *request_r, struct err *err)
{
    char call_id[ID_TEXT_SIZE];
    struct buf body;
    bool overflow;

    memset(request_r, 0, sizeof(*request_r));
    buf_init(&body, BODY_MAX);
    add_place_body(&body, p);
    overflow = body.overflow;
    if (!overflow)
        request_r->body = pool_str(pool, buf_as_str(&body));
    buf_deinit(&body);
    if (overflow)
        return err_set(err, ERR_TOO_LARGE, "The request to the carrier is too large.");
    request_r->method = "POST";
    request_r->url = pool_dup(pool, carrier->url.p, carrier->url.n);
    request_r->headers[request_r->header_count++] = STR("Content-Type: application/json");
    id_format(ID_CALL, &p->call_id, call_id);
    sign(pool, carrier, str_of(pool_printf(pool, "%s_%u", call_id, p->attempt)), now, request_r);
    return 0;
}

static void ask(struct pool *pool, const struct carrier *carrier, const char *method,
                const char *purpose, const unsigned char *token, usec_t now,
                struct carrier_request *request_r)
{
    char text[ATTEMPT_TOKEN_TEXT_SIZE];
    const char *separator = "?";

    attempt_token_format(token, text);
    if (memchr(carrier->url.p, '?', carrier->url.n) != NULL) {
        char last = carrier->url.p[carrier->url.n - 1];
        separator = last == '?' || last == '&' ? "" : "&";
    }
    memset(request_r, 0, sizeof(*request_r));
    request_r->method = method;
    request_r->url = pool_printf(pool, "%.*s%stoken=%s", STR_ARG(carrier->url), separator, text);
    sign(pool, carrier, str_of(pool_printf(pool, "%s_%s", text, purpose)), now, request_r);
}

static int http_find(struct pool *pool, const struct carrier *carrier, const unsigned char *token,
                     usec_t now, struct carrier_request *request_r, struct err *err)
{
    (void)err;
    ask(pool, carrier, "GET", "find", token, now, request_r);
    return 0;
}

static int http_hang_up(struct pool *pool, const struct carrier *carrier,
                        const unsigned char *token, usec_t now, struct carrier_request *request_r,
                        struct err *err)
{
    (void)err;
    ask(pool, carrier, "DELETE", "hang_up", token, now, request_r);
    return 0;
}

static void report_init(struct carrier_report *report, enum report_kind kind)
{
    *report =
        (struct carrier_report){.report = {.kind = kind}, .at = TIME_NONE, .duration_seconds = -1};
}

/* 4xx with {"error": {"code", "message"}}: the engine itself says no. Any other 4xx may be a
 * proxy's, and says nothing of the call. */
static void read_refusal(const struct json *body, struct carrier_report *report)
{
    const struct json *error = json_type(body) == JSON_OBJECT ? json_get(body, "error") : NULL;
    enum call_error refusal;
    struct str code;

    if (json_type(error) != JSON_OBJECT)
        return;
    code = json_str(json_get(error, "code"));
    if (code.p == NULL)
        return;
    if (call_error_parse(code, &refusal) < 0 || refusal < CALL_ERROR_NO_ANSWER ||
        refusal > CALL_ERROR_CARRIER_ERROR)
        refusal = CALL_ERROR_CARRIER_ERROR;
    report->report = (struct call_report){.kind = REPORT_REFUSED, .refusal = refusal};
    report->message = str_utf8_cut(json_str(json_get(error, "message")), MESSAGE_MAX);
}

static void http_read_placed(struct pool *pool, const struct http_answer *answer,
                             struct carrier_report *report_r)
{
    struct json *body = NULL;
    struct err ignored;

    report_init(report_r, REPORT_UNKNOWN);
    if (answer->outcome != HTTP_ANSWERED) {
        if (!http_outcome_left(answer->outcome))
            report_r->report.kind = REPORT_NOT_SENT;
        return;
    }
    if (json_parse(pool, answer->body, &body, &ignored) < 0)
        body = NULL;
    if (answer->status >= 200 && answer->status <= 299) {
        report_r->report.kind = REPORT_PLACED;
        if (json_type(body) == JSON_OBJECT)
            report_r->ref = json_str(json_get(body, "ref"));
        if (report_r->ref.n > 0 && str_utf8_count(report_r->ref) > REF_MAX)
            report_r->ref = STR_NULL;
    } else if (answer->status >= 400 && answer->status <= 499) {
        read_refusal(body, report_r);
    }
}

int carrier_http_verify(const struct carrier *carrier, const struct signature_input *headers,
                        usec_t now, struct str body, struct err *err)
{
    return signature_check(&carrier->secret, 1, headers, now, body, err);
}

/* A string of at most max characters (0: any), or STR_NULL when it was not given. */
static int read_text(const struct json *body, const char *name, size_t max, struct str *s_r,
                     struct err *err)
{
    const struct json *value = json_get(body, name);

    *s_r = STR_NULL;
    if (json_type(value) == JSON_NULL)
        return 0;
    if (json_type(value) != JSON_STRING)
        return err_set(err, ERR_INVALID, "%s must be a string.", name);
    *s_r = json_str(value);
    if (max > 0 && str_utf8_count(*s_r) > max)
        return err_set(err, ERR_INVALID, "%s must be at most %zu characters.", name, max);
    return 0;
}

static int read_time(const struct json *object, const char *name, usec_t *at_r, struct err *err)
{
    struct str text;

    *at_r = TIME_NONE;
    if (read_text(object, name, 0, &text, err) < 0)
        return -1;
    if (text.p != NULL && time_parse(text, at_r) < 0)
        return err_set(err, ERR_INVALID,
                       "%s must be an RFC 3339 time such as 2024-01-27T03:02:00Z.", name);
    return 0;
}

static int read_event(struct str event, struct call_report *report, struct err *err)
{
    for (unsigned i = 0; i < sizeof(event_texts) / sizeof(event_texts[0]); i++) {
        if (event_texts[i] != NULL && str_is(event, event_texts[i])) {
            report->kind = (enum report_kind)i;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "event must be ringing, answered or ended.");
}

static int read_reason(const struct json *body, struct call_report *report, struct err *err)
{
    struct str reason;

    if (read_text(body, "reason", 0, &reason, err) < 0)
        return -1;
    if (reason.p == NULL && report->kind != REPORT_ENDED)
        return 0;
    if (reason.p == NULL || end_reason_parse(reason, &report->reason) < 0)
        return err_set(err, ERR_INVALID,
                       "reason must be completed, busy, no_answer, rejected, failed or "
                       "voicemail%s.",
                       reason.p == NULL ? ", and is required with ended" : "");
    return 0;
}

static int read_duration(const struct json *body, int64_t *seconds_r, struct err *err)
{
    const struct json *value = json_get(body, "duration_seconds");

    *seconds_r = -1;
    if (json_type(value) == JSON_NULL)
        return 0;
    if (json_i64(value, seconds_r) < 0 || *seconds_r < 0 || *seconds_r > SECONDS_MAX)
        return err_set(err, ERR_INVALID,
                       "duration_seconds must be a whole number of seconds, 0 or more.");
    return 0;
}

static int read_transcript(struct pool *pool, const struct json *body, struct str *transcript_r,
                           struct err *err)
{
    const struct json *lines = json_get(body, "transcript");
    struct buf text;
    usec_t at;

    *transcript_r = STR_NULL;
    if (json_type(lines) == JSON_NULL)
        return 0;
    if (json_type(lines) != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "transcript must be an array.");
    for (size_t i = 0; i < json_count(lines); i++) {
        const struct json *line = json_at(lines, i);
        if (json_type(line) != JSON_OBJECT || json_str(json_get(line, "role")).p == NULL ||
            json_str(json_get(line, "text")).p == NULL)
            return err_set(err, ERR_INVALID,
                           "transcript[%zu] must be an object with the strings role and text.", i);
        if (read_time(line, "at", &at, err) < 0)
            return err_prefix(err, "transcript[%zu]", i);
    }
    buf_init(&text, BODY_MAX);
    json_write(&text, lines);
    if (!text.overflow)
        *transcript_r = pool_str(pool, buf_as_str(&text));
    buf_deinit(&text);
    return 0;
}

static int read_report(struct pool *pool, const struct json *body, struct carrier_report *report_r,
                       struct err *err)
{
    report_init(report_r, REPORT_UNKNOWN);
    if (read_event(json_str(json_get(body, "event")), &report_r->report, err) < 0 ||
        read_time(body, "at", &report_r->at, err) < 0 ||
        read_text(body, "ref", REF_MAX, &report_r->ref, err) < 0 ||
        read_reason(body, &report_r->report, err) < 0 ||
        read_duration(body, &report_r->duration_seconds, err) < 0 ||
        read_text(body, "outcome", OUTCOME_MAX, &report_r->outcome, err) < 0 ||
        read_text(body, "summary", 0, &report_r->summary, err) < 0 ||
        read_transcript(pool, body, &report_r->transcript, err) < 0)
        return -1;
    return 0;
}

int carrier_http_read_callback(struct pool *pool, struct str body, struct carrier_report *report_r,
                               struct err *err)
{
    struct json *json;

    if (json_parse_values(pool, body, JSON_VALUES_TRANSCRIPT, &json, err) < 0)
        return -1;
    if (json_type(json) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "The callback must be a JSON object.");
    return read_report(pool, json, report_r, err);
}

/* 200 with the last callback's form, or without an event yet; 404: it never had the token. */
static void http_read_found(struct pool *pool, const struct http_answer *answer,
                            struct carrier_report *report_r)
{
    struct json *body;
    struct err ignored;

    report_init(report_r, REPORT_UNKNOWN);
    if (answer->outcome != HTTP_ANSWERED)
        return;
    if (answer->status == 404)
        report_r->report.kind = REPORT_NEVER_PLACED;
    if (answer->status != 200 ||
        json_parse_values(pool, answer->body, JSON_VALUES_TRANSCRIPT, &body, &ignored) < 0 ||
        json_type(body) != JSON_OBJECT)
        return;
    if (json_type(json_get(body, "event")) == JSON_NULL) {
        report_r->report.kind = REPORT_PLACED;
        if (read_text(body, "ref", REF_MAX, &report_r->ref, &ignored) < 0)
            report_r->ref = STR_NULL;
        return;
    }
    if (read_report(pool, body, report_r, &ignored) < 0)
        report_init(report_r, REPORT_UNKNOWN);
}

const struct carrier_ops carrier_http_ops = {
    .place = http_place,
    .read_placed = http_read_placed,
    .find = http_find,
    .read_found = http_read_found,
    .hang_up = http_hang_up,
    .verify = carrier_http_verify,
    .read_callback = carrier_http_read_callback,
};
