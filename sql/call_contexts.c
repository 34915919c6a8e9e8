/*
 * call_contexts.c - one row of a call, its agent and its workspace for each.
 */
#include "sql/call_contexts.h"

#include "lib/base/zone.h"
#include "sql/list.h"

static void read_result(struct query *q, struct pool *pool, struct call_context *c)
{
    bool done = c->status == CALL_COMPLETED || c->status == CALL_FAILED;

    c->function.result.known = done;
    c->function.result.status = done ? str_of(call_status_text(c->status)) : STR_NULL;
    c->function.result.outcome = query_str(q, pool);
    c->function.result.summary = query_str(q, pool);
    c->function.result.transcript = query_str(q, pool);
    c->function.result.duration_seconds = query_i64_or(q, -1);
    c->function.result.error_code = query_str(q, pool);
    c->function.result.error_message = query_str(q, pool);
}

static void read_row(struct query *q, struct pool *pool, struct call_context *c)
{
    struct function_context *f = &c->function;

    query_id(q, &f->call_id);
    query_id(q, &c->workspace_id);
    query_id(q, &f->agent_id);
    c->status = (enum call_status)(query_i64(q) - 1);
    f->attempt = (unsigned)query_i64(q);
    f->test = query_i64(q) != 0;
    f->contact_number = query_str(q, pool);
    f->contact_name = query_str(q, pool);
    f->contact_email = query_str(q, pool);
    f->additional_info = query_str(q, pool);
    f->variables = query_str(q, pool);
    f->created_at = query_time(q);
    f->scheduled_at = query_time(q);
    f->agent_name = query_str(q, pool);
    f->agent_language = query_str(q, pool);
    f->from_number = query_str(q, pool);
    c->prompt = query_str(q, pool);
    c->greeting = query_str(q, pool);
    c->time_zone = query_str(q, pool);
    usec_t now = query_time(q);
    read_result(q, pool, c);
    call_context_at(c, now);
}

int call_contexts_read(struct db *db, struct pool *pool, const struct id *ids, size_t count,
                       struct call_context **contexts_r, size_t *count_r, struct err *err)
{
    size_t room = 0;

    *contexts_r = NULL;
    *count_r = 0;
    if (count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_CALL_CONTEXTS, count);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &ids[i]);
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q))
        read_row(q, pool, LIST_NEXT(pool, contexts_r, count_r, &room));
    return 0;
}

int call_context_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                     const struct id *call_id, struct call_context *context_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_CONTEXT);

    query_bind_id(q, call_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "No such call.");
    *context_r = (struct call_context){0};
    read_row(q, pool, context_r);
    return 0;
}

void call_context_at(struct call_context *context, usec_t now)
{
    const struct zone *zone = zone_find(context->time_zone);

    context->function.now = context->function.signed_at = now;
    context->function.offset_minutes = zone ? (int)(zone_offset(zone, now) / 60) : 0;
}
