/*
 * function_arguments.h - what a request brings as the arguments of a function.
 */
#ifndef HV_FUNCTION_ARGUMENTS_H
#define HV_FUNCTION_ARGUMENTS_H

#include "lib/base/json.h"
#include "lib/rules/function.h"

/* An object, or the text of one, as models give it (function.arguments of chat completions); NULL
 * is an empty one. ERR_INVALID names the fault. */
int function_arguments_read(struct pool *pool, const struct json *given, struct json **arguments_r,
                            struct err *err) MUST_CHECK;
/* By the function's schema, if it has one. ERR_INVALID has the path; ERR_INTERNAL: what is stored
 * is no schema. */
int function_arguments_check(struct pool *pool, const struct function *function,
                             const struct json *arguments, struct err *err) MUST_CHECK;
/* As JSON, in the pool; of NULL: STR_NULL. */
struct str function_argument_text(struct pool *pool, const struct json *value);

#endif
