/*
 * responder.c - the way of a request: the steps, in the order in which a caller learns what is
 * wrong, then the handler, then the answer, the counter and the log. What went wrong with a
 * request is logged here alone; who.c tells of limits that could not be looked at.
 */
#include "fcgi/responder.h"

#include "fcgi/who.h"
#include "lib/base/log.h"
#include "lib/rules/batch_request.h"
#include "sql/function_counters.h"
#include "sql/migrate.h"

#include <string.h>

#define ROUTE_ROW_NONE ROUTE_COUNT
#define BUFFER_KEPT_MAX 65536

int responder_init(struct responder *rs, const struct program *program, const struct conf *conf,
                   struct err *err)
{
    memset(rs, 0, sizeof(*rs));
    rs->program = program;
    rs->conf = conf;
    if (proxies_parse(&rs->proxies, str_of(conf->trusted_proxies), err) != 0)
        return err_prefix(err, "trusted_proxies");
    if (counters_open(&rs->counters, conf->runtime_dir, "requests", ROUTE_COUNT + 1, STATUS_COUNT,
                      err) != 0)
        return -1;
    if (function_counters_open(&rs->runs, conf->runtime_dir, err) != 0) {
        counters_close(&rs->counters);
        return -1;
    }
    if (program->needs_keys && keyring_load(&rs->ring, conf->key_file, err) != 0) {
        counters_close(&rs->runs);
        counters_close(&rs->counters);
        return -1;
    }
    if (limits_create(&rs->limits, conf, err) != 0) {
        counters_close(&rs->runs);
        counters_close(&rs->counters);
        if (rs->ring != NULL)
            keyring_destroy(&rs->ring);
        return -1;
    }
    if (rs->ring != NULL)
        keyring_derive(rs->ring, "csrf", rs->csrf_key);
    wake_sender_create(&rs->wake, conf->runtime_dir);
    known_create(&rs->known, conf->recheck_interval);
    db_create(&rs->db, conf);
    pool_create(&rs->pool);
    buf_init(&rs->body, 0);
    answer_init(&rs->answer);
    return 0;
}

void responder_deinit(struct responder *rs)
{
    answer_deinit(&rs->answer);
    buf_deinit(&rs->body);
    pool_destroy(&rs->pool);
    db_destroy(&rs->db);
    limits_destroy(&rs->limits);
    known_destroy(&rs->known);
    wake_sender_destroy(&rs->wake);
    if (rs->caller != NULL)
        rs->close_caller(&rs->caller);
    counters_close(&rs->runs);
    counters_close(&rs->counters);
    if (rs->ring != NULL)
        keyring_destroy(&rs->ring);
    proxies_free(&rs->proxies);
}

void responder_wake(struct responder *rs, const struct id *agent_id, const struct id *destinations,
                    size_t count)
{
    struct wake_item items[WAKE_IDS_MAX];
    size_t n = 0;

    if (agent_id != NULL) {
        items[n].kind = WAKE_CALL;
        memcpy(items[n++].id, agent_id->b, sizeof(agent_id->b));
    }
    /* those beyond one datagram are found at the next poll */
    for (size_t i = 0; i < count && n < WAKE_IDS_MAX; i++) {
        items[n].kind = WAKE_DELIVERY;
        memcpy(items[n++].id, destinations[i].b, sizeof(destinations[i].b));
    }
    if (n > 0)
        wake_send(rs->wake, items, n);
}

static void wake_one(struct responder *rs, enum wake_kind kind, const struct id *id)
{
    struct wake_item item = {.kind = (unsigned char)kind};

    memcpy(item.id, id->b, sizeof(item.id));
    wake_send(rs->wake, &item, 1);
}

void responder_wake_batch(struct responder *rs, const struct id *agent_id)
{
    wake_one(rs, WAKE_BATCH, agent_id);
}

void responder_wake_line(struct responder *rs, const struct id *workspace_id)
{
    wake_one(rs, WAKE_LINE, workspace_id);
}

void responder_wake_changed(struct responder *rs, const struct id *destination_id)
{
    wake_one(rs, WAKE_CHANGED, destination_id);
}

