/*
 * fields.c - one reader per type of field, and the walk over the members.
 */
#include "lib/rules/fields.h"

#define ECHO_MAX 60

struct str field_echo(struct str s)
{
    return str_utf8_cut(s, ECHO_MAX);
}

bool field_has_control(struct str s, bool lines)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (lines && (c == '\n' || c == '\r' || c == '\t'))
            continue;
        if (c < 0x20 || c == 0x7f)
            return true;
        if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static int read_text(const struct field *f, const struct json *value, struct str *into,
                     struct err *err)
{
    struct str s = json_str(value);
    if (s.p == NULL)
        return err_set(err, ERR_INVALID, "%s must be a string.", f->name);
    size_t n = str_utf8_count(s);
    if (n < (uint64_t)f->min && f->min == 1)
        return err_set(err, ERR_INVALID, "%s must not be empty.", f->name);
    if (n < (uint64_t)f->min || n > (uint64_t)f->max)
        return err_set(err, ERR_INVALID, "%s must have %lld to %lld characters.", f->name,
                       (long long)f->min, (long long)f->max);
    if (field_has_control(s, f->type == FIELD_LINES))
        return err_set(err, ERR_INVALID, "%s must not contain control characters.", f->name);
    *into = s;
    return 0;
}

static int read_int(const struct field *f, const struct json *value, int64_t *into, struct err *err)
{
    if (json_i64(value, into) != 0 || *into < f->min || *into > f->max)
        return err_set(err, ERR_INVALID, "%s must be a whole number from %lld to %lld.", f->name,
                       (long long)f->min, (long long)f->max);
    return 0;
}

/* -1: none of them. */
static int choice_of(const struct field *f, const struct json *value)
{
    struct str s = json_str(value);
    for (int i = 0; s.p != NULL && f->choices[i] != NULL; i++) {
        if (str_is(s, f->choices[i]))
            return i;
    }
    return -1;
}

static int no_choice(const struct field *f, const char *form, struct err *err)
{
    char known[300];
    struct buf b;
    buf_init(&b, sizeof known);
    for (int i = 0; f->choices[i] != NULL; i++) {
        bool last = f->choices[i + 1] == NULL;
        buf_text(&b, i == 0 ? "" : last ? " or " : ", ");
        buf_text(&b, f->choices[i]);
    }
    int status = err_set(err, ERR_INVALID, form, f->name, (int)b.len, b.data);
    buf_deinit(&b);
    return status;
}

static int read_choice(const struct field *f, const struct json *value, int *into, struct err *err)
{
    int choice = choice_of(f, value);
    if (choice < 0)
        return no_choice(f, "%s must be %.*s.", err);
    *into = choice;
    return 0;
}

static int read_set(const struct field *f, const struct json *value, unsigned *into,
                    struct err *err)
{
    static const char form[] = "%s must be an array of %.*s, each at most once.";
    unsigned set = 0;
    if (json_type(value) != JSON_ARRAY)
        return no_choice(f, form, err);
    for (size_t i = 0; i < json_count(value); i++) {
        int choice = choice_of(f, json_at(value, i));
        if (choice < 0 || (set & (1u << choice)) != 0)
            return no_choice(f, form, err);
        set |= 1u << choice;
    }
    if (json_count(value) < (uint64_t)f->min)
        return err_set(err, ERR_INVALID, "%s must not be empty.", f->name);
    *into = set;
    return 0;
}

static int read_time(const struct field *f, const struct json *value, usec_t *into, struct err *err)
{
    struct str s = json_str(value);
    if (s.p == NULL || time_parse(s, into) != 0)
        return err_set(err, ERR_INVALID,
                       "%s must be an RFC 3339 time such as 2024-01-27T03:02:00Z.", f->name);
    return 0;
}

static int read_id(const struct field *f, const struct json *value, struct id *into,
                   struct err *err)
{
    struct str s = json_str(value);
    if (s.p == NULL)
        return err_set(err, ERR_INVALID, "%s must be a string.", f->name);
    if (id_parse(f->kind, s, into) != 0 || id_is_zero(into)) {
        s = field_echo(s);
        return err_set(err, ERR_NOT_FOUND, "%s \"%.*s\" does not exist in this workspace.", f->name,
                       STR_ARG(s));
    }
    return 0;
}

static int read_value(const struct field *f, const struct json *value, void *into, struct err *err)
{
    void *place = (char *)into + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_LINES:
        return read_text(f, value, place, err);
    case FIELD_INT:
        return read_int(f, value, place, err);
    case FIELD_BOOL:
        if (json_type(value) != JSON_BOOL)
            return err_set(err, ERR_INVALID, "%s must be true or false.", f->name);
        *(bool *)place = json_bool(value);
        return 0;
    case FIELD_CHOICE:
        return read_choice(f, value, place, err);
    case FIELD_SET:
        return read_set(f, value, place, err);
    case FIELD_ID:
        return read_id(f, value, place, err);
    case FIELD_TIME:
        return read_time(f, value, place, err);
    case FIELD_JSON:
        *(const struct json **)place = value;
        return 0;
    }
    die("a field without a type");
}

static int refuse_unknown(struct str name, struct err *err)
{
    name = field_echo(name);
    return err_set(err, ERR_INVALID, "Unknown field \"%.*s\".", (int)name.n,
                   name.n > 0 ? name.p : "");
}

static int read_member(const struct field *fields, size_t count, struct str name,
                       const struct json *value, void *into, struct fields_seen *seen,
                       struct err *err)
{
    size_t i = 0;
    while (i < count && !str_is(name, fields[i].name))
        i++;
    if (i == count)
        return refuse_unknown(name, err);
    seen->given |= UINT64_C(1) << i;
    if (fields[i].type != FIELD_JSON && json_type(value) == JSON_NULL) {
        if (!fields[i].nullable)
            return err_set(err, ERR_INVALID, "%s must not be null.", fields[i].name);
        seen->nulls |= UINT64_C(1) << i;
        return 0;
    }
    return read_value(&fields[i], value, into, err);
}

int fields_read(const struct json *body, const struct field *fields, size_t count, bool changing,
                void *into, struct fields_seen *seen_r, struct err *err)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    *seen_r = (struct fields_seen){0, 0};
    if (count > 64)
        die("a table of %zu fields", count);
    while (json_each(body, &it, &name, &value)) {
        if (read_member(fields, count, name, value, into, seen_r, err) != 0)
            return -1;
    }
    if (changing)
        return seen_r->given != 0 ? 0 : err_set(err, ERR_INVALID, "There is nothing to change.");
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && (seen_r->given & (UINT64_C(1) << i)) == 0)
            return err_set(err, ERR_INVALID, "%s is required.", fields[i].name);
    }
    return 0;
}

int fields_none(const struct json *body, struct err *err)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    if (body == NULL || !json_each(body, &it, &name, &value))
        return 0;
    name = field_echo(name);
    return err_set(err, ERR_INVALID, "This request has no fields; it came with \"%.*s\".",
                   (int)name.n, name.n > 0 ? name.p : "");
}
