/*
 * function_private.h - what the files that read a function's settings, and those that build its
 * request, share.
 */
#ifndef HV_FUNCTION_PRIVATE_H
#define HV_FUNCTION_PRIVATE_H

#include "lib/rules/function_run.h"

/* The sources that a phase's templates may name: bits of enum template_source. */
unsigned function_sources(int phase);
/* function_url.c. ERR_INVALID names "url". */
int function_check_url(struct pool *pool, const struct function *f, const struct url_guard *guard,
                       struct err *err) MUST_CHECK;

/* Names may be any text of JSON's. NULL: not there; object may be NULL. */
struct json *object_member(const struct json *object, struct str wanted);
/* Writes an object of the members of both; of one name, over's. Either may be NULL. */
void object_lay(struct buf *b, const struct json *under, const struct json *over);

#endif
