/*
 * schema_validate.c - values against schemas that were found good.
 */
#include "lib/base/clock.h"
#include "lib/rules/email.h"
#include "lib/rules/id.h"
#include "lib/rules/pattern.h"
#include "lib/rules/schema_private.h"

#include <stdio.h>
#include <string.h>

#define UNIQUE_ITEMS_MAX 200
#define PATTERN_BUCKETS 64

/* Work is counted in steps of some nanoseconds; a validation has so many, and is given up then.
 * What honest arguments of 64 KiB take is a fraction of it. */
#define WORK_MAX 6000000
#define VALUE_WORK 100 /* of a value, whatever the schema says of it */
#define SAME_WORK 20   /* of two values that are compared */
#define LOOKUP_WORK 15 /* of a member that is looked for */
#define TIME_WORK 200  /* of reading a date or a time */
#define EMAIL_WORK 400
#define STRING_STEP 8 /* bytes that are looked at in one step */

/* Beyond 2^53 every double is one. */
static bool whole(double number)
{
    return number >= 9007199254740992.0 || number <= -9007199254740992.0 ||
           (double)(int64_t)number == number;
}

static bool multiple_of(double number, double of)
{
    double times = number / of;
    double off = whole(times) ? 0 : times - (double)(int64_t)(times + (times < 0 ? -0.5 : 0.5));
    return off < 1e-9 && off > -1e-9;
}

static bool is_email(struct str s)
{
    struct pool *pool;
    struct str email;
    struct err ignored;

    pool_create(&pool);
    bool good = email_read(pool, "", s, &email, &ignored) == 0;
    pool_destroy(&pool);
    return good;
}

/* One validation. */
struct validation {
    struct pool *pool; /* its own */
    struct compiled *patterns[PATTERN_BUCKETS];
    uint64_t work; /* that may yet be done; 0: it is given up */
    struct err *err;
};

struct compiled {
    const struct json *pattern; /* of the schema: where it stands, not what it says */
    const struct program *program;
    struct compiled *next;
};

static void spend(struct validation *v, size_t work)
{
    v->work = work < v->work ? v->work - work : 0;
}

static int validate(const struct json *schema, const struct json *value,
                    const struct schema_path *path, struct validation *v);

static bool same(struct validation *v, const struct json *a, const struct json *b);

static bool same_number(const struct json *a, const struct json *b)
{
    int64_t i, k;
    double x, y;

    if (json_i64(a, &i) == 0 && json_i64(b, &k) == 0)
        return i == k;
    return json_f64(a, &x) == 0 && json_f64(b, &y) == 0 && x == y;
}

static bool same_string(struct validation *v, struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    spend(v, a.n / STRING_STEP);
    return memcmp(a.p, b.p, a.n) == 0;
}

static bool same_array(struct validation *v, const struct json *a, const struct json *b)
{
    size_t count = json_count(a);

    if (count != json_count(b))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!same(v, json_at(a, i), json_at(b, i)))
            return false;
    }
    return true;
}

static bool same_object(struct validation *v, const struct json *a, const struct json *b)
{
    struct json *value, *other;
    struct str name;
    size_t it = 0;

    if (json_count(a) != json_count(b))
        return false;
    while (json_each(a, &it, &name, &value)) {
        spend(v, LOOKUP_WORK + name.n / STRING_STEP);
        other = json_get(b, name.p);
        if (other == NULL || !same(v, value, other))
            return false;
    }
    return true;
}

static bool same(struct validation *v, const struct json *a, const struct json *b)
{
    enum json_type type = json_type(a);

    spend(v, SAME_WORK);
    if (v->work == 0 || type != json_type(b))
        return false;
    switch (type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return json_bool(a) == json_bool(b);
    case JSON_NUMBER:
        return same_number(a, b);
    case JSON_STRING:
        return same_string(v, json_str(a), json_str(b));
    case JSON_ARRAY:
        return same_array(v, a, b);
    case JSON_OBJECT:
        return same_object(v, a, b);
    }
    die("a JSON value without a type");
}

