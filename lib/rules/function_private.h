/*
 * function_private.h - what the files that build a function's request share.
 */
#ifndef HV_FUNCTION_PRIVATE_H
#define HV_FUNCTION_PRIVATE_H

#include "lib/rules/function_run.h"

/* Names may be any text of JSON's. NULL: not there; object may be NULL. */
struct json *object_member(const struct json *object, struct str wanted);
/* Writes an object of the members of both; of one name, over's. Either may be NULL. */
void object_lay(struct buf *b, const struct json *under, const struct json *over);

#endif
