/*
 * ask.c - the requests of the call side: to carriers, to place and to find; and to our own voice
 * responder, in the simulator's name.
 *
 * Each is one matter: started here, finished by the network or at once, and queued for record.c.
 */
#include "daemon/caller_private.h"
#include "daemon/fault.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/function_run.h"
#include "sql/secrets.h"
#include <string.h>

#define CALLBACK_PATH "/v1/voice/callbacks/"
#define NOT_FOUND 404
#define ANSWER_MAX 65536  /* of a carrier's answer */
#define WORDS_MAX 262144  /* of a prompt or greeting, filled */
#define FOUND_MAX 1048576 /* of what it tells of a call, transcript included: as in a callback */

void matter_free(struct matter *m)
{
    struct pool *pool = m->pool;
    if (m->newer)
        m->newer->older = m->older;
    else
        m->caller->matters = m->older;
    if (m->older)
        m->older->newer = m->newer;
    pool_destroy(&pool);
}

static struct matter *matter_new(struct caller *c, enum matter_kind kind,
                                 const unsigned char *token)
{
    struct pool *pool;
    pool_create(&pool);
    struct matter *m = pool_new(pool, struct matter, 1);
    m->caller = c;
    m->kind = kind;
    m->pool = pool;
    m->started_at = clock_monotonic();
    m->report.duration_seconds = -1;
    m->report.at = TIME_NONE;
    memcpy(m->token, token, sizeof m->token);
    m->older = c->matters;
    if (m->older)
        m->older->newer = m;
    c->matters = m;
    return m;
}

static const char *callback_url(struct pool *pool, const char *base, const unsigned char *token)
{
    char text[ATTEMPT_TOKEN_TEXT_SIZE];
    attempt_token_format(token, text);
    return pool_printf(pool, "%s" CALLBACK_PATH "%s", base, text);
}

static const char *internal_url(const struct conf *conf)
{
    return conf->internal_url[0] ? conf->internal_url : conf->public_url;
}

/* Wall time for signatures: the peer compares it with its own clock. */
static usec_t signing_time(void)
{
    return clock_wall();
}

static int start(struct matter *m, const struct carrier_request *request, http_done_fn *done,
                 bool ours, struct err *err)
{
    struct dispatcher *d = m->caller->dispatcher;
    struct http_request http = {
        .method = request->method,
        .url = request->url,
        .body = request->body,
        .headers = request->headers,
        .header_count = request->header_count,
        .timeout = d->conf->place_timeout,
        .response_max = m->kind == MATTER_FIND ? FOUND_MAX : ANSWER_MAX,
        .fresh_connection = true,
        .connect_by = m->ask_by,
        .unguarded = ours,
    };
    if (http_start(d->client, &http, done, m, err))
        return -1;
    m->caller->asking |= m->kind == MATTER_PLACE;
    return 0;
}

/* ---- place ---- */

static void placed(void *ctx, const struct http_answer *answer)
{
    struct matter *m = ctx;
    fault_point("call_answered");
    carrier_ops(m->carrier)->read_placed(m->pool, answer, &m->report);
    record_add(m->caller, m);
}

/* What keeps a request from being made is ours or the operator's to mend; nothing was dialled. */
static void not_placed(struct matter *m, const struct err *err)
{
    char text[ID_TEXT_SIZE];
    id_format(ID_CALL, &m->call_id, text);
    log_write(LOG_WARNING, "carrier can't be asked", "call=%s error=%s", text,
              err_code_text(err->code));
    m->report.report.kind = REPORT_NOT_SENT;
    m->report.message = pool_str(m->pool, str_of(err->message));
    record_add(m->caller, m);
}

static int carrier_of(struct matter *m, enum carrier_kind kind, const struct id *carrier_id,
                      struct str url, struct str sealed, struct carrier *carrier, struct err *err)
{
    carrier->kind = kind;
    carrier->url = pool_str(m->pool, url);
    return carrier_secret(m->caller->dispatcher->keys, kind, carrier_id, sealed, m->pool,
                          &carrier->secret, err);
}

static void simulate(struct matter *m, const struct placement *p)
{
    const struct conf *conf = m->caller->dispatcher->conf;
    m->kind = MATTER_SIMULATE;
    carrier_ops(m->carrier)
        ->simulate(m->pool, p, conf->simulator_ring, conf->simulator_talk, &m->steps,
                   &m->step_count);
    m->report.report.kind = REPORT_PLACED;
    record_add(m->caller, m);
}

static bool has_names(struct str text)
{
    return text.n > 0 && memmem(text.p, text.n, "{{", 2) != NULL;
}

/* Prompt and greeting, with what is known of the call by now. What is no good template any more is
 * told as it is written. */
static void fill_words(struct pool *pool, struct placement *p)
{
    struct function_context context = {
        .call_id = p->call_id,
        .agent_id = p->agent_id,
        .attempt = p->attempt,
        .test = p->test,
        .contact_number = p->contact_number,
        .contact_name = p->contact_name,
        .contact_email = p->contact_email,
        .from_number = p->from_number,
        .agent_name = p->agent_name,
        .agent_language = p->language,
        .additional_info = p->additional_info,
        .variables = p->variables,
        .created_at = p->created_at,
        .scheduled_at = p->scheduled_at,
        .now = p->fenced_at,
        .offset_minutes = p->offset_minutes,
    };
    struct template_scope scope;
    struct err err;

    if (!has_names(p->prompt) && !has_names(p->greeting))
        return;
    if (function_scope(pool, &context, &scope, &err)) {
        log_write(LOG_ERROR, "a call's data can't be read", "message=\"%s\"", err.message);
        return;
    }
    p->prompt = template_fill(pool, p->prompt, &scope, WORDS_MAX);
    p->greeting = template_fill(pool, p->greeting, &scope, WORDS_MAX);
}

