/*
 * function.c - reads a function's settings by their table, then checks the whole; its URL in
 * function_url.c.
 */
#include "lib/rules/function.h"
#include "lib/rules/custom_headers.h"
#include "lib/rules/event.h"
#include "lib/rules/function_private.h"
#include "lib/rules/json_path.h"
#include "lib/rules/schema.h"
#include "lib/rules/template.h"

#include <ctype.h>
#include <string.h>

#define SAVED_NAMES_MAX 50
#define QUERY_MAX 50
#define DOCUMENT_MAX (1024 * 1024) /* bytes of a field that is any JSON */

const char *const function_phase_texts[] = {
#define X(name, text) text,
    FUNCTION_PHASES(X)
#undef X
        NULL};
const char *const function_method_texts[] = {
#define X(name, text) text,
    FUNCTION_METHODS(X)
#undef X
        NULL};
const char *const function_on_error_texts[] = {
#define X(name, text) text,
    FUNCTION_ON_ERRORS(X)
#undef X
        NULL};
const char *const function_when_texts[] = {
#define X(name, text) text,
    FUNCTION_WHENS(X)
#undef X
        NULL};
const char *const function_on_missing_texts[] = {"empty", "error", NULL};

/* Milliseconds, in the order of the phases. */
static const int64_t timeout_default[] = {3000, 4000, 10000};
static const int64_t timeout_most[] = {10000, 8000, 30000};
_Static_assert(sizeof(timeout_default) / sizeof(timeout_default[0]) == FUNCTION_PHASE_COUNT &&
                   sizeof(timeout_most) / sizeof(timeout_most[0]) == FUNCTION_PHASE_COUNT,
               "a time per phase");

const char *function_phase_text(enum function_phase p)
{
    return (unsigned)p < FUNCTION_PHASE_COUNT ? function_phase_texts[p] : "?";
}

/* What comes in another form than it is kept in. */
struct function_body {
    struct function f;
    int on_missing;
    const struct json *headers, *query, *body, *parameters, *static_parameters, *save;
};

#define SETTING(kind_of_value, member)                                                             \
    .name = #member, .type = FIELD_##kind_of_value,                                                \
    .offset = offsetof(struct function_body, f.member)

static const struct field fields[FUNCTION_SETTING_COUNT] = {
    [FUNCTION_AGENT] = {SETTING(ID, agent_id), .required = true, .kind = ID_AGENT},
    [FUNCTION_PHASE] = {SETTING(CHOICE, phase), .required = true, .choices = function_phase_texts},
    [FUNCTION_NAME] = {SETTING(TEXT, name), .required = true, .min = 1, .max = FUNCTION_NAME_MAX},
    [FUNCTION_DESCRIPTION] = {SETTING(LINES, description), .max = 1000},
    [FUNCTION_METHOD] = {SETTING(CHOICE, method), .choices = function_method_texts},
    [FUNCTION_URL] = {SETTING(TEXT, url), .required = true, .min = 1, .max = URL_LENGTH_MAX},
    [FUNCTION_HEADERS] = {FIELD(JSON, struct function_body, headers)},
    [FUNCTION_QUERY] = {FIELD(JSON, struct function_body, query)},
    [FUNCTION_BODY] = {FIELD(JSON, struct function_body, body)},
    [FUNCTION_PARAMETERS] = {FIELD(JSON, struct function_body, parameters)},
    [FUNCTION_STATIC_PARAMETERS] = {FIELD(JSON, struct function_body, static_parameters)},
    [FUNCTION_TIMEOUT] = {SETTING(INT, timeout_ms), .min = 100, .max = 30000},
    [FUNCTION_RETRIES] = {SETTING(INT, retries), .max = FUNCTION_RETRIES_MAX},
    [FUNCTION_ON_ERROR] = {SETTING(CHOICE, on_error), .choices = function_on_error_texts},
    [FUNCTION_ON_MISSING] = {FIELD(CHOICE, struct function_body, on_missing),
                             .choices = function_on_missing_texts},
    [FUNCTION_SAVE] = {FIELD(JSON, struct function_body, save)},
    [FUNCTION_WHEN] = {SETTING(CHOICE, when), .choices = function_when_texts},
    [FUNCTION_SAY_WHILE_RUNNING] = {SETTING(TEXT, say_while_running), .max = 500},
    [FUNCTION_SAY_ON_ERROR] = {SETTING(TEXT, say_on_error), .max = 500},
    [FUNCTION_ENABLED] = {SETTING(BOOL, enabled)},
    [FUNCTION_POSITION] = {SETTING(INT, position), .max = 1000},
};

