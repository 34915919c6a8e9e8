/*
 * list.h - an array in a pool that grows row by row while a result is read.
 */
#ifndef HV_LIST_H
#define HV_LIST_H

#include "lib/base/pool.h"

/* The place for one more row, zeroed; *count_r grows. *room starts as 0. */
#define LIST_NEXT(pool, rows_r, count_r, room)                                                     \
    (*(rows_r) = list_grow((pool), *(room) > 0 ? *(rows_r) : NULL, sizeof(**(rows_r)), *(count_r), \
                           (room)),                                                                \
     &(*(rows_r))[(*(count_r))++])
/* rows, or a larger copy of them when all room is taken. */
void *list_grow(struct pool *pool, void *rows, size_t size, size_t count, size_t *room);

#endif
