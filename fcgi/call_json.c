/*
 * call_json.c - writes the members of a call one by one; nothing is decided here.
 */
#include "fcgi/call_json.h"

#include "fcgi/member.h"

void call_json_error(struct buf *b, struct str code, struct str message)
{
    if (code.p == NULL) {
        buf_lit(b, "null");
        return;
    }
    buf_lit(b, "{\"code\":");
    buf_json(b, code);
    member_text(b, "message", message);
    buf_char(b, '}');
}

static void write_dials(struct buf *b, const struct call_row *row)
{
    buf_lit(b, ",\"attempts\":[");
    for (size_t i = 0; i < row->dial_count; i++) {
        const struct call_dial *d = &row->dials[i];
        buf_text(b, i > 0 ? ",{\"attempt\":" : "{\"attempt\":");
        buf_i64(b, d->n);
        member_text(b, "state", str_of(attempt_state_text(d->state)));
        member_text(b, "reason", d->reason);
        member_time(b, "fenced_at", d->fenced_at);
        member_time(b, "placed_at", d->placed_at);
        member_time(b, "ringing_at", d->ringing_at);
        member_time(b, "answered_at", d->answered_at);
        member_time(b, "ended_at", d->ended_at);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void members_when_said(struct buf *b, const struct call_row *row)
{
    if (row->hold_reason.p != NULL)
        member_text(b, "hold_reason", row->hold_reason);
    if (row->cancelled_at != TIME_NONE)
        member_time(b, "cancelled_at", row->cancelled_at);
    if (row->duration_seconds >= 0)
        member_i64(b, "duration_seconds", row->duration_seconds);
    if (row->outcome.p != NULL)
        member_text(b, "outcome", row->outcome);
    if (row->summary.p != NULL)
        member_text(b, "summary", row->summary);
    if (row->expires_at != TIME_NONE)
        member_time(b, "expires_at", row->expires_at);
    if (!id_is_zero(&row->batch_id))
        member_id(b, "batch_id", ID_BATCH, &row->batch_id);
    if (row->variables.p != NULL)
        member_json(b, "variables", row->variables);
    if (row->dial_count > 0)
        write_dials(b, row);
    if (row->test)
        member_bool(b, "test", true);
}

void call_json(struct buf *b, const struct call_row *row)
{
    object_begin(b, "call_id", ID_CALL, &row->call_id);
    member_text(b, "status", str_of(call_status_text(row->status)));
    member_id(b, "agent_id", ID_AGENT, &row->agent_id);
    member_text(b, "contact_number", row->contact_number);
    member_text(b, "contact_name", row->contact_name);
    member_text(b, "contact_email", row->contact_email);
    member_json(b, "additional_info", row->additional_info);
    member_time(b, "scheduled_at", row->scheduled_at);
    member_time(b, "completed_at", row->completed_at);
    buf_lit(b, ",\"error\":");
    call_json_error(b, row->error_code, row->error_message);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    members_when_said(b, row);
    buf_char(b, '}');
}