void responder_created_at(const struct responder *rs, struct request *rq, struct answer *an,
                          const char *collection, struct str name)
{
    struct str url = str_of(rs->conf->public_url);

    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    name = percent_encode(rq->pool, name);
    an->status = STATUS_201;
    answer_header(
        an, "Location",
        str_of(pool_printf(rq->pool, "%.*s/v1/%s/%.*s", STR_ARG(url), collection, STR_ARG(name))));
}

void responder_created(const struct responder *rs, struct request *rq, struct answer *an,
                       const char *collection, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    id_format(kind, id, text);
    responder_created_at(rs, rq, an, collection, str_of(text));
}

static void write_rate_headers(const struct request *rq, struct answer *an)
{
    struct buf b;
    if (rq->rate.count == 0)
        return;
    buf_init(&b, 256);
    rate_policy_header(&rq->rate, &b);
    answer_header(an, "RateLimit-Policy", buf_as_str(&b));
    if (rq->rate.known) {
        buf_clear(&b);
        rate_header(&rq->rate, &b);
        answer_header(an, "RateLimit", buf_as_str(&b));
    }
    buf_deinit(&b);
}

enum step { STEP_NEXT, STEP_ANSWERED, STEP_FAILED };
typedef enum step step_fn(struct responder *rs, struct request *rq, struct answer *an,
                          struct err *err);

static enum step step_route(struct responder *rs, struct request *rq, struct answer *an,
                            struct err *err)
{
    unsigned allowed;
    if (router_find(rs->program->bit, rq->method, rq->path, &rq->match, &allowed, err) == 0) {
        rq->routed = true;
        return STEP_NEXT;
    }
    if (allowed == 0)
        return STEP_FAILED;
    if (rq->method == METHOD_OPTIONS)
        an->status = STATUS_204;
    else
        answer_error(an, err);
    struct buf allow;
    buf_init(&allow, 128);
    router_allow(allowed, &allow);
    answer_header(an, "Allow", buf_as_str(&allow));
    buf_deinit(&allow);
    return STEP_ANSWERED;
}

int responder_check_schema(struct responder *rs, struct err *err)
{
    if (rs->schema_known && rs->schema_seen == db_generation(rs->db))
        return 0;
    rs->schema_known = false;
    if (migrate_check(rs->db, err) != 0)
        return -1;
    rs->schema_known = true;
    rs->schema_seen = db_generation(rs->db);
    return 0;
}

static enum step step_schema(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    (void)an;
    if (route_info(rq->match.route)->program == PROGRAM_ANY)
        return STEP_NEXT; /* health and figures are for when this fails */
    if (responder_check_schema(rs, err) == 0)
        return STEP_NEXT;
    err->code = ERR_UNAVAILABLE; /* ours to mend, and callers may come again then */
    return STEP_FAILED;
}

static enum step step_who(struct responder *rs, struct request *rq, struct answer *an,
                          struct err *err)
{
    (void)an;
    return who_find(rs, rq, err) == 0 ? STEP_NEXT : STEP_FAILED;
}

static enum step step_limits(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    return who_spend(rs, rq, an, err) == 0 ? STEP_NEXT : STEP_FAILED;
}

static enum step step_rights(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    (void)an;
    return who_check_rights(rs, rq, err) == 0 ? STEP_NEXT : STEP_FAILED;
}

static int read_body(struct responder *rs, struct request *rq, struct err *err)
{
    size_t cap = (size_t)rs->conf->body_bytes_max, values = request_values_max(cap);
    bool csv;

    switch (route_info(rq->match.route)->body) {
    case BODY_NO_BODY:
        return 0;
    case BODY_JSON:
        if (request_check_json_type(rq, err) != 0 ||
            request_read_body(rq, &rs->body, cap, err) != 0)
            return -1;
        return request_parse_json(rq, values, err);
    case BODY_OPTIONAL_JSON:
        if (request_read_body(rq, &rs->body, cap, err) != 0)
            return -1;
        if (rq->body.n == 0)
            return 0;
        return request_check_json_type(rq, err) != 0 ? -1 : request_parse_json(rq, values, err);
    case BODY_BATCH:
        if (request_check_batch_type(rq, &csv, err) != 0 ||
            request_read_body(rq, &rs->body, BATCH_BYTES_MAX, err) != 0)
            return -1;
        return csv ? 0 : request_parse_json(rq, BATCH_VALUES_MAX, err);
    case BODY_CALLBACK:
        return request_read_body(rq, &rs->body, CALLBACK_BYTES_MAX, err);
    case BODY_SIGNED_JSON:
        return request_read_body(rq, &rs->body, cap, err);
    }
    die("a route without a body kind");
}

