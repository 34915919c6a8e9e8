/*
 * voice_handlers.c - what carriers report. The token in the path says which attempt, the signature
 * that it is the carrier who speaks; what the report does to attempt and call is decided below
 * (lib/rules/call.h), so that repeats and late ones are answered like the first.
 */
#include "fcgi/responder.h"
#include "lib/voice/carrier.h"
#include "sql/attempts.h"
#include "sql/secrets.h"

static int read_report(struct responder *rs, struct request *rq, const unsigned char *token,
                       struct carrier_report *report_r, struct err *err)
{
    struct attempt_row row;
    if (attempts_by_token(rs->db, rq->pool, token, &row, err) != 0)
        return -1;
    struct carrier carrier = {.kind = row.kind, .url = row.carrier_url};
    if (carrier_secret(rs->ring, row.kind, &row.carrier_id, row.carrier_secret_sealed, rq->pool,
                       &carrier.secret, err) != 0)
        return -1;
    const struct carrier_ops *ops = carrier_ops(row.kind);
    struct signature_input signature = request_signature(rq);
    if (ops->verify(&carrier, &signature, clock_wall(), rq->body, err) != 0)
        return -1;
    return ops->read_callback(rq->pool, rq->body, report_r, err);
}

int voice_callback(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    struct carrier_report report;
    struct attempt_outcome outcome;

    if (attempt_token_parse(rq->match.args[0], token) != 0)
        return err_set(err, ERR_NOT_FOUND, "No attempt has this token.");
    if (read_report(rs, rq, token, &report, err) != 0)
        return -1;
    if (attempts_report(rs->db, rq->pool, rs->conf, token, &report, &outcome, err) != 0)
        return -1;
    responder_wake(rs, NULL, outcome.destinations, outcome.destination_count);
    if (outcome.line_free)
        responder_wake_line(rs, &outcome.workspace_id);

    char call_id[ID_TEXT_SIZE];
    id_format(ID_CALL, &outcome.call_id, call_id);
    buf_lit(&an->body, "{\"data\":{\"call_id\":");
    buf_json(&an->body, str_of(call_id));
    buf_lit(&an->body, ",\"status\":");
    buf_json(&an->body, str_of(call_status_text(outcome.status)));
    buf_lit(&an->body, "}}");
    return 0;
}
