/*
 * prepare.c - runs the pre-call functions of claimed calls, in the agent's order, within the budget
 * of the claim.
 *
 * Nothing of it is kept but in memory until it is written: a dispatcher that dies lets the claim
 * run out, and the functions run again, under the same Idempotency-Key.
 */
#include "daemon/prepare_private.h"

#include "daemon/fault.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/list.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_MAX (5 * USEC_PER_MS)

static void go_on_lane_run(struct lane *lane, void *ctx);

void preparer_create(struct preparer **preparer_r, struct dispatcher *dispatcher)
{
    struct preparer *p = mem_alloc(sizeof *p);

    p->dispatcher = dispatcher;
    p->finished_end = &p->finished;
    seats_init(&p->seats);
    p->go_on_lane = loop_add_lane(dispatcher->loop, "prepare", go_on_lane_run, p);
    for (size_t i = 0; i < PREPARED_LANES; i++)
        p->prepared_lanes[i] = loop_add_lane(dispatcher->loop, "prepared", prepared_lane_run, p);
    *preparer_r = p;
}

static void free_list(struct preparation *list)
{
    while (list) {
        struct preparation *one = list;
        list = one->next;
        preparation_free(one);
    }
}

void preparer_destroy(struct preparer **preparer)
{
    struct preparer *p = *preparer;

    if (!p)
        return;
    free_list(p->finished);
    free_list(p->waiting);
    while (p->under_way) {
        struct preparation *one = p->under_way;
        p->under_way = one->older;
        preparation_free(one);
    }
    seats_deinit(&p->seats);
    free(p);
    *preparer = NULL;
}

bool preparer_settled(const struct preparer *p)
{
    return p->seats.taken == 0;
}

void preparer_look(struct preparer *p)
{
    lane_poke(p->go_on_lane);
    for (size_t i = 0; i < PREPARED_LANES; i++)
        lane_poke(p->prepared_lanes[i]);
}

size_t preparer_room(const struct preparer *p, const struct id *workspace_id)
{
    const struct conf *conf = p->dispatcher->conf;

    return seats_free_for(&p->seats, workspace_id, (size_t)conf->pre_call_in_flight_max,
                          (size_t)conf->pre_call_workspace_max);
}

void preparation_free(struct preparation *one)
{
    struct pool *pool = one->pool;

    seats_give_back(&one->preparer->seats, &one->workflow->workspace_id);
    workflow_release(&one->workflow);
    pool_destroy(&pool);
}

/* ---- one function after another ---- */

static struct function *function_at(const struct preparation *one)
{
    return &one->workflow->functions[one->at];
}

static void add_run(struct preparation *one, const struct function_request *request,
                    const struct function_outcome *outcome)
{
    const struct function *function = function_at(one);

    struct function_run *run = LIST_NEXT(one->pool, &one->runs, &one->run_count, &one->run_room);
    unsigned char random[10];
    *run = (struct function_run){
        .workspace_id = one->workflow->workspace_id,
        .call_id = one->context.call_id,
        .function_id = function->function_id,
        .phase = PHASE_PRE_CALL,
        .attempt = one->context.attempt,
        .tried = one->tries,
        .started_at = one->started_at + one->clock_offset,
    };
    crypto_random(random, sizeof random);
    run->run_id = id_make(run->started_at, random);
    function_run_take(run, request, outcome);
}

static void refuse(struct preparation *one, enum call_error refusal, struct str message)
{
    one->refusal = refusal;
    one->message = message;
}

static struct str failure_message(const struct preparation *one)
{
    return str_of(pool_printf(one->pool, "The pre-call function %.*s failed.",
                              STR_ARG(function_at(one)->name)));
}

/* It has failed for good: what its owner wants then. */
static void give_up(struct preparation *one)
{
    switch ((enum function_on_error)function_at(one)->on_error) {
    case ON_ERROR_CONTINUE:
    case FUNCTION_ON_ERROR_COUNT:
        return;
    case ON_ERROR_ABORT:
        refuse(one, CALL_ERROR_AGENT_ERROR, failure_message(one));
        return;
    case ON_ERROR_DISALLOW:
        refuse(one, CALL_ERROR_PRE_CALL_REJECTED, failure_message(one));
        return;
    }
}