static int refuse(struct err *err, const char *field, const char *what)
{
    return err_set(err, ERR_INVALID, "%s%s", field, what);
}

unsigned function_sources(int phase)
{
    unsigned sources = TEMPLATE_ALL;
    if (phase != PHASE_DURING_CALL)
        sources &= ~(1u << TEMPLATE_ARGS);
    if (phase != PHASE_POST_CALL)
        sources &= ~(1u << TEMPLATE_RESULT);
    return sources;
}

static bool name_good(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c >= 0x80 || !(isalnum(c) || c == '_' || c == '-'))
            return false;
    }
    return name.n > 0 && name.n <= FUNCTION_NAME_MAX;
}

static int check_query(struct pool *pool, const struct json *query, unsigned sources,
                       struct err *err)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    if (json_type(query) != JSON_OBJECT || json_count(query) > QUERY_MAX)
        return refuse(err, "query", " must be an object of at most 50 members.");
    while (json_each(query, &it, &name, &value)) {
        enum json_type type = json_type(value);
        if (type != JSON_STRING && type != JSON_NUMBER && type != JSON_BOOL)
            return err_set(err, ERR_INVALID, "query.%.*s must be a string, a number or a boolean.",
                           STR_ARG(field_echo(name)));
    }
    return template_json_check(pool, query, "query", sources, err);
}

static bool variable_good(struct str name)
{
    return name_good(name) && memchr(name.p, '-', name.n) == NULL &&
           !isdigit((unsigned char)name.p[0]);
}

static int check_save(const struct json *save, struct err *err)
{
    struct json *path;
    struct str name;
    size_t it = 0;

    if (json_type(save) != JSON_OBJECT || json_count(save) > SAVED_NAMES_MAX)
        return refuse(err, "save", " must be an object of at most 50 members.");
    while (json_each(save, &it, &name, &path)) {
        struct str shown = field_echo(name);
        if (!variable_good(name))
            return err_set(err, ERR_INVALID,
                           "save: \"%.*s\" is no variable's name: 1 to 64 letters, digits and _, "
                           "no digit first.",
                           (int)shown.n, shown.n > 0 ? shown.p : "");
        if (json_str(path).p == NULL)
            return err_set(err, ERR_INVALID, "save.%.*s must be a path such as $.name.",
                           STR_ARG(shown));
        if (json_path_check(json_str(path), err) != 0)
            return err_prefix(err, "save.%.*s", STR_ARG(shown));
    }
    return 0;
}

static int check_headers(struct pool *pool, struct str headers, struct err *err)
{
    struct json *object, *value;
    struct str name;
    size_t it = 0;

    if (headers.p == NULL)
        return 0;
    if (json_parse(pool, headers, &object, err) != 0)
        return -1;
    while (json_each(object, &it, &name, &value)) {
        struct str text = json_str(value), shown = field_echo(name);
        if (str_is_nocase(name, "idempotency-key"))
            return refuse(err, "headers", ": Idempotency-Key is set by the server.");
        if (memmem(text.p, text.n, "{{", 2) != NULL)
            return err_set(err, ERR_INVALID, "headers.%.*s can't be a template.", STR_ARG(shown));
    }
    return 0;
}

