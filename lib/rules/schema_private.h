/*
 * schema_private.h - what the checking of schemas (schema.c) and of values (schema_validate.c)
 * share.
 */
#ifndef HV_SCHEMA_PRIVATE_H
#define HV_SCHEMA_PRIVATE_H

#include "lib/rules/schema.h"

/* Where in a document something is, for messages. */
struct schema_path {
    const struct schema_path *above; /* NULL: the top, of that name */
    struct str name;                 /* STR_NULL: an element */
    size_t index;
};

/* "<path>: <what>" */
int schema_fail(const struct schema_path *path, struct err *err, const char *what);

enum schema_type {
    TYPE_ANY,
    TYPE_OBJECT,
    TYPE_ARRAY,
    TYPE_STRING,
    TYPE_NUMBER,
    TYPE_INTEGER,
    TYPE_BOOLEAN,
    TYPE_NULL,
    TYPE_NONE
};
/* The type that a checked schema asks for; *null_r: or null. */
enum schema_type schema_type_wanted(const struct json *schema, bool *null_r);

#endif
