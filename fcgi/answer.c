/*
 * answer.c - statuses, error codes and header lines become the bytes of an answer.
 */
#include "fcgi/answer.h"

#include <stdio.h>

#define HEADERS_MAX 16384

static const struct {
    int code;
    struct str line;
} statuses[STATUS_COUNT] = {
#define X(code, reason)                                                                            \
    [STATUS_##code] = {                                                                            \
        code,                                                                                      \
        {"Status: " #code " " reason "\r\n", sizeof("Status: " #code " " reason "\r\n") - 1}},
    ANSWER_STATUSES(X)
#undef X
};

#define ERROR_STATUSES(X)                                                                          \
    X(ERR_NONE, 500)                                                                               \
    X(ERR_INVALID, 400)                                                                            \
    X(ERR_UNAUTHORIZED, 401)                                                                       \
    X(ERR_FORBIDDEN, 403)                                                                          \
    X(ERR_NOT_FOUND, 404)                                                                          \
    X(ERR_METHOD, 405)                                                                             \
    X(ERR_NOT_CANCELLABLE, 409)                                                                    \
    X(ERR_CONFLICT, 409)                                                                           \
    X(ERR_TOO_LARGE, 413)                                                                          \
    X(ERR_MEDIA_TYPE, 415)                                                                         \
    X(ERR_KEY_REUSED, 422)                                                                         \
    X(ERR_RATE_LIMITED, 429)                                                                       \
    X(ERR_INTERNAL, 500)                                                                           \
    X(ERR_UNAVAILABLE, 503)                                                                        \
    X(ERR_UNCERTAIN, 503)

/* the same codes in the same order as err.h: none is forgotten */
enum {
#define X(code, status) POSITION_OF_##code,
    ERROR_STATUSES(X)
#undef X
        ERROR_STATUSES_COUNT
};
_Static_assert((int)ERROR_STATUSES_COUNT == (int)ERR_CODE_COUNT, "a status per error code");
#define X(code, status) _Static_assert((int)POSITION_OF_##code == (int)code, #code);
ERROR_STATUSES(X)
#undef X

int answer_status_code(enum answer_status s)
{
    return statuses[s].code;
}

static enum answer_status status_of(enum err_code code)
{
    static const enum answer_status of[ERR_CODE_COUNT] = {
#define X(error, status) [error] = STATUS_##status,
        ERROR_STATUSES(X)
#undef X
    };
    return of[code];
}

void answer_init(struct answer *an)
{
    buf_init(&an->headers, HEADERS_MAX);
    buf_init(&an->body, ANSWER_BODY_MAX);
    buf_init(&an->wire, ANSWER_BODY_MAX + 2 * HEADERS_MAX);
    answer_clear(an);
}

void answer_deinit(struct answer *an)
{
    buf_deinit(&an->headers);
    buf_deinit(&an->body);
    buf_deinit(&an->wire);
}

void answer_clear(struct answer *an)
{
    an->status = STATUS_200;
    an->content_type = "application/json";
    an->retry_after = 1;
    buf_clear(&an->headers);
    buf_clear(&an->body);
    buf_clear(&an->wire);
}

void answer_header(struct answer *an, const char *name, struct str value)
{
    struct buf *b = &an->headers;
    buf_text(b, name);
    buf_lit(b, ": ");
    for (size_t i = 0; i < value.n; i++)
        buf_char(b, value.p[i] >= ' ' && value.p[i] <= '~' ? value.p[i] : '?');
    buf_lit(b, "\r\n");
}

static struct str public_message(const struct err *err)
{
    enum answer_status status = status_of(err->code);
    if (status == STATUS_500)
        return STR("An unexpected error occurred.");
    if (status == STATUS_503)
        return STR("The service is unavailable for the moment. Please try again.");
    return str_of(err->message);
}

/* What a caller may see of an error's code: `internal_error` for what should not have come here. */
static const char *public_code(enum err_code code)
{
    if (status_of(code) == STATUS_500)
        code = ERR_INTERNAL;
    return err_code_text(code == ERR_UNCERTAIN ? ERR_UNAVAILABLE : code);
}

void answer_error(struct answer *an, const struct err *err)
{
    int64_t retry_after = an->retry_after > 0 ? an->retry_after : 1;
    answer_clear(an);
    an->status = status_of(err->code);
    buf_lit(&an->body, "{\"error\":{\"code\":");
    buf_json(&an->body, str_of(public_code(err->code)));
    buf_lit(&an->body, ",\"message\":");
    buf_json(&an->body, public_message(err));
    buf_lit(&an->body, "}}");
    if (an->status == STATUS_401)
        answer_header(an, "WWW-Authenticate", STR("Bearer"));
    if (an->status == STATUS_503)
        answer_header(an, "Retry-After", STR("1"));
    if (an->status == STATUS_429) {
        char seconds[24];
        int n = snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_after);
        answer_header(an, "Retry-After", (struct str){seconds, (size_t)n});
    }
}

struct str answer_wire(struct answer *an, const char *request_id, bool without_body)
{
    struct buf *b = &an->wire;
    buf_clear(b);
    buf_str(b, statuses[an->status].line);
    buf_lit(b, "X-Request-Id: ");
    buf_text(b, request_id);
    buf_lit(b, "\r\nCache-Control: no-store\r\n");
    buf_str(b, buf_as_str(&an->headers));
    if (an->status != STATUS_204) {
        buf_lit(b, "Content-Type: ");
        buf_text(b, an->content_type);
        buf_lit(b, "\r\nContent-Length: ");
        buf_i64(b, (int64_t)an->body.len);
        buf_lit(b, "\r\n");
    }
    buf_lit(b, "\r\n");
    if (!without_body && an->status != STATUS_204)
        buf_str(b, buf_as_str(&an->body));
    return buf_as_str(b);
}
