/*
 * json.h - JSON in and out. The only face of json-c, behind a strict scanner of our own.
 *
 * json-c, even when strict, takes duplicate keys, NaN, single quotes and lone surrogates, and
 * bends long integers. So json_parse() scans first (RFC 8259; no duplicate keys; valid UTF-8; no
 * \u0000; depth and number limits) and names the place of a fault as a path:
 * "additional_info.a[3]".
 */
#ifndef HV_JSON_H
#define HV_JSON_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/base/str.h"

#define JSON_DEPTH_MAX 16

struct json; /* a value; its document dies with the pool it was parsed into */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };

/* ERR_INVALID with the path and what was wrong. Integers must fit int64, other numbers must be
 * finite as double and have at most 17 significant digits. */
int json_scan(struct str text, unsigned depth_max, struct err *err) MUST_CHECK;
int json_parse(struct pool *pool, struct str text, struct json **value_r,
               struct err *err) MUST_CHECK;

/* A document takes memory by its values and not by its bytes. They are weighed: a number, a
 * string, true, false and null are 1, an array 2, an object 10, each name of a member 1 more (in an
 * object of over 10: 2). 1 stands for some 80 bytes. "body: has too many values" is beyond. */
#define JSON_VALUES_MAX 100000        /* of json_parse(): 64 KiB of [{"a":1},...; 8 MB */
#define JSON_VALUES_TRANSCRIPT 250000 /* a MiB of {"role", "text", "at"}; 20 MB */
#define JSON_VALUES_ANY SIZE_MAX      /* of what was weighed when it came to us */
int json_scan_values(struct str text, unsigned depth_max, size_t values_max,
                     struct err *err) MUST_CHECK;
int json_parse_values(struct pool *pool, struct str text, size_t values_max, struct json **value_r,
                      struct err *err) MUST_CHECK;

enum json_type json_type(const struct json *v); /* NULL counts as JSON_NULL */
const char *json_type_name(enum json_type t);   /* "an object", for messages */
struct json *
json_get(const struct json *object,
         const char *name); /* NULL: absent (a JSON null gives a value of type JSON_NULL) */
bool json_bool(const struct json *v);
int json_i64(const struct json *v, int64_t *value_r) MUST_CHECK; /* -1: no integer */
int json_f64(const struct json *v, double *value_r) MUST_CHECK;  /* -1: no number */
struct str json_str(const struct json *v);                       /* STR_NULL when no string */
size_t json_count(const struct json *v);                         /* members or elements */
struct json *json_at(const struct json *array, size_t i);
/* Walks the members of an object in their order: start with *it = 0; false at the end. */
bool json_each(const struct json *object, size_t *it, struct str *name_r, struct json **value_r);

/* Compact text with the members in the order they came in. */
void json_write(struct buf *b, const struct json *v);
/* Compact text with the members of every object sorted by name: equal documents, equal bytes. */
void json_write_sorted(struct buf *b, const struct json *v);

#endif
