/*
 * json.c - JSON documents: json-c's tree behind our own types, read after json_scan() found the
 * text acceptable, and written by ourselves (member order kept, nothing escaped needlessly).
 *
 * json-c has no object for null; null_value stands for it, so that callers can tell a null from
 * an absent member.
 */
#include "lib/base/json.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* json-c has types of the names that functions of ours bear. */
#define json_bool json_c_bool
#define json_type json_c_type
#include <json-c/json.h>
#undef json_bool
#undef json_type

struct json {
    char unused;
};

static struct json null_value;

static const char *const type_names[] = {
    [JSON_NULL] = "null",       [JSON_BOOL] = "true or false", [JSON_NUMBER] = "a number",
    [JSON_STRING] = "a string", [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array",
};
static_assert(sizeof(type_names) / sizeof(type_names[0]) == JSON_ARRAY + 1, "a name for each type");

static struct json *wrap(struct json_object *object)
{
    return object == NULL ? &null_value : (struct json *)(void *)object;
}

static struct json_object *unwrap(const struct json *v)
{
    return v == NULL || v == &null_value ? NULL : (struct json_object *)(uintptr_t)v;
}

static void put(void *object)
{
    json_object_put(object);
}

int json_parse(struct pool *pool, struct str text, struct json **value_r, struct err *err)
{
    return json_parse_values(pool, text, JSON_VALUES_MAX, value_r, err);
}

int json_parse_values(struct pool *pool, struct str text, size_t values_max, struct json **value_r,
                      struct err *err)
{
    static struct json_tokener *tokener; /* kept: one thread, and it is costly to make */
    if (json_scan_values(text, JSON_DEPTH_MAX, values_max, err) != 0) {
        return -1;
    }
    if (text.n > INT_MAX - 1) {
        return err_set(err, ERR_TOO_LARGE, "body: is too large");
    }
    if (tokener == NULL) {
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
        if (tokener == NULL) {
            die("out of memory (json_tokener_new)");
        }
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    }
    json_tokener_reset(tokener);
    struct json_object *object = json_tokener_parse_ex(tokener, text.p, (int)text.n);
    enum json_tokener_error state = json_tokener_get_error(tokener);
    if (state == json_tokener_continue) {
        /* A number at the end is complete only once something follows it. */
        object = json_tokener_parse_ex(tokener, "", 1);
        state = json_tokener_get_error(tokener);
    }
    if (state != json_tokener_success) {
        return err_set(err, ERR_INVALID, "body: %s", json_tokener_error_desc(state));
    }
    if (object != NULL) {
        pool_on_clear(pool, put, object);
    }
    *value_r = wrap(object);
    return 0;
}

enum json_type json_type(const struct json *v)
{
    switch (json_object_get_type(unwrap(v))) {
    case json_type_null:
        return JSON_NULL;
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_double:
    case json_type_int:
        return JSON_NUMBER;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    }
    die("json-c has a new type");
}

const char *json_type_name(enum json_type t)
{
    if ((unsigned)t > JSON_ARRAY) {
        die("json_type_name: no such type: %d", (int)t);
    }
    return type_names[t];
}

struct json *json_get(const struct json *object, const char *name)
{
    struct json_object *value;
    if (json_type(object) != JSON_OBJECT) {
        return NULL;
    }
    return json_object_object_get_ex(unwrap(object), name, &value) ? wrap(value) : NULL;
}

bool json_bool(const struct json *v)
{
    return json_type(v) == JSON_BOOL && json_object_get_boolean(unwrap(v));
}

int json_i64(const struct json *v, int64_t *value_r)
{
    if (json_object_get_type(unwrap(v)) != json_type_int) {
        return -1;
    }
    *value_r = json_object_get_int64(unwrap(v));
    return 0;
}

int json_f64(const struct json *v, double *value_r)
{
    if (json_type(v) != JSON_NUMBER) {
        return -1;
    }
    *value_r = json_object_get_double(unwrap(v));
    return 0;
}

struct str json_str(const struct json *v)
{
    if (json_type(v) != JSON_STRING) {
        return STR_NULL;
    }
    struct json_object *object = unwrap(v);
    return (struct str){json_object_get_string(object), (size_t)json_object_get_string_len(object)};
}

size_t json_count(const struct json *v)
{
    struct json_object *object = unwrap(v);
    switch (json_type(v)) {
    case JSON_OBJECT:
        return (size_t)json_object_object_length(object);
    case JSON_ARRAY:
        return json_object_array_length(object);
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
    case JSON_STRING:
        break;
    }
    return 0;
}

struct json *json_at(const struct json *array, size_t i)
{
    if (json_type(array) != JSON_ARRAY || i >= json_count(array)) {
        return NULL;
    }
    return wrap(json_object_array_get_idx(unwrap(array), i));
}

/* *it is 0 at first, then the address of the entry that comes next, or 1 when none does. */
#define WALK_ENDED ((size_t)1)
static_assert(sizeof(size_t) >= sizeof(void *), "a size_t holds an address");

bool json_each(const struct json *object, size_t *it, struct str *name_r, struct json **value_r)
{
    if (json_type(object) != JSON_OBJECT || *it == WALK_ENDED) {
        return false;
    }
    struct lh_entry *entry =
        *it == 0 ? lh_table_head(json_object_get_object(unwrap(object))) : (struct lh_entry *)*it;
    if (entry == NULL) {
        *it = WALK_ENDED;
        return false;
    }
    *name_r = str_of(lh_entry_k(entry));
    *value_r = wrap((struct json_object *)(uintptr_t)lh_entry_v(entry));
    struct lh_entry *next = lh_entry_next(entry);
    *it = next == NULL ? WALK_ENDED : (size_t)next;
    return true;
}

struct member {
    struct str name;
    struct json *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name.p, ((const struct member *)b)->name.p);
}

