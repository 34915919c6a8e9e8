/*
 * request.c - parameters, path, query, media type and body of one request.
 */
#include "fcgi/request.h"

#include <string.h>

#define READ_SIZE 8192

static const struct str param_names[PARAM_COUNT] = {
#define X(name, text) {text, sizeof(text) - 1},
    PARAMS(X)
#undef X
};

static void take_params(struct request *rq, char *const *environ_)
{
    for (; *environ_ != NULL; environ_++) {
        const char *equals = strchr(*environ_, '=');
        if (equals == NULL)
            continue;
        size_t n = (size_t)(equals - *environ_);
        for (unsigned p = 0; p < PARAM_COUNT; p++) {
            if (param_names[p].n == n && memcmp(param_names[p].p, *environ_, n) == 0) {
                rq->param[p] = str_of(equals + 1);
                break;
            }
        }
    }
}

int request_init(struct request *rq, struct io *io, struct pool *pool, char *const *environ_,
                 const unsigned char random[10], struct str base_path, struct err *err)
{
    memset(rq, 0, sizeof(*rq));
    rq->io = io;
    rq->pool = pool;
    memcpy(rq->id, "req_", 4);
    base32_encode(random, 10, rq->id + 4);
    take_params(rq, environ_);
    rq->method = method_parse(rq->param[PARAM_METHOD]);
    rq->path =
        request_path(pool, rq->param[PARAM_SCRIPT_NAME], rq->param[PARAM_PATH_INFO], base_path);

    struct str length = rq->param[PARAM_CONTENT_LENGTH];
    rq->body_length = UINT64_MAX;
    if (length.n > 0 && str_u64(length, UINT64_MAX - 1, &rq->body_length) != 0) {
        rq->body_length = UINT64_MAX;
        return err_set(err, ERR_INVALID, "Content-Length must be a number.");
    }
    return 0;
}

/* The end of the first segment that ends in .fcgi or .cgi, or 0. */
static size_t program_end(struct str path)
{
    struct str rest = path, segment;
    while (str_split(&rest, '/', &segment)) {
        const char *dot = segment.n > 0 ? memrchr(segment.p, '.', segment.n) : NULL;
        if (dot == NULL)
            continue;
        struct str suffix = {dot, (size_t)(segment.p + segment.n - dot)};
        if (str_is(suffix, ".fcgi") || str_is(suffix, ".cgi"))
            return (size_t)(segment.p + segment.n - path.p);
    }
    return 0;
}

struct str request_path(struct pool *pool, struct str script_name, struct str path_info,
                        struct str base_path)
{
    struct str path = script_name.n == 0 ? path_info : script_name;
    if (script_name.n > 0 && path_info.n > 0)
        path = str_of(pool_printf(pool, "%.*s%.*s", STR_ARG(script_name), STR_ARG(path_info)));

    bool below = base_path.n == 0;
    if (!below && path.n > base_path.n && memcmp(path.p, base_path.p, base_path.n) == 0 &&
        path.p[base_path.n] == '/') {
        path.p += base_path.n;
        path.n -= base_path.n;
        below = true;
    }
    /* what stands after /v1/ is the API's own, whatever it ends in */
    if (!str_starts(path, "/v1/")) {
        size_t end = program_end(path);
        path.p += end;
        path.n -= end;
        below |= end > 0;
    }
    return below && path.p != NULL ? path : STR_NULL;
}

int query_next_pair(struct pool *pool, struct str *rest, struct str *name_r, struct str *value_r,
                    struct err *err)
{
    struct str pair = {NULL, 0};
    while (pair.n == 0)
        if (!str_split(rest, '&', &pair))
            return 0;
    struct str value = pair, name;
    (void)str_split(&value, '=', &name);
    if (value.p == NULL || value.n == 0)
        value = STR("");
    if (percent_decode(pool, name, true, name_r) != 0 ||
        percent_decode(pool, value, true, value_r) != 0)
        return err_set(err, ERR_INVALID, "The query string has a broken %%XX.");
    if (!str_utf8_valid(*name_r) || !str_utf8_valid(*value_r) ||
        memchr(name_r->p, '\0', name_r->n) != NULL || memchr(value_r->p, '\0', value_r->n) != NULL)
        return err_set(err, ERR_INVALID, "The query string must be UTF-8, without NUL.");
    return 1;
}

/* charset=utf-8, charset="UTF-8" and whatever is no charset */
static bool parameter_is_fine(struct str parameter)
{
    struct str value = str_trim(parameter), name;
    (void)str_split(&value, '=', &name);
    if (!str_is_nocase(str_trim(name), "charset"))
        return true;
    value = str_trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (struct str){value.p + 1, value.n - 2};
    return str_is_nocase(value, "utf-8");
}

