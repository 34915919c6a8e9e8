/*
 * function_answer.c - what the answer to a function's request means, and whether it is tried again.
 */
#include "lib/rules/custom_headers.h"
#include "lib/rules/function_private.h"
#include "lib/rules/json_path.h"

#include <string.h>
#include <strings.h>

#define TYPE_SHOWN 100 /* bytes of a Content-Type */
#define RETRY_WAIT (200 * USEC_PER_MS)
#define RESULT_MAX (6 * FUNCTION_RESPONSE_MAX + 2) /* every byte an escape, in quotes */
#define TRY_LEAST (100 * USEC_PER_MS)              /* with less time than this nothing is tried */

static const char *const error_texts[] = {
#define X(name, text) text,
    RUN_ERRORS(X)
#undef X
};

const char *run_error_text(enum run_error e)
{
    return (unsigned)e < RUN_ERROR_COUNT ? error_texts[e] : "?";
}

static void fail(struct function_outcome *o, enum run_error error, const char *detail, bool retry)
{
    o->error = error;
    o->detail = str_of(detail);
    o->retry = retry;
}

static void read_failure(const struct http_answer *answer, struct function_outcome *o)
{
    static const struct {
        enum run_error error;
        const char *detail;
        bool retry;
    } failures[HTTP_OUTCOME_COUNT] = {
        [HTTP_ANSWERED] = {RUN_GOOD, "", false},
        [HTTP_NAME_FAILED] = {RUN_NAME_FAILED, "The URL's host has no address.", true},
        [HTTP_ADDRESS_REFUSED] = {RUN_ADDRESS_REFUSED,
                                  "The URL's host has an address that is not allowed.", false},
        [HTTP_CONNECT_FAILED] = {RUN_CONNECT_FAILED, "No connection came about.", true},
        [HTTP_TLS_FAILED] = {RUN_TLS_FAILED, "TLS failed; is the certificate good?", true},
        [HTTP_NOT_SENT] = {RUN_NOT_SENT, "The request was not sent.", true},
        [HTTP_TIMEOUT] = {RUN_TIMEOUT, "There was no answer in time.", true},
        [HTTP_RESET] = {RUN_RESET, "The connection broke before the answer was complete.", true},
        [HTTP_BAD_ANSWER] = {RUN_BAD_ANSWER, "The answer was no HTTP.", true},
    };
    fail(o, failures[answer->outcome].error, failures[answer->outcome].detail,
         failures[answer->outcome].retry);
}