static void write_value(struct buf *b, const struct json *v, bool sorted);

static void write_object(struct buf *b, const struct json *v, bool sorted)
{
    size_t count = json_count(v);
    struct member *members = mem_alloc(count * sizeof(*members));
    size_t it = 0;
    for (size_t i = 0; i < count && json_each(v, &it, &members[i].name, &members[i].value);) {
        i++;
    }
    if (sorted) {
        qsort(members, count, sizeof(*members), compare_members);
    }
    buf_char(b, '{');
    for (size_t i = 0; i < count; i++) {
        buf_text(b, i > 0 ? "," : "");
        buf_json(b, members[i].name);
        buf_char(b, ':');
        write_value(b, members[i].value, sorted);
    }
    buf_char(b, '}');
    free(members);
}

static void write_number(struct buf *b, const struct json *v, bool sorted)
{
    struct json_object *object = unwrap(v);
    int64_t integer;
    if (json_i64(v, &integer) == 0) {
        buf_i64(b, integer);
    } else if (sorted) {
        /* 1.50 and 1.5 are equal; adding zero makes -0.0 into the 0 that it is equal to */
        buf_printf(b, "%.17g", json_object_get_double(object) + 0.0);
    } else {
        buf_text(b, json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
    }
}

static void write_value(struct buf *b, const struct json *v, bool sorted)
{
    if (b->overflow) {
        return;
    }
    switch (json_type(v)) {
    case JSON_NULL:
        buf_lit(b, "null");
        break;
    case JSON_BOOL:
        buf_text(b, json_bool(v) ? "true" : "false");
        break;
    case JSON_NUMBER:
        write_number(b, v, sorted);
        break;
    case JSON_STRING:
        buf_json(b, json_str(v));
        break;
    case JSON_OBJECT:
        write_object(b, v, sorted);
        break;
    case JSON_ARRAY:
        buf_char(b, '[');
        for (size_t i = 0; i < json_count(v); i++) {
            buf_text(b, i > 0 ? "," : "");
            write_value(b, json_at(v, i), sorted);
        }
        buf_char(b, ']');
        break;
    }
}

void json_write(struct buf *b, const struct json *v)
{
    write_value(b, v, false);
}

void json_write_sorted(struct buf *b, const struct json *v)
{
    write_value(b, v, true);
}
