/*
 * call_json.h - calls as callers see them: the documented twelve fields, always and in their
 * order, then those that have something to say.
 */
#ifndef HV_CALL_JSON_H
#define HV_CALL_JSON_H

#include "lib/base/buf.h"
#include "sql/calls.h"

void call_json(struct buf *b, const struct call_row *row);

/* {"code": ..., "message": ...}, or null without a code. */
void call_json_error(struct buf *b, struct str code, struct str message);

#endif
