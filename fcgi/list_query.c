/*
 * list_query.c - goes through a query string by a list's table of parameters.
 */
#include "fcgi/list_query.h"

#include "fcgi/request.h"

struct str list_blank_to_plus(struct pool *pool, struct str s, size_t at)
{
    if (at >= s.n || s.p[at] != ' ')
        return s;
    char *copy = pool_dup(pool, s.p, s.n);
    copy[at] = '+';
    return (struct str){copy, s.n};
}

int list_read_time(struct pool *pool, const char *name, struct str value, void *place,
                   struct err *err)
{
    /* the sign of "+05:30" */
    if (value.n > 6)
        value = list_blank_to_plus(pool, value, value.n - 6);
    if (time_parse(value, place) != 0)
        return err_set(err, ERR_INVALID,
                       "%s must be an RFC 3339 time, such as 2024-01-27T03:02:00.000Z.", name);
    return 0;
}

int list_read_bool(struct pool *pool, const char *name, struct str value, void *place,
                   struct err *err)
{
    (void)pool;
    if (!str_is(value, "true") && !str_is(value, "false"))
        return err_set(err, ERR_INVALID, "%s must be true or false.", name);
    *(int *)place = str_is(value, "true");
    return 0;
}

int list_read_cursor(struct pool *pool, const char *name, struct str value, void *place,
                     struct err *err)
{
    struct page *page = place;
    (void)pool;
    if (cursor_parse(value, &page->cursor) != 0)
        return err_set(err, ERR_INVALID, "%s must be the next_cursor of an earlier answer.", name);
    page->from_cursor = true;
    return 0;
}

int list_read_limit(struct pool *pool, const char *name, struct str value, void *place,
                    struct err *err)
{
    struct page *page = place;
    uint64_t limit;
    (void)pool;
    if (str_u64(value, LIST_LIMIT_MAX, &limit) != 0 || limit == 0)
        return err_set(err, ERR_INVALID, "%s must be a number from 1 to %d.", name, LIST_LIMIT_MAX);
    page->limit = (unsigned)limit;
    return 0;
}

static int read_parameter(struct pool *pool, struct str name, struct str value,
                          const struct list_parameter *parameters, size_t count, unsigned *given,
                          void *into, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct list_parameter *p = &parameters[i];
        if (!str_is(name, p->name))
            continue;
        if ((*given & (1u << i)) != 0)
            return err_set(err, ERR_INVALID, "%s is given twice.", p->name);
        *given |= 1u << i;
        return value.n == 0 ? 0 : p->read(pool, p->name, value, (char *)into + p->offset, err);
    }
    return err_set(err, ERR_INVALID, "This list has no parameter %.*s.", STR_ARG(name));
}

int list_query_read(struct pool *pool, struct str query, const struct list_parameter *parameters,
                    size_t count, void *into, struct err *err)
{
    struct str name, value;
    unsigned given = 0;
    int more;

    while ((more = query_next_pair(pool, &query, &name, &value, err)) > 0)
        if (read_parameter(pool, name, value, parameters, count, &given, into, err) != 0)
            return -1;
    return more;
}

void list_begin(struct buf *b)
{
    buf_lit(b, "{\"data\":[");
}

void list_end(struct buf *b, const struct page_end *end)
{
    char text[CURSOR_TEXT_SIZE];
    if (end->more)
        cursor_format(&end->cursor, text);
    buf_lit(b, "],\"next_cursor\":");
    buf_json(b, end->more ? str_of(text) : STR_NULL);
    buf_char(b, '}');
}
