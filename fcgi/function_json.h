/*
 * function_json.h - functions of workflows and their runs as callers see them.
 */
#ifndef HV_FUNCTION_JSON_H
#define HV_FUNCTION_JSON_H

#include "lib/base/buf.h"
#include "sql/function_runs.h"

/* Header values are hidden. ERR_INTERNAL: stored headers that are none. */
int function_json(struct buf *b, struct pool *pool, const struct function *function,
                  struct err *err) MUST_CHECK;
/* {"run_id": ... } left open. */
void function_run_json_begin(struct buf *b, struct pool *pool, const struct function_run *run);

#endif
