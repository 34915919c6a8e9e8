/*
 * webhooks_handlers.c - webhook endpoints: made, read, changed, switched, given a new secret, sent
 * a sample event.
 */
#include "fcgi/customer_url.h"
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/custom_headers.h"
#include "lib/rules/event.h"
#include "lib/rules/fields.h"
#include "lib/rules/signature.h"
#include "sql/destinations.h"

#define IN_FLIGHT_MAX 1000
#define RATE_MAX 1000

static const char *const event_texts[] = {
#define X(name, text) text,
    EVENT_TYPES(X)
#undef X
        NULL};

/* ---- what callers send ---- */

struct webhook_fields {
    struct str url, description, secret;
    unsigned events;
    int64_t timeout_seconds, max_in_flight, rate_per_second;
    const struct json *headers;
};

/* clang-format off */
#define CHANGEABLE_FIELDS                                                                          \
    {FIELD(TEXT, struct webhook_fields, url), .required = true, .min = 1, .max = URL_LENGTH_MAX},         \
    {FIELD(TEXT, struct webhook_fields, description), .max = DESTINATION_DESCRIPTION_MAX},         \
    {FIELD(SET, struct webhook_fields, events), .min = 1, .choices = event_texts},                 \
    {FIELD(INT, struct webhook_fields, timeout_seconds), .min = 1, .max = ENDPOINT_TIMEOUT_MAX},            \
    {FIELD(INT, struct webhook_fields, max_in_flight), .min = 1, .max = IN_FLIGHT_MAX},            \
    {FIELD(INT, struct webhook_fields, rate_per_second), .nullable = true, .min = 1,               \
     .max = RATE_MAX},                                                                             \
    {FIELD(JSON, struct webhook_fields, headers)}
/* clang-format on */
#define FIELD_URL 0
#define FIELD_RATE 5

static const struct field create_fields[] = {
    CHANGEABLE_FIELDS,
    {FIELD(TEXT, struct webhook_fields, secret), .min = 1, .max = SECRET_TEXT_MAX},
};
static const struct field change_fields[] = {CHANGEABLE_FIELDS};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

struct edit {
    const struct responder *rs;
    const struct request *rq;
    const struct field *fields;
    size_t field_count;
    bool changing;
    struct str secret; /* STR_NULL: none was given */
};

/* Lets what the caller sent change the row; for one that is made the row has the defaults. */
static int edit_row(struct endpoint_row *row, void *ctx, struct err *err)
{
    struct edit *e = ctx;
    struct pool *pool = e->rq->pool;
    struct fields_seen seen;
    struct webhook_fields f = {
        .url = row->url,
        .description = row->description,
        .secret = STR_NULL,
        .events = row->events,
        .timeout_seconds = row->timeout_seconds,
        .max_in_flight = row->max_in_flight,
        .rate_per_second = row->rate_per_second,
    };

    if (fields_read(e->rq->json, e->fields, e->field_count, e->changing, &f, &seen, err) != 0)
        return -1;
    if (field_in(seen.given, FIELD_URL) && customer_url_check(e->rs->conf, pool, f.url, err) != 0)
        return -1;
    if (f.secret.p != NULL && secret_check(f.secret, "secret", err) != 0)
        return -1;
    if (f.headers != NULL &&
        custom_headers_merge(pool, row->headers, f.headers, &row->headers, err) != 0)
        return -1;
    if (f.headers != NULL)
        row->headers_lost = false;
    row->url = f.url;
    row->description = f.description;
    row->events = f.events;
    row->timeout_seconds = f.timeout_seconds;
    row->max_in_flight = f.max_in_flight;
    row->rate_per_second = field_in(seen.nulls, FIELD_RATE) ? 0 : f.rate_per_second;
    e->secret = f.secret;
    return 0;
}

static int no_such_webhook(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such webhook endpoint.");
}

static int read_webhook_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_ENDPOINT, rq->match.args[0], id_r) == 0 ? 0 : no_such_webhook(err);
}