/* What is set must be something that the phase looks at. */
static int check_phase(const struct function *f, struct err *err)
{
    bool during = f->phase == PHASE_DURING_CALL, post = f->phase == PHASE_POST_CALL;

    if (f->timeout_ms > timeout_most[f->phase])
        return err_set(err, ERR_INVALID,
                       "timeout_ms must be a whole number from 100 to %lld in %s.",
                       (long long)timeout_most[f->phase], function_phase_texts[f->phase]);
    if (f->parameters.p != NULL && !during)
        return refuse(err, "parameters", " are for during_call functions.");
    if ((f->say_while_running.n > 0 || f->say_on_error.n > 0) && !during)
        return refuse(err, "say_while_running", " and say_on_error are for during_call functions.");
    if (f->when != WHEN_ALWAYS && !post)
        return refuse(err, "when", " is for post_call functions.");
    if (f->on_error == ON_ERROR_DISALLOW && f->phase != PHASE_PRE_CALL)
        return refuse(err, "on_error", ": disallow is for pre_call functions.");
    if (post && (f->retries > 0 || f->on_error != ON_ERROR_CONTINUE))
        return refuse(err, "retries",
                      " and on_error are not for post_call functions: they are delivered and "
                      "retried like webhooks.");
    if (post && f->save.p != NULL)
        return refuse(err, "save", " is not for post_call functions: the call is over.");
    return 0;
}

static int parse(struct pool *pool, struct str text, struct json **value_r, struct err *err)
{
    *value_r = NULL;
    return text.p == NULL ? 0 : json_parse(pool, text, value_r, err);
}

/* What stands in the URL can't be taken out of it, so that there would be two of a name. */
static int check_static_names(struct pool *pool, const struct function *f, const struct json *fixed,
                              struct err *err)
{
    struct url_names names;
    struct json *value;
    struct str name;
    size_t it = 0;

    if (f->body.p != NULL || (f->method != FUNCTION_GET && f->method != FUNCTION_DELETE))
        return 0;
    url_names_read(pool, function_plain_url(pool, f), &names);
    while (json_each(fixed, &it, &name, &value)) {
        if (url_names_have(&names, name))
            return err_set(err, ERR_INVALID,
                           "static_parameters.%.*s goes into the query, where url has this name.",
                           STR_ARG(field_echo(name)));
    }
    return 0;
}

static int check_documents(struct pool *pool, const struct function *f, struct err *err)
{
    struct json *query, *body, *parameters, *fixed, *save;
    unsigned sources = function_sources(f->phase);

    if (parse(pool, f->query, &query, err) != 0 || parse(pool, f->body, &body, err) != 0 ||
        parse(pool, f->parameters, &parameters, err) != 0 ||
        parse(pool, f->static_parameters, &fixed, err) != 0 ||
        parse(pool, f->save, &save, err) != 0)
        return -1;
    if ((query != NULL && check_query(pool, query, sources, err) != 0) ||
        (body != NULL && template_json_check(pool, body, "body", sources, err) != 0) ||
        (parameters != NULL && schema_check(parameters, "parameters", err) != 0) ||
        (save != NULL && check_save(save, err) != 0))
        return -1;
    if (body != NULL && f->method == FUNCTION_GET)
        return refuse(err, "body", " must not be set for GET.");
    if (fixed == NULL)
        return 0;
    if (json_type(fixed) != JSON_OBJECT)
        return refuse(err, "static_parameters", " must be an object.");
    if (body != NULL && json_type(body) != JSON_OBJECT && json_type(body) != JSON_STRING)
        return refuse(err, "static_parameters", " need a body that is an object.");
    if (check_static_names(pool, f, fixed, err) != 0)
        return -1;
    /* Nothing that is said in a call may become one. */
    return template_json_check(pool, fixed, "static_parameters", sources & ~(1u << TEMPLATE_ARGS),
                               err);
}

static int check_whole(struct pool *pool, const struct function *f, const struct url_guard *guard,
                       struct err *err)
{
    if (!name_good(f->name))
        return refuse(err, "name", " must be 1 to 64 letters, digits, _ and -.");
    if (check_phase(f, err) != 0 || function_check_url(pool, f, guard, err) != 0 ||
        check_headers(pool, f->headers, err) != 0)
        return -1;
    return check_documents(pool, f, err);
}