/* The function's turn is over, as it went. */
static void conclude(struct preparation *one, struct function_outcome *outcome)
{
    struct str merged = STR_NULL;
    struct err err;

    if (outcome->error == RUN_GOOD &&
        variables_merge(one->pool, one->context.variables, outcome->saved, &merged, &err) != 0) {
        outcome->error = RUN_SAVE_TOO_LARGE;
        outcome->detail = pool_str(one->pool, str_of(err.message));
    }
    add_run(one, &one->request, outcome);
    if (outcome->error != RUN_GOOD) {
        give_up(one);
    } else {
        one->context.variables = merged;
        if (outcome->rejected)
            refuse(one, CALL_ERROR_PRE_CALL_REJECTED, STR_NULL);
    }
    one->at++;
    one->tries = 0;
}

static void answered(void *ctx, const struct http_answer *answer);

/* Sends the request of the function whose turn it is. false: it could not be, *outcome_r says why.
 */
static bool send_request(struct preparation *one, struct function_outcome *outcome_r)
{
    struct preparer *p = one->preparer;
    const struct function *function = function_at(one);
    struct str key = str_of(pool_printf(one->pool, "%u", one->context.attempt));
    struct err err;

    one->started_at = clock_monotonic();
    one->tries++;
    one->request = (struct function_request){0};
    one->context.now = one->context.signed_at = one->started_at + one->clock_offset;
    if (one->started_at >= one->deadline) {
        function_not_sent(one->pool, RUN_NO_TIME, "The time for all pre-call functions was over.",
                          outcome_r);
        return false;
    }
    if (function_request_make(one->pool, function, &one->context, key, one->workflow->secrets,
                              one->workflow->secret_count, &one->request, &err) != 0) {
        function_not_sent(one->pool, function_request_failure(function), err.message, outcome_r);
        return false;
    }
    usec_t left = one->deadline - one->started_at;
    usec_t timeout = function->timeout_ms * USEC_PER_MS;
    struct http_request request = {
        .method = one->request.method,
        .url = one->request.url,
        .body = one->request.body,
        .headers = one->request.headers,
        .header_count = one->request.header_count,
        .timeout = timeout < left ? timeout : left,
        .response_max = FUNCTION_RESPONSE_MAX + 1,
        .fresh_connection = function->method != FUNCTION_GET,
    };
    if (http_start(p->dispatcher->client, &request, answered, one, &err) != 0) {
        function_not_sent(one->pool, RUN_NOT_SENT, err.message, outcome_r);
        return false;
    }
    one->newer = NULL;
    one->older = p->under_way;
    if (one->older)
        one->older->newer = one;
    p->under_way = one;
    return true;
}

/* Goes on as far as it can without waiting. */
static void go_on(struct preparation *one)
{
    struct function_outcome outcome;

    while (one->at < one->workflow->function_count && one->refusal == CALL_ERROR_NONE) {
        if (send_request(one, &outcome)) {
            fault_point("pre_call_sent");
            return;
        }
        conclude(one, &outcome);
    }
    prepared_add(one->preparer, one);
}

/* The lane for it goes on with it then. */
static void go_on_after(struct preparation *one, usec_t wait)
{
    struct preparer *p = one->preparer;

    one->again_at = clock_monotonic() + wait;
    one->next = p->waiting;
    p->waiting = one;
    lane_poke(p->go_on_lane);
}

static void answered(void *ctx, const struct http_answer *answer)
{
    struct preparation *one = ctx;
    struct preparer *p = one->preparer;
    struct function_outcome outcome;

    if (one->newer)
        one->newer->older = one->older;
    else
        p->under_way = one->older;
    if (one->older)
        one->older->newer = one->newer;
    fault_point("pre_call_answered");
    function_answer_read(one->pool, function_at(one), answer, &outcome);
    usec_t wait = TIME_NONE;
    if (outcome.error != RUN_GOOD)
        wait = function_retry_wait(function_at(one), &outcome, one->tries,
                                   one->deadline - clock_monotonic());
    if (wait != TIME_NONE) {
        add_run(one, &one->request, &outcome);
        go_on_after(one, wait);
        return;
    }
    conclude(one, &outcome);
    go_on(one);
}

