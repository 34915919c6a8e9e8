/*
 * calls_query.c - one small reader per filter, and the table of them.
 */
#include "fcgi/calls_query.h"

#include "lib/rules/phone.h"

static int read_status(struct pool *pool, const char *name, struct str value, void *place,
                       struct err *err)
{
    struct call_filter *f = place;
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

static int read_agent(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    struct call_filter *f = place;
    (void)pool;
    if (id_parse(ID_AGENT, value, &f->agent_id) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of an agent.", name);
    f->by_agent = true;
    return 0;
}

static int read_batch(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    struct call_filter *f = place;
    (void)pool;
    if (id_parse(ID_BATCH, value, &f->batch_id) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of a batch.", name);
    f->by_batch = true;
    return 0;
}

static int read_number(struct pool *pool, const char *name, struct str value, void *place,
                       struct err *err)
{
    struct call_filter *f = place;
    enum phone_kind kind;
    f->contact_number = list_blank_to_plus(pool, value, 0);
    return phone_check(f->contact_number, name, &kind, err);
}

static const struct list_parameter parameters[] = {
    {"status", read_status, 0},
    {"agent_id", read_agent, 0},
    {"batch_id", read_batch, 0},
    {"contact_number", read_number, 0},
    {"created_after", list_read_time, offsetof(struct call_filter, created_after)},
    {"created_before", list_read_time, offsetof(struct call_filter, created_before)},
    LIST_PAGE(struct call_filter, page),
};

int calls_query_read(struct pool *pool, struct str query, struct call_filter *filter_r,
                     struct err *err)
{
    *filter_r = (struct call_filter){
        .created_after = TIME_NONE, .created_before = TIME_NONE, .page.limit = LIST_LIMIT};
    return list_query_read(pool, query, parameters, sizeof(parameters) / sizeof(*parameters),
                           filter_r, err);
}