void ask_place(struct caller *c, const struct fenced_call *call, usec_t ask_by)
{
    struct matter *m = matter_new(c, MATTER_PLACE, call->placement.token);
    struct placement p = call->placement;
    struct carrier carrier;
    struct carrier_request request;
    struct err err;
    m->call_id = p.call_id;
    m->workspace_id = call->workspace_id;
    m->carrier = call->kind;
    m->ask_by = ask_by;
    if (!carrier_ops(call->kind)->place) {
        simulate(m, &p);
        return;
    }
    fill_words(m->pool, &p);
    p.callback_url = str_of(callback_url(m->pool, c->dispatcher->conf->public_url, p.token));
    if (carrier_of(m, call->kind, &call->carrier_id, call->carrier_url, call->carrier_secret_sealed,
                   &carrier, &err) ||
        carrier_ops(call->kind)->place(m->pool, &carrier, &p, signing_time(), &request, &err) ||
        start(m, &request, placed, false, &err))
        not_placed(m, &err);
}

/* ---- find ---- */

static void found(void *ctx, const struct http_answer *answer)
{
    struct matter *m = ctx;
    carrier_ops(m->carrier)->read_found(m->pool, answer, &m->report);
    record_add(m->caller, m);
}

static void copy_watched(struct matter *m, const struct watched_attempt *attempt)
{
    m->call_id = attempt->call_id;
    m->workspace_id = attempt->workspace_id;
    m->carrier = attempt->kind;
    m->watched = *attempt;
    m->watched.carrier_url = STR_NULL;
    m->watched.carrier_secret_sealed = STR_NULL;
}

/* The simulator is asked by looking whether it still has something to say. */
static void find_simulated(struct matter *m)
{
    m->report.report.kind = m->watched.steps_left ? REPORT_PLACED : REPORT_NEVER_PLACED;
    record_add(m->caller, m);
}

void ask_find(struct caller *c, const struct watched_attempt *attempt)
{
    struct matter *m = matter_new(c, MATTER_FIND, attempt->token);
    struct carrier carrier;
    struct carrier_request request;
    struct err err;
    copy_watched(m, attempt);
    if (!carrier_ops(attempt->kind)->find) {
        find_simulated(m);
        return;
    }
    if (carrier_of(m, attempt->kind, &attempt->carrier_id, attempt->carrier_url,
                   attempt->carrier_secret_sealed, &carrier, &err) ||
        carrier_ops(attempt->kind)
            ->find(m->pool, &carrier, attempt->token, signing_time(), &request, &err) ||
        start(m, &request, found, false, &err)) {
        m->report.report.kind = REPORT_UNKNOWN;
        record_add(c, m);
    }
}

void ask_left_behind(struct caller *c, const struct watched_attempt *attempt)
{
    struct matter *m = matter_new(c, MATTER_PLACE, attempt->token);
    m->call_id = attempt->call_id;
    m->workspace_id = attempt->workspace_id;
    m->carrier = attempt->kind;
    m->report.report.kind = REPORT_UNKNOWN;
    record_add(c, m);
}

/* ---- simulator steps ---- */

static void step_posted(void *ctx, const struct http_answer *answer)
{
    struct matter *m = ctx;
    bool answered = answer->outcome == HTTP_ANSWERED;
    /* An attempt that is gone needs no callback either. Anything else is tried again when the
     * step's lease has run out. */
    m->step_taken = answered && ((answer->status >= 200 && answer->status < 300) ||
                                 answer->status == NOT_FOUND);
    if (!m->step_taken)
        log_write(LOG_WARNING, "voice responder did not take a simulated callback",
                  "outcome=%s status=%d", http_outcome_text(answer->outcome), answer->status);
    record_add(m->caller, m);
}

void ask_step(struct caller *c, const struct step_row *step)
{
    const struct conf *conf = c->dispatcher->conf;
    struct matter *m = matter_new(c, MATTER_STEP, step->token);
    struct id nobody = {{0}};
    struct carrier carrier;
    struct signed_headers signature;
    struct carrier_request request = {.method = "POST"};
    struct err err;
    char id[ATTEMPT_TOKEN_TEXT_SIZE];
    m->step_id = step->step_id;
    if (carrier_of(m, CARRIER_SIMULATOR, &nobody, STR_NULL, STR_NULL, &carrier, &err)) {
        record_add(c, m);
        return;
    }
    hex_encode(step->step_id.b, sizeof step->step_id.b, id);
    request.url = callback_url(m->pool, internal_url(conf), step->token);
    request.body = pool_str(m->pool, step->body);
    request.headers[request.header_count++] = STR("Content-Type: application/json");
    signature_make(m->pool, &carrier.secret, 1, str_of(id), signing_time(), request.body,
                   &signature);
    for (size_t i = 0; i < 4; i++)
        request.headers[request.header_count++] = signature.line[i];
    if (start(m, &request, step_posted, true, &err))
        record_add(c, m);
}