static enum step step_body(struct responder *rs, struct request *rq, struct answer *an,
                           struct err *err)
{
    (void)an;
    return read_body(rs, rq, err) == 0 ? STEP_NEXT : STEP_FAILED;
}

static enum step step_handle(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    return rs->program->handlers[rq->match.route](rs, rq, an, err) == 0 ? STEP_ANSWERED
                                                                        : STEP_FAILED;
}

/* The order is part of the API: the first step that fails decides the answer. */
static step_fn *const steps[] = {
    step_route,  /* 404, 405, OPTIONS */
    step_schema, /* 503: no database, or one of another version */

    step_who,    /* 401; 404: no such hook */
    step_limits, /* 429 */
    step_rights, /* 403: scope, role, CSRF token */
    step_body,   /* 415, 413, 400 */
    step_handle, /* all else */
};

/* Leaves in *err what went wrong; ERR_NONE: nothing did. */
static void run_steps(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        err_clear(err);
        enum step step = steps[i](rs, rq, an, err);
        if (step == STEP_NEXT)
            continue;
        if (step == STEP_FAILED)
            answer_error(an, err);
        break;
    }
    if (an->body.overflow || an->headers.overflow) {
        err_set(err, ERR_INTERNAL, "the answer is over %d bytes", ANSWER_BODY_MAX);
        answer_error(an, err);
    }
}

static void log_request(const struct responder *rs, const struct request *rq,
                        enum answer_status status, const struct err *err, usec_t started)
{
    const char *route = rq->routed ? route_info(rq->match.route)->path : "none";
    int code = answer_status_code(status);

    if (status >= STATUS_500) {
        char quoted[2 * sizeof(err->message)];
        log_write(status == STATUS_500 ? LOG_ERROR : LOG_WARNING, "request failed",
                  "request=%s method=%s route=%s status=%d error=%s", rq->id,
                  method_text(rq->method), route, code,
                  log_quote(str_of(err->message), quoted, sizeof(quoted)));
    }
    if (rs->conf->log_requests)
        log_write(LOG_INFO, "request", "request=%s method=%s route=%s status=%d ms=%.1f", rq->id,
                  method_text(rq->method), route, code,
                  (double)(clock_monotonic() - started) / (double)USEC_PER_MS);
}

/* One long list must not decide how much memory a responder holds for ever. */
static void keep_little(struct buf *b)
{
    if (b->cap <= BUFFER_KEPT_MAX)
        return;
    size_t max = b->max;
    buf_deinit(b);
    buf_init(b, max);
}

void responder_serve(struct responder *rs, struct io *io, char *const *environ_)
{
    usec_t started = rs->conf->log_requests ? clock_monotonic() : 0;
    struct answer *an = &rs->answer;
    unsigned char random[10];
    struct request rq;
    struct err err;

    err_clear(&err);
    crypto_random(random, sizeof(random));
    if (request_init(&rq, io, rs->pool, environ_, random, str_of(rs->conf->base_path), &err) != 0)
        answer_error(an, &err);
    else
        run_steps(rs, &rq, an, &err);

    write_rate_headers(&rq, an);
    request_drain(&rq);
    (void)io->write(io, answer_wire(an, rq.id, rq.method == METHOD_HEAD));
    io->finish(io);

    counters_add(rs->counters, rq.routed ? rq.match.route : ROUTE_ROW_NONE, an->status, 1);
    log_request(rs, &rq, an->status, &err, started);
    bool big = rs->body.cap > BUFFER_KEPT_MAX || an->body.cap > BUFFER_KEPT_MAX;
    answer_clear(an);
    keep_little(&an->body);
    keep_little(&an->wire);
    keep_little(&rs->body);
    pool_clear(rs->pool);
    if (big) {
        db_forget_many(rs->db);
        mem_give_back();
    }
}
