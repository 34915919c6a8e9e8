/*
 * admin_table.h - what commands print: rows of named values, as JSON in the API's envelope or as
 * aligned columns for people.
 */
#ifndef HV_ADMIN_TABLE_H
#define HV_ADMIN_TABLE_H

#include "lib/base/buf.h"
#include "lib/base/pool.h"
#include "lib/rules/id.h"

struct table;

struct table *table_new(struct pool *pool);
void table_row(struct table *t); /* begins a row */
/* From here on the row's values are in JSON and in a single object, but in no column of a list. */
void table_details(struct table *t);

/* The values of a row in their order; the same names in every row. A name is JSON's and, in upper
 * case, the column's. What is not there (STR_NULL, a zero id, TIME_NONE) is null and "-". */
void table_text(struct table *t, const char *name, struct str text);
void table_id(struct table *t, const char *name, enum id_kind kind, const struct id *id);
void table_time(struct table *t, const char *name, usec_t time);
void table_number(struct table *t, const char *name, int64_t number);
/* A limit of requests per minute: a number; in JSON 0 is none and null the default. */
void table_rate(struct table *t, const char *name, int64_t rate);
void table_bool(struct table *t, const char *name, bool value);
/* shown: for people; NULL: not shown. */
void table_json(struct table *t, const char *name, struct str json, const char *shown);

/* [{...}, ...] of all rows; for table_json(). */
struct str table_as_array(const struct table *t);

/* {"data": [...]}, or a line of titles and a line per row. */
void table_print_list(const struct table *t, bool json);
/* {"data": {...}} of its one row, or a line per value. */
void table_print_object(const struct table *t, bool json);

#endif