/* The media type, in lower case or not, without its parameters; those must be fine. */
static int read_media_type(const struct request *rq, struct str *type_r, struct err *err)
{
    struct str rest = rq->param[PARAM_CONTENT_TYPE], parameter;
    *type_r = STR("");
    if (rest.p != NULL && str_split(&rest, ';', type_r))
        *type_r = str_trim(*type_r);
    while (str_split(&rest, ';', &parameter))
        if (!parameter_is_fine(parameter))
            return err_set(err, ERR_MEDIA_TYPE, "Content-Type must be %.*s in UTF-8.",
                           STR_ARG(*type_r));
    struct str encoding = str_trim(rq->param[PARAM_CONTENT_ENCODING]);
    if (encoding.n > 0 && !str_is_nocase(encoding, "identity"))
        return err_set(err, ERR_MEDIA_TYPE, "The request body must not be compressed.");
    return 0;
}

int request_check_json_type(const struct request *rq, struct err *err)
{
    struct str type;
    int result = read_media_type(rq, &type, err);
    if (!str_is_nocase(type, "application/json"))
        return err_set(err, ERR_MEDIA_TYPE, "Content-Type must be application/json.");
    return result;
}

int request_check_batch_type(const struct request *rq, bool *csv_r, struct err *err)
{
    struct str type;
    int result = read_media_type(rq, &type, err);
    *csv_r = str_is_nocase(type, "text/csv");
    if (!*csv_r && !str_is_nocase(type, "application/json"))
        return err_set(err, ERR_MEDIA_TYPE, "Content-Type must be application/json or text/csv.");
    return result;
}

static int too_large(size_t cap, struct err *err)
{
    return err_set(err, ERR_TOO_LARGE, "The request body must not be over %zu bytes.", cap);
}

int request_read_body(struct request *rq, struct buf *b, size_t cap, struct err *err)
{
    buf_clear(b);
    b->max = cap + 1;
    if (rq->body_length != UINT64_MAX && rq->body_length > cap)
        return too_large(cap, err);
    for (;;) {
        /* one byte more than may come, to see the end without another round */
        size_t want = rq->body_length != UINT64_MAX ? (size_t)rq->body_length + 1 : READ_SIZE;
        if (want <= b->len)
            want = b->len + READ_SIZE;
        want = (want > cap + 1 ? cap + 1 : want) - b->len;
        char *p = buf_room(b, want);
        if (p == NULL)
            return err_set(err, ERR_INTERNAL, "no room for %zu bytes of a body", want);
        ptrdiff_t got = rq->io->read(rq->io, p, want);
        if (got < 0)
            return err_set(err, ERR_INVALID, "The request body broke off.");
        if (got == 0)
            break;
        b->len += (size_t)got;
        if (b->len > cap)
            return too_large(cap, err);
    }
    if (rq->body_length != UINT64_MAX && b->len < rq->body_length)
        return err_set(err, ERR_INVALID, "The request body is shorter than Content-Length says.");
    rq->body = buf_as_str(b);
    return 0;
}

size_t request_values_max(size_t bytes_max)
{
    return JSON_VALUES_MAX * ((bytes_max + 65535) / 65536);
}

int request_parse_json(struct request *rq, size_t values_max, struct err *err)
{
    if (rq->body.n == 0)
        return err_set(err, ERR_INVALID, "The request body is empty; it must be a JSON object.");
    if (json_parse_values(rq->pool, rq->body, values_max, &rq->json, err) != 0)
        return -1;
    if (json_type(rq->json) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "The request body must be a JSON object.");
    return 0;
}

void request_drain(struct request *rq)
{
    char waste[READ_SIZE];
    ptrdiff_t got = 1;
    for (size_t left = REQUEST_DRAIN_MAX; got > 0 && left > 0; left -= (size_t)got) {
        got = rq->io->read(rq->io, waste, left < sizeof(waste) ? left : sizeof(waste));
        if (got < 0)
            break;
    }
}

struct signature_input request_signature(const struct request *rq)
{
    return (struct signature_input){
        .x_webhook_signature = rq->param[PARAM_X_WEBHOOK_SIGNATURE],
        .webhook_id = rq->param[PARAM_WEBHOOK_ID],
        .webhook_timestamp = rq->param[PARAM_WEBHOOK_TIMESTAMP],
        .webhook_signature = rq->param[PARAM_WEBHOOK_SIGNATURE],
    };
}
