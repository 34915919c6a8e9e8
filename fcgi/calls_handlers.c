/*
 * calls_handlers.c - the Calls API: make, read, list, cancel. Reads what the caller sent, asks the
 * store, and writes its answer in the documented form.
 */
#include "fcgi/call_json.h"
#include "fcgi/calls_query.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"

/* {"data":{"call_id":"...","status":"..." -- and left open */
static void begin_call(struct buf *b, const char *call_id, enum call_status status)
{
    buf_lit(b, "{\"data\":{\"call_id\":");
    buf_json(b, str_of(call_id));
    buf_lit(b, ",\"status\":");
    buf_json(b, str_of(call_status_text(status)));
}

static void answer_made(const struct responder *rs, struct request *rq, struct answer *an,
                        const struct call_made *made)
{
    char call_id[ID_TEXT_SIZE];
    id_format(ID_CALL, &made->call_id, call_id);
    responder_created(rs, rq, an, "calls", ID_CALL, &made->call_id);
    if (made->replayed)
        answer_header(an, "Idempotent-Replayed", STR("true"));
    begin_call(&an->body, call_id, made->status);
    if (made->status == CALL_DISALLOWED && made->error != CALL_ERROR_NONE) {
        buf_lit(&an->body, ",\"error\":");
        call_json_error(&an->body, str_of(call_error_code(made->error)),
                        str_of(call_error_message(made->error)));
    }
    buf_lit(&an->body, "}}");
}

/* A request that was right when it was first sent (a scheduled_at that has passed since) gets its
 * first answer again; otherwise what is wrong with it stands in err. */
static int replay_refused(struct responder *rs, struct request *rq, struct answer *an,
                          struct call_new *call, struct err *err)
{
    struct call_made made = {.error = CALL_ERROR_NONE};
    struct err fault;
    bool found;

    if (call->idempotency_key.p == NULL)
        return -1;
    if (calls_replay(rs->db, rq->pool, call, &made, &found, &fault) != 0) {
        *err = fault;
        return -1;
    }
    if (!found)
        return -1;
    answer_made(rs, rq, an, &made);
    return 0;
}

int call_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    usec_t now = clock_wall();
    struct call_request request;
    struct call_new call = {
        .who = rq->who,
        .request = &request,
        .idempotency_key = STR_NULL,
        .idempotency_retention = rs->conf->idempotency_retention,
    };
    unsigned char random[10];
    struct call_made made;

    struct str key_header = rq->param[PARAM_IDEMPOTENCY_KEY];
    if (key_header.p != NULL &&
        idempotency_key_read(rq->pool, key_header, &call.idempotency_key, err) != 0)
        return -1;
    if (call_request_read(rq->pool, rq->json, now, &request, err) != 0)
        return replay_refused(rs, rq, an, &call, err);
    crypto_random(random, sizeof(random));
    call.call_id = id_make(now, random);
    if (known_agent(rs->known, rs->db, &request.agent_id, &call.agent, err) != 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        call.agent = NULL;
    }
    if (calls_create(rs->db, rq->pool, &call, &made, err) != 0)
        return -1;
    responder_wake(rs, made.due_now ? &made.agent_id : NULL, made.destinations,
                   made.destination_count);
    answer_made(rs, rq, an, &made);
    return 0;
}

/* What has not the form of an id is no call's: the same answer as for one that does not exist. */
static int read_call_id(const struct request *rq, struct id *id_r, struct err *err)
{
    if (id_parse(ID_CALL, rq->match.args[0], id_r) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such call.");
    return 0;
}

int call_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id call_id;
    struct call_row row;

    if (read_call_id(rq, &call_id, err) != 0)
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
    usec_t cancelled_at;

    if (read_call_id(rq, &call_id, err) != 0)
        return -1;
    if (fields_none(rq->json, err) != 0)
        return -1;
    if (calls_cancel(rs->db, &rq->who->workspace_id, &call_id, &cancelled_at, err) != 0)
        return -1;

    char text[ID_TEXT_SIZE], at[TIME_TEXT_SIZE];
    id_format(ID_CALL, &call_id, text);
    time_format(cancelled_at, at);
    begin_call(&an->body, text, CALL_CANCELLED);
    buf_lit(&an->body, ",\"cancelled_at\":");
    buf_json(&an->body, str_of(at));
    buf_lit(&an->body, "}}");
    return 0;
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
