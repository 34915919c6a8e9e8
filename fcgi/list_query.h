/*
 * list_query.h - the query parameters of GET /v1/calls.
 */
#ifndef HV_LIST_QUERY_H
#define HV_LIST_QUERY_H

#include "lib/base/pool.h"
#include "sql/calls.h"

#define LIST_LIMIT 20
#define LIST_LIMIT_MAX 100

/* ERR_INVALID names the parameter: unknown, given twice, or with a value that it can't have. An
 * empty value is no value. */
int list_query_read(struct pool *pool, struct str query, struct call_filter *filter_r,
                    struct err *err) MUST_CHECK;

#endif
