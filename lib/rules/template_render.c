/*
 * template_render.c - templates made into text, URLs and JSON.
 */
#include "lib/rules/calling_hours.h"
#include "lib/rules/json_path.h"
#include "lib/rules/template_private.h"

#include <stdlib.h>
#include <string.h>

/* What may be written in all, values on their way through filters too: so many times the maximum
 * of what comes out, and a little more for short texts. */
#define WORK_TIMES 4
#define WORK_LEAST 65536
#define WORK_EACH 16 /* an expression, though it comes out empty */

struct rendering {
    struct pool *pool;
    const struct template_scope *scope;
    bool strict;
    bool spoken; /* what is no time stays as it is: people are to hear the rest */
    size_t max;  /* of what comes out */
    size_t work; /* bytes that may yet be written on the way there */
    struct err *err;
};

static struct rendering rendering_of(const struct buf *b, struct pool *pool,
                                     const struct template_scope *scope, struct err *err)
{
    return (struct rendering){.pool = pool,
                              .scope = scope,
                              .max = b->max,
                              .work = WORK_TIMES * b->max + WORK_LEAST,
                              .err = err};
}

static int too_large(const struct rendering *r)
{
    return err_set(r->err, ERR_TOO_LARGE, "the text of a template is over %zu bytes.", r->max);
}

static int spend(struct rendering *r, size_t bytes)
{
    if (bytes > r->work)
        return too_large(r);
    r->work -= bytes;
    return 0;
}

/* What was written to b, whose maximum was what work was left; b ends here. */
static int spend_written(struct rendering *r, struct buf *b, struct str *text_r)
{
    int result = b->overflow ? too_large(r) : spend(r, b->len);
    if (result == 0)
        *text_r = b->len == 0 ? STR("") : pool_str(r->pool, buf_as_str(b));
    buf_deinit(b);
    return result;
}

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

static int date_text(struct rendering *r, usec_t at, struct str format,
                     struct template_value *value_r)
{
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    int offset_minutes = r->scope->offset_minutes;
    usec_t local = at + offset_minutes * 60 * USEC_PER_S;
    int64_t day_count = local / USEC_PER_DAY - (local % USEC_PER_DAY < 0);
    struct time_fields f, first;
    struct buf b;

    time_split(local, &f);
    first = (struct time_fields){.year = f.year, .month = 1, .day = 1};
    const char *day = days[((day_count + 4) % 7 + 7) % 7], *month = months[f.month - 1];
    buf_init(&b, r->work);
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
    value_r->kind = VALUE_TEXT;
    return spend_written(r, &b, &value_r->text);
}

static int subject(struct rendering *r, const struct template_expression *e,
                   struct template_value *value_r)
{
    const struct template_scope *scope = r->scope;

    switch (e->subject) {
    case SUBJECT_NOW:
        return date_text(r, scope->now, STR("%Y-%m-%dT%H:%M:%S%z"), value_r);
    case SUBJECT_DATE:
        return date_text(r, scope->now, STR("%Y-%m-%d"), value_r);
    case SUBJECT_TIME:
        return date_text(r, scope->now, STR("%H:%M"), value_r);
    case SUBJECT_LITERAL:
        *value_r = e->literal;
        return 0;
    case SUBJECT_SOURCE:
        break;
    }
    const struct json *value = scope->at[e->source];
    struct str path = e->path;
    struct json_step step;
    while (value != NULL && json_path_step(&path, &step) > 0)
        value = json_path_down(value, &step);
    *value_r = json_type(value) == JSON_NULL
                   ? (struct template_value){.kind = VALUE_MISSING}
                   : (struct template_value){.kind = VALUE_JSON, .json = value};
    return 0;
}

/* What stands in a text for a value that is there; of JSON, strings bare. */
static int value_text(struct rendering *r, const struct template_value *value, struct str *text_r)
{
    struct buf b;

    *text_r = value->kind == VALUE_JSON ? json_str(value->json) : value->text;
    if (value->kind != VALUE_JSON || json_type(value->json) == JSON_STRING)
        return 0;
    buf_init(&b, r->work);
    json_write(&b, value->json);
    return spend_written(r, &b, text_r);
}

