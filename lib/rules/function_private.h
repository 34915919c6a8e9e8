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

/* The names in the query of a URL, decoded and in order. They are the pool's. */
struct url_names {
    struct str *names;
    size_t count;
};
void url_names_read(struct pool *pool, struct str url, struct url_names *names_r);
bool url_names_have(const struct url_names *names, struct str name);

/* wanted: a name of a document that was parsed (a NUL follows it). NULL: not there; object may be
 * NULL. */
struct json *object_member(const struct json *object, struct str wanted);
/* Writes an object of the members of both; of one name, over's. Either may be NULL. */
void object_lay(struct buf *b, const struct json *under, const struct json *over);

#endif
