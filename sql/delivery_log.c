/*
 * delivery_log.c - reads and lists events and deliveries; makes one delivery anew.
 */
#include "sql/delivery_log.h"
#include "sql/list.h"
#include "sql/transaction.h"

static const char *const state_texts[] = {
#define X(name, text) text,
    DELIVERY_STATES(X)
#undef X
};
_Static_assert(sizeof(state_texts) / sizeof(*state_texts) == DELIVERY_STATE_COUNT,
               "a text per state");

const char *delivery_state_text(enum delivery_state s)
{
    return (size_t)s < DELIVERY_STATE_COUNT ? state_texts[s] : "?";
}

int delivery_state_parse(struct str s, enum delivery_state *state_r)
{
    for (unsigned i = 0; i < DELIVERY_STATE_COUNT; i++) {
        if (str_is(s, state_texts[i])) {
            *state_r = (enum delivery_state)i;
            return 0;
        }
    }
    return -1;
}

/* ---- deliveries ---- */

/* DELIVERY_COLUMNS */
static void read_delivery(struct query *q, struct pool *pool, struct delivery_row *row)
{
    query_id(q, &row->delivery_id);
    query_id(q, &row->endpoint_id);
    query_id(q, &row->event_id);
    query_id(q, &row->call_id);
    int64_t type = query_i64(q);
    row->has_event = type > 0;
    row->type = (enum event_type)(type - 1);
    row->state = (enum delivery_state)(query_i64(q) - 1);
    row->attempts = query_i64(q);
    row->last_status = query_i64(q);
    row->last_error = query_str(q, pool);
    bool owned = query_i64(q) != 0;
    row->in_flight = owned && row->state == DELIVERY_WAITING;
    row->due_at = query_time(q);
    if (owned || row->state != DELIVERY_WAITING)
        row->due_at = TIME_NONE;
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
    row->to_function = query_i64(q) != 0;
}

/* The filter that the list is read by, from an index of its own; the others are checked row by row.
 * An event or a call has few deliveries; most deliveries succeed, so that state chooses few rows
 * when it is another, and the endpoint fewer when it is that. */
static enum stmt list_statement(const struct delivery_filter *f)
{
    if (f->by_event)
        return STMT_DELIVERY_LIST_BY_EVENT;
    if (f->by_call)
        return STMT_DELIVERY_LIST_BY_CALL;
    if (f->by_endpoint)
        return STMT_DELIVERY_LIST_BY_ENDPOINT;
    return f->by_state ? STMT_DELIVERY_LIST_BY_STATE : STMT_DELIVERY_LIST_ALL;
}

static void bind_range(struct query *q, usec_t after, usec_t before)
{
    query_bind_time(q, after == TIME_NONE ? 0 : after);
    query_bind_time(q, before == TIME_NONE ? TIME_FAR : before);
}

static void bind_list(struct query *q, enum stmt stmt, const struct id *workspace_id,
                      const struct delivery_filter *f)
{
    const struct id *endpoint_id = f->by_endpoint ? &f->endpoint_id : NULL;
    const struct id *event_id = f->by_event ? &f->event_id : NULL;
    const struct id *call_id = f->by_call ? &f->call_id : NULL;
    struct str state = f->by_state ? str_of(delivery_state_text(f->state)) : STR_NULL;
    query_bind_id(q, workspace_id);
    if (stmt == STMT_DELIVERY_LIST_BY_EVENT)
        query_bind_id(q, event_id);
    else if (stmt == STMT_DELIVERY_LIST_BY_CALL)
        query_bind_id(q, call_id);
    else if (stmt == STMT_DELIVERY_LIST_BY_STATE)
        query_bind_str(q, state);
    bind_range(q, f->created_after, f->created_before);
    list_bind_page(q, &f->page);
    for (int i = 0; i < 2; i++)
        query_bind_id(q, endpoint_id);
    for (int i = 0; i < 2; i++)
        query_bind_str(q, state);
    for (int i = 0; i < 2; i++)
        query_bind_id(q, call_id);
    query_bind_i64(q, (int64_t)f->page.limit + 1);
}

_Static_assert((DELIVERY_STATE_COUNT & (DELIVERY_STATE_COUNT - 1)) == 0,
               "db_use_many() repeats the last look when they are no power of two");

/* A look for the state that is asked for, or one for each. */
static struct query *use_by_endpoint(struct db *db, const struct id *workspace_id,
                                     const struct delivery_filter *f)
{
    enum delivery_state first = f->by_state ? f->state : (enum delivery_state)0;
    size_t count = f->by_state ? 1 : DELIVERY_STATE_COUNT;
    struct query *q = db_use_many(db, STMT_DELIVERY_LIST_BY_ENDPOINT, count);
    for (size_t i = 0; i < count; i++) {
        query_bind_id(q, workspace_id);
        query_bind_id(q, &f->endpoint_id);
        query_bind_str(q, str_of(delivery_state_text(first + (enum delivery_state)i)));
        bind_range(q, f->created_after, f->created_before);
        list_bind_page(q, &f->page);
        query_bind_i64(q, (int64_t)f->page.limit + 1);
    }
    query_bind_i64(q, (int64_t)f->page.limit + 1);
    return q;
}

