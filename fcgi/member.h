/*
 * member.h - writes the members of JSON objects one by one, each with the comma before it: the
 * first member of an object is written by the caller.
 */
#ifndef HV_MEMBER_H
#define HV_MEMBER_H

#include "fcgi/answer.h"
#include "lib/base/clock.h"
#include "lib/rules/calling_hours.h"
#include "lib/rules/id.h"

void member_text(struct buf *b, const char *name, struct str value); /* STR_NULL: null */
void member_i64(struct buf *b, const char *name, int64_t value);
void member_count(struct buf *b, const char *name, int64_t value); /* 0: null */
/* A limit of requests per minute (lib/rules/rate.h): null is the default, 0 is none. */
void member_rate(struct buf *b, const char *name, int64_t rate);
void member_bool(struct buf *b, const char *name, bool value);
void member_time(struct buf *b, const char *name, usec_t t); /* TIME_NONE: null */
/* Zeroed: null. */
void member_id(struct buf *b, const char *name, enum id_kind kind, const struct id *id);
void member_json(struct buf *b, const char *name, struct str json); /* STR_NULL: null */
void member_null(struct buf *b, const char *name);
/* Texts of the bits of a set, in their order. */
void member_set(struct buf *b, const char *name, unsigned set, const char *const *texts);
void member_hours(struct buf *b, const char *name,
                  const struct calling_hours *hours); /* NULL: null */

/* {"name":"id of the object" -- and left open for more members. */
void object_begin(struct buf *b, const char *name, enum id_kind kind, const struct id *id);

/* The whole answer to a DELETE: {"data":{"name":"id","deleted":true}}. */
void answer_deleted(struct answer *an, const char *name, enum id_kind kind, const struct id *id);

#endif
