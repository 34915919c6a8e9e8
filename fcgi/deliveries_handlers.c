/*
 * deliveries_handlers.c - the log of deliveries: listed, read with their attempts, made anew.
 */
#include "fcgi/delivery_json.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"

static int read_id(enum id_kind kind, const char *what, const char *name, struct str value,
                   struct id *id_r, struct err *err)
{
    if (id_parse(kind, value, id_r) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of %s.", name, what);
    return 0;
}

static int read_webhook(struct pool *pool, const char *name, struct str value, void *place,
                        struct err *err)
{
    struct delivery_filter *f = place;
    (void)pool;
    f->by_endpoint = true;
    return read_id(ID_ENDPOINT, "a webhook endpoint", name, value, &f->endpoint_id, err);
}

static int read_function(struct pool *pool, const char *name, struct str value, void *place,
                         struct err *err)
{
    struct delivery_filter *f = place;
    (void)pool;
    if (f->by_endpoint)
        return err_set(err, ERR_INVALID, "%s can't be given beside webhook_id.", name);
    f->by_endpoint = true;
    return read_id(ID_FUNCTION, "a function", name, value, &f->endpoint_id, err);
}

static int read_event(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    struct delivery_filter *f = place;
    (void)pool;
    f->by_event = true;
    return read_id(ID_EVENT, "an event", name, value, &f->event_id, err);
}

static int read_call(struct pool *pool, const char *name, struct str value, void *place,
                     struct err *err)
{
    struct delivery_filter *f = place;
    (void)pool;
    f->by_call = true;
    return read_id(ID_CALL, "a call", name, value, &f->call_id, err);
}

static int read_state(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    struct delivery_filter *f = place;
    (void)pool;
    f->by_state = true;
    if (delivery_state_parse(value, &f->state) != 0)
        return err_set(err, ERR_INVALID, "%s must be waiting, succeeded, failed or dropped.", name);
    return 0;
}

static const struct list_parameter parameters[] = {
    {"webhook_id", read_webhook, 0},
    {"function_id", read_function, 0},
    {"event_id", read_event, 0},
    {"call_id", read_call, 0},
    {"state", read_state, 0},
    {"created_after", list_read_time, offsetof(struct delivery_filter, created_after)},
    {"created_before", list_read_time, offsetof(struct delivery_filter, created_before)},
    LIST_PAGE(struct delivery_filter, page),
};

int delivery_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct delivery_filter filter = {
        .created_after = TIME_NONE, .created_before = TIME_NONE, .page.limit = LIST_LIMIT};
    struct delivery_row *rows;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &filter, err) != 0 ||
        deliveries_list(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end,
                        err) != 0)
        return -1;
    list_begin(&an->body);
    delivery_json_list(&an->body, rows, count);
    list_end(&an->body, &end);
    return 0;
}

static int read_delivery_id(const struct request *rq, struct id *id_r, struct err *err)
{
    if (id_parse(ID_DELIVERY, rq->match.args[0], id_r) != 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such delivery.");
    return 0;
}

/* The body of its event, or STR_NULL when that is not kept any more. */
static int read_body(struct responder *rs, struct request *rq, const struct delivery_row *row,
                     struct str *body_r, struct err *err)
{
    struct event_row event = {.body = STR_NULL};
    if (events_get(rs->db, rq->pool, &rq->who->workspace_id, &row->event_id, &event, err) != 0 &&
        err->code != ERR_NOT_FOUND)
        return -1;
    *body_r = event.body;
    return 0;
}

static int answer_delivery(struct responder *rs, struct request *rq, struct answer *an,
                           const struct id *id, struct err *err)
{
    const struct id *workspace_id = &rq->who->workspace_id;
    struct delivery_row row;
    struct delivery_attempt_row *attempts;
    struct str body;
    size_t count;

    if (deliveries_get(rs->db, rq->pool, workspace_id, id, &row, err) != 0 ||
        deliveries_attempts(rs->db, rq->pool, workspace_id, id, &attempts, &count, err) != 0 ||
        read_body(rs, rq, &row, &body, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    delivery_json_begin(&an->body, &row);
    member_json(&an->body, "payload", body);
    delivery_json_attempts(&an->body, rq->pool, attempts, count);
    buf_lit(&an->body, "}}");
    return 0;
}

int delivery_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;
    if (read_delivery_id(rq, &id, err) != 0)
        return -1;
    return answer_delivery(rs, rq, an, &id, err);
}

int delivery_replay(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id, endpoint_id;

    if (read_delivery_id(rq, &id, err) != 0 || fields_none(rq->json, err) != 0 ||
        deliveries_replay(rs->db, &rq->who->workspace_id, &id, &endpoint_id, err) != 0)
        return -1;
    responder_wake(rs, NULL, &endpoint_id, 1);
    return answer_delivery(rs, rq, an, &id, err);
}
