/*
 * template_render.c - templates made into text, URLs and JSON.
 */
#include "lib/rules/calling_hours.h"
#include "lib/rules/json_path.h"
#include "lib/rules/template_private.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX (1024 * 1024)

struct rendering {
    struct pool *pool;
    const struct template_scope *scope;
    bool strict;
    bool spoken; /* what is no time stays as it is: people are to hear the rest */
    struct err *err;
};

static struct template_value text_value(struct str text)
{
    return (struct template_value){.kind = VALUE_TEXT, .text = text};
}

static void add_number(struct buf *b, char letter, const struct time_fields *f, int day_of_year)
{
    const struct {
        char letter;
        int width, value;
    } numbers[] = {
        {'Y', 4, f->year},   {'y', 2, f->year % 100},
        {'m', 2, f->month},  {'d', 2, f->day},
        {'e', 1, f->day},    {'H', 2, f->hour},
        {'M', 2, f->minute}, {'I', 2, (f->hour + 11) % 12 + 1},
        {'S', 2, f->second}, {'j', 3, day_of_year},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].letter == letter)
            buf_printf(b, "%0*d", numbers[i].width, numbers[i].value);
    }
}

static struct str date_text(struct pool *pool, usec_t at, int offset_minutes, struct str format)
{
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    usec_t local = at + offset_minutes * 60 * USEC_PER_S;
    int64_t day_count = local / USEC_PER_DAY - (local % USEC_PER_DAY < 0);
    struct time_fields f, first;
    struct buf b;

    time_split(local, &f);
    first = (struct time_fields){.year = f.year, .month = 1, .day = 1};
    const char *day = days[((day_count + 4) % 7 + 7) % 7], *month = months[f.month - 1];
    buf_init(&b, 4096);
    for (size_t i = 0; i < format.n; i++) {
        char letter = format.p[i] == '%' && i + 1 < format.n ? format.p[++i] : '\0';
        if (letter == '\0' || letter == '%')
            buf_char(&b, format.p[i]);
        else if (letter == 'A' || letter == 'a')
            buf_add(&b, day, letter == 'A' ? strlen(day) : 3);
        else if (letter == 'B' || letter == 'b')
            buf_add(&b, month, letter == 'B' ? strlen(month) : 3);
        else if (letter == 'p')
            buf_text(&b, f.hour < 12 ? "AM" : "PM");
        else if (letter == 'z')
            buf_printf(&b, "%c%02d:%02d", offset_minutes < 0 ? '-' : '+', abs(offset_minutes) / 60,
                       abs(offset_minutes) % 60);
        else
            add_number(&b, letter, &f, (int)((local - time_join(&first)) / USEC_PER_DAY) + 1);
    }
    struct str text = b.len == 0 ? STR("") : pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static struct template_value subject(const struct rendering *r, const struct template_expression *e)
{
    const struct template_scope *scope = r->scope;

