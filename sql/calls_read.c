/*
 * calls_read.c - reads, lists and cancels calls.
 */
#include "sql/calls.h"
#include "sql/list.h"

#include <stdlib.h>
#include <string.h>

#define CANCEL_TRIES 4

static void read_row(struct query *q, struct pool *pool, struct call_row *row)
{
    query_id(q, &row->call_id);
    query_id(q, &row->agent_id);
    query_id(q, &row->workspace_id);
    row->status = (enum call_status)(query_i64(q) - 1);
    row->test = query_i64(q) != 0;
    row->contact_number = query_str(q, pool);
    row->contact_name = query_str(q, pool);
    row->contact_email = query_str(q, pool);
    row->additional_info = query_str(q, pool);
    row->scheduled_at = query_time(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
    row->completed_at = query_time(q);
    row->cancelled_at = query_time(q);
    row->hold_reason = query_str(q, pool);
    row->duration_seconds = query_i64_or(q, -1);
    row->outcome = query_str(q, pool);
    row->summary = query_str(q, pool);
    row->error_code = query_str(q, pool);
    row->error_message = query_str(q, pool);
    row->expires_at = query_time(q);
    query_id(q, &row->batch_id);
    row->variables = query_str(q, pool);
    row->dials = NULL;
    row->dial_count = 0;
}

static int no_such_call(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such call.");
}

static int read_dials(struct db *db, struct pool *pool, const struct id *workspace_id,
                      struct call_row *row, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_DIALS);
    size_t room = 0;

    query_bind_id(q, &row->call_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    while (query_next(q)) {
        struct call_dial *d = LIST_NEXT(pool, &row->dials, &row->dial_count, &room);
        d->n = (unsigned)query_i64(q);
        d->state = (enum attempt_state)(query_i64(q) - 1);
        d->reason = query_str(q, pool);
        d->fenced_at = query_time(q);
        d->placed_at = query_time(q);
        d->ringing_at = query_time(q);
        d->answered_at = query_time(q);
        d->ended_at = query_time(q);
    }
    return 0;
}

int calls_get(struct db *db, struct pool *pool, const struct id *workspace_id,
              const struct id *call_id, struct call_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_GET);
    query_bind_id(q, call_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return no_such_call(err);
    bool dialled = query_i64(q) > 0;
    read_row(q, pool, row_r);
    return dialled ? read_dials(db, pool, workspace_id, row_r, err) : 0;
}

int calls_get_operator(struct db *db, struct pool *pool, const struct id *call_id,
                       struct call_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_GET_OPERATOR);
    query_bind_id(q, call_id);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return no_such_call(err);
    read_row(q, pool, row_r);
    return 0;
}

/* Compare-and-set: what a dispatcher has fenced in the meantime is no longer scheduled. A deadlock
 * with a dispatcher is tried again; a lost answer is found out by the look at the row that follows
 * anyway. */
static int cancel_scheduled(struct db *db, const struct id *call_id, const struct id *workspace_id,
                            struct err *err)
{
    for (unsigned n = 0; n < CANCEL_TRIES; n++) {
        struct query *q = db_use(db, STMT_CALL_CANCEL);
        query_bind_id(q, call_id);
        query_bind_id(q, workspace_id);
        if (query_run_again(q, err) == 0 || err->code == ERR_UNCERTAIN)
            return 0;
        if (err->code != ERR_UNAVAILABLE || !db_connected(db))
            break;
    }
    return -1;
}

static int cancel_state(struct db *db, const struct id *call_id, const struct id *workspace_id,
                        usec_t *cancelled_at_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_CANCEL_STATE);
    query_bind_id(q, call_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return no_such_call(err);
    enum call_status status = (enum call_status)(query_i64(q) - 1);
    if (status != CALL_CANCELLED)
        return err_set(err, ERR_NOT_CANCELLABLE, "This call has already started or completed.");
    *cancelled_at_r = query_time(q);
    return 0;
}

int calls_cancel(struct db *db, const struct id *workspace_id, const struct id *call_id,
                 usec_t *cancelled_at_r, struct err *err)
{
    if (cancel_scheduled(db, call_id, workspace_id, err))
        return -1;
    return cancel_state(db, call_id, workspace_id, cancelled_at_r, err);
}

/* The filter that the list is read by, from an index of its own; the others are checked row by row.
 * A number chooses the fewest rows, a status the most. */
static enum stmt list_statement(const struct call_filter *filter)
{
    if (filter->contact_number.p)
        return STMT_CALL_LIST_BY_NUMBER;
    if (filter->by_batch)
        return STMT_CALL_LIST_BY_BATCH;
    if (filter->by_agent)
        return STMT_CALL_LIST_BY_AGENT;
    return filter->by_status ? STMT_CALL_LIST_BY_STATUS : STMT_CALL_LIST_ALL;
}

static void bind_list(struct query *q, enum stmt stmt, const struct id *workspace_id,
                      const struct call_filter *filter)
{
    const struct id *agent_id = filter->by_agent ? &filter->agent_id : NULL;
    const struct id *batch_id = filter->by_batch ? &filter->batch_id : NULL;
    struct str status = filter->by_status ? str_of(call_status_text(filter->status)) : STR_NULL;
    query_bind_id(q, workspace_id);
    if (stmt == STMT_CALL_LIST_BY_NUMBER)
        query_bind_str(q, filter->contact_number);
    else if (stmt == STMT_CALL_LIST_BY_BATCH)
        query_bind_id(q, batch_id);
    else if (stmt == STMT_CALL_LIST_BY_AGENT)
        query_bind_id(q, agent_id);
    else if (stmt == STMT_CALL_LIST_BY_STATUS)
        query_bind_str(q, status);
    query_bind_time(q, filter->created_after == TIME_NONE ? 0 : filter->created_after);
    query_bind_time(q, filter->created_before == TIME_NONE ? TIME_FAR : filter->created_before);
    list_bind_page(q, &filter->page);
    query_bind_id(q, agent_id);
    query_bind_id(q, agent_id);
    query_bind_str(q, status);
    query_bind_str(q, status);
    query_bind_id(q, batch_id);
    query_bind_id(q, batch_id);
    query_bind_i64(q, filter->page.limit + 1);
}

int calls_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct call_filter *filter, struct call_row **rows_r, size_t *count_r,
               struct page_end *end_r, struct err *err)
{
    enum stmt stmt = list_statement(filter);
    struct query *q = db_use(db, stmt);
    bind_list(q, stmt, workspace_id, filter);
    if (query_run_again(q, err))
        return -1;
    struct call_row *rows = pool_new(pool, struct call_row, filter->page.limit);
    size_t count = 0;
    end_r->more = false;
    while (query_next(q)) {
        if (count == filter->page.limit) {
            end_r->more = true;
            break;
        }
        read_row(q, pool, &rows[count++]);
    }
    if (count > 0) {
        end_r->cursor.created_at = rows[count - 1].created_at;
        end_r->cursor.id = rows[count - 1].call_id;
    }
    *rows_r = rows;
    *count_r = count;
    return 0;
}

int calls_list_operator(struct db *db, struct pool *pool, const struct id *workspace_id,
                        unsigned limit, struct call_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_LIST_OPERATOR);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    query_bind_i64(q, limit);
    if (query_run_again(q, err))
        return -1;
    struct call_row *rows = pool_new(pool, struct call_row, limit);
    size_t count = 0;
    while (count < limit && query_next(q))
        read_row(q, pool, &rows[count++]);
    *rows_r = rows;
    *count_r = count;
    return 0;
}
