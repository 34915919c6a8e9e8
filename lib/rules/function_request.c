/*
 * function_request.c - the request of a function for a call.
 */
#include "lib/rules/custom_headers.h"
#include "lib/rules/function_private.h"
#include "lib/rules/signature.h"

#include <string.h>

/* What the steps of making a request share. */
struct making {
    struct pool *pool;
    const struct function *f;
    const struct function_context *context;
    struct template_scope scope;
    const struct json *fixed; /* static parameters, rendered; NULL: none */
    struct err *err;
};

static int internal(struct making *m, const char *what)
{
    m->err->code = ERR_INTERNAL;
    return err_prefix(m->err, "function's %s", what);
}

/* A column's document; NULL when there is none. */
static int stored(struct making *m, struct str text, const char *what, struct json **value_r)
{
    *value_r = NULL;
    if (text.p == NULL)
        return 0;
    return json_parse(m->pool, text, value_r, m->err) == 0 ? 0 : internal(m, what);
}

/* A column's document with its templates filled in, as text. */
static int rendered(struct making *m, const struct json *document, const char *what,
                    struct str *text_r)
{
    struct buf b;

    buf_init(&b, FUNCTION_BODY_MAX);
    int result =
        template_json_render(&b, m->pool, document, &m->scope, m->f->missing_fails, m->err);
    if (result == 0)
        *text_r = pool_str(m->pool, buf_as_str(&b));
    else
        err_prefix(m->err, "%s", what);
    buf_deinit(&b);
    return result;
}

/* What was written to b as the body, or a part of it; b ends here. */
static int written(struct making *m, struct buf *b, struct str *text_r)
{
    size_t max = b->max;
    bool overflow = b->overflow;

    *text_r = pool_str(m->pool, buf_as_str(b));
    buf_deinit(b);
    if (overflow)
        return err_set(m->err, ERR_TOO_LARGE, "the body is over %zu bytes.", max);
    return 0;
}

/* One object of two. */
static int laid(struct making *m, const struct json *under, const struct json *over, size_t max,
                struct str *text_r)
{
    struct buf b;

    buf_init(&b, max);
    object_lay(&b, under, over);
    return written(m, &b, text_r);
}

static int make_scope(struct making *m)
{
    struct json *templates, *fixed, *arguments;
    struct str text;

    if (function_scope(m->pool, m->context, &m->scope, m->err) != 0 ||
        stored(m, m->f->static_parameters, "static_parameters", &templates) != 0)
        return -1;
    /* A trial may be with a call that is over. */
    if (m->f->phase != PHASE_POST_CALL)
        m->scope.at[TEMPLATE_RESULT] = NULL;
    if (templates != NULL) {
        if (rendered(m, templates, "static_parameters", &text) != 0 ||
            json_parse(m->pool, text, &fixed, m->err) != 0)
            return -1;
        m->fixed = fixed;
    }
    if (m->f->phase != PHASE_DURING_CALL)
        return 0;
    if (laid(m, m->scope.at[TEMPLATE_ARGS], m->fixed, FUNCTION_BODY_MAX, &text) != 0 ||
        json_parse(m->pool, text, &arguments, m->err) != 0)
        return -1;
    m->scope.at[TEMPLATE_ARGS] = arguments;
    return 0;
}

/* ---- the URL ---- */

static void add_pair(struct making *m, struct buf *url, struct str name, struct str value)
{
    if (name.n + value.n > FUNCTION_URL_MAX) { /* before they are encoded */
        url->overflow = true;
        return;
    }
    buf_char(url, memchr(url->data, '?', url->len) == NULL ? '?' : '&');
    buf_str(url, percent_encode(m->pool, name));
    buf_char(url, '=');
    if (value.n > 0)
        buf_str(url, percent_encode(m->pool, value));
}

static void add_member(struct making *m, struct buf *url, struct str name, const struct json *value)
{
    struct buf b;

    if (json_type(value) == JSON_STRING || json_type(value) == JSON_NULL) {
        add_pair(m, url, name, json_type(value) == JSON_NULL ? STR("") : json_str(value));
        return;
    }
    buf_init(&b, FUNCTION_URL_MAX);
    json_write(&b, value);
    if (b.overflow)
        url->overflow = true;
    else
        add_pair(m, url, name, buf_as_str(&b));
    buf_deinit(&b);
}

/* Of a URL that is too long already nothing more is looked at. */
static void add_members(struct making *m, struct buf *url, const struct json *object,
                        const struct json *but)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    while (!url->overflow && json_each(object, &it, &name, &value)) {
        if (but == NULL || object_member(but, name) == NULL)
            add_member(m, url, name, value);
    }
}

/* A value may have become a name in the URL's own query. */
static int check_fixed(struct making *m, const struct url_names *names)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    while (m->fixed != NULL && json_each(m->fixed, &it, &name, &value)) {
        if (url_names_have(names, name))
            return err_set(m->err, ERR_INVALID,
                           "url: its query has the name of a static parameter, %.*s.",
                           STR_ARG(field_echo(name)));
    }
    return 0;
}

