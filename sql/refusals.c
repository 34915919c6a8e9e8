/*
 * refusals.c - see refusals.h.
 */
#include "sql/refusals.h"

/* What a dial that a retry was to follow ended with. */
static enum call_error error_of(struct str reason)
{
    enum end_reason end;
    if (reason.p == NULL || end_reason_parse(reason, &end) != 0)
        return CALL_ERROR_CARRIER_ERROR;
    switch (end) {
    case END_BUSY:
        return CALL_ERROR_BUSY;
    case END_NO_ANSWER:
        return CALL_ERROR_NO_ANSWER;
    case END_REJECTED:
        return CALL_ERROR_REJECTED;
    case END_FAILED:
    case END_COMPLETED:
    case END_VOICEMAIL:
    case END_REASON_COUNT:
        break;
    }
    return CALL_ERROR_CARRIER_ERROR;
}

static int read_last_error(struct db *db, struct pool *pool, struct refused_call *call,
                           struct err *err)
{
    struct query *q = db_use(db, STMT_REFUSAL_LAST_DIAL);
    query_bind_id(q, &call->call_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return 0;
    call->error = error_of(query_str(q, pool));
    call->message = query_str(q, pool);
    return 0;
}

/* Errors from there on are policy's and functions', before them carriers' and agents'. */
static bool disallows(enum call_error error)
{
    return error >= CALL_ERROR_OUTSIDE_CALLING_HOURS;
}

/* What is said of one that was dialled before. */
static int settle_dialled(struct db *db, struct pool *pool, struct refused_call *call,
                          struct err *err)
{
    if ((disallows(call->error) || call->error == CALL_ERROR_EXPIRED) &&
        read_last_error(db, pool, call, err))
        return -1;
    if (disallows(call->error))
        call->error = CALL_ERROR_CARRIER_ERROR; /* its dials left no end behind */
    return 0;
}

static bool alike(const struct refused_call *a, const struct refused_call *b)
{
    return id_eq(&a->agent_id, &b->agent_id) && a->error == b->error &&
           str_eq(a->message, b->message);
}

static struct event_data event_of(const struct refused_call *call, usec_t now)
{
    return (struct event_data){
        .type = disallows(call->error) ? EVENT_CALL_DISALLOWED : EVENT_CALL_FAILED,
        .created_at = now,
        .call_id = call->call_id,
        .agent_id = call->agent_id,
        .phone_number = call->contact_number,
        .duration_seconds = -1,
        .error = call->error,
        .error_message = call->message,
        .test = call->test,
    };
}

static int write_calls(struct db *db, const struct refused_call *like,
                       const struct event_data *events, size_t count, usec_t now, struct err *err)
{
    enum call_status became = disallows(like->error) ? CALL_DISALLOWED : CALL_FAILED;
    struct query *q = db_use_many(db, STMT_REFUSAL_WRITE, count);
    query_bind_str(q, str_of(call_status_text(became)));
    query_bind_time(q, now);
    query_bind_str(q, str_of(call_error_code(like->error)));
    query_bind_str(q, like->message.p ? like->message : str_of(call_error_message(like->error)));
    query_bind_time(q, now);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &events[i].call_id);
    return query_run(q, err);
}

/* The first that is not done, and all that are like it. */
static int write_alike(struct db *db, struct pool *pool, const struct conf *conf,
                       const struct refused_call *calls, bool *done, size_t first, size_t count,
                       usec_t now, struct wakes *wakes, struct err *err)
{
    size_t most = count - first < DB_MANY_MAX ? count - first : DB_MANY_MAX, n = 0;
    struct event_data *events = pool_new(pool, struct event_data, most);
    for (size_t i = first; i < count && n < most; i++) {
        if (done[i] || !alike(&calls[i], &calls[first]))
            continue;
        done[i] = true;
        events[n++] = event_of(&calls[i], now);
    }
    usec_t wait = conf->retry_schedule.count > 0 ? conf->retry_schedule.at[0] : 0;
    if (write_calls(db, &calls[first], events, n, now, err))
        return -1;
    return events_write_many(db, pool, &calls[first].workspace_id, events, n, wait, wakes, err);
}

int refusals_write(struct db *db, struct pool *pool, const struct conf *conf,
                   struct refused_call *calls, size_t count, usec_t now, size_t *disallowed_r,
                   struct wakes *wakes, struct err *err)
{
    bool *done = pool_new(pool, bool, count + 1);
    *disallowed_r = 0;
    for (size_t i = 0; i < count; i++) {
        if (calls[i].dialled && settle_dialled(db, pool, &calls[i], err))
            return -1;
        *disallowed_r += disallows(calls[i].error);
    }
    for (size_t i = 0; i < count; i++) {
        if (!done[i] && write_alike(db, pool, conf, calls, done, i, count, now, wakes, err))
            return -1;
    }
    return 0;
}