/* ---- answers ---- */

/* {"webhook_id": ... } left open. */
static int begin_webhook(struct responder *rs, struct request *rq, struct buf *b,
                         const struct endpoint_row *row, struct err *err)
{
    int64_t waiting;

    if (endpoints_waiting(rs->db, &row->endpoint_id, &waiting, err) != 0)
        return -1;
    object_begin(b, "webhook_id", ID_ENDPOINT, &row->endpoint_id);
    member_text(b, "url", row->url);
    member_text(b, "description", row->description);
    member_set(b, "events", row->events, event_texts);
    member_i64(b, "timeout_seconds", row->timeout_seconds);
    member_i64(b, "max_in_flight", row->max_in_flight);
    member_count(b, "rate_per_second", row->rate_per_second);
    buf_lit(b, ",\"headers\":");
    if (custom_headers_hidden(b, rq->pool, row->headers, err) != 0)
        return -1;
    member_text(b, "status", str_of(destination_status_text(row->status)));
    member_text(b, "status_reason", row->status_reason);
    member_i64(b, "failures", row->failures);
    member_time(b, "good_since", row->good_since);
    member_time(b, "held_until", row->held_until);
    member_i64(b, "waiting", waiting);
    member_time(b, "previous_secret_until", row->previous_until);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    return 0;
}

/* The whole endpoint; secret: shown this once, or STR_NULL. */
static int answer_webhook(struct responder *rs, struct request *rq, struct answer *an,
                          const struct endpoint_row *row, struct str secret, struct err *err)
{
    buf_lit(&an->body, "{\"data\":");
    if (begin_webhook(rs, rq, &an->body, row, err) != 0)
        return -1;
    if (secret.p != NULL)
        member_text(&an->body, "secret", secret);
    buf_lit(&an->body, "}}");
    return 0;
}

static int answer_current(struct responder *rs, struct request *rq, struct answer *an,
                          const struct id *id, struct str secret, struct err *err)
{
    struct endpoint_row row;
    if (endpoints_get(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, id, &row, err) != 0)
        return -1;
    return answer_webhook(rs, rq, an, &row, secret, err);
}

/* ---- handlers ---- */

int webhook_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct endpoint_row row = {
        .workspace_id = rq->who->workspace_id,
        .url = STR(""),
        .description = STR(""),
        .events = EVENT_MASK_ALL,
        .timeout_seconds = 15,
        .max_in_flight = 64,
        .headers = STR_NULL,
    };
    struct edit edit = {
        .rs = rs, .rq = rq, .fields = create_fields, .field_count = COUNT(create_fields)};
    struct str secret;

    if (edit_row(&row, &edit, err) != 0 ||
        endpoints_create(rs->db, rq->pool, rs->ring, &row, edit.secret, &secret, err) != 0)
        return -1;
    responder_created(rs, rq, an, "webhooks", ID_ENDPOINT, &row.endpoint_id);
    return answer_webhook(rs, rq, an, &row, secret, err);
}

int webhook_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {{"cursor", list_read_cursor, 0},
                                                       {"limit", list_read_limit, 0}};
    struct page page = {.limit = LIST_LIMIT};
    struct endpoint_row *rows;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters, COUNT(parameters), &page,
                        err) != 0 ||
        endpoints_page(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &page, &rows, &count,
                       &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        if (begin_webhook(rs, rq, &an->body, &rows[i], err) != 0)
            return -1;
        buf_char(&an->body, '}');
    }
    list_end(&an->body, &end);
    return 0;
}

int webhook_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;
    if (read_webhook_id(rq, &id, err) != 0)
        return -1;
    return answer_current(rs, rq, an, &id, STR_NULL, err);
}