int deliveries_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct delivery_filter *filter, struct delivery_row **rows_r,
                    size_t *count_r, struct page_end *end_r, struct err *err)
{
    enum stmt stmt = list_statement(filter);
    struct query *q = stmt == STMT_DELIVERY_LIST_BY_ENDPOINT
                          ? use_by_endpoint(db, workspace_id, filter)
                          : db_use(db, stmt);
    struct delivery_row *rows = pool_new(pool, struct delivery_row, filter->page.limit);
    size_t count = 0;
    if (stmt != STMT_DELIVERY_LIST_BY_ENDPOINT)
        bind_list(q, stmt, workspace_id, filter);
    if (query_run_again(q, err) != 0)
        return -1;
    while (list_page_next(q, &filter->page, count, end_r))
        read_delivery(q, pool, &rows[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].delivery_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

static int no_such_delivery(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such delivery.");
}

int deliveries_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                   const struct id *delivery_id, struct delivery_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_GET);
    query_bind_id(q, delivery_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return no_such_delivery(err);
    read_delivery(q, pool, row_r);
    return 0;
}

int deliveries_attempts(struct db *db, struct pool *pool, const struct id *workspace_id,
                        const struct id *delivery_id, struct delivery_attempt_row **rows_r,
                        size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_ATTEMPTS);
    struct delivery_attempt_row *rows =
        pool_new(pool, struct delivery_attempt_row, DELIVERY_ATTEMPTS_MAX);
    size_t first = DELIVERY_ATTEMPTS_MAX;
    query_bind_id(q, delivery_id);
    query_bind_id(q, workspace_id);
    query_bind_i64(q, DELIVERY_ATTEMPTS_MAX);
    if (query_run_again(q, err) != 0)
        return -1;
    while (first > 0 && query_next(q)) {
        struct delivery_attempt_row *row = &rows[--first];
        row->started_at = query_time(q);
        row->duration_ms = query_i64(q);
        row->status = query_i64(q);
        row->error = query_str(q, pool);
        row->detail = query_str(q, pool);
        row->response = query_str(q, pool);
    }
    *rows_r = &rows[first];
    *count_r = DELIVERY_ATTEMPTS_MAX - first;
    return 0;
}

/* ---- one made anew ---- */

struct replay_work {
    const struct id *workspace_id, *delivery_id;
    struct id endpoint_id;
    bool begun; /* an earlier try got as far as its update */
};

static int replay(struct db *db, void *ctx, struct err *err)
{
    struct replay_work *w = ctx;
    struct query *q = db_use(db, STMT_DELIVERY_REPLAY_LOCK);
    query_bind_id(q, w->delivery_id);
    query_bind_id(q, w->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return no_such_delivery(err);
    query_id(q, &w->endpoint_id);
    bool waits = query_i64(q) != 0, endpoint = query_i64(q) != 0, event = query_i64(q) != 0;
    if (waits && w->begun)
        return 0; /* that try's commit happened, though its answer was lost */
    if (waits)
        return err_set(err, ERR_CONFLICT, "The delivery is waiting or in flight already.");
    if (!endpoint)
        return err_set(err, ERR_CONFLICT, "The delivery's webhook endpoint was deleted.");
    if (!event)
        return err_set(err, ERR_CONFLICT, "The delivery's event is not kept any more.");
    w->begun = true;
    q = db_use_many(db, STMT_DELIVERY_REPLAY, 1);
    query_bind_id(q, w->delivery_id);
    return query_run(q, err);
}

int deliveries_replay(struct db *db, const struct id *workspace_id, const struct id *delivery_id,
                      struct id *endpoint_id_r, struct err *err)
{
    struct replay_work w = {.workspace_id = workspace_id, .delivery_id = delivery_id};
    if (transaction_run(db, replay, &w, err) != 0)
        return -1;
    *endpoint_id_r = w.endpoint_id;
    return 0;
}

/* ---- events ---- */

static void read_event(struct query *q, struct event_row *row)
{
    query_id(q, &row->event_id);
    query_id(q, &row->call_id);
    row->type = (enum event_type)(query_i64(q) - 1);
    row->created_at = query_time(q);
    row->body = STR_NULL;
}

int events_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct event_filter *f, struct event_row **rows_r, size_t *count_r,
                struct page_end *end_r, struct err *err)
{
    enum stmt stmt = f->by_call   ? STMT_EVENT_LIST_BY_CALL
                     : f->by_type ? STMT_EVENT_LIST_BY_TYPE
                                  : STMT_EVENT_LIST_ALL;
    struct query *q = db_use(db, stmt);
    struct event_row *rows = pool_new(pool, struct event_row, f->page.limit);
    struct str type = f->by_type ? str_of(event_type_text(f->type)) : STR_NULL;
    size_t count = 0;
    query_bind_id(q, workspace_id);
    if (stmt == STMT_EVENT_LIST_BY_CALL)
        query_bind_id(q, &f->call_id);
    else if (stmt == STMT_EVENT_LIST_BY_TYPE)
        query_bind_str(q, type);
    bind_range(q, f->created_after, f->created_before);
    list_bind_page(q, &f->page);
    for (int i = 0; i < 2; i++)
        query_bind_str(q, type);
    query_bind_i64(q, (int64_t)f->page.limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    while (list_page_next(q, &f->page, count, end_r))
        read_event(q, &rows[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].event_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

int events_get(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct id *event_id, struct event_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_EVENT_GET);
    query_bind_id(q, event_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "There is no such event.");
    read_event(q, row_r);
    row_r->body = query_str(q, pool);
    return 0;
}