static bool is_of_type(const struct json *value, enum schema_type type)
{
    double number;

    switch (type) {
    case TYPE_ANY:
        return true;
    case TYPE_OBJECT:
        return json_type(value) == JSON_OBJECT;
    case TYPE_ARRAY:
        return json_type(value) == JSON_ARRAY;
    case TYPE_STRING:
        return json_type(value) == JSON_STRING;
    case TYPE_NUMBER:
        return json_type(value) == JSON_NUMBER;
    case TYPE_INTEGER:
        return json_f64(value, &number) == 0 && whole(number);
    case TYPE_BOOLEAN:
        return json_type(value) == JSON_BOOL;
    case TYPE_NULL:
        return json_type(value) == JSON_NULL;
    case TYPE_NONE:
        break;
    }
    return false;
}

static int validate_type(const struct json *schema, const struct json *value,
                         const struct schema_path *path, struct validation *v)
{
    static const char *const messages[] = {"",
                                           "must be an object.",
                                           "must be an array.",
                                           "must be a string.",
                                           "must be a number.",
                                           "must be a whole number.",
                                           "must be true or false.",
                                           "must be null."};
    bool null;
    enum schema_type type = schema_type_wanted(schema, &null);

    if (is_of_type(value, type) || (null && json_type(value) == JSON_NULL))
        return 0;
    return schema_fail(path, v->err, messages[type]);
}

static int validate_choice(const struct json *schema, const struct json *value,
                           const struct schema_path *path, struct validation *v)
{
    const struct json *choices = json_get(schema, "enum"), *only = json_get(schema, "const");
    char message[300];
    struct buf b;

    if (only != NULL && !same(v, only, value))
        return schema_fail(path, v->err, "is not the one value that it may have.");
    if (choices == NULL)
        return 0;
    for (size_t i = 0; i < json_count(choices); i++) {
        if (same(v, json_at(choices, i), value))
            return 0;
    }
    buf_init(&b, 200);
    for (size_t i = 0; i < json_count(choices); i++) {
        if (i > 0)
            buf_lit(&b, ", ");
        json_write(&b, json_at(choices, i));
    }
    if (b.overflow)
        snprintf(message, sizeof(message), "is not one of the values that it may have.");
    else
        snprintf(message, sizeof(message), "must be one of %.*s.", (int)b.len, b.data);
    buf_deinit(&b);
    return schema_fail(path, v->err, message);
}

static int number_failed(const struct schema_path *path, const char *form, double bound,
                         struct validation *v)
{
    char message[100];
    snprintf(message, sizeof(message), "must be %s %.15g.", form, bound);
    return schema_fail(path, v->err, message);
}

static int validate_number(const struct json *schema, const struct json *value,
                           const struct schema_path *path, struct validation *v)
{
    double number, bound;

    if (json_f64(value, &number) != 0)
        return 0;
    if (json_f64(json_get(schema, "minimum"), &bound) == 0 && number < bound)
        return number_failed(path, "at least", bound, v);
    if (json_f64(json_get(schema, "maximum"), &bound) == 0 && number > bound)
        return number_failed(path, "at most", bound, v);
    if (json_f64(json_get(schema, "exclusiveMinimum"), &bound) == 0 && number <= bound)
        return number_failed(path, "over", bound, v);
    if (json_f64(json_get(schema, "exclusiveMaximum"), &bound) == 0 && number >= bound)
        return number_failed(path, "under", bound, v);
    if (json_f64(json_get(schema, "multipleOf"), &bound) == 0 && !multiple_of(number, bound))
        return number_failed(path, "a multiple of", bound, v);
    return 0;
}

/* minLength and maxLength, minItems and maxItems. */
static int validate_count(const struct json *schema, const char *least, const char *most,
                          size_t count, const char *unit, const struct schema_path *path,
                          struct validation *v)
{
    char message[100];
    int64_t bound;

