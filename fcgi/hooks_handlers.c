/*
 * hooks_handlers.c - inbound hooks: {"action", "data"} sent to a URL whose token is the key. What
 * the actions do, and their answers, are those of the Calls API (call_actions.c).
 */
#include "fcgi/call_actions.h"
#include "lib/rules/call_request.h"
#include "lib/rules/fields.h"

static int check_signature(const struct responder *rs, const struct request *rq, struct err *err)
{
    struct str secret;
    if (rq->hook->secret_length == 0)
        return 0;
    if (hooks_secret(rs->ring, rq->hook, rq->pool, &secret, err) != 0)
        return -1;
    struct signature_input signature = request_signature(rq);
    return signature_check(&secret, 1, &signature, clock_wall(), rq->body, err);
}

/* Senders that know nothing of Idempotency-Key repeat a message under its webhook-id. */
static int read_idempotency_key(const struct request *rq, struct str *key_r, bool *is_webhook_id_r,
                                struct err *err)
{
    struct str key = rq->param[PARAM_IDEMPOTENCY_KEY], webhook_id = rq->param[PARAM_WEBHOOK_ID];
    *key_r = STR_NULL;
    *is_webhook_id_r = key.p == NULL && webhook_id.p != NULL;
    if (key.p == NULL && webhook_id.p == NULL)
        return 0;
    if (idempotency_key_read(rq->pool, *is_webhook_id_r ? webhook_id : key, key_r, err) == 0)
        return 0;
    if (*is_webhook_id_r)
        return err_set(err, ERR_INVALID, "webhook-id must be 1 to %d printable ASCII characters.",
                       IDEMPOTENCY_KEY_MAX);
    return -1;
}

static int create(struct responder *rs, struct request *rq, struct answer *an,
                  const struct json *data, struct err *err)
{
    struct str key;
    bool is_webhook_id;
    if (read_idempotency_key(rq, &key, &is_webhook_id, err) != 0)
        return -1;
    if (call_action_create(rs, rq, an, data, key, err) == 0)
        return 0;
    if (err->code == ERR_KEY_REUSED && is_webhook_id)
        return err_set(err, ERR_KEY_REUSED,
                       "This webhook-id was already used with a different request.");
    return -1;
}

static int cancel(struct responder *rs, struct request *rq, struct answer *an,
                  const struct json *data, struct err *err)
{
    struct cancel_data {
        const struct json *call_id;
    } fields;
    static const struct field table[] = {
        {FIELD(JSON, struct cancel_data, call_id), .required = true},
    };
    struct fields_seen seen;
    struct id call_id;

    if (fields_read(data, table, 1, false, &fields, &seen, err) != 0)
        return -1;
    struct str text = json_str(fields.call_id);
    if (text.p == NULL)
        return err_set(err, ERR_INVALID, "call_id must be a string.");
    if (call_id_read(text, &call_id, err) != 0)
        return -1;
    return call_action_cancel(rs, rq, an, &call_id, err);
}

typedef int action_fn(struct responder *rs, struct request *rq, struct answer *an,
                      const struct json *data, struct err *err);

static const char *const action_texts[] = {"call.create", "call.cancel", NULL};
static action_fn *const actions[] = {create, cancel};
_Static_assert(sizeof(action_texts) / sizeof(*action_texts) ==
                   sizeof(actions) / sizeof(*actions) + 1,
               "a text per action");

struct message {
    int action;
    const struct json *data;
};

static int read_message(const struct json *body, struct message *message_r, struct err *err)
{
    static const struct field table[] = {
        {FIELD(CHOICE, struct message, action), .required = true, .choices = action_texts},
        {FIELD(JSON, struct message, data), .required = true},
    };
    struct fields_seen seen;

    if (fields_read(body, table, sizeof(table) / sizeof(*table), false, message_r, &seen, err) != 0)
        return -1;
    if (json_type(message_r->data) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "data must be an object.");
    return 0;
}

int hook_receive(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    size_t values_max = request_values_max((size_t)rs->conf->body_bytes_max);
    struct message message;

    if (check_signature(rs, rq, err) != 0 || request_check_json_type(rq, err) != 0 ||
        request_parse_json(rq, values_max, err) != 0 || read_message(rq->json, &message, err) != 0)
        return -1;
    return actions[message.action](rs, rq, an, message.data, err);
}
