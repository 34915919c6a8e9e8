/*
 * calls_query.h - the query parameters of GET /v1/calls.
 */
#ifndef HV_CALLS_QUERY_H
#define HV_CALLS_QUERY_H

#include "fcgi/list_query.h"
#include "sql/calls.h"

int calls_query_read(struct pool *pool, struct str query, struct call_filter *filter_r,
                     struct err *err) MUST_CHECK;

#endif