    if (json_i64(json_get(schema, least), &bound) == 0 && count < (uint64_t)bound) {
        snprintf(message, sizeof(message), "must have at least %lld %s.", (long long)bound, unit);
        return schema_fail(path, v->err, message);
    }
    if (json_i64(json_get(schema, most), &bound) == 0 && count > (uint64_t)bound) {
        snprintf(message, sizeof(message), "must have at most %lld %s.", (long long)bound, unit);
        return schema_fail(path, v->err, message);
    }
    return 0;
}

static bool is_date(struct str s)
{
    char text[32];
    usec_t t;

    if (s.n != 10)
        return false;
    snprintf(text, sizeof(text), "%.*sT00:00:00Z", STR_ARG(s));
    return time_parse(str_of(text), &t) == 0;
}

/* 16:00, 16:00:30, with or without an offset. */
static bool is_time(struct str s)
{
    char text[64];
    usec_t t;

    if (s.n < 5 || s.n > 30)
        return false;
    bool seconds = s.n > 5 && s.p[5] == ':';
    bool offset = s.n > 5 && (memchr(s.p, 'Z', s.n) != NULL || memchr(s.p, '+', s.n) != NULL ||
                              memchr(s.p, '-', s.n) != NULL);
    snprintf(text, sizeof(text), "2024-01-01T%.5s%s%.*s%s", s.p, seconds ? "" : ":00",
             (int)(s.n - 5), s.p + 5, offset ? "" : "Z");
    return time_parse(str_of(text), &t) == 0;
}

static int validate_format(const struct json *schema, struct str s, const struct schema_path *path,
                           struct validation *v)
{
    const struct json *format = json_get(schema, "format");
    struct str name = json_str(format);
    struct id id;
    usec_t t;

    if (name.p == NULL)
        return 0;
    spend(v, str_is(name, "email") ? EMAIL_WORK : TIME_WORK);
    if (str_is(name, "date"))
        return is_date(s) ? 0 : schema_fail(path, v->err, "must be a date such as 2024-01-27.");
    if (str_is(name, "time"))
        return is_time(s) ? 0 : schema_fail(path, v->err, "must be a time such as 16:00.");
    if (str_is(name, "date-time"))
        return time_parse(s, &t) == 0
                   ? 0
                   : schema_fail(path, v->err,
                                 "must be an RFC 3339 time such as 2024-01-27T03:02:00Z.");
    if (str_is(name, "email"))
        return is_email(s) ? 0 : schema_fail(path, v->err, "must be an e-mail address.");
    return id_parse(ID_CALL, s, &id) == 0 ? 0 : schema_fail(path, v->err, "must be a UUID.");
}

/* Each pattern of the schema is compiled once. */
static bool matches(struct validation *v, const struct json *pattern, struct str s)
{
    struct compiled **bucket = &v->patterns[((uintptr_t)pattern >> 4) % PATTERN_BUCKETS], *c;

    for (c = *bucket; c != NULL && c->pattern != pattern; c = c->next)
        spend(v, 1);
    if (c == NULL) {
        c = pool_new(v->pool, struct compiled, 1);
        *c =
            (struct compiled){pattern, pattern_make(v->pool, json_str(pattern), &v->work), *bucket};
        *bucket = c;
    }
    return c->program != NULL && v->work > 0 && pattern_run(c->program, s, &v->work);
}

static int validate_string(const struct json *schema, const struct json *value,
                           const struct schema_path *path, struct validation *v)
{
    const struct json *pattern = json_get(schema, "pattern");
    struct str s = json_str(value);

    if (s.p == NULL)
        return 0;
    spend(v, s.n / STRING_STEP);
    if (validate_count(schema, "minLength", "maxLength", str_utf8_count(s), "characters", path,
                       v) != 0)
        return -1;
    if (pattern != NULL && !matches(v, pattern, s))
        return schema_fail(path, v->err, "does not match its pattern.");
    return validate_format(schema, s, path, v);
}