static int add_query(struct making *m, struct buf *url)
{
    struct url_names names;
    struct str text, name;
    struct json *query, *value;
    size_t it = 0;
    bool no_body =
        m->f->body.p == NULL && (m->f->method == FUNCTION_GET || m->f->method == FUNCTION_DELETE);

    url_names_read(m->pool, pool_str(m->pool, buf_as_str(url)), &names);
    if (stored(m, m->f->query, "query", &query) != 0 || (no_body && check_fixed(m, &names) != 0))
        return -1;
    const struct json *more = !no_body                           ? NULL
                              : m->f->phase == PHASE_DURING_CALL ? m->scope.at[TEMPLATE_ARGS]
                                                                 : m->fixed;
    if (query != NULL) {
        if (rendered(m, query, "query", &text) != 0 ||
            json_parse(m->pool, text, &value, m->err) != 0)
            return -1;
        add_members(m, url, value, no_body ? m->fixed : NULL);
        query = value;
    }
    /* What the owner wrote stands before what a model said under the same name. */
    while (more != NULL && !url->overflow && json_each(more, &it, &name, &value)) {
        bool fixed = object_member(m->fixed, name) != NULL;
        if (fixed || (object_member(query, name) == NULL && !url_names_have(&names, name)))
            add_member(m, url, name, value);
    }
    return 0;
}

static int make_url(struct making *m, struct function_request *request)
{
    struct template *t;
    struct buf url;
    int result = -1;

    if (template_parse(m->pool, m->f->url, TEMPLATE_ALL, &t, m->err) != 0)
        return internal(m, "url");
    buf_init(&url, FUNCTION_URL_MAX);
    if (template_render(&url, m->pool, t, TEMPLATE_URL, &m->scope, m->f->missing_fails, m->err) !=
        0)
        err_prefix(m->err, "url");
    else if (function_url_dotted(buf_as_str(&url)))
        err_set(m->err, ERR_INVALID, "url: a value would lead to another path.");
    else
        result = add_query(m, &url);
    if (result == 0 && url.overflow)
        result = err_set(m->err, ERR_TOO_LARGE, "url: it is over %d characters.", FUNCTION_URL_MAX);
    request->url = pool_dup(m->pool, url.data, url.len);
    buf_deinit(&url);
    return result;
}

/* ---- the body ---- */

/* What goes without a body of the function's own, outside of a call. */
static int default_body(struct making *m, size_t max, struct str *text_r)
{
    static const struct {
        const char *name;
        enum template_source source;
    } members[] = {{"{\"call\":", TEMPLATE_CALL},
                   {",\"contact\":", TEMPLATE_CONTACT},
                   {",\"info\":", TEMPLATE_INFO},
                   {",\"vars\":", TEMPLATE_VARS},
                   {",\"result\":", TEMPLATE_RESULT}};
    struct buf b;

    buf_init(&b, max);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct json *value = m->scope.at[members[i].source];
        if (members[i].source == TEMPLATE_RESULT && value == NULL)
            continue;
        buf_text(&b, members[i].name);
        if (value == NULL)
            buf_lit(&b, "{}");
        else
            json_write(&b, value);
    }
    buf_char(&b, '}');
    return written(m, &b, text_r);
}

static int lay_fixed(struct making *m, size_t max, size_t values_max, struct str *text)
{
    struct json *body;

    if (m->fixed == NULL)
        return 0;
    if (json_parse_values(m->pool, *text, values_max, &body, m->err) != 0)
        return -1;
    if (json_type(body) != JSON_OBJECT)
        return err_set(m->err, ERR_INVALID,
                       "body: it came out as no object, so that there is no place for the static "
                       "parameters.");
    return laid(m, body, m->fixed, max, text);
}

static int make_body(struct making *m, struct function_request *request)
{
    bool sends = m->f->method != FUNCTION_GET && m->f->method != FUNCTION_DELETE;
    size_t max = m->f->phase == PHASE_POST_CALL ? FUNCTION_EVENT_MAX : FUNCTION_BODY_MAX;
    struct json *body;
    struct buf b;

    request->body = STR_NULL;
    if (stored(m, m->f->body, "body", &body) != 0)
        return -1;
    if (body != NULL) {
        if (rendered(m, body, "body", &request->body) != 0)
            return -1;
        return lay_fixed(m, FUNCTION_BODY_MAX, JSON_VALUES_TRANSCRIPT, &request->body);
    }
    if (!sends)
        return 0;
    if (m->f->phase != PHASE_DURING_CALL)
        return default_body(m, max, &request->body) == 0
                   ? lay_fixed(m, max, JSON_VALUES_ANY, &request->body)
                   : -1;
    buf_init(&b, max);
    json_write(&b, m->scope.at[TEMPLATE_ARGS]);
    return written(m, &b, &request->body);
}

/* ---- the headers ---- */

static void make_key(struct making *m, struct str key, struct function_request *request)
{
    char id[ID_TEXT_SIZE];

    id_format(ID_CALL, &m->context->call_id, id);
    request->key = str_of(pool_printf(m->pool, "%s:%.*s%s%.*s", id, STR_ARG(m->f->name),
                                      key.n > 0 ? ":" : "", (int)key.n, key.n > 0 ? key.p : ""));
}

