/*
 * calls_operator.c - what became of one call.
 */
#include "sql/calls_operator.h"
#include "sql/list.h"

#include <string.h>

static struct query *run_for_call(struct db *db, enum stmt stmt, const struct id *call_id,
                                  struct err *err)
{
    struct query *q = db_use(db, stmt);

    query_bind_id(q, call_id);
    return query_run_again(q, err) == 0 ? q : NULL;
}

static void read_attempt(struct query *q, struct pool *pool, struct attempt_shown *row)
{
    row->n = (unsigned)query_i64(q);
    row->kind = (enum carrier_kind)(query_i64(q) - 1);
    row->state = (enum attempt_state)(query_i64(q) - 1);
    query_id(q, &row->carrier_id);
    row->ref = query_str(q, pool);
    row->reason = query_str(q, pool);
    row->detail = query_str(q, pool);
    row->fenced_at = query_time(q);
    row->placed_at = query_time(q);
    row->ringing_at = query_time(q);
    row->answered_at = query_time(q);
    row->ended_at = query_time(q);
    row->watch_at = query_time(q);
}

static void read_event(struct query *q, struct event_shown *row)
{
    query_id(q, &row->event_id);
    row->type = (enum event_type)(query_i64(q) - 1);
    row->created_at = query_time(q);
}

static void read_delivery(struct query *q, struct pool *pool, struct delivery_shown *row)
{
    query_id(q, &row->delivery_id);
    query_id(q, &row->event_id);
    query_id(q, &row->destination_id);
    row->state = (enum delivery_state)(query_i64(q) - 1);
    row->attempts = query_i64(q);
    row->last_status = query_i64(q);
    row->last_error = query_str(q, pool);
    row->due_at = query_time(q);
}

int calls_history(struct db *db, struct pool *pool, const struct id *call_id,
                  struct call_history *history_r, struct err *err)
{
    struct call_history *h = history_r;
    struct query *q;
    size_t room = 0;

    memset(h, 0, sizeof(*h));
    if ((q = run_for_call(db, STMT_OPERATOR_ATTEMPTS, call_id, err)) == NULL)
        return -1;
    while (query_next(q))
        read_attempt(q, pool, LIST_NEXT(pool, &h->attempts, &h->attempt_count, &room));
    if ((q = run_for_call(db, STMT_OPERATOR_EVENTS, call_id, err)) == NULL)
        return -1;
    for (room = 0; query_next(q);)
        read_event(q, LIST_NEXT(pool, &h->events, &h->event_count, &room));
    if ((q = run_for_call(db, STMT_OPERATOR_DELIVERIES, call_id, err)) == NULL)
        return -1;
    for (room = 0; query_next(q);)
        read_delivery(q, pool, LIST_NEXT(pool, &h->deliveries, &h->delivery_count, &room));
    return 0;
}
