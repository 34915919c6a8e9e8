/*
 * events_handlers.c - events: listed, and read with the bytes that are sent.
 */
#include "fcgi/delivery_json.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"

#define EVENT_DELIVERIES_MAX 1000

static int read_type(struct pool *pool, const char *name, struct str value, void *place,
                     struct err *err)
{
    struct event_filter *f = place;
    (void)pool;
    f->by_type = true;
    if (event_type_parse(value, &f->type) != 0)
        return err_set(err, ERR_INVALID, "%s must be a type of event such as call.completed.",
                       name);
    return 0;
}

static int read_call(struct pool *pool, const char *name, struct str value, void *place,
                     struct err *err)
{
    struct event_filter *f = place;
    (void)pool;
    f->by_call = true;
    if (id_parse(ID_CALL, value, &f->call_id) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of a call.", name);
    return 0;
}

static const struct list_parameter parameters[] = {
    {"event_type", read_type, 0},
    {"call_id", read_call, 0},
    {"created_after", list_read_time, offsetof(struct event_filter, created_after)},
    {"created_before", list_read_time, offsetof(struct event_filter, created_before)},
    LIST_PAGE(struct event_filter, page),
};

static void begin_event(struct buf *b, const struct event_row *row)
{
    object_begin(b, "event_id", ID_EVENT, &row->event_id);
    member_text(b, "event_type", str_of(event_type_text(row->type)));
    member_id(b, "call_id", ID_CALL, &row->call_id);
    member_time(b, "created_at", row->created_at);
}

int event_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct event_filter filter = {
        .created_after = TIME_NONE, .created_before = TIME_NONE, .page.limit = LIST_LIMIT};
    struct event_row *rows;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &filter, err) != 0 ||
        events_list(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end, err) !=
            0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        begin_event(&an->body, &rows[i]);
        buf_char(&an->body, '}');
    }
    list_end(&an->body, &end);
    return 0;
}

int event_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct delivery_filter of_event = {.by_event = true,
                                       .created_after = TIME_NONE,
                                       .created_before = TIME_NONE,
                                       .page.limit = EVENT_DELIVERIES_MAX};
    struct event_row event;
    struct delivery_row *deliveries;
    struct page_end end;
    size_t count;

    if (id_parse(ID_EVENT, rq->match.args[0], &of_event.event_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such event.");
    if (events_get(rs->db, rq->pool, &rq->who->workspace_id, &of_event.event_id, &event, err) !=
            0 ||
        deliveries_list(rs->db, rq->pool, &rq->who->workspace_id, &of_event, &deliveries, &count,
                        &end, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    begin_event(&an->body, &event);
    member_json(&an->body, "payload", event.body);
    buf_lit(&an->body, ",\"deliveries\":[");
    delivery_json_list(&an->body, deliveries, count);
    buf_lit(&an->body, "]}}");
    return 0;
}
