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

static int read_last_error(struct db *db, struct pool *pool, const struct id *call_id,
                           enum call_error *error_r, struct str *message_r, struct err *err)
{
    struct query *q = db_use(db, STMT_REFUSAL_LAST_DIAL);
    query_bind_id(q, call_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return 0;
    *error_r = error_of(query_str(q, pool));
    *message_r = query_str(q, pool);
    return 0;
}

/* Errors from there on are policy's and functions', before them carriers' and agents'. */
static bool disallows(enum call_error error)
{
    return error >= CALL_ERROR_OUTSIDE_CALLING_HOURS;
}

int refusals_write(struct db *db, struct pool *pool, const struct conf *conf,
                   const struct refused_call *call, usec_t now, enum call_status *became_r,
                   struct wakes *wakes, struct err *err)
{
    enum call_error error = call->error;
    struct str message = call->message;
    bool disallow = disallows(error) && !call->dialled;

    if (call->dialled && (disallows(error) || error == CALL_ERROR_EXPIRED) &&
        read_last_error(db, pool, &call->call_id, &error, &message, err))
        return -1;
    if (!disallow && disallows(error))
        error = CALL_ERROR_CARRIER_ERROR; /* its dials left no end behind */
    *became_r = disallow ? CALL_DISALLOWED : CALL_FAILED;
    struct query *q = db_use(db, STMT_REFUSAL_WRITE);
    query_bind_str(q, str_of(call_status_text(*became_r)));
    query_bind_time(q, now);
    query_bind_str(q, str_of(call_error_code(error)));
    query_bind_str(q, message.p ? message : str_of(call_error_message(error)));
    query_bind_time(q, now);
    query_bind_id(q, &call->call_id);
    if (query_run(q, err))
        return -1;
    struct event_data event = {
        .type = disallow ? EVENT_CALL_DISALLOWED : EVENT_CALL_FAILED,
        .created_at = now,
        .call_id = call->call_id,
        .agent_id = call->agent_id,
        .phone_number = call->contact_number,
        .duration_seconds = -1,
        .error = error,
        .error_message = message,
        .test = call->test,
    };
    usec_t first = conf->retry_schedule.count > 0 ? conf->retry_schedule.at[0] : 0;
    return events_write(db, pool, &call->workspace_id, &event, first, wakes, err);
}
