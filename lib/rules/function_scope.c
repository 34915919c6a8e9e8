/*
 * function_scope.c - what templates see of a call, and the laying of objects over one another.
 */
#include "lib/rules/function_private.h"

#include <string.h>

#define DOCUMENT_MAX (4 * 1024 * 1024)

static void add_text(struct buf *b, const char *before, struct str value)
{
    buf_text(b, before);
    buf_json(b, value.p == NULL || value.n == 0 ? STR_NULL : value);
}

static void add_time(struct buf *b, const char *before, usec_t t)
{
    char text[TIME_TEXT_SIZE];

    if (t != TIME_NONE)
        time_format(t, text);
    add_text(b, before, t == TIME_NONE ? STR_NULL : str_of(text));
}

static void write_call(struct buf *b, const struct function_context *c)
{
    char id[ID_TEXT_SIZE];

    id_format(ID_CALL, &c->call_id, id);
    add_text(b, "{\"id\":", str_of(id));
    buf_printf(b, ",\"attempt\":%u,\"test\":%s", c->attempt, c->test ? "true" : "false");
    add_text(b, ",\"from_number\":", c->from_number);
    add_time(b, ",\"created_at\":", c->created_at);
    add_time(b, ",\"scheduled_at\":", c->scheduled_at);
    buf_char(b, '}');
}

static void write_agent(struct buf *b, const struct function_context *c)
{
    char id[ID_TEXT_SIZE];

    id_format(ID_AGENT, &c->agent_id, id);
    add_text(b, "{\"id\":", str_of(id));
    add_text(b, ",\"name\":", c->agent_name);
    add_text(b, ",\"language\":", c->agent_language);
    buf_char(b, '}');
}

static void write_contact(struct buf *b, const struct function_context *c)
{
    add_text(b, "{\"number\":", c->contact_number);
    add_text(b, ",\"name\":", c->contact_name);
    add_text(b, ",\"email\":", c->contact_email);
    buf_char(b, '}');
}

/* "agent: Hello" lines of the transcript's {role, text}. */
static int add_lines(struct buf *text, struct str transcript, struct err *err)
{
    struct json *turns = NULL;
    struct pool *pool;

    pool_create(&pool);
    int result = json_parse_values(pool, transcript, JSON_VALUES_ANY, &turns, err);
    for (size_t i = 0; result == 0 && i < json_count(turns); i++) {
        const struct json *turn = json_at(turns, i);
        struct str role = json_str(json_get(turn, "role")), said = json_str(json_get(turn, "text"));
        if (role.n == 0 || said.n == 0)
            continue;
        if (text->len > 0)
            buf_char(text, '\n');
        buf_str(text, role);
        buf_lit(text, ": ");
        buf_str(text, said);
    }
    pool_destroy(&pool);
    if (result == 0 && text->overflow)
        return err_set(err, ERR_TOO_LARGE, "the transcript is too large");
    return result;
}

static int add_transcript(struct buf *b, struct str transcript, struct err *err)
{
    struct buf text;

    if (transcript.p == NULL) {
        buf_lit(b, ",\"transcript\":null,\"transcript_text\":null");
        return 0;
    }
    buf_init(&text, DOCUMENT_MAX);
    int result = add_lines(&text, transcript, err);
    buf_lit(b, ",\"transcript\":");
    buf_str(b, transcript);
    add_text(b, ",\"transcript_text\":", buf_as_str(&text));
    buf_deinit(&text);
    return result;
}

static int write_result(struct buf *b, const struct function_context *c, struct err *err)
{
    add_text(b, "{\"status\":", c->result.status);
    add_text(b, ",\"outcome\":", c->result.outcome);
    add_text(b, ",\"summary\":", c->result.summary);
    if (add_transcript(b, c->result.transcript, err) != 0)
        return -1;
    buf_lit(b, ",\"duration_seconds\":");
    if (c->result.duration_seconds >= 0)
        buf_i64(b, c->result.duration_seconds);
    else
        buf_lit(b, "null");
    if (c->result.error_code.p == NULL) {
        buf_lit(b, ",\"error\":null}");
        return 0;
    }
    add_text(b, ",\"error\":{\"code\":", c->result.error_code);
    add_text(b, ",\"message\":", c->result.error_message);
    buf_lit(b, "}}");
    return 0;
}