int webhook_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct edit edit = {.rs = rs,
                        .rq = rq,
                        .fields = change_fields,
                        .field_count = COUNT(change_fields),
                        .changing = true};
    struct id id;

    if (read_webhook_id(rq, &id, err) != 0 ||
        endpoints_change(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &id, edit_row, &edit,
                         err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    return answer_current(rs, rq, an, &id, STR_NULL, err);
}

int webhook_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;

    if (read_webhook_id(rq, &id, err) != 0 || fields_none(rq->json, err) != 0 ||
        endpoints_delete(rs->db, &rq->who->workspace_id, &id, err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    answer_deleted(an, "webhook_id", ID_ENDPOINT, &id);
    return 0;
}

typedef int switch_fn(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                      struct err *err);

static int switch_webhook(struct responder *rs, struct request *rq, struct answer *an,
                          switch_fn *fn, struct err *err)
{
    struct id id;

    if (read_webhook_id(rq, &id, err) != 0 || fields_none(rq->json, err) != 0 ||
        fn(rs->db, &rq->who->workspace_id, &id, err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    return answer_current(rs, rq, an, &id, STR_NULL, err);
}

int webhook_pause(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_webhook(rs, rq, an, endpoints_pause, err);
}

int webhook_resume(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_webhook(rs, rq, an, endpoints_resume, err);
}

int webhook_enable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_webhook(rs, rq, an, endpoints_enable, err);
}

static int disable_by_owner(struct db *db, const struct id *workspace_id,
                            const struct id *endpoint_id, struct err *err)
{
    return endpoints_disable(db, workspace_id, endpoint_id, STR("by its owner"), err);
}

int webhook_disable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_webhook(rs, rq, an, disable_by_owner, err);
}

struct rotate_fields {
    struct str secret;
    int64_t grace_seconds;
};
static const struct field rotate_fields[] = {
    {FIELD(TEXT, struct rotate_fields, secret), .min = 1, .max = SECRET_TEXT_MAX},
    {FIELD(INT, struct rotate_fields, grace_seconds), .min = 0, .max = SECRET_GRACE_SECONDS_MAX},
};

int webhook_rotate(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct rotate_fields f = {STR_NULL, rs->conf->secret_grace / USEC_PER_S};
    struct fields_seen seen;
    struct str secret;
    struct id id;
    usec_t until;

    if (read_webhook_id(rq, &id, err) != 0 ||
        fields_read(rq->json, rotate_fields, COUNT(rotate_fields), false, &f, &seen, err) != 0 ||
        (f.secret.p != NULL && secret_check(f.secret, "secret", err) != 0) ||
        endpoints_rotate_secret(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &id, f.secret,
                                f.grace_seconds * USEC_PER_S, &secret, &until, err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    buf_lit(&an->body, "{\"data\":");
    object_begin(&an->body, "webhook_id", ID_ENDPOINT, &id);
    member_text(&an->body, "secret", secret);
    member_time(&an->body, "previous_secret_until", until);
    buf_lit(&an->body, "}}");
    return 0;
}

struct test_fields {
    int event_type;
};
static const struct field test_fields[] = {
    {FIELD(CHOICE, struct test_fields, event_type), .choices = event_texts},
};

int webhook_test(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct test_fields f = {EVENT_CALL_COMPLETED};
    struct fields_seen seen;
    struct id id, event_id, delivery_id;

    if (read_webhook_id(rq, &id, err) != 0 ||
        fields_read(rq->json, test_fields, COUNT(test_fields), false, &f, &seen, err) != 0 ||
        endpoints_test(rs->db, rq->pool, &rq->who->workspace_id, &id, (enum event_type)f.event_type,
                       &event_id, &delivery_id, err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    responder_created(rs, rq, an, "deliveries", ID_DELIVERY, &delivery_id);
    buf_lit(&an->body, "{\"data\":");
    object_begin(&an->body, "webhook_id", ID_ENDPOINT, &id);
    member_id(&an->body, "event_id", ID_EVENT, &event_id);
    member_id(&an->body, "delivery_id", ID_DELIVERY, &delivery_id);
    buf_lit(&an->body, "}}");
    return 0;
}
