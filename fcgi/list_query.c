/*
 * list_query.c - one small reader per parameter, and the table of them.
 */
#include "fcgi/list_query.h"

#include "fcgi/request.h"
#include "lib/rules/phone.h"

#include <string.h>

typedef int read_fn(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                    struct err *err);

/* Clients forget to write '+' as %2B, and the query string then means a blank. */
static struct str blank_to_plus(struct pool *pool, struct str s, size_t at)
{
    if (at >= s.n || s.p[at] != ' ')
        return s;
    char *copy = pool_dup(pool, s.p, s.n);
    copy[at] = '+';
    return (struct str){copy, s.n};
}

static int read_status(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                       struct err *err)
{
    if (call_status_parse(value, &f->status) == 0) {
        f->by_status = true;
        return 0;
    }
    struct buf known;
    buf_init(&known, 256);
    for (unsigned s = 0; s < CALL_STATUS_COUNT; s++) {
        buf_text(&known, s == 0 ? "" : s + 1 < CALL_STATUS_COUNT ? ", " : " or ");
        buf_text(&known, call_status_text((enum call_status)s));
    }
    const char *text = pool_dup(pool, known.data, known.len);
    buf_deinit(&known);
    return err_set(err, ERR_INVALID, "%s must be %s.", name, text);
}

static int read_agent(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                      struct err *err)
{
    (void)pool;
    if (id_parse(ID_AGENT, value, &f->agent_id) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of an agent.", name);
    f->by_agent = true;
    return 0;
}

static int read_number(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                       struct err *err)
{
    enum phone_kind kind;
    f->contact_number = blank_to_plus(pool, value, 0);
    return phone_check(f->contact_number, name, &kind, err);
}

static int read_time(struct pool *pool, const char *name, struct str value, usec_t *t_r,
                     struct err *err)
{
    /* the sign of "+05:30" */
    if (value.n > 6)
        value = blank_to_plus(pool, value, value.n - 6);
    if (time_parse(value, t_r) != 0)
        return err_set(err, ERR_INVALID,
                       "%s must be an RFC 3339 time, such as 2024-01-27T03:02:00.000Z.", name);
    return 0;
}

static int read_after(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                      struct err *err)
{
    return read_time(pool, name, value, &f->created_after, err);
}

static int read_before(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                       struct err *err)
{
    return read_time(pool, name, value, &f->created_before, err);
}

static int read_cursor(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                       struct err *err)
{
    (void)pool;
    if (cursor_parse(value, &f->cursor) != 0)
        return err_set(err, ERR_INVALID, "%s must be the next_cursor of an earlier answer.", name);
    f->from_cursor = true;
    return 0;
}

static int read_limit(struct pool *pool, const char *name, struct str value, struct call_filter *f,
                      struct err *err)
{
    (void)pool;
    uint64_t limit;
    if (str_u64(value, LIST_LIMIT_MAX, &limit) != 0 || limit == 0)
        return err_set(err, ERR_INVALID, "%s must be a number from 1 to %d.", name, LIST_LIMIT_MAX);
    f->limit = (unsigned)limit;
    return 0;
}

static const struct {
    const char *name;
    read_fn *read;
} parameters[] = {
    {"status", read_status},       {"agent_id", read_agent},        {"contact_number", read_number},
    {"created_after", read_after}, {"created_before", read_before}, {"cursor", read_cursor},
    {"limit", read_limit},
};
#define PARAMETER_COUNT (sizeof(parameters) / sizeof(*parameters))

static int read_parameter(struct pool *pool, struct str name, struct str value, unsigned *given,
                          struct call_filter *f, struct err *err)
{
    for (unsigned i = 0; i < PARAMETER_COUNT; i++) {
        if (!str_is(name, parameters[i].name))
            continue;
        if ((*given & (1u << i)) != 0)
            return err_set(err, ERR_INVALID, "%s is given twice.", parameters[i].name);
        *given |= 1u << i;
        if (value.n == 0)
            return 0;
        return parameters[i].read(pool, parameters[i].name, value, f, err);
    }
    return err_set(err, ERR_INVALID, "This list has no parameter %.*s.", STR_ARG(name));
}

int list_query_read(struct pool *pool, struct str query, struct call_filter *filter_r,
                    struct err *err)
{
    struct str name, value;
    unsigned given = 0;
    int more;

    memset(filter_r, 0, sizeof(*filter_r));
    filter_r->created_after = TIME_NONE;
    filter_r->created_before = TIME_NONE;
    filter_r->limit = LIST_LIMIT;
    while ((more = query_next_pair(pool, &query, &name, &value, err)) > 0)
        if (read_parameter(pool, name, value, &given, filter_r, err) != 0)
            return -1;
    return more;
}
