/*
 * template.c - parsing of templates. What becomes of them is template_render.c.
 */
#include "lib/rules/fields.h"
#include "lib/rules/json_path.h"
#include "lib/rules/template_private.h"

#include <string.h>

#define FILTERS_MAX 10
#define DATE_FORMAT_MAX 200 /* bytes */

struct parser {
    struct pool *pool;
    struct str text, rest;
    unsigned sources;
    struct err *err;
};

static const char *const source_names[] = {
#define X(name, text) text,
    TEMPLATE_SOURCES(X)
#undef X
};

static const struct {
    const char *name;
    enum template_filter_kind kind;
    bool argument;
} filters[] = {
    {"default", FILTER_DEFAULT, true},    {"upcase", FILTER_UPCASE, false},
    {"downcase", FILTER_DOWNCASE, false}, {"date", FILTER_DATE, true},
    {"json", FILTER_JSON, false},
};

/* Where the parser stands. */
static int fail(const struct parser *p, const char *what)
{
    size_t at = str_utf8_count((struct str){p->text.p, p->text.n - p->rest.n}) + 1;
    return err_set(p->err, ERR_INVALID, "at character %zu: %s", at, what);
}

static void skip(struct parser *p, size_t n)
{
    p->rest = (struct str){p->rest.p + n, p->rest.n - n};
}

static void skip_blanks(struct parser *p)
{
    while (p->rest.n > 0 && strchr(" \t\r\n", p->rest.p[0]) != NULL && p->rest.p[0] != '\0')
        skip(p, 1);
}

static bool begins(const struct parser *p, const char *with)
{
    return str_starts(p->rest, with);
}

static struct str word(const struct parser *p)
{
    size_t n = 0;
    while (n < p->rest.n && ((p->rest.p[n] >= 'a' && p->rest.p[n] <= 'z') || p->rest.p[n] == '_'))
        n++;
    return (struct str){p->rest.p, n};
}

/* "text" or 'text', without escapes. */
static int parse_text(struct parser *p, struct template_value *value_r)
{
    const char *end = memchr(p->rest.p + 1, p->rest.p[0], p->rest.n - 1);

    if (end == NULL)
        return fail(p, "the quote is not closed.");
    *value_r = (struct template_value){.kind = VALUE_TEXT,
                                       .text = {p->rest.p + 1, (size_t)(end - p->rest.p) - 1}};
    skip(p, value_r->text.n + 2);
    return 0;
}

static bool at_quote(const struct parser *p)
{
    return p->rest.n > 0 && (p->rest.p[0] == '"' || p->rest.p[0] == '\'');
}

/* A text, a number, true or false. */
static int parse_literal(struct parser *p, struct template_value *value_r)
{
    struct err ignored;
    size_t n = 0;

    if (at_quote(p))
        return parse_text(p, value_r);
    while (n < p->rest.n && p->rest.p[n] != '\0' && strchr(" \t\r\n|}", p->rest.p[n]) == NULL)
        n++;
    struct str raw = {p->rest.p, n};
    if (n == 0 || !(str_is(raw, "true") || str_is(raw, "false") ||
                    (strchr("-0123456789", raw.p[0]) != NULL && json_scan(raw, 1, &ignored) == 0)))
        return fail(p, "expected a \"text\", a number, true or false.");
    *value_r = (struct template_value){.kind = VALUE_RAW, .text = raw};
    skip(p, n);
    return 0;
}

static int check_date_format(const struct parser *p, struct str format)
{
    if (format.n > DATE_FORMAT_MAX)
        return fail(p, "a date's format has at most 200 bytes.");
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        if (++i == format.n || format.p[i] == '\0' || strchr(DATE_LETTERS, format.p[i]) == NULL)
            return fail(p, "a date's format has %Y %y %m %d %e %H %I %M %S %p %A %a %B %b %j %z "
                           "%% and text.");
    }
    return 0;
}

static int parse_filter(struct parser *p, struct template_filter *filter)
{
    struct str name = word(p);
    size_t i = 0, count = sizeof(filters) / sizeof(filters[0]);

    while (i < count && !str_is(name, filters[i].name))
        i++;
    if (i == count)
        return fail(p, "there is no such filter; there are default, upcase, downcase, date and "
                       "json.");
    skip(p, name.n);
    filter->kind = filters[i].kind;
    if (!filters[i].argument)
        return 0;
    skip_blanks(p);
    if (!begins(p, ":"))
        return fail(p, "this filter needs a colon and a value: default: \"there\".");
    skip(p, 1);
    skip_blanks(p);
    struct parser before = *p;
    if (parse_literal(p, &filter->argument) != 0)
        return -1;
    if (filter->kind != FILTER_DATE)
        return 0;
    if (filter->argument.kind != VALUE_TEXT)
        return fail(&before, "a date's format is a \"text\".");
    return check_date_format(&before, filter->argument.text);
}

static int parse_filters(struct parser *p, struct template_filter **next)
{
    unsigned count = 0;

    for (skip_blanks(p); begins(p, "|"); skip_blanks(p)) {
        if (++count > FILTERS_MAX)
            return fail(p, "there are too many filters.");
        skip(p, 1);
        skip_blanks(p);
        *next = pool_new(p->pool, struct template_filter, 1);
        if (parse_filter(p, *next) != 0)
            return -1;
        next = &(*next)->next;
    }
    return 0;
}

