/*
 * schema.h - the part of JSON Schema that models are given to describe a function's parameters.
 *
 * Keywords: type (one name; or two, of which one is "null"), properties, required, items, enum,
 * const, description, title, default, examples, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, multipleOf, minLength, maxLength, pattern, format (date, time, date-time,
 * email, uuid), minItems, maxItems, uniqueItems, additionalProperties (true, false or a schema),
 * nullable. Any other is refused by name when the schema is saved: what would not be enforced must
 * not look as if it were.
 *
 * additionalProperties is true by default, as in JSON Schema. A number without a fraction is an
 * integer (1.0 too). Lengths are code points. An enum has at most 500 values.
 */
#ifndef HV_SCHEMA_H
#define HV_SCHEMA_H

#include "lib/base/json.h"

#define SCHEMA_DEPTH_MAX 10

/* Is it a schema of type object, each keyword known and of the right form? ERR_INVALID begins with
 * the path: "parameters.properties.date: ...". */
int schema_check(const struct json *schema, const char *name, struct err *err) MUST_CHECK;

/* A value against a schema that schema_check() took. ERR_INVALID begins with the path of the
 * value: "args.slot.date: must be a string."; what would take too much work says so. */
int schema_validate(const struct json *schema, const struct json *value, const char *name,
                    struct err *err) MUST_CHECK;

#endif
