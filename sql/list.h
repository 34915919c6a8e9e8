/*
 * list.h - an array in a pool that grows row by row while a result is read, and the pages that
 * lists are read in.
 */
#ifndef HV_LIST_H
#define HV_LIST_H

#include "lib/base/pool.h"
#include "lib/rules/cursor.h"
#include "sql/db.h"

/* The place for one more row, zeroed; *count_r grows. *room starts as 0. */
#define LIST_NEXT(pool, rows_r, count_r, room)                                                     \
    (*(rows_r) = list_grow((pool), *(room) > 0 ? *(rows_r) : NULL, sizeof(**(rows_r)), *(count_r), \
                           (room)),                                                                \
     &(*(rows_r))[(*(count_r))++])
/* rows, or a larger copy of them when all room is taken. */
void *list_grow(struct pool *pool, void *rows, size_t size, size_t count, size_t *room);

/* The next of at most limit rows of a statement whose LIMIT is limit + 1; count: how many were
 * read. False at the end; *more_r: there is another behind the limit. */
bool list_next(struct query *q, size_t limit, size_t count, bool *more_r);

/* Later than any row; DATETIME's own end is 9999. */
#define TIME_FAR ((usec_t)253370764800 * USEC_PER_S)
/* The three placeholders of "created_at <= ? AND (created_at < ? OR id < ?)". The statement's LIMIT
 * is page->limit + 1. */
void list_bind_page(struct query *q, const struct page *page);
/* The next row of the page; count: how many were read. False at its end, end_r->more then being
 * filled. */
bool list_page_next(struct query *q, const struct page *page, size_t count, struct page_end *end_r);

#endif