static int parse_source(struct parser *p, struct str name, struct template_expression *e)
{
    struct json_step step;
    int i = 0, found;

    while (i < TEMPLATE_SOURCE_COUNT && !str_is(name, source_names[i]))
        i++;
    if (i == TEMPLATE_SOURCE_COUNT)
        return fail(p, "there is no such name; names begin with contact, info, call, agent, vars, "
                       "args or result, or are now, date or time.");
    if ((p->sources & (1u << i)) == 0)
        return fail(p, "this name is not known here.");
    e->subject = SUBJECT_SOURCE;
    e->source = (enum template_source)i;
    skip(p, name.n);
    e->path = p->rest;
    while ((found = json_path_step(&p->rest, &step)) > 0)
        ;
    if (found < 0)
        return fail(p, "a path goes on with .name, [0] or [\"name\"].");
    e->path.n -= p->rest.n;
    return 0;
}

static int parse_subject(struct parser *p, struct template_expression *e)
{
    struct str name = word(p);

    if (at_quote(p)) {
        e->subject = SUBJECT_LITERAL;
        return parse_text(p, &e->literal);
    }
    if (name.n == 0)
        return fail(p, "expected a name such as contact.name.");
    if (str_is(name, "now"))
        e->subject = SUBJECT_NOW;
    else if (str_is(name, "date"))
        e->subject = SUBJECT_DATE;
    else if (str_is(name, "time"))
        e->subject = SUBJECT_TIME;
    else
        return parse_source(p, name, e);
    skip(p, name.n);
    return 0;
}

static int parse_expression(struct parser *p, struct template_expression *e)
{
    struct parser opening = *p;

    skip(p, 2);
    skip_blanks(p);
    e->name = p->rest;
    if (parse_subject(p, e) != 0)
        return -1;
    e->name.n -= p->rest.n;
    if (parse_filters(p, &e->filters) != 0)
        return -1;
    if (p->rest.n == 0)
        return fail(&opening, "{{ is not closed by }}.");
    if (!begins(p, "}}"))
        return fail(p, "expected | or }}.");
    skip(p, 2);
    return 0;
}

int template_parse(struct pool *pool, struct str text, unsigned sources,
                   struct template **template_r, struct err *err)
{
    struct parser p = {pool, text, text, sources, err};
    struct template *t = pool_new(pool, struct template, 1);
    struct template_part **next = &t->parts;

    while (p.rest.n > 0) {
        struct template_part *part = pool_new(pool, struct template_part, 1);
        const char *opening = memmem(p.rest.p, p.rest.n, "{{", 2);
        size_t before = opening == NULL ? p.rest.n : (size_t)(opening - p.rest.p);
        if (before > 0) {
            part->text = (struct str){p.rest.p, before};
            skip(&p, before);
        } else {
            part->expression = pool_new(pool, struct template_expression, 1);
            if (parse_expression(&p, part->expression) != 0)
                return -1;
        }
        *next = part;
        next = &part->next;
    }
    *template_r = t;
    return 0;
}

struct str template_head(const struct template *t)
{
    if (t->parts == NULL || t->parts->expression != NULL)
        return STR("");
    return t->parts->text;
}

static size_t expression_count(const struct template *t)
{
    size_t count = 0;
    for (const struct template_part *part = t->parts; part != NULL; part = part->next)
        count += part->expression != NULL;
    return count;
}

bool template_is_text(const struct template *t)
{
    return expression_count(t) == 0;
}

static int too_many(const char *name, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s has more than %d expressions in {{ and }}.", name,
                   TEMPLATE_EXPRESSIONS_MAX);
}

int template_check(struct pool *pool, struct str text, const char *name, unsigned sources,
                   struct template **template_r, struct err *err)
{
    if (template_parse(pool, text, sources, template_r, err) != 0)
        return err_prefix(err, "%s", name);
    return expression_count(*template_r) > TEMPLATE_EXPRESSIONS_MAX ? too_many(name, err) : 0;
}

/* What the checks of one document share. */
struct checking {
    struct pool *pool;
    unsigned sources;
    const char *document;
    size_t expressions; /* in all of it */
    struct err *err;
};

static int check_value(struct checking *c, const struct json *value, const char *name);

/* The path of a member or an element, for messages. */
static const char *member_path(struct pool *pool, const char *name, struct str member)
{
    member = field_echo(member);
    return pool_printf(pool, "%s.%.*s", name, STR_ARG(member));
}

static int check_object(struct checking *c, const struct json *value, const char *name)
{
    struct json *member;
    struct str member_name;
    size_t it = 0;

    while (json_each(value, &it, &member_name, &member)) {
        const char *path = member_path(c->pool, name, member_name);
        if (member_name.n > 1 && memmem(member_name.p, member_name.n, "{{", 2) != NULL)
            return err_set(c->err, ERR_INVALID, "%s: a member's name can't be a template.", path);
        if (check_value(c, member, path) != 0)
            return -1;
    }
    return 0;
}

static int check_string(struct checking *c, struct str text, const char *name)
{
    struct template *t;

    if (template_parse(c->pool, text, c->sources, &t, c->err) != 0)
        return err_prefix(c->err, "%s", name);
    c->expressions += expression_count(t);
    return c->expressions > TEMPLATE_EXPRESSIONS_MAX ? too_many(c->document, c->err) : 0;
}

static int check_value(struct checking *c, const struct json *value, const char *name)
{
    switch (json_type(value)) {
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
        return 0;
    case JSON_STRING:
        return check_string(c, json_str(value), name);
    case JSON_OBJECT:
        return check_object(c, value, name);
    case JSON_ARRAY:
        for (size_t i = 0; i < json_count(value); i++) {
            if (check_value(c, json_at(value, i), pool_printf(c->pool, "%s[%zu]", name, i)) != 0)
                return -1;
        }
        return 0;
    }
    die("a JSON value without a type");
}

int template_json_check(struct pool *pool, const struct json *value, const char *name,
                        unsigned sources, struct err *err)
{
    struct checking c = {.pool = pool, .sources = sources, .document = name, .err = err};
    return check_value(&c, value, name);
}
