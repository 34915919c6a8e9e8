#include "sql/list.h"

#include <string.h>

void *list_grow(struct pool *pool, void *rows, size_t size, size_t count, size_t *room)
{
    if (count < *room)
        return rows;
    *room = *room > 0 ? *room * 2 : 16;
    void *grown = pool_alloc_array(pool, *room, size);
    if (count > 0)
        memcpy(grown, rows, count * size);
    return grown;
}

void list_bind_page(struct query *q, const struct page *page)
{
    usec_t from = page->from_cursor ? page->cursor.created_at : TIME_FAR;

    query_bind_time(q, from);
    query_bind_time(q, from);
    query_bind_id(q, &page->cursor.id);
}

bool list_next(struct query *q, size_t limit, size_t count, bool *more_r)
{
    *more_r = false;
    if (!query_next(q))
        return false;
    *more_r = count == limit;
    return !*more_r;
}

bool list_page_next(struct query *q, const struct page *page, size_t count, struct page_end *end_r)
{
    return list_next(q, page->limit, count, &end_r->more);
}