/* ---- the lane that begins, and knows when to try again ---- */

/* The one whose time came first, or NULL; *next_r is when the next one's comes. */
static struct preparation *take_due(struct preparer *p, usec_t *next_r)
{
    struct preparation **first = NULL;

    *next_r = TIME_NEVER;
    /* Of equals the last in the list was put there first. */
    for (struct preparation **at = &p->waiting; *at; at = &(*at)->next) {
        if (!first || (*at)->again_at <= (*first)->again_at)
            first = at;
    }
    if (!first)
        return NULL;
    struct preparation *one = *first;
    *next_r = one->again_at;
    if (one->again_at > clock_monotonic())
        return NULL;
    *first = one->next;
    return one;
}

/* To make a request may take a while, when its owner wants it long: the network and other lanes
 * have their turns in between. */
static void go_on_lane_run(struct lane *lane, void *ctx)
{
    struct preparer *p = ctx;

    while (!p->dispatcher->quit) {
        usec_t began = clock_monotonic(), next = began;
        while (clock_monotonic() - began < ROUND_MAX) {
            struct preparation *one = take_due(p, &next);
            if (!one)
                break;
            go_on(one);
        }
        lane_sleep(lane, next);
    }
}

/* ---- beginning ---- */

static int read_contexts(struct db *db, struct pool *pool, const struct fence_result *drawn,
                         struct call_context **contexts_r, size_t *count_r, struct err *err)
{
    struct id ids[DB_MANY_MAX];

    for (size_t i = 0; i < drawn->prepare_count; i++)
        ids[i] = drawn->to_prepare[i].call.placement.call_id;
    return call_contexts_read(db, pool, ids, drawn->prepare_count, contexts_r, count_r, err);
}

static const struct call_to_prepare *claim_of(const struct fence_result *drawn,
                                              const struct id *call_id)
{
    for (size_t i = 0; i < drawn->prepare_count; i++) {
        if (id_eq(&drawn->to_prepare[i].call.placement.call_id, call_id))
            return &drawn->to_prepare[i];
    }
    die("a call that was not asked for");
}

static struct preparation *begin(struct preparer *p, struct workflow *w,
                                 const struct call_context *context,
                                 const struct call_to_prepare *claimed)
{
    usec_t now = clock_monotonic();
    struct pool *pool;

    pool_create(&pool);
    struct preparation *one = pool_new(pool, struct preparation, 1);
    one->pool = pool;
    one->preparer = p;
    one->workflow = workflow_keep(w);
    one->context = context->function;
    one->context.attempt = claimed->call.placement.attempt;
    one->prepare_fence = claimed->prepare_fence;
    one->clock_offset = context->function.now - now;
    one->deadline = now + p->dispatcher->conf->pre_call_budget;
    seats_take(&p->seats, &w->workspace_id);
    return one;
}

/* The operator's to mend, a lost key for example: the calls are claimed again when the claim has
 * run out, and nobody else's wait. */
static int leave(const struct id *agent_id, const struct err *err)
{
    char id[ID_TEXT_SIZE];

    id_format(ID_AGENT, agent_id, id);
    log_write(LOG_ERROR, "an agent's functions can't be read; its calls wait",
              "agent=%s message=\"%s\"", id, err->message);
    return 0;
}

int preparer_start(struct preparer *p, struct db *db, const struct id *agent_id,
                   const struct fence_result *drawn, struct err *err)
{
    struct workflow *w;
    struct call_context *contexts;
    size_t count;

    if (drawn->prepare_count == 0)
        return 0;
    fault_point("prepare_claimed");
    if (workflow_of_agent(p->dispatcher, db, &drawn->workspace_id, agent_id, PHASE_PRE_CALL, &w,
                          err) != 0)
        return err->code == ERR_INTERNAL ? leave(agent_id, err) : -1;
    if (read_contexts(db, w->pool, drawn, &contexts, &count, err) != 0) {
        workflow_release(&w);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        go_on_after(begin(p, w, &contexts[i], claim_of(drawn, &contexts[i].function.call_id)), 0);
    workflow_release(&w);
    return 0;
}
