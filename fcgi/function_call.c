/*
 * function_call.c - one try after another, as the rules say, within one deadline.
 */
#include "fcgi/function_call.h"
#include "fcgi/customer_url.h"
#include "lib/base/http.h"
#include "lib/base/log.h"
#include "lib/base/tickets.h"
#include "sql/erasure.h"
#include "sql/function_counters.h"
#include "sql/ids.h"
#include "sql/signing.h"

#define TRIES_MOST (FUNCTION_RETRIES_MAX + 1)

/* What the tries of one call share. */
struct calling {
    struct responder *rs;
    struct pool *pool;
    const struct function_call *call;
    struct function_request request;
    struct function_run runs[TRIES_MOST];
    size_t count;
    usec_t deadline; /* monotonic */
};

struct function_caller {
    struct pool *pool; /* its own; holds it and the guard, too */
    struct http_client *client;
    struct url_guard *guard;
    struct tickets tickets; /* of functions that run at once */
};

static void close_caller(struct function_caller **caller)
{
    struct function_caller *c = *caller;
    struct pool *pool = c->pool;

    *caller = NULL;
    http_client_destroy(&c->client);
    tickets_close(&c->tickets);
    pool_destroy(&pool);
}

/* Opened by the first request that a process sends: most processes never do. */
static int open_caller(struct responder *rs, struct err *err)
{
    struct pool *pool;

    if (rs->caller != NULL)
        return 0;
    pool_create(&pool);
    struct function_caller *c = pool_new(pool, struct function_caller, 1);
    c->pool = pool;
    if (customer_url_guard(rs->conf, pool, &c->guard, err) != 0) {
        pool_destroy(&pool);
        return -1;
    }
    struct http_client_conf conf = {
        .guard = url_guard_address,
        .guard_ctx = c->guard,
        .user_agent = "HuskyVoice/" HV_VERSION,
        .hosts_file = rs->conf->hosts_file,
    };
    if (http_client_create(&c->client, &conf, err) != 0) {
        pool_destroy(&pool);
        return -1;
    }
    tickets_open(&c->tickets, rs->conf->runtime_dir, "functions");
    rs->caller = c;
    rs->close_caller = close_caller;
    return 0;
}

/* Slow servers of customers' must leave processes for carriers' callbacks. */
int function_call_enter(struct responder *rs, const struct id *workspace_id, struct err *err)
{
    if (open_caller(rs, err) != 0)
        return -1;
    if (tickets_take(&rs->caller->tickets, workspace_id->b, sizeof(workspace_id->b),
                     (size_t)rs->conf->functions_at_once_max,
                     (size_t)rs->conf->functions_workspace_max))
        return 0;
    return err_set(err, ERR_RATE_LIMITED, "Too many functions run at once. Please retry.");
}

void function_call_leave(struct responder *rs)
{
    tickets_give_back(&rs->caller->tickets);
}

static struct function_run *begin_run(struct calling *c)
{
    const struct function_call *call = c->call;
    struct function_run *run = &c->runs[c->count++];

    *run = (struct function_run){
        .run_id = id_new(),
        .workspace_id = call->workspace_id,
        .function_id = call->function->function_id,
        .phase = (enum function_phase)call->function->phase,
        .attempt = call->context->attempt,
        .tried = (int64_t)c->count,
        .trial = call->trial,
        .started_at = clock_wall(),
        .function_name = call->function->name,
    };
    if (call->of_call)
        run->call_id = call->context->call_id;
    return run;
}

static usec_t least(usec_t a, usec_t b)
{
    return a < b ? a : b;
}

static void send_once(struct calling *c, struct function_outcome *outcome_r)
{
    const struct function *f = c->call->function;
    usec_t left = c->deadline - clock_monotonic();
    struct http_answer answer;
    struct err err;

    if (left <= 0) {
        function_not_sent(c->pool, RUN_NO_TIME, "There was no time left.", outcome_r);
        return;
    }
    struct http_request request = {
        .method = c->request.method,
        .url = c->request.url,
        .body = c->request.body,
        .headers = c->request.headers,
        .header_count = c->request.header_count,
        .timeout = least(f->timeout_ms * USEC_PER_MS, left),
        .response_max = FUNCTION_RESPONSE_MAX + 1,
        .fresh_connection = f->method != FUNCTION_GET,
    };
    if (http_once(c->rs->caller->client, &request, c->pool, &answer, &err) != 0) {
        function_not_sent(c->pool, RUN_NOT_SENT, err.message, outcome_r);
        return;
    }
    function_answer_read(c->pool, f, &answer, outcome_r);
}

