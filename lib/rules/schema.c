/*
 * schema.c - a table of the keywords that are known, each with the check of its value.
 */
#include "lib/rules/fields.h"
#include "lib/rules/pattern.h"
#include "lib/rules/schema_private.h"

#define PATH_MAX_LENGTH 300
#define PROPERTIES_MAX 100
#define ENUM_MAX 500

static void write_path(struct buf *b, const struct schema_path *path)
{
    if (path->above != NULL) {
        write_path(b, path->above);
        if (path->name.p == NULL) {
            buf_printf(b, "[%zu]", path->index);
            return;
        }
        buf_char(b, '.');
    }
    buf_str(b, field_echo(path->name));
}

int schema_fail(const struct schema_path *path, struct err *err, const char *what)
{
    struct buf b;

    buf_init(&b, PATH_MAX_LENGTH);
    write_path(&b, path);
    int result = err_set(err, ERR_INVALID, "%.*s: %s", (int)b.len, b.data, what);
    buf_deinit(&b);
    return result;
}

static const char *const type_names[] = {"",       "object",  "array",   "string",
                                         "number", "integer", "boolean", "null"};

static enum schema_type type_named(struct str name)
{
    for (int i = TYPE_OBJECT; i < TYPE_NONE; i++) {
        if (str_is(name, type_names[i]))
            return (enum schema_type)i;
    }
    return TYPE_NONE;
}

enum schema_type schema_type_wanted(const struct json *schema, bool *null_r)
{
    const struct json *type = json_get(schema, "type");
    enum schema_type wanted = TYPE_ANY;

    *null_r = json_bool(json_get(schema, "nullable"));
    if (json_type(type) == JSON_STRING)
        return type_named(json_str(type));
    for (size_t i = 0; i < json_count(type); i++) {
        enum schema_type one = type_named(json_str(json_at(type, i)));
        if (one == TYPE_NULL)
            *null_r = true;
        else
            wanted = one;
    }
    return wanted;
}

static int check_schema(const struct json *schema, const struct schema_path *path, unsigned depth,
                        struct err *err);

typedef int check_fn(const struct json *value, const struct schema_path *path, unsigned depth,
                     struct err *err);

static int check_type(const struct json *value, const struct schema_path *path, unsigned depth,
                      struct err *err)
{
    static const char message[] = "must be object, array, string, number, integer, boolean or "
                                  "null, or an array of one of them and \"null\".";
    bool two = json_type(value) == JSON_ARRAY && json_count(value) == 2;
    (void)depth;
    if (two) {
        enum schema_type a = type_named(json_str(json_at(value, 0)));
        enum schema_type b = type_named(json_str(json_at(value, 1)));
        two = a != TYPE_NONE && b != TYPE_NONE && (a == TYPE_NULL) != (b == TYPE_NULL);
    }
    if (two || (json_str(value).p != NULL && type_named(json_str(value)) != TYPE_NONE))
        return 0;
    return schema_fail(path, err, message);
}

static int check_text(const struct json *value, const struct schema_path *path, unsigned depth,
                      struct err *err)
{
    (void)depth;
    return json_str(value).p != NULL ? 0 : schema_fail(path, err, "must be a string.");
}

static int check_any(const struct json *value, const struct schema_path *path, unsigned depth,
                     struct err *err)
{
    (void)value;
    (void)path;
    (void)depth;
    (void)err;
    return 0;
}

static int check_bool(const struct json *value, const struct schema_path *path, unsigned depth,
                      struct err *err)
{
    (void)depth;
    return json_type(value) == JSON_BOOL ? 0 : schema_fail(path, err, "must be true or false.");
}

static int check_number(const struct json *value, const struct schema_path *path, unsigned depth,
                        struct err *err)
{
    (void)depth;
    return json_type(value) == JSON_NUMBER ? 0 : schema_fail(path, err, "must be a number.");
}

static int check_divisor(const struct json *value, const struct schema_path *path, unsigned depth,
                         struct err *err)
{
    double number;
    (void)depth;
    if (json_f64(value, &number) != 0 || number <= 0)
        return schema_fail(path, err, "must be a number over 0.");
    return 0;
}

static int check_count(const struct json *value, const struct schema_path *path, unsigned depth,
                       struct err *err)
{
    int64_t count;
    (void)depth;
    if (json_i64(value, &count) != 0 || count < 0 || count > 1000000)
        return schema_fail(path, err, "must be a whole number from 0 to 1000000.");
    return 0;
}