static int cased(struct rendering *r, struct str text, bool up, struct template_value *value_r)
{
    if (spend(r, text.n) != 0)
        return -1;
    char *copy = pool_dup(r->pool, text.p, text.n);

    for (size_t i = 0; i < text.n; i++) {
        if (up && copy[i] >= 'a' && copy[i] <= 'z')
            copy[i] = (char)(copy[i] - 'a' + 'A');
        else if (!up && copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    *value_r = text_value((struct str){copy, text.n});
    return 0;
}

static int as_json(struct rendering *r, struct template_value *value)
{
    enum template_value_kind kind = value->kind;
    struct buf b;

    value->kind = VALUE_TEXT;
    if (kind == VALUE_RAW)
        return 0;
    buf_init(&b, r->work);
    if (kind == VALUE_JSON)
        json_write(&b, value->json);
    else
        buf_json(&b, value->text);
    return spend_written(r, &b, &value->text);
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

static int format_date(struct rendering *r, const struct template_expression *e,
                       const struct template_filter *filter, struct str text,
                       struct template_value *value)
{
    usec_t at;

    if (read_time(r, text, &at))
        return date_text(r, at, filter->argument.text, value);
    if (r->spoken)
        return 0;
    return err_set(r->err, ERR_INVALID, "{{%.*s}} is no time that date could format.",
                   STR_ARG(e->name));
}

static int apply(struct rendering *r, const struct template_expression *e,
                 const struct template_filter *filter, struct template_value *value)
{
    bool missing = value->kind == VALUE_MISSING;
    struct str text = STR("");

    if (filter->kind == FILTER_DEFAULT) {
        if (missing || (value->kind == VALUE_TEXT && value->text.n == 0) ||
            (value->kind == VALUE_JSON && json_type(value->json) == JSON_STRING &&
             json_str(value->json).n == 0))
            *value = filter->argument;
        return 0;
    }
    if (missing)
        return 0;
    if (filter->kind == FILTER_JSON)
        return as_json(r, value);
    if (value_text(r, value, &text) != 0)
        return -1;
    if (filter->kind == FILTER_DATE)
        return format_date(r, e, filter, text, value);
    return cased(r, text, filter->kind == FILTER_UPCASE, value);
}

static int evaluate(struct rendering *r, const struct template_expression *e,
                    struct template_value *value_r)
{
    if (spend(r, WORK_EACH) != 0 || subject(r, e, value_r) != 0)
        return -1;
    for (const struct template_filter *f = e->filters; f != NULL; f = f->next) {
        if (apply(r, e, f, value_r) != 0)
            return -1;
    }
    if (value_r->kind == VALUE_MISSING && r->strict)
        return err_set(r->err, ERR_INVALID, "{{%.*s}} is missing.", STR_ARG(e->name));
    return 0;
}

/* Of more than there is room for nothing is encoded. */
static int add_text(struct buf *b, struct rendering *r, struct str text, bool percent)
{
    if (text.n == 0)
        return 0;
    if (percent && !b->overflow && text.n <= b->max - b->len) {
        if (spend(r, 3 * text.n) != 0)
            return -1;
        text = percent_encode(r->pool, text);
    }
    buf_str(b, text);
    return b->overflow ? too_large(r) : 0;
}

static int add_parts(struct buf *b, struct rendering *r, const struct template *t, bool percent)
{
    struct template_value value;
    struct str text;

    for (const struct template_part *part = t->parts; part != NULL; part = part->next) {
        if (part->expression == NULL) {
            if (add_text(b, r, part->text, false) != 0)
                return -1;
            continue;
        }
        if (evaluate(r, part->expression, &value) != 0)
            return -1;
        if (value.kind != VALUE_MISSING &&
            (value_text(r, &value, &text) != 0 || add_text(b, r, text, percent) != 0))
            return -1;
    }
    return 0;
}

static int add_value(struct buf *b, struct rendering *r, const struct template_expression *e)
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
    return b->overflow ? too_large(r) : 0;
}

static int add_json(struct buf *b, struct rendering *r, const struct template *t)
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
    return b->overflow ? too_large(r) : 0;
}

int template_render(struct buf *b, struct pool *pool, const struct template *t,
                    enum template_form form, const struct template_scope *scope, bool strict,
                    struct err *err)
{
    struct rendering r = rendering_of(b, pool, scope, err);

    r.strict = strict;
    if (form == TEMPLATE_JSON)
        return add_json(b, &r, t);
    return add_parts(b, &r, t, form == TEMPLATE_URL);
}

static int render_value(struct buf *b, struct rendering *r, const struct json *value);

static int render_object(struct buf *b, struct rendering *r, const struct json *value)
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
        if (render_value(b, r, member) != 0)
            return -1;
    }
    buf_char(b, '}');
    return 0;
}

static int render_array(struct buf *b, struct rendering *r, const struct json *value)
{
    buf_char(b, '[');
    for (size_t i = 0; i < json_count(value); i++) {
        if (i > 0)
            buf_char(b, ',');
        if (render_value(b, r, json_at(value, i)) != 0)
            return -1;
    }
    buf_char(b, ']');
    return 0;
}

static int render_value(struct buf *b, struct rendering *r, const struct json *value)
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
        result = template_parse(r->pool, json_str(value), TEMPLATE_ALL, &t, r->err);
        if (result == 0)
            result = add_json(b, r, t);
        break;
    case JSON_OBJECT:
        result = render_object(b, r, value);
        break;
    case JSON_ARRAY:
        result = render_array(b, r, value);
        break;
    }
    return result == 0 && b->overflow ? too_large(r) : result;
}

int template_json_render(struct buf *b, struct pool *pool, const struct json *value,
                         const struct template_scope *scope, bool strict, struct err *err)
{
    struct rendering r = rendering_of(b, pool, scope, err);

    r.strict = strict;
    return render_value(b, &r, value);
}

struct str template_fill(struct pool *pool, struct str text, const struct template_scope *scope,
                         size_t max)
{
    struct template *t;
    struct err ignored;
    struct buf b;

    if (template_parse(pool, text, TEMPLATE_ALL, &t, &ignored) != 0 || template_is_text(t))
        return text;
    buf_init(&b, max);
    struct rendering r = rendering_of(&b, pool, scope, &ignored);
    r.spoken = true;
    if (add_parts(&b, &r, t, false) == 0)
        text = b.len == 0 ? STR("") : pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}