static bool status_retries(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void read_bad_status(struct pool *pool, int status, struct function_outcome *o)
{
    enum run_error error = status >= 300 && status < 400   ? RUN_REDIRECT
                           : status >= 400 && status < 500 ? RUN_CLIENT_ERROR
                                                           : RUN_SERVER_ERROR;
    fail(o, error,
         pool_printf(pool, "The answer had status %d%s", status,
                     error == RUN_REDIRECT ? "; redirects are not followed." : "."),
         status_retries(status));
}

enum content { CONTENT_NONE, CONTENT_JSON, CONTENT_TEXT, CONTENT_OTHER };

static bool ends_with(struct str s, const char *end)
{
    size_t n = strlen(end);
    return s.n > n && strncasecmp(s.p + s.n - n, end, n) == 0;
}

static enum content content_of(const struct http_answer *answer)
{
    struct str type = STR_NULL, rest = answer->content_type;

    if (answer->body.n == 0)
        return CONTENT_NONE;
    if (rest.p == NULL || !str_split(&rest, ';', &type) || str_trim(type).n == 0)
        return CONTENT_JSON;
    type = str_trim(type);
    if (str_is_nocase(type, "application/json") || str_is_nocase(type, "text/json") ||
        ends_with(type, "+json"))
        return CONTENT_JSON;
    return str_is_nocase(type, "text/plain") ? CONTENT_TEXT : CONTENT_OTHER;
}

struct str function_hide_secrets(struct pool *pool, const struct function *function,
                                 struct str text)
{
    struct str *lines;
    struct err err;
    size_t count;

    if (function->headers.p == NULL || text.n == 0)
        return text;
    if (custom_headers_lines(pool, function->headers, &lines, &count, &err) != 0)
        die("function: its headers are none: %s", err.message);
    return custom_headers_hide(pool, lines, count, text);
}

static void keep_response(struct pool *pool, const struct function *f, struct str body,
                          struct function_outcome *o)
{
    if (body.n == 0)
        return;
    body = function_hide_secrets(pool, f, body);
    if (body.n > FUNCTION_RESPONSE_KEPT) {
        body.n = FUNCTION_RESPONSE_KEPT;
        while (body.n > FUNCTION_RESPONSE_KEPT - 4 &&
               ((unsigned char)body.p[body.n] & 0xc0) == 0x80)
            body.n--;
    }
    o->response = pool_str(pool, body);
}

static void set_result(struct pool *pool, const struct json *value, struct str text,
                       struct function_outcome *o)
{
    struct buf b;

    buf_init(&b, RESULT_MAX);
    if (value != NULL)
        json_write(&b, value);
    else
        buf_json(&b, text);
    if (b.overflow)
        fail(o, RUN_TOO_LARGE, "The answer is too large as JSON.", false);
    else
        o->result = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
}

/* Writes the variables that are there; -1: o says what failed. */
static int write_saved(struct buf *b, struct pool *pool, const struct function *f,
                       const struct json *save, struct json *answer, struct function_outcome *o)
{
    struct json *path, *value;
    struct str name;
    size_t it = 0;

    while (json_each(save, &it, &name, &path)) {
        value = answer == NULL ? NULL : json_path_find(answer, json_str(path));
        if (value == NULL && f->missing_fails) {
            fail(o, RUN_SAVE_MISSED,
                 pool_printf(pool, "save.%.*s: the answer has no %.*s.", STR_ARG(name),
                             STR_ARG(json_str(path))),
                 false);
            return -1;
        }
        if (value == NULL)
            continue;
        buf_char(b, b->len == 0 ? '{' : ',');
        buf_json(b, name);
        buf_char(b, ':');
        json_write(b, value);
        if (str_is(name, "eligible") && json_type(value) == JSON_BOOL && !json_bool(value))
            o->rejected = true;
    }
    if (b->len > 0)
        buf_char(b, '}');
    return 0;
}

static void read_saved(struct pool *pool, const struct function *f, struct json *answer,
                       struct function_outcome *o)
{
    struct json *save;
    struct err err;
    struct buf b;

    if (f->save.p == NULL)
        return;
    if (json_parse(pool, f->save, &save, &err) != 0)
        die("function: save is no JSON: %s", err.message);
    buf_init(&b, FUNCTION_SAVED_MAX);
    if (write_saved(&b, pool, f, save, answer, o) == 0 && (b.len > 0 || b.overflow)) {
        /* In an object of its own a value is one level deeper than it was. */
        if (b.overflow || json_scan(buf_as_str(&b), JSON_DEPTH_MAX, &err) != 0)
            fail(o, RUN_SAVE_TOO_LARGE,
                 "What would be saved is over 16384 bytes or over 16 levels deep.", false);
        else
            o->saved = pool_str(pool, buf_as_str(&b));
    }
    buf_deinit(&b);
    if (o->error != RUN_GOOD)
        o->rejected = false;
}

/* The parsed answer is many times its text: what is kept of it is copied, the rest goes at once. */
static void read_json(struct pool *pool, const struct function *f, struct str body,
                      struct function_outcome *o)
{
    struct json *answer;
    struct pool *own;
    struct err err;

    pool_create(&own);
    if (json_parse_values(own, body, FUNCTION_RESPONSE_VALUES_MAX, &answer, &err) != 0) {
        fail(o, RUN_NOT_JSON, pool_printf(pool, "The answer is no good JSON: %.400s", err.message),
             false);
    } else {
        read_saved(pool, f, answer, o);
        if (o->error == RUN_GOOD)
            set_result(pool, answer, STR_NULL, o);
    }
    pool_destroy(&own);
}

/* A header's value may be of any bytes. */
static void refuse_content(struct pool *pool, struct str type, struct function_outcome *o)
{
    bool shown = true;

    for (size_t i = 0; i < type.n; i++)
        shown = shown && type.p[i] >= ' ' && type.p[i] <= '~';
    fail(o, RUN_CONTENT_TYPE,
         shown ? pool_printf(pool, "The answer is no JSON but %.*s.",
                             (int)(type.n < TYPE_SHOWN ? type.n : TYPE_SHOWN), type.p)
               : "The answer is no JSON, and its Content-Type is no text in ASCII.",
         false);
}

static void read_body(struct pool *pool, const struct function *f, const struct http_answer *answer,
                      struct function_outcome *o)
{
    bool needs_json = f->save.p != NULL;
    bool shown = f->phase == PHASE_DURING_CALL;

    switch (content_of(answer)) {
    case CONTENT_NONE:
        read_saved(pool, f, NULL, o);
        if (o->error == RUN_GOOD)
            o->result = STR("null");
        return;
    case CONTENT_JSON:
        if (needs_json || shown)
            read_json(pool, f, answer->body, o);
        else
            o->result = STR("null");
        return;
    case CONTENT_TEXT:
        if (needs_json || (shown && !str_utf8_valid(answer->body)))
            break;
        set_result(pool, NULL, shown ? answer->body : STR(""), o);
        return;
    case CONTENT_OTHER:
        if (needs_json || shown)
            break;
        o->result = STR("null");
        return;
    }
    refuse_content(pool, answer->content_type, o);
}

void function_answer_read(struct pool *pool, const struct function *function,
                          const struct http_answer *answer, struct function_outcome *outcome_r)
{
    struct function_outcome *o = outcome_r;

    *o = (struct function_outcome){.duration = answer->duration};
    if (answer->outcome != HTTP_ANSWERED) {
        read_failure(answer, o);
        return;
    }
    o->status = answer->status;
    keep_response(pool, function, answer->body, o);
    if (answer->status < 200 || answer->status > 299)
        read_bad_status(pool, answer->status, o);
    else if (answer->body.n > FUNCTION_RESPONSE_MAX)
        fail(o, RUN_TOO_LARGE, "The answer is over 262144 bytes.", false);
    else
        read_body(pool, function, answer, o);
}

void function_not_sent(struct pool *pool, enum run_error error, const char *detail,
                       struct function_outcome *outcome_r)
{
    *outcome_r = (struct function_outcome){0};
    fail(outcome_r, error, pool_strdup(pool, detail), false);
}

usec_t function_retry_wait(const struct function *function, const struct function_outcome *outcome,
                           unsigned tries, usec_t time_left)
{
    if (!outcome->retry || tries == 0 || tries > function->retries || tries > FUNCTION_RETRIES_MAX)
        return TIME_NONE;
    usec_t wait = RETRY_WAIT << (tries - 1);
    return wait + TRY_LEAST <= time_left ? wait : TIME_NONE;
}
