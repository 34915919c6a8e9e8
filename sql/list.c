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