/* The key as a webhook-id, which can't have a '.': a caller's own part of it may. */
static struct str signature_id(struct pool *pool, struct str key)
{
    struct buf b;

    if (memchr(key.p, '.', key.n) == NULL)
        return key;
    buf_init(&b, 3 * key.n);
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] == '.' || key.p[i] == '%')
            buf_printf(&b, "%%%02X", (unsigned)key.p[i]);
        else
            buf_char(&b, key.p[i]);
    }
    struct str id = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return id;
}

static bool names(struct str line, const char *header)
{
    size_t n = strlen(header);
    return line.n > n && line.p[n] == ':' && str_is_nocase((struct str){line.p, n}, header);
}

static int make_headers(struct making *m, const struct str *secrets, size_t secret_count,
                        struct function_request *request)
{
    struct signed_headers signature;
    struct str *own;
    size_t own_count, n = 0;
    bool accepts = false;

    if (custom_headers_lines(m->pool, m->f->headers, &own, &own_count, m->err) != 0)
        return -1;
    struct str *lines = request->headers = pool_new(m->pool, struct str, own_count + 8);
    for (size_t i = 0; i < own_count; i++) {
        lines[n++] = own[i];
        accepts = accepts || names(own[i], "accept");
    }
    if (!accepts)
        lines[n++] = STR("Accept: application/json");
    if (request->body.p != NULL)
        lines[n++] = STR("Content-Type: application/json");
    lines[n++] = str_of(pool_printf(m->pool, "Idempotency-Key: %.*s", STR_ARG(request->key)));
    if (secret_count > 0) {
        signature_make(m->pool, secrets, secret_count, signature_id(m->pool, request->key),
                       m->context->signed_at, request->body.p == NULL ? STR("") : request->body,
                       &signature);
        for (size_t i = 0; i < sizeof(signature.line) / sizeof(signature.line[0]); i++)
            lines[n++] = signature.line[i];
    }
    request->header_count = n;
    return 0;
}

static int make_record(struct making *m, struct function_request *request)
{
    struct buf b, headers;

    buf_init(&headers, 65536);
    if (custom_headers_hidden(&headers, m->pool,
                              m->f->headers.p == NULL ? STR("{}") : m->f->headers, m->err) != 0) {
        buf_deinit(&headers);
        return -1;
    }
    buf_init(&b, 1024 * 1024);
    buf_printf(&b, "{\"method\":\"%s\",\"url\":", request->method);
    buf_json(&b, str_of(request->url));
    buf_lit(&b, ",\"headers\":{\"Idempotency-Key\":");
    buf_json(&b, request->key);
    if (headers.len > 2)
        buf_char(&b, ',');
    buf_add(&b, headers.data + 1, headers.len - 1);
    buf_lit(&b, ",\"body\":");
    if (request->body.n > FUNCTION_REQUEST_KEPT)
        buf_json(&b, str_utf8_cut(request->body, FUNCTION_REQUEST_KEPT));
    else
        buf_str(&b, request->body.p == NULL ? STR("null") : request->body);
    buf_char(&b, '}');
    request->record = pool_str(m->pool, buf_as_str(&b));
    buf_deinit(&b);
    buf_deinit(&headers);
    return 0;
}

static int make(struct making *m, struct str key, const struct str *secrets, size_t secret_count,
                struct function_request *request)
{
    if (make_scope(m) != 0 || make_url(m, request) != 0 || make_body(m, request) != 0)
        return -1;
    make_key(m, key, request);
    if (make_headers(m, secrets, secret_count, request) != 0)
        return -1;
    return make_record(m, request);
}

static void copy_request(struct pool *pool, struct function_request *request)
{
    struct str *headers = pool_new(pool, struct str, request->header_count + 1);

    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = pool_str(pool, request->headers[i]);
    request->headers = headers;
    request->url = pool_strdup(pool, request->url);
    request->body = pool_str(pool, request->body);
    request->key = pool_str(pool, request->key);
    request->record = pool_str(pool, request->record);
}

/* What a call is described by is parsed and filled in on the way, which takes many times what is
 * sent; a request may wait long for its answer. */
int function_request_make(struct pool *pool, const struct function *function,
                          const struct function_context *context, struct str key,
                          const struct str *secrets, size_t secret_count,
                          struct function_request *request_r, struct err *err)
{
    struct making m = {.f = function, .context = context, .err = err};

    *request_r = (struct function_request){.method = function_method_texts[function->method]};
    if (function->headers_lost)
        return err_set(err, ERR_INTERNAL, "The function's stored headers can't be read.");
    pool_create(&m.pool);
    int result = make(&m, key, secrets, secret_count, request_r);
    if (result == 0)
        copy_request(pool, request_r);
    else
        *request_r = (struct function_request){.method = request_r->method};
    pool_destroy(&m.pool);
    return result;
}

enum run_error function_request_failure(const struct function *function)
{
    return function->headers_lost ? RUN_SECRET_UNREADABLE : RUN_TEMPLATE_FAILED;
}
