/*
 * batches.c - looks at batches, and pauses, resumes, cancels and deletes them. How they are made is
 * in batches_make.c.
 *
 * A batch's own row is locked before its calls. The fence looks at it too (sql/fence.c), for calls
 * that come back to wait while their batch is paused or cancelled.
 */
#include "sql/batches_private.h"
#include "sql/list.h"
#include "sql/transaction.h"

#include "lib/rules/call.h"

#include <string.h>

static const char *const status_texts[] = {
#define X(name, text) [name] = text,
    BATCH_STATUSES(X)
#undef X
};
_Static_assert(sizeof(status_texts) / sizeof(*status_texts) == BATCH_STATUS_COUNT,
               "a text per status");

const char *batch_status_shown(const struct batch_row *row)
{
    return row->open || row->status == BATCH_CANCELLED ? status_texts[row->status] : "done";
}

static int not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such batch.");
}

void batch_read_row(struct query *q, struct pool *pool, struct batch_row *row)
{
    query_id(q, &row->batch_id);
    query_id(q, &row->workspace_id);
    query_id(q, &row->agent_id);
    row->name = query_str(q, pool);
    row->test = query_i64(q) != 0;
    row->status = (enum batch_status)(query_i64(q) - 1);
    row->total = query_i64(q);
    row->disallowed = query_i64(q);
    row->refused = query_i64(q);
    row->scheduled_at = query_time(q);
    row->expires_at = query_time(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
    row->open = query_i64(q) != 0;
}

int batches_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct id *batch_id, struct batch_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_GET);

    query_bind_id(q, batch_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    batch_read_row(q, pool, row_r);
    return 0;
}

static int64_t *count_of(struct batch_counts *counts, enum call_status status)
{
    switch (status) {
    case CALL_SCHEDULED:
        return &counts->scheduled;
    case CALL_INITIATED:
    case CALL_RINGING:
    case CALL_IN_PROGRESS:
        return &counts->under_way;
    case CALL_COMPLETED:
        return &counts->completed;
    case CALL_FAILED:
        return &counts->failed;
    case CALL_CANCELLED:
        return &counts->cancelled;
    case CALL_DISALLOWED:
        return &counts->disallowed;
    case CALL_STATUS_COUNT:
        break;
    }
    die("a call without a status");
}

int batches_count(struct db *db, const struct id *batch_id, struct batch_counts *counts_r,
                  struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_COUNTS);

    memset(counts_r, 0, sizeof(*counts_r));
    query_bind_id(q, batch_id);
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q)) {
        enum call_status status = (enum call_status)(query_i64(q) - 1);
        *count_of(counts_r, status) += query_i64(q);
    }
    return 0;
}

int batches_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct batch_filter *filter, struct batch_row **rows_r, size_t *count_r,
                 struct page_end *end_r, struct err *err)
{
    const struct id *agent_id = filter->by_agent ? &filter->agent_id : NULL;
    struct query *q = db_use(db, STMT_BATCH_PAGE);
    size_t room = 0;

    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    list_bind_page(q, &filter->page);
    query_bind_id(q, agent_id);
    query_bind_id(q, agent_id);
    query_bind_i64(q, (int64_t)filter->page.limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    *rows_r = NULL;
    *count_r = 0;
    while (list_page_next(q, &filter->page, *count_r, end_r)) {
        struct batch_row *row = LIST_NEXT(pool, rows_r, count_r, &room);
        batch_read_row(q, pool, row);
        end_r->cursor = (struct cursor){row->created_at, row->batch_id};
    }
    return 0;
}

int batches_refusals(struct db *db, struct pool *pool, const struct id *batch_id, uint64_t after,
                     unsigned limit, struct batch_refusal **rows_r, size_t *count_r, bool *more_r,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_REFUSALS);