/* A document as it is kept; a null removes it. */
static int take(struct pool *pool, uint64_t given, enum function_setting setting,
                const struct json *value, struct str *into, struct err *err)
{
    struct buf b;

    if (!field_in(given, setting))
        return 0;
    *into = STR_NULL;
    if (json_type(value) == JSON_NULL)
        return 0;
    buf_init(&b, DOCUMENT_MAX);
    json_write(&b, value);
    bool overflow = b.overflow;
    *into = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    if (overflow)
        return err_set(err, ERR_INVALID, "%s must not be over %d bytes.", fields[setting].name,
                       DOCUMENT_MAX);
    return 0;
}

static int take_all(struct pool *pool, uint64_t given, struct function_body *body, struct err *err)
{
    const struct {
        enum function_setting setting;
        const struct json *value;
        struct str *into;
    } documents[] = {
        {FUNCTION_QUERY, body->query, &body->f.query},
        {FUNCTION_BODY, body->body, &body->f.body},
        {FUNCTION_PARAMETERS, body->parameters, &body->f.parameters},
        {FUNCTION_STATIC_PARAMETERS, body->static_parameters, &body->f.static_parameters},
        {FUNCTION_SAVE, body->save, &body->f.save},
    };

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        if (take(pool, given, documents[i].setting, documents[i].value, documents[i].into, err) !=
            0)
            return -1;
    }
    return 0;
}

static void set_defaults(struct function *f)
{
    f->description = f->say_while_running = f->say_on_error = STR("");
    f->method = FUNCTION_POST;
    f->headers = f->query = f->body = f->parameters = f->static_parameters = f->save = STR_NULL;
    f->timeout_ms = 0;
    f->retries = 0;
    f->on_error = ON_ERROR_CONTINUE;
    f->missing_fails = false;
    f->when = WHEN_ALWAYS;
    f->enabled = true;
}

int function_settings_read(struct pool *pool, const struct json *json, bool changing,
                           const struct url_guard *guard, struct function *function,
                           uint64_t *given_r, struct err *err)
{
    struct function_body body = {.f = *function};
    struct fields_seen seen;

    if (!changing)
        set_defaults(&body.f);
    body.on_missing = body.f.missing_fails;
    if (fields_read(json, fields, FUNCTION_SETTING_COUNT, changing, &body, &seen, err) != 0)
        return -1;
    if (changing && (field_in(seen.given, FUNCTION_AGENT) || field_in(seen.given, FUNCTION_PHASE)))
        return refuse(err, field_in(seen.given, FUNCTION_AGENT) ? "agent_id" : "phase",
                      " can't be changed; make another function.");
    if (!changing && field_in(seen.given, FUNCTION_POSITION))
        return refuse(err, "position", " is changed afterwards: a new function is the last.");
    if (field_in(seen.given, FUNCTION_HEADERS) &&
        custom_headers_merge(pool, body.f.headers, body.headers, &body.f.headers, err) != 0)
        return -1;
    body.f.headers_lost = body.f.headers_lost && !field_in(seen.given, FUNCTION_HEADERS);
    if (!changing && !field_in(seen.given, FUNCTION_TIMEOUT))
        body.f.timeout_ms = timeout_default[body.f.phase];
    body.f.missing_fails = body.on_missing != 0;
    if (take_all(pool, seen.given, &body, err) != 0 || check_whole(pool, &body.f, guard, err) != 0)
        return -1;
    *function = body.f;
    *given_r = seen.given;
    return 0;
}

unsigned function_event_mask(int when)
{
    unsigned completed = 1u << EVENT_CALL_COMPLETED, failed = 1u << EVENT_CALL_FAILED;
    return when == WHEN_COMPLETED ? completed : when == WHEN_FAILED ? failed : completed | failed;
}

void functions_offer(struct buf *b, const struct function *functions, size_t count)
{
    buf_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        const struct function *f = &functions[i];
        buf_text(b, i == 0 ? "{\"name\":" : ",{\"name\":");
        buf_json(b, f->name);
        buf_lit(b, ",\"description\":");
        buf_json(b, f->description);
        buf_lit(b, ",\"parameters\":");
        buf_str(b, f->parameters.p != NULL ? f->parameters
                                           : STR("{\"type\":\"object\",\"properties\":{}}"));
        buf_lit(b, ",\"say_while_running\":");
        buf_json(b, f->say_while_running.n > 0 ? f->say_while_running : STR_NULL);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}
