/*
 * list_query.h - the query parameters of lists. A list has a table of its parameters, each with a
 * reader; the readers that lists share are here.
 */
#ifndef HV_LIST_QUERY_H
#define HV_LIST_QUERY_H

#include "fcgi/answer.h"
#include "lib/base/pool.h"
#include "lib/rules/cursor.h"

#include <stddef.h>

#define LIST_LIMIT 20
#define LIST_LIMIT_MAX 100

/* Puts what the value says into the place. ERR_INVALID names the parameter. */
typedef int list_read_fn(struct pool *pool, const char *name, struct str value, void *place,
                         struct err *err);
struct list_parameter {
    const char *name;
    list_read_fn *read;
    size_t offset; /* of its place in the struct that is filled */
};

list_read_fn list_read_limit, list_read_cursor; /* struct page */
list_read_fn list_read_time;                    /* usec_t */
list_read_fn list_read_bool;                    /* int: 0 or 1 */
#define LIST_PAGE(type, member)                                                                    \
    {"cursor", list_read_cursor, offsetof(type, member)},                                          \
    {                                                                                              \
        "limit", list_read_limit, offsetof(type, member)                                           \
    }

/* Fills what is given; defaults go in first (a page's limit is LIST_LIMIT). ERR_INVALID names the
 * parameter: unknown, given twice, or with a value that it can't have. An empty value is no value.
 */
int list_query_read(struct pool *pool, struct str query, const struct list_parameter *parameters,
                    size_t count, void *into, struct err *err) MUST_CHECK;

/* Clients forget to write '+' as %2B, and the query string then means a blank: the character at
 * `at` is mended. */
struct str list_blank_to_plus(struct pool *pool, struct str s, size_t at);

/* {"data":[ ... ],"next_cursor":...}: what comes before the rows, and after them. */
void list_begin(struct buf *b);
void list_end(struct buf *b, const struct page_end *end);

#endif
