/*
 * delivery_json.c - see delivery_json.h.
 */
#include "fcgi/delivery_json.h"
#include "fcgi/member.h"
#include "fcgi/readable.h"

void delivery_json_begin(struct buf *b, const struct delivery_row *row)
{
    object_begin(b, "delivery_id", ID_DELIVERY, &row->delivery_id);
    if (row->to_function) {
        member_null(b, "webhook_id");
        member_id(b, "function_id", ID_FUNCTION, &row->endpoint_id);
    } else {
        member_id(b, "webhook_id", ID_ENDPOINT, &row->endpoint_id);
        member_null(b, "function_id");
    }
    member_id(b, "event_id", ID_EVENT, &row->event_id);
    member_text(b, "event_type", row->has_event ? str_of(event_type_text(row->type)) : STR_NULL);
    member_id(b, "call_id", ID_CALL, &row->call_id);
    member_text(b, "state", str_of(delivery_state_text(row->state)));
    member_bool(b, "in_flight", row->in_flight);
    member_i64(b, "attempt_count", row->attempts);
    member_count(b, "last_status", row->last_status);
    member_text(b, "last_error", row->last_error);
    member_time(b, "next_attempt_at", row->due_at);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
}

void delivery_json_list(struct buf *b, const struct delivery_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(b, ',');
        delivery_json_begin(b, &rows[i]);
        buf_char(b, '}');
    }
}

void delivery_json_attempts(struct buf *b, struct pool *pool,
                            const struct delivery_attempt_row *rows, size_t count)
{
    char started_at[TIME_TEXT_SIZE];

    buf_lit(b, ",\"attempts\":[");
    for (size_t i = 0; i < count; i++) {
        time_format(rows[i].started_at, started_at);
        buf_text(b, i > 0 ? ",{\"started_at\":" : "{\"started_at\":");
        buf_json(b, str_of(started_at));
        member_i64(b, "duration_ms", rows[i].duration_ms);
        member_count(b, "status", rows[i].status);
        member_text(b, "error", rows[i].error);
        member_text(b, "detail",
                    rows[i].detail.p == NULL ? STR_NULL : readable(pool, rows[i].detail));
        member_text(b, "response",
                    rows[i].response.p == NULL ? STR_NULL : readable(pool, rows[i].response));
        buf_char(b, '}');
    }
    buf_char(b, ']');
}
