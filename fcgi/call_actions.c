/*
 * call_actions.c - makes and cancels calls, and says so.
 */
#include "fcgi/call_actions.h"

#include "fcgi/call_json.h"
#include "sql/calls.h"

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

int call_action_create(struct responder *rs, struct request *rq, struct answer *an,
                       const struct json *body, struct str idempotency_key, struct err *err)
{
    usec_t now = clock_wall();
    struct call_request request;
    struct call_new call = {
        .who = rq->who,
        .request = &request,
        .idempotency_key = idempotency_key,
        .idempotency_retention = rs->conf->idempotency_retention,
    };
    unsigned char random[10];
    struct call_made made;

    if (call_request_read(rq->pool, body, now, &request, err) != 0)
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

int call_id_read(struct str text, struct id *id_r, struct err *err)
{
    if (id_parse(ID_CALL, text, id_r) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such call.");
    return 0;
}

int call_action_cancel(struct responder *rs, struct request *rq, struct answer *an,
                       const struct id *call_id, struct err *err)
{
    usec_t cancelled_at;

    if (calls_cancel(rs->db, &rq->who->workspace_id, call_id, &cancelled_at, err) != 0)
        return -1;

    char text[ID_TEXT_SIZE], at[TIME_TEXT_SIZE];
    id_format(ID_CALL, call_id, text);
    time_format(cancelled_at, at);
    begin_call(&an->body, text, CALL_CANCELLED);
    buf_lit(&an->body, ",\"cancelled_at\":");
    buf_json(&an->body, str_of(at));
    buf_lit(&an->body, "}}");
    return 0;
}