static bool has_twins(struct validation *v, const struct json *array)
{
    for (size_t i = 0; i < json_count(array); i++) {
        for (size_t k = 0; k < i; k++) {
            if (same(v, json_at(array, i), json_at(array, k)))
                return true;
        }
    }
    return false;
}

static int validate_array(const struct json *schema, const struct json *value,
                          const struct schema_path *path, struct validation *v)
{
    const struct json *items = json_get(schema, "items");

    if (json_type(value) != JSON_ARRAY)
        return 0;
    if (validate_count(schema, "minItems", "maxItems", json_count(value), "elements", path, v) != 0)
        return -1;
    for (size_t i = 0; items != NULL && i < json_count(value); i++) {
        struct schema_path below = {path, STR_NULL, i};
        if (validate(items, json_at(value, i), &below, v) != 0)
            return -1;
    }
    if (!json_bool(json_get(schema, "uniqueItems")))
        return 0;
    if (json_count(value) > UNIQUE_ITEMS_MAX)
        return schema_fail(path, v->err, "must have at most 200 elements.");
    return has_twins(v, value) ? schema_fail(path, v->err, "must not have an element twice.") : 0;
}

static int validate_required(const struct json *required, const struct json *value,
                             const struct schema_path *path, struct validation *v)
{
    for (size_t i = 0; i < json_count(required); i++) {
        struct schema_path below = {path, json_str(json_at(required, i)), 0};
        spend(v, LOOKUP_WORK + below.name.n / STRING_STEP);
        if (v->work > 0 && json_get(value, below.name.p) == NULL)
            return schema_fail(&below, v->err, "is required.");
    }
    return 0;
}

static int validate_object(const struct json *schema, const struct json *value,
                           const struct schema_path *path, struct validation *v)
{
    const struct json *properties = json_get(schema, "properties");
    const struct json *additional = json_get(schema, "additionalProperties");
    struct json *member;
    struct str name;
    size_t it = 0;

    if (json_type(value) != JSON_OBJECT)
        return 0;
    if (validate_required(json_get(schema, "required"), value, path, v) != 0)
        return -1;
    while (json_each(value, &it, &name, &member)) {
        struct schema_path below = {path, name, 0};
        spend(v, LOOKUP_WORK + name.n / STRING_STEP);
        const struct json *of = properties == NULL ? NULL : json_get(properties, name.p);
        if (of == NULL && json_type(additional) == JSON_BOOL && !json_bool(additional))
            return schema_fail(&below, v->err, "is not one of the parameters.");
        if (of == NULL && json_type(additional) == JSON_OBJECT)
            of = additional;
        if (of != NULL && validate(of, member, &below, v) != 0)
            return -1;
    }
    return 0;
}

static int validate(const struct json *schema, const struct json *value,
                    const struct schema_path *path, struct validation *v)
{
    bool null;

    spend(v, VALUE_WORK);
    if (v->work == 0)
        return -1;
    (void)schema_type_wanted(schema, &null);
    if (json_type(value) == JSON_NULL && null)
        return 0;
    if (validate_type(schema, value, path, v) != 0 ||
        validate_choice(schema, value, path, v) != 0 ||
        validate_number(schema, value, path, v) != 0 ||
        validate_string(schema, value, path, v) != 0 || validate_array(schema, value, path, v) != 0)
        return -1;
    return validate_object(schema, value, path, v);
}

int schema_validate(const struct json *schema, const struct json *value, const char *name,
                    struct err *err)
{
    struct schema_path top = {NULL, str_of(name), 0};
    struct validation v = {.work = WORK_MAX, .err = err};

    pool_create(&v.pool);
    int result = validate(schema, value, &top, &v);
    pool_destroy(&v.pool);
    if (v.work == 0) /* whatever was found on the way out */
        return schema_fail(&top, err, "too much work to check by the schema.");
    return result;
}