    switch (e->subject) {
    case SUBJECT_NOW:
        return text_value(
            date_text(r->pool, scope->now, scope->offset_minutes, STR("%Y-%m-%dT%H:%M:%S%z")));
    case SUBJECT_DATE:
        return text_value(date_text(r->pool, scope->now, scope->offset_minutes, STR("%Y-%m-%d")));
    case SUBJECT_TIME:
        return text_value(date_text(r->pool, scope->now, scope->offset_minutes, STR("%H:%M")));
    case SUBJECT_LITERAL:
        return e->literal;
    case SUBJECT_SOURCE:
        break;
    }
    const struct json *value = scope->at[e->source];
    struct str path = e->path;
    struct json_step step;
    while (value != NULL && json_path_step(&path, &step) > 0)
        value = json_path_down(value, &step);
    if (json_type(value) == JSON_NULL)
        return (struct template_value){.kind = VALUE_MISSING};
    return (struct template_value){.kind = VALUE_JSON, .json = value};
}

/* What stands in a text for a value that is there; of JSON, strings bare. */
static struct str value_text(struct pool *pool, const struct template_value *value)
{
    if (value->kind != VALUE_JSON)
        return value->text;
    if (json_type(value->json) == JSON_STRING)
        return json_str(value->json);
    struct buf b;
    buf_init(&b, VALUE_MAX);
    json_write(&b, value->json);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static struct template_value cased(struct pool *pool, struct str text, bool up)
{
    char *copy = pool_dup(pool, text.p, text.n);

    for (size_t i = 0; i < text.n; i++) {
        if (up && copy[i] >= 'a' && copy[i] <= 'z')
            copy[i] = (char)(copy[i] - 'a' + 'A');
        else if (!up && copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    return text_value((struct str){copy, text.n});
}

static struct template_value as_json(struct pool *pool, const struct template_value *value)
{
    struct buf b;

    if (value->kind == VALUE_RAW)
        return text_value(value->text);
    buf_init(&b, VALUE_MAX);
    if (value->kind == VALUE_JSON)
        json_write(&b, value->json);
    else
        buf_json(&b, value->text);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text_value(text);
}

/* An RFC 3339 time, or a day, which is one everywhere. */
static bool read_time(const struct rendering *r, struct str text, usec_t *at_r)
{
    int64_t day;

    if (time_parse(text, at_r) == 0)
        return true;
    if (date_parse(text, &day) != 0)
        return false;
    *at_r = (day * 86400 - r->scope->offset_minutes * 60) * USEC_PER_S;
    return true;
}

static int apply(const struct rendering *r, const struct template_expression *e,
                 const struct template_filter *filter, struct template_value *value)
{
    bool missing = value->kind == VALUE_MISSING;
    struct str text = missing ? STR("") : value_text(r->pool, value);
    usec_t at;

    switch (filter->kind) {
    case FILTER_DEFAULT:
        if (missing || (text.n == 0 && value->kind != VALUE_RAW))
            *value = filter->argument;
        return 0;
    case FILTER_UPCASE:
    case FILTER_DOWNCASE:
        if (!missing)
            *value = cased(r->pool, text, filter->kind == FILTER_UPCASE);
        return 0;
    case FILTER_DATE:
        if (missing)
            return 0;
        if (!read_time(r, text, &at) && r->spoken)
            return 0;
        if (!read_time(r, text, &at))
            return err_set(r->err, ERR_INVALID, "{{%.*s}} is no time that date could format.",
                           STR_ARG(e->name));
        *value =
            text_value(date_text(r->pool, at, r->scope->offset_minutes, filter->argument.text));
        return 0;
    case FILTER_JSON:
        if (!missing)
            *value = as_json(r->pool, value);
        return 0;
    }
    die("a filter without a kind");
}

static int evaluate(const struct rendering *r, const struct template_expression *e,
                    struct template_value *value_r)
{
    *value_r = subject(r, e);
    for (const struct template_filter *f = e->filters; f != NULL; f = f->next) {
        if (apply(r, e, f, value_r) != 0)
            return -1;
    }
    if (value_r->kind == VALUE_MISSING && r->strict)
        return err_set(r->err, ERR_INVALID, "{{%.*s}} is missing.", STR_ARG(e->name));
    return 0;
}

static int too_large(struct err *err, size_t max)
{
    return err_set(err, ERR_TOO_LARGE, "the text of a template is over %zu bytes.", max);
}

static int add_parts(struct buf *b, const struct rendering *r, const struct template *t,
                     bool percent)
{
    struct template_value value;

    for (const struct template_part *part = t->parts; part != NULL; part = part->next) {
        if (part->expression == NULL) {
            buf_str(b, part->text);
            continue;
        }
        if (evaluate(r, part->expression, &value) != 0)
            return -1;
        if (value.kind == VALUE_MISSING)
            continue;
        struct str text = value_text(r->pool, &value);
        if (text.n > 0)
            buf_str(b, percent ? percent_encode(r->pool, text) : text);
    }
    return b->overflow ? too_large(r->err, b->max) : 0;
}

static int add_value(struct buf *b, const struct rendering *r, const struct template_expression *e)
{
    struct template_value value;

    if (evaluate(r, e, &value) != 0)
        return -1;
    switch (value.kind) {
    case VALUE_MISSING:
        buf_lit(b, "null");
        break;
    case VALUE_JSON:
        json_write(b, value.json);
        break;
    case VALUE_TEXT:
        buf_json(b, value.text);
        break;
    case VALUE_RAW:
        buf_str(b, value.text);
        break;
    }
    return b->overflow ? too_large(r->err, b->max) : 0;
}

static int add_json(struct buf *b, const struct rendering *r, const struct template *t)
{
    struct buf text;

    if (t->parts != NULL && t->parts->next == NULL && t->parts->expression != NULL)
        return add_value(b, r, t->parts->expression);
    buf_init(&text, b->max);
    int result = add_parts(&text, r, t, false);
    if (result == 0)
        buf_json(b, text.len == 0 ? STR("") : buf_as_str(&text));
    buf_deinit(&text);
    if (result != 0)
        return -1;
    return b->overflow ? too_large(r->err, b->max) : 0;
}

int template_render(struct buf *b, struct pool *pool, const struct template *t,
                    enum template_form form, const struct template_scope *scope, bool strict,
                    struct err *err)
{
    struct rendering r = {.pool = pool, .scope = scope, .strict = strict, .err = err};

    if (form == TEMPLATE_JSON)
        return add_json(b, &r, t);
    return add_parts(b, &r, t, form == TEMPLATE_URL);
}

static int render_object(struct buf *b, struct pool *pool, const struct json *value,
                         const struct template_scope *scope, bool strict, struct err *err)
{
    struct json *member;
    struct str name;
    size_t it = 0;
    bool first = true;

    buf_char(b, '{');
    while (json_each(value, &it, &name, &member)) {
        if (!first)
            buf_char(b, ',');
        first = false;
        buf_json(b, name);
        buf_char(b, ':');
        if (template_json_render(b, pool, member, scope, strict, err) != 0)
            return -1;
    }
    buf_char(b, '}');
    return 0;
}

static int render_array(struct buf *b, struct pool *pool, const struct json *value,
                        const struct template_scope *scope, bool strict, struct err *err)
{
    buf_char(b, '[');
    for (size_t i = 0; i < json_count(value); i++) {
        if (i > 0)
            buf_char(b, ',');
        if (template_json_render(b, pool, json_at(value, i), scope, strict, err) != 0)
            return -1;
    }
    buf_char(b, ']');
    return 0;
}

int template_json_render(struct buf *b, struct pool *pool, const struct json *value,
                         const struct template_scope *scope, bool strict, struct err *err)
{
    struct template *t;
    int result = 0;

    switch (json_type(value)) {
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
        json_write(b, value);
        break;
    case JSON_STRING:
        result = template_parse(pool, json_str(value), TEMPLATE_ALL, &t, err);
        if (result == 0)
            result = template_render(b, pool, t, TEMPLATE_JSON, scope, strict, err);
        break;
    case JSON_OBJECT:
        result = render_object(b, pool, value, scope, strict, err);
        break;
    case JSON_ARRAY:
        result = render_array(b, pool, value, scope, strict, err);
        break;
    }
    if (result == 0 && b->overflow)
        return too_large(err, b->max);
    return result;
}

struct str template_fill(struct pool *pool, struct str text, const struct template_scope *scope,
                         size_t max)
{
    struct template *t;
    struct err ignored;
    struct buf b;

    if (template_parse(pool, text, TEMPLATE_ALL, &t, &ignored) != 0 || template_is_text(t))
        return text;
    struct rendering r = {.pool = pool, .scope = scope, .spoken = true, .err = &ignored};
    buf_init(&b, max);
    if (add_parts(&b, &r, t, false) == 0)
        text = b.len == 0 ? STR("") : pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}
