/*
 * send.c - one delivery on its way: the signed request, and what its answer means.
 */
#include "daemon/deliver_private.h"
#include "daemon/fault.h"
#include "daemon/post_call.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/custom_headers.h"
#include "lib/rules/signature.h"
#include <stdlib.h>
#include <string.h>

/* Leases in a row that ran out, after which the delivery counts as failed once: a delivery that
 * kills its dispatcher must come to an end. */
#define LOST_MAX 20

#define STATUS_GONE 410

void sending_free(struct sending *s)
{
    s->destination->references--;
    workflow_release(&s->workflow);
    if (s->pool)
        pool_destroy(&s->pool);
    free(s->response);
    free(s);
}

static void free_list(struct sending *list)
{
    while (list) {
        struct sending *s = list;
        list = s->next;
        sending_free(s);
    }
}

void sending_free_all(struct deliverer *d)
{
    free_list(d->finished);
    for (size_t i = 0; i < destinations_count(d->destinations); i++)
        free_list(destinations_at(d->destinations, i)->queue);
    while (d->under_way) {
        struct sending *s = d->under_way;
        d->under_way = s->older;
        sending_free(s);
    }
}

static void link_under_way(struct deliverer *d, struct sending *s)
{
    s->older = d->under_way;
    if (s->older)
        s->older->newer = s;
    d->under_way = s;
    d->in_flight++;
}

static void unlink_under_way(struct deliverer *d, struct sending *s)
{
    if (s->newer)
        s->newer->older = s->older;
    else
        d->under_way = s->older;
    if (s->older)
        s->older->newer = s->newer;
    s->newer = s->older = NULL;
    d->in_flight--;
}

static struct sending *sending_new(struct deliverer *d, struct destination *destination,
                                   const struct drawn_delivery *row)
{
    struct sending *s = mem_alloc(sizeof *s + row->body.n + 1);
    s->deliverer = d;
    s->destination = destination;
    destination->references++;
    s->row = *row;
    if (row->body.n > 0)
        memcpy(s->body, row->body.p, row->body.n);
    s->row.body = (struct str){s->body, row->body.n};
    s->started_at = deliverer_now(d);
    s->result = (struct finished_delivery){
        .delivery_id = row->delivery_id,
        .destination_id = row->destination_id,
        .workspace_id = destination->workspace_id,
        .fence = row->fence,
        .position = row->position + 1,
        .started_at = s->started_at,
        .due_at = TIME_NONE,
    };
    return s;
}

/* The next attempt, or the end of the schedule. */
static void plan_next(struct sending *s, usec_t floor)
{
    struct deliverer *d = s->deliverer;
    uint32_t random;
    crypto_random(&random, sizeof random);
    usec_t due = schedule_next(&d->schedule, s->result.position, deliverer_now(d), random, floor);
    s->result.due_at = due;
    s->result.used_up = due == TIME_NONE;
}

static void failed(struct sending *s, const char *error, usec_t floor)
{
    s->result.error = error;
    plan_next(s, floor);
    s->deliverer->dispatcher->counts.deliveries_failed++;
}

/* Its log shows no secret that the server sent back. */
static struct str without_secrets(struct sending *s, struct str answer)
{
    const struct destination *to = s->destination;
    if (s->workflow)
        return function_hide_secrets(s->pool, s->workflow->functions, answer);
    pool_clear(s->deliverer->scratch);
    return custom_headers_hide(s->deliverer->scratch, to->headers, to->header_count, answer);
}

static void keep_answer(struct sending *s, const struct http_answer *answer)
{
    size_t most = (size_t)s->deliverer->dispatcher->conf->response_bytes_kept;
    struct str text = without_secrets(s, answer->body);
    size_t body = text.n < most ? text.n : most;
    size_t detail = strlen(answer->detail);
    s->response = mem_alloc(body + detail + 1);
    if (body > 0)
        memcpy(s->response, text.p, body);
    memcpy(s->response + body, answer->detail, detail);
    s->result.response = (struct str){body > 0 ? s->response : NULL, body};
    s->result.detail = (struct str){detail > 0 ? s->response + body : NULL, detail};
}

/* Tells the destination's health, and what must be written of it. */
static void judge(struct sending *s, bool success, usec_t now)
{
    struct deliverer *d = s->deliverer;
    struct destination *to = s->destination;
    if (success) {
        bool was_bad = to->health.failures > 0 || to->health.held_until != TIME_NONE;
        health_success(&to->health, &d->policy, to->max_in_flight, now);
        if (was_bad || now - to->good_written > 60 * USEC_PER_S)
            to->health_changed = true;
        return;
    }
    enum health_verdict verdict = health_failure(&to->health, &d->policy, s->started_at, now);
    to->health_changed = true;
    if (s->gone)
        to->disable_reason = "The endpoint answered 410 Gone.";
    else if (verdict == HEALTH_DISABLED)
        to->disable_reason = "Deliveries failed for too long.";
    if (to->disable_reason)
        to->status = DESTINATION_DISABLED;
    if (verdict == HEALTH_HELD) {
        char id[ID_TEXT_SIZE];
        id_format(to->kind == DESTINATION_FUNCTION ? ID_FUNCTION : ID_ENDPOINT, &to->id, id);
        log_write(LOG_INFO, "destination held", "destination=%s failures=%u seconds=%lld", id,
                  to->health.failures, (long long)((to->health.held_until - now) / USEC_PER_S));
    }
}