    query_bind_id(q, batch_id);
    query_bind_i64(q, (int64_t)after);
    query_bind_i64(q, (int64_t)limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    *rows_r = pool_new(pool, struct batch_refusal, limit);
    *count_r = 0;
    while (list_next(q, limit, *count_r, more_r)) {
        struct batch_refusal *row = &(*rows_r)[(*count_r)++];
        row->line = (uint64_t)query_i64(q);
        row->message = query_str(q, pool);
    }
    return 0;
}

/* ---- switching ---- */

struct switching {
    const struct id *workspace_id, *batch_id;
    enum batch_status status;
};

static enum stmt calls_statement(enum batch_status status)
{
    switch (status) {
    case BATCH_RUNNING:
        return STMT_BATCH_RESUME_CALLS;
    case BATCH_PAUSED:
        return STMT_BATCH_PAUSE_CALLS;
    case BATCH_CANCELLED:
        return STMT_BATCH_CANCEL_CALLS;
    case BATCH_STATUS_COUNT:
        break;
    }
    die("a batch without a status");
}

static int lock(struct db *db, const struct switching *s, enum batch_status *status_r,
                struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_LOCK);

    query_bind_id(q, s->batch_id);
    query_bind_id(q, s->workspace_id);
    query_bind_id(q, s->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    *status_r = (enum batch_status)(query_i64(q) - 1);
    return 0;
}

static int switch_in_transaction(struct db *db, void *ctx, struct err *err)
{
    const struct switching *s = ctx;
    enum batch_status now = BATCH_RUNNING;

    if (lock(db, s, &now, err) != 0)
        return -1;
    if (now == s->status)
        return 0;
    if (now == BATCH_CANCELLED)
        return err_set(err, ERR_CONFLICT, "This batch is cancelled.");
    struct query *q = db_use(db, STMT_BATCH_SWITCH);
    query_bind_str(q, str_of(status_texts[s->status]));
    query_bind_id(q, s->batch_id);
    if (query_run(q, err) != 0)
        return -1;
    q = db_use(db, calls_statement(s->status));
    query_bind_id(q, s->batch_id);
    return query_run(q, err);
}

int batches_switch(struct db *db, const struct id *workspace_id, const struct id *batch_id,
                   enum batch_status status, struct err *err)
{
    struct switching s = {workspace_id, batch_id, status};

    return transaction_run(db, switch_in_transaction, &s, err);
}

/* ---- deleting ---- */

struct expiring {
    const struct id *workspace_id;
    int64_t days;
    unsigned limit;
    struct id ids[DB_MANY_MAX];
    size_t count;
};

static int run_for(struct db *db, enum stmt stmt, const struct expiring *e, struct err *err)
{
    struct query *q = db_use_many(db, stmt, e->count);

    for (size_t i = 0; i < e->count; i++)
        query_bind_id(q, &e->ids[i]);
    return query_run(q, err);
}

static int expire(struct db *db, void *ctx, struct err *err)
{
    struct expiring *e = ctx;
    struct query *q = db_use(db, STMT_BATCH_OLD);

    e->count = 0;
    query_bind_id(q, e->workspace_id);
    query_bind_i64(q, e->days);
    query_bind_i64(q, e->limit);
    if (query_run(q, err) != 0)
        return -1;
    while (e->count < e->limit && query_next(q))
        query_id(q, &e->ids[e->count++]);
    if (e->count == 0)
        return 0;
    return run_for(db, STMT_BATCH_DELETE_REFUSALS, e, err) == 0
               ? run_for(db, STMT_BATCH_DELETE, e, err)
               : -1;
}

int batches_expire(struct db *db, const struct id *workspace_id, int64_t days, unsigned limit,
                   size_t *count_r, struct err *err)
{
    struct expiring e = {.workspace_id = workspace_id, .days = days, .limit = limit};

    if (limit == 0 || limit > DB_MANY_MAX)
        e.limit = DB_MANY_MAX;
    if (transaction_run(db, expire, &e, err) != 0)
        return -1;
    *count_r = e.count;
    return 0;
}
