/*
 * admin_call.c - `call list|show`.
 */
#include "daemon/admin.h"
#include "sql/calls.h"
#include "sql/calls_operator.h"

#include <stdio.h>

#define LIST_LIMIT_MAX 1000
#define ERROR_JSON_MAX 16384

static void add_error(struct table *t, struct pool *pool, const struct call_row *row)
{
    struct buf json;

    if (row->error_code.p == NULL) {
        table_text(t, "error", STR_NULL);
        return;
    }
    buf_init(&json, ERROR_JSON_MAX);
    buf_lit(&json, "{\"code\": ");
    buf_json(&json, row->error_code);
    buf_lit(&json, ", \"message\": ");
    buf_json(&json, row->error_message);
    buf_char(&json, '}');
    table_json(t, "error", pool_str(pool, buf_as_str(&json)),
               pool_dup(pool, row->error_code.p, row->error_code.n));
    buf_deinit(&json);
}

static void add_call(struct table *t, struct pool *pool, const struct call_row *row)
{
    table_row(t);
    table_id(t, "call_id", ID_CALL, &row->call_id);
    table_text(t, "status", str_of(call_status_text(row->status)));
    table_id(t, "agent_id", ID_AGENT, &row->agent_id);
    table_text(t, "contact_number", row->contact_number);
    table_time(t, "scheduled_at", row->scheduled_at);
    table_time(t, "updated_at", row->updated_at);
    add_error(t, pool, row);
    table_details(t);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_bool(t, "test", row->test);
    table_text(t, "contact_name", row->contact_name);
    table_text(t, "contact_email", row->contact_email);
    table_json(t, "additional_info", row->additional_info, NULL);
    table_time(t, "created_at", row->created_at);
    table_time(t, "completed_at", row->completed_at);
    table_time(t, "cancelled_at", row->cancelled_at);
    table_text(t, "hold_reason", row->hold_reason);
    if (row->duration_seconds >= 0)
        table_number(t, "duration_seconds", row->duration_seconds);
    else
        table_text(t, "duration_seconds", STR_NULL);
    table_text(t, "outcome", row->outcome);
    table_text(t, "summary", row->summary);
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct call_row *rows;
    size_t count;
    int64_t limit;

    if (admin_number(a, "limit", 1, LIST_LIMIT_MAX, 20, &limit, err) < 0 ||
        admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        calls_list_operator(a->db, a->pool, given, (unsigned)limit, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_call(t, a->pool, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

/* ---- show ---- */

static struct table *attempts_table(struct admin *a, const struct call_history *h)
{
    struct table *t = table_new(a->pool);

    for (size_t i = 0; i < h->attempt_count; i++) {
        const struct attempt_shown *row = &h->attempts[i];
        table_row(t);
        table_number(t, "attempt", row->n);
        table_text(t, "state", str_of(attempt_state_text(row->state)));
        table_text(t, "carrier", str_of(carrier_kind_text(row->kind)));
        table_text(t, "reason", row->reason);
        table_time(t, "fenced_at", row->fenced_at);
        table_time(t, "placed_at", row->placed_at);
        table_time(t, "ended_at", row->ended_at);
        table_text(t, "ref", row->ref);
        table_text(t, "detail", row->detail);
        table_details(t);
        table_id(t, "carrier_id", ID_CARRIER, &row->carrier_id);
        table_time(t, "ringing_at", row->ringing_at);
        table_time(t, "answered_at", row->answered_at);
        table_time(t, "watch_at", row->watch_at);
    }
    return t;
}

static struct table *deliveries_table(struct admin *a, const struct call_history *h,
                                      const struct id *event_id)
{
    struct table *t = table_new(a->pool);

    for (size_t i = 0; i < h->delivery_count; i++) {
        const struct delivery_shown *row = &h->deliveries[i];
        if (event_id != NULL && !id_eq(&row->event_id, event_id))
            continue;
        table_row(t);
        table_id(t, "delivery_id", ID_DELIVERY, &row->delivery_id);
        table_id(t, "event_id", ID_EVENT, &row->event_id);
        table_id(t, "webhook_id", ID_ENDPOINT, &row->destination_id);
        table_text(t, "state", str_of(delivery_state_text(row->state)));
        table_number(t, "attempts", row->attempts);
        if (row->last_status > 0)
            table_number(t, "last_status", row->last_status);
        else
            table_text(t, "last_status", STR_NULL);
        table_text(t, "last_error", row->last_error);
        table_time(t, "next_attempt_at", row->due_at);
    }
    return t;
}

static struct table *events_table(struct admin *a, const struct call_history *h)
{
    struct table *t = table_new(a->pool);

    for (size_t i = 0; i < h->event_count; i++) {
        const struct event_shown *row = &h->events[i];
        table_row(t);
        table_id(t, "event_id", ID_EVENT, &row->event_id);
        table_text(t, "event_type", str_of(event_type_text(row->type)));
        table_time(t, "created_at", row->created_at);
        table_json(t, "deliveries", table_as_array(deliveries_table(a, h, &row->event_id)), NULL);
    }
    return t;
}

static void print_part(const char *title, const struct table *t, size_t count)
{
    if (count == 0)
        return;
    printf("\n%s\n", title);
    table_print_list(t, false);
}

static int run_show(struct admin *a, struct err *err)
{
    struct id id;
    struct call_row row;
    struct call_history h;

    if (admin_operand_id(a, ID_CALL, &id, err) < 0)
        return -1;
    if (calls_get_operator(a->db, a->pool, &id, &row, err) < 0)
        return err_prefix(err, "%s", a->operand);
    if (calls_history(a->db, a->pool, &id, &h, err) < 0)
        return -1;
    struct table *t = table_new(a->pool), *attempts = attempts_table(a, &h),
                 *events = events_table(a, &h);
    add_call(t, a->pool, &row);
    table_json(t, "attempts", table_as_array(attempts), NULL);
    table_json(t, "events", table_as_array(events), NULL);
    table_print_object(t, a->json);
    if (!a->json) {
        print_part("ATTEMPTS", attempts, h.attempt_count);
        print_part("EVENTS", events, h.event_count);
        print_part("DELIVERIES", deliveries_table(a, &h, NULL), h.delivery_count);
    }
    return 0;
}

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {"limit", "N", false, "How many, the newest first (20)"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_call[] = {
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists the newest calls", list_options, run_list},
    {"show", "ID", NEEDS_CONF | NEEDS_DATABASE,
     "Shows a call with its attempts, events and deliveries", NULL, run_show},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