static void read_answer(struct sending *s, const struct http_answer *answer)
{
    usec_t now = deliverer_now(s->deliverer);
    bool answered = answer->outcome == HTTP_ANSWERED;
    s->result.status = answered ? answer->status : 0;
    s->result.duration_ms = (unsigned)(answer->duration / USEC_PER_MS);
    s->result.succeeded = s->workflow ? post_call_answered(s, answer)
                                      : answered && answer->status >= 200 && answer->status < 300;
    s->gone = answered && answer->status == STATUS_GONE;
    keep_answer(s, answer);
    judge(s, s->result.succeeded, now);
    if (s->result.succeeded) {
        s->deliverer->dispatcher->counts.deliveries_succeeded++;
        return;
    }
    usec_t floor = TIME_NONE;
    if (answer->retry_after.p)
        floor = retry_after_parse(answer->retry_after, now,
                                  s->deliverer->dispatcher->conf->retry_after_max);
    failed(s, answered ? "status" : http_outcome_text(answer->outcome), floor);
}

static void on_done(void *ctx, const struct http_answer *answer)
{
    struct sending *s = ctx;
    struct deliverer *d = s->deliverer;
    struct destination *to = s->destination;
    to->in_flight--;
    to->probe_ours = false;
    unlink_under_way(d, s);
    fault_point("delivery_answered");
    read_answer(s, answer);
    if (s->result.succeeded)
        to->ended++;
    finish_add(d, s);
    sending_pump(d, to);
    lane_poke(d->draw_lane);
}

static int start_function(struct deliverer *d, struct sending *s, struct err *err)
{
    struct http_request request = {
        .method = s->request.method,
        .url = s->request.url,
        .body = s->request.body,
        .headers = s->request.headers,
        .header_count = s->request.header_count,
        .timeout = s->workflow->functions->timeout_ms * USEC_PER_MS,
        .response_max = FUNCTION_RESPONSE_MAX + 1,
    };
    return http_start(d->dispatcher->client, &request, on_done, s, err);
}

static int start_event(struct deliverer *d, struct sending *s, struct err *err)
{
    struct destination *to = s->destination;
    char event_id[ID_TEXT_SIZE];
    struct signed_headers signature;
    pool_clear(d->scratch);
    struct str *headers = pool_new(d->scratch, struct str, 5 + to->header_count);
    id_format(ID_EVENT, &s->row.event_id, event_id);
    signature_make(d->scratch, to->secrets, to->secret_count, str_of(event_id), s->started_at,
                   s->row.body, &signature);
    headers[0] = STR("Content-Type: application/json");
    for (size_t i = 0; i < 4; i++)
        headers[1 + i] = signature.line[i];
    for (size_t i = 0; i < to->header_count; i++)
        headers[5 + i] = to->headers[i];
    struct http_request request = {
        .method = "POST",
        .url = to->url,
        .body = s->row.body,
        .headers = headers,
        .header_count = 5 + to->header_count,
        .timeout = to->timeout,
        .response_max = (size_t)d->dispatcher->conf->response_bytes_max,
    };
    return http_start(d->dispatcher->client, &request, on_done, s, err);
}

static void start(struct deliverer *d, struct sending *s)
{
    struct destination *to = s->destination;
    struct err err;
    s->started_at = s->result.started_at = deliverer_now(d);
    if (s->workflow ? start_function(d, s, &err) : start_event(d, s, &err)) {
        if (s->workflow)
            post_call_not_sent(s, err.message);
        failed(s, "invalid_url", TIME_NONE);
        finish_add(d, s);
        return;
    }
    s->result.request_made = true;
    to->in_flight++;
    destination_paced(to, clock_monotonic());
    link_under_way(d, s);
    fault_point("delivery_started");
}

static struct sending *take_queued(struct deliverer *d, struct destination *to)
{
    struct sending *s = to->queue;
    to->queue = s->next;
    if (!to->queue)
        to->queue_end = &to->queue;
    to->queued--;
    d->queued--;
    return s;
}

static void give_back(struct deliverer *d, struct sending *s)
{
    s->result.given_back = true;
    s->result.due_at = s->row.due_at;
    if (s->destination->drawn_to > s->row.due_at)
        s->destination->drawn_to = s->row.due_at;
    finish_add(d, s);
}

void sending_pump(struct deliverer *d, struct destination *to)
{
    while (to->queue) {
        bool held = to->health.held_until != TIME_NONE;
        if (d->dispatcher->stopping || to->status != DESTINATION_ENABLED ||
            (held && !to->probe_ours)) {
            give_back(d, take_queued(d, to));
            continue;
        }
        if (to->in_flight >= (held ? 1 : destination_window(to)))
            return;
        start(d, take_queued(d, to));
    }
}

/* Why it can't be sent at all; NULL: it can. */
static const char *hindrance(struct sending *s, const struct post_calls *calls)
{
    const struct destination *to = s->destination;
    const char *failure;
    if (s->row.lost >= LOST_MAX)
        return "abandoned";
    if (!s->row.body.p)
        return "event_missing";
    if (to->kind == DESTINATION_FUNCTION)
        return post_call_make(s, calls, &failure) == 0 ? NULL : failure;
    return to->secret_count == 0 || to->headers_unreadable ? "secret_unreadable" : NULL;
}

void sending_add(struct deliverer *d, struct destination *to, const struct drawn_delivery *row,
                 const struct post_calls *calls)
{
    struct sending *s = sending_new(d, to, row);
    const char *error = hindrance(s, calls);
    if (error) {
        failed(s, error, TIME_NONE);
        finish_add(d, s);
        return;
    }
    s->next = NULL;
    *to->queue_end = s;
    to->queue_end = &s->next;
    to->queued++;
    d->queued++;
}
