/*
 * post_call.c - see post_call.h.
 */
#include "daemon/post_call.h"

#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/function_counters.h"
#include "sql/function_runs.h"

int post_call_load(const struct dispatcher *d, struct db *db, struct destination *one,
                   struct err *err)
{
    struct workflow *read = NULL;

    if (workflow_of_function(d, db, &one->workspace_id, &one->id, &read, err) != 0) {
        if (err->code != ERR_NOT_FOUND && err->code != ERR_INTERNAL)
            return -1;
        if (err->code == ERR_INTERNAL) {
            char id[ID_TEXT_SIZE];
            id_format(ID_FUNCTION, &one->id, id);
            log_write(LOG_ERROR, "a function can't be read", "function=%s message=\"%s\"", id,
                      err->message);
        }
    }
    workflow_release(&one->workflow);
    one->workflow = read;
    return 0;
}

static bool is_function(struct deliverer *d, const struct drawn_delivery *row)
{
    return destinations_get(d->destinations, &row->destination_id)->kind == DESTINATION_FUNCTION;
}

int post_calls_read(struct deliverer *d, struct db *db, struct pool *pool,
                    const struct drawn_delivery *rows, size_t count, struct post_calls *calls_r,
                    struct err *err)
{
    struct id ids[DB_MANY_MAX];
    size_t wanted = 0;

    *calls_r = (struct post_calls){0};
    for (size_t i = 0; i < count; i++) {
        if (is_function(d, &rows[i]))
            wanted++;
    }
    if (wanted == 0)
        return 0;
    calls_r->contexts = pool_new(pool, struct call_context, wanted);
    for (size_t i = 0; i < count;) {
        struct call_context *found;
        size_t n = 0, found_count;
        for (; i < count && n < DB_MANY_MAX; i++) {
            if (is_function(d, &rows[i]))
                ids[n++] = rows[i].call_id;
        }
        if (call_contexts_read(db, pool, ids, n, &found, &found_count, err) != 0)
            return -1;
        for (size_t k = 0; k < found_count; k++)
            calls_r->contexts[calls_r->count++] = found[k];
    }
    return 0;
}

static const struct call_context *call_of(const struct post_calls *calls, const struct id *call_id)
{
    for (size_t i = 0; i < calls->count; i++) {
        if (id_eq(&calls->contexts[i].function.call_id, call_id))
            return &calls->contexts[i];
    }
    return NULL;
}

static void begin_run(struct sending *s)
{
    unsigned char random[10];
    struct function_run *run = pool_new(s->pool, struct function_run, 1);

    crypto_random(random, sizeof random);
    *run = (struct function_run){
        .run_id = id_make(s->started_at, random),
        .workspace_id = s->workflow->workspace_id,
        .call_id = s->row.call_id,
        .function_id = s->workflow->functions->function_id,
        .phase = PHASE_POST_CALL,
        .attempt = s->row.attempts + 1,
        .tried = 1,
        .started_at = s->started_at,
    };
    s->result.run = run;
}

static void take(struct sending *s, const struct function_request *request,
                 const struct function_outcome *outcome)
{
    function_run_take(s->result.run, request, outcome);
    function_counters_add(s->deliverer->dispatcher->runs, PHASE_POST_CALL, s->result.run->error);
}

int post_call_make(struct sending *s, const struct post_calls *calls, const char **failure_r)
{
    const struct call_context *call = call_of(calls, &s->row.call_id);
    struct function_outcome outcome;
    struct err err;

    *failure_r = "function_missing";
    if (!s->destination->workflow)
        return -1;
    *failure_r = "call_missing";
    if (!call)
        return -1;
    pool_create(&s->pool);
    s->workflow = workflow_keep(s->destination->workflow);
    begin_run(s);
    /* Every attempt sees the moment of the event, so that all send the same; each is signed anew.
     */
    struct call_context then = *call;
    call_context_at(&then, s->row.event_created_at);
    then.function.signed_at = s->started_at;
    if (function_request_make(s->pool, s->workflow->functions, &then.function, STR_NULL,
                              s->workflow->secrets, s->workflow->secret_count, &s->request,
                              &err) == 0)
        return 0;
    enum run_error failure = function_request_failure(s->workflow->functions);
    *failure_r = run_error_text(failure);
    function_not_sent(s->pool, failure, err.message, &outcome);
    take(s, NULL, &outcome);
    return -1;
}

void post_call_not_sent(struct sending *s, const char *why)
{
    struct function_outcome outcome;

    function_not_sent(s->pool, RUN_NOT_SENT, why, &outcome);
    take(s, &s->request, &outcome);
}

bool post_call_answered(struct sending *s, const struct http_answer *answer)
{
    struct function_outcome outcome;

    function_answer_read(s->pool, s->workflow->functions, answer, &outcome);
    s->result.run->started_at = s->started_at;
    take(s, &s->request, &outcome);
    return outcome.error == RUN_GOOD;
}