static int parse_into(struct pool *pool, struct str text, const char *what,
                      const struct json **value_r, struct err *err)
{
    struct json *value;

    *value_r = NULL;
    if (text.p == NULL)
        return 0;
    if (json_parse_values(pool, text, JSON_VALUES_ANY, &value, err) != 0) {
        err->code = ERR_INTERNAL;
        return err_prefix(err, "%s", what);
    }
    *value_r = value;
    return 0;
}

/* Parses what was written to b, and clears it. */
static int parse_written(struct pool *pool, struct buf *b, const char *what,
                         const struct json **value_r, struct err *err)
{
    struct str text = pool_str(pool, buf_as_str(b));
    bool overflow = b->overflow;

    buf_clear(b);
    if (overflow)
        return err_set(err, ERR_TOO_LARGE, "%s is too large", what);
    return parse_into(pool, text, what, value_r, err);
}

static int fill_scope(struct buf *b, struct pool *pool, const struct function_context *c,
                      struct template_scope *scope, struct err *err)
{
    write_contact(b, c);
    if (parse_written(pool, b, "contact", &scope->at[TEMPLATE_CONTACT], err) != 0)
        return -1;
    write_call(b, c);
    if (parse_written(pool, b, "call", &scope->at[TEMPLATE_CALL], err) != 0)
        return -1;
    write_agent(b, c);
    if (parse_written(pool, b, "agent", &scope->at[TEMPLATE_AGENT], err) != 0 ||
        parse_into(pool, c->additional_info, "info", &scope->at[TEMPLATE_INFO], err) != 0 ||
        parse_into(pool, c->variables, "vars", &scope->at[TEMPLATE_VARS], err) != 0 ||
        parse_into(pool, c->arguments, "args", &scope->at[TEMPLATE_ARGS], err) != 0)
        return -1;
    if (!c->result.known)
        return 0;
    if (write_result(b, c, err) != 0)
        return -1;
    return parse_written(pool, b, "result", &scope->at[TEMPLATE_RESULT], err);
}

int function_scope(struct pool *pool, const struct function_context *context,
                   struct template_scope *scope_r, struct err *err)
{
    struct buf b;

    *scope_r =
        (struct template_scope){.now = context->now, .offset_minutes = context->offset_minutes};
    buf_init(&b, DOCUMENT_MAX);
    int result = fill_scope(&b, pool, context, scope_r, err);
    buf_deinit(&b);
    return result;
}

struct json *object_member(const struct json *object, struct str wanted)
{
    return json_get(object, wanted.p);
}

void object_lay(struct buf *b, const struct json *under, const struct json *over)
{
    const struct json *layers[] = {under, over};
    struct json *value;
    struct str name;
    bool first = true;

    buf_char(b, '{');
    for (size_t i = 0; i < 2; i++) {
        size_t it = 0;
        while (layers[i] != NULL && json_each(layers[i], &it, &name, &value)) {
            if (i == 0 && object_member(over, name) != NULL)
                continue;
            if (!first)
                buf_char(b, ',');
            first = false;
            buf_json(b, name);
            buf_char(b, ':');
            json_write(b, value);
        }
    }
    buf_char(b, '}');
}

int variables_merge(struct pool *pool, struct str now, struct str saved, struct str *merged_r,
                    struct err *err)
{
    const struct json *under, *over;
    struct buf b;

    *merged_r = saved.p == NULL ? now : saved;
    if (now.p == NULL || saved.p == NULL)
        return 0;
    if (parse_into(pool, now, "variables", &under, err) != 0 ||
        parse_into(pool, saved, "saved variables", &over, err) != 0)
        return -1;
    buf_init(&b, VARIABLES_MAX);
    object_lay(&b, under, over);
    bool overflow = b.overflow;
    *merged_r = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    if (overflow)
        return err_set(err, ERR_TOO_LARGE, "the call's variables would be over %d bytes",
                       VARIABLES_MAX);
    return 0;
}
