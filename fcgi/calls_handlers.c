/*
 * calls_handlers.c - the Calls API: make, read, list, cancel. Reads what the caller sent, asks the
 * store, and writes its answer in the documented form. What inbound hooks do too is in
 * call_actions.c.
 */
#include "fcgi/call_actions.h"
#include "fcgi/call_json.h"
#include "fcgi/calls_query.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"

int call_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct str key = STR_NULL, header = rq->param[PARAM_IDEMPOTENCY_KEY];

    if (header.p != NULL && idempotency_key_read(rq->pool, header, &key, err) != 0)
        return -1;
    return call_action_create(rs, rq, an, rq->json, key, err);
}

int call_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id call_id;
    struct call_row row;

    if (call_id_read(rq->match.args[0], &call_id, err) != 0)
        return -1;
    if (calls_get(rs->db, rq->pool, &rq->who->workspace_id, &call_id, &row, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    call_json(&an->body, &row);
    buf_char(&an->body, '}');
    return 0;
}

int call_cancel(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id call_id;

    if (call_id_read(rq->match.args[0], &call_id, err) != 0 || fields_none(rq->json, err) != 0)
        return -1;
    return call_action_cancel(rs, rq, an, &call_id, err);
}

int call_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct call_filter filter;
    struct call_row *rows;
    size_t count;
    struct page_end end;

    if (calls_query_read(rq->pool, rq->param[PARAM_QUERY], &filter, err) != 0)
        return -1;
    if (calls_list(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end, err) !=
        0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        call_json(&an->body, &rows[i]);
    }
    list_end(&an->body, &end);
    return 0;
}