static int check_list(const struct json *value, const struct schema_path *path, unsigned depth,
                      struct err *err)
{
    (void)depth;
    if (json_type(value) != JSON_ARRAY || json_count(value) == 0)
        return schema_fail(path, err, "must be an array of at least one value.");
    if (json_count(value) > ENUM_MAX)
        return schema_fail(path, err, "must have at most 500 values.");
    return 0;
}

static int check_examples(const struct json *value, const struct schema_path *path, unsigned depth,
                          struct err *err)
{
    (void)depth;
    return json_type(value) == JSON_ARRAY ? 0 : schema_fail(path, err, "must be an array.");
}

static int check_required(const struct json *value, const struct schema_path *path, unsigned depth,
                          struct err *err)
{
    (void)depth;
    bool good = json_type(value) == JSON_ARRAY;
    for (size_t i = 0; good && i < json_count(value); i++)
        good = json_str(json_at(value, i)).p != NULL;
    return good ? 0 : schema_fail(path, err, "must be an array of names.");
}

static int check_properties(const struct json *value, const struct schema_path *path,
                            unsigned depth, struct err *err)
{
    struct json *member;
    struct str name;
    size_t it = 0;

    if (json_type(value) != JSON_OBJECT)
        return schema_fail(path, err, "must be an object of schemas.");
    if (json_count(value) > PROPERTIES_MAX)
        return schema_fail(path, err, "must have at most 100 members.");
    while (json_each(value, &it, &name, &member)) {
        struct schema_path below = {path, name, 0};
        if (check_schema(member, &below, depth + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int check_additional(const struct json *value, const struct schema_path *path,
                            unsigned depth, struct err *err)
{
    return json_type(value) == JSON_BOOL ? 0 : check_schema(value, path, depth + 1, err);
}

static int check_items(const struct json *value, const struct schema_path *path, unsigned depth,
                       struct err *err)
{
    return check_schema(value, path, depth + 1, err);
}

static int check_pattern(const struct json *value, const struct schema_path *path, unsigned depth,
                         struct err *err)
{
    struct err why;
    (void)depth;
    if (json_str(value).p == NULL)
        return schema_fail(path, err, "must be a string.");
    return pattern_check(json_str(value), &why) == 0 ? 0 : schema_fail(path, err, why.message);
}

static const char *const formats[] = {"date", "time", "date-time", "email", "uuid"};

static int check_format(const struct json *value, const struct schema_path *path, unsigned depth,
                        struct err *err)
{
    (void)depth;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (json_str(value).p != NULL && str_is(json_str(value), formats[i]))
            return 0;
    }
    return schema_fail(path, err, "must be date, time, date-time, email or uuid.");
}

static const struct {
    const char *name;
    check_fn *check;
} keywords[] = {
    {"type", check_type},
    {"properties", check_properties},
    {"required", check_required},
    {"items", check_items},
    {"enum", check_list},
    {"const", check_any},
    {"description", check_text},
    {"title", check_text},
    {"default", check_any},
    {"examples", check_examples},
    {"minimum", check_number},
    {"maximum", check_number},
    {"exclusiveMinimum", check_number},
    {"exclusiveMaximum", check_number},
    {"multipleOf", check_divisor},
    {"minLength", check_count},
    {"maxLength", check_count},
    {"pattern", check_pattern},
    {"format", check_format},
    {"minItems", check_count},
    {"maxItems", check_count},
    {"uniqueItems", check_bool},
    {"additionalProperties", check_additional},
    {"nullable", check_bool},
};

static int check_schema(const struct json *schema, const struct schema_path *path, unsigned depth,
                        struct err *err)
{
    struct json *value;
    struct str name;
    size_t it = 0, count = sizeof(keywords) / sizeof(keywords[0]);

    if (json_type(schema) != JSON_OBJECT)
        return schema_fail(path, err, "must be a schema: an object.");
    if (depth > SCHEMA_DEPTH_MAX)
        return schema_fail(path, err, "is too deep.");
    while (json_each(schema, &it, &name, &value)) {
        struct schema_path below = {path, name, 0};
        size_t i = 0;
        while (i < count && !str_is(name, keywords[i].name))
            i++;
        if (i == count)
            return schema_fail(&below, err, "this keyword is not supported.");
        if (keywords[i].check(value, &below, depth, err) != 0)
            return -1;
    }
    return 0;
}

int schema_check(const struct json *schema, const char *name, struct err *err)
{
    struct schema_path top = {NULL, str_of(name), 0};
    bool null;

    if (check_schema(schema, &top, 0, err) != 0)
        return -1;
    if (schema_type_wanted(schema, &null) != TYPE_OBJECT || null)
        return schema_fail(&top, err, "must have \"type\": \"object\".");
    return 0;
}