/* The request is the same for each try, and so is its key. -1: err says that nothing could be
 * sent; a template that failed is an outcome. */
static int make_request(struct calling *c, const struct id *run_id,
                        struct function_outcome *outcome_r, bool *made_r, struct err *err)
{
    const struct function_call *call = c->call;
    struct str key = call->key, *secrets;
    size_t secret_count;

    if (key.p == NULL) {
        char *text = pool_alloc(c->pool, ID_TEXT_SIZE);
        id_format(ID_RUN, run_id, text);
        key = str_of(text);
    }
    if (signing_secrets(c->rs->db, c->pool, c->rs->ring, &call->workspace_id, &secrets,
                        &secret_count, err) != 0)
        return -1;
    *made_r = function_request_make(c->pool, call->function, call->context, key, secrets,
                                    secret_count, &c->request, err) == 0;
    if (*made_r)
        return 0;
    if (err->code != ERR_INVALID && err->code != ERR_TOO_LARGE && !call->function->headers_lost)
        return -1;
    function_not_sent(c->pool, function_request_failure(call->function), err->message, outcome_r);
    return 0;
}

/* It stands there before it leaves: who dies meanwhile leaves a run that says so. */
static int announce(struct calling *c, struct function_run *run, struct err *err)
{
    struct function_outcome outcome;

    function_not_sent(c->pool, RUN_INTERRUPTED, "How it ended was not recorded.", &outcome);
    function_run_take(run, &c->request, &outcome);
    return function_runs_insert(c->rs->db, run, 1, err);
}

static int run_tries(struct calling *c, struct function_outcome *outcome_r, struct err *err)
{
    struct function_run *run = begin_run(c);
    usec_t wait;
    bool made;

    if (make_request(c, &run->run_id, outcome_r, &made, err) != 0)
        return -1;
    if (!made) {
        function_run_take(run, NULL, outcome_r);
        return 0;
    }
    if (announce(c, run, err) != 0)
        return -1;
    for (;;) {
        send_once(c, outcome_r);
        function_run_take(run, &c->request, outcome_r);
        wait = c->count == TRIES_MOST
                   ? TIME_NONE
                   : function_retry_wait(c->call->function, outcome_r, (unsigned)c->count,
                                         c->deadline - clock_monotonic());
        if (wait == TIME_NONE)
            return 0;
        clock_sleep(wait);
        run = begin_run(c);
    }
}

/* What others have said may be what the database refuses. */
static int insert_runs(struct calling *c, struct err *err)
{
    int failed = function_runs_insert(c->rs->db, c->runs, c->count, err);

    if (failed == 0 || err->code != ERR_INTERNAL)
        return failed;
    for (size_t i = 0; i < c->count; i++)
        function_run_strip(&c->runs[i]);
    return function_runs_insert(c->rs->db, c->runs, c->count, err);
}

static void record(struct calling *c)
{
    char id[ID_TEXT_SIZE];
    struct err err;

    for (size_t i = 0; i < c->count; i++)
        function_counters_add(c->rs->runs, c->runs[i].phase, c->runs[i].error);
    /* the contact may have been erased meanwhile */
    if (insert_runs(c, &err) == 0 &&
        (!c->call->of_call || erase_runs(c->rs->db, &c->call->context->call_id, 1, &err) == 0))
        return;
    id_format(ID_FUNCTION, &c->call->function->function_id, id);
    log_write(LOG_WARNING, "runs of a function were not recorded", "function=%s error=\"%s\"", id,
              err.message);
}

int function_call(struct responder *rs, struct pool *pool, const struct function_call *call,
                  struct function_run *run_r, struct function_outcome *outcome_r, struct err *err)
{
    struct calling c = {
        .rs = rs, .pool = pool, .call = call, .deadline = clock_monotonic() + call->time_most};

    int result = run_tries(&c, outcome_r, err);
    function_call_leave(rs);
    if (result != 0)
        return -1;
    record(&c);
    *run_r = c.runs[c.count - 1];
    return 0;
}
