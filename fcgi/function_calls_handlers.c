/*
 * function_calls_handlers.c - functions that a voice engine calls in the middle of a conversation.
 * In the voice program alone, so that slow servers of customers' hold up none of the API's
 * processes.
 */
#include "fcgi/function_arguments.h"
#include "fcgi/function_call.h"
#include "fcgi/member.h"
#include "lib/base/log.h"
#include "lib/rules/call_request.h"
#include "sql/call_contexts.h"
#include "sql/functions.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

struct call_fields {
    const struct json *arguments;
};
static const struct field call_fields[] = {{FIELD(JSON, struct call_fields, arguments)}};

static int find_function(struct responder *rs, struct request *rq, const struct id *agent_id,
                         struct str name, const struct function **function_r, struct err *err)
{
    struct function *functions;
    size_t count;

    if (functions_to_run(rs->db, rq->pool, rs->ring, agent_id, PHASE_DURING_CALL, &functions,
                         &count, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(functions[i].name, name)) {
            *function_r = &functions[i];
            return 0;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "The call's agent has no such function for during a call.");
}

static int find_call(struct responder *rs, struct request *rq, struct call_context *context_r,
                     const struct function **function_r, struct err *err)
{
    struct id call_id;

    if (id_parse(ID_CALL, rq->match.args[0], &call_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such call.");
    if (call_context_get(rs->db, rq->pool, &rq->who->workspace_id, &call_id, context_r, err) != 0 ||
        find_function(rs, rq, &context_r->function.agent_id, rq->match.args[1], function_r, err) !=
            0)
        return -1;
    if (context_r->status != CALL_IN_PROGRESS)
        return err_set(err, ERR_CONFLICT, "The call is not in progress: it is %s.",
                       call_status_text(context_r->status));
    return 0;
}

/* A caller's Idempotency-Key makes the function's one: who repeats a request that broke does not
 * book twice, if the function heeds it. */
static int read_key(struct request *rq, struct str *key_r, struct err *err)
{
    *key_r = STR_NULL;
    if (rq->param[PARAM_IDEMPOTENCY_KEY].p == NULL)
        return 0;
    return idempotency_key_read(rq->pool, rq->param[PARAM_IDEMPOTENCY_KEY], key_r, err);
}

/* What is too much to keep is told like any other failure. What can't be kept now is told as not
 * kept: an error would make who called repeat what was done. */
static void save(struct responder *rs, struct request *rq, const struct id *call_id,
                 struct function_outcome *outcome)
{
    char id[ID_TEXT_SIZE];
    struct err err;

    if (outcome->error != RUN_GOOD || outcome->saved.p == NULL ||
        call_variables_save(rs->db, call_id, outcome->saved, &err) == 0)
        return;
    if (err.code == ERR_TOO_LARGE) {
        function_not_sent(rq->pool, RUN_SAVE_TOO_LARGE, err.message, outcome);
        return;
    }
    id_format(ID_CALL, call_id, id);
    log_write(LOG_WARNING, "variables of a call were not saved", "call=%s error=\"%s\"", id,
              err.message);
    outcome->saved = STR_NULL;
}

static void write_outcome(struct buf *b, const struct function *function,
                          const struct function_run *run, const struct function_outcome *outcome)
{
    bool good = outcome->error == RUN_GOOD;

    buf_lit(b, "{\"data\":");
    object_begin(b, "run_id", ID_RUN, &run->run_id);
    member_json(b, "result", good ? outcome->result : STR_NULL);
    member_json(b, "saved", good && outcome->saved.p != NULL ? outcome->saved : STR("{}"));
    if (good) {
        member_null(b, "error");
    } else {
        buf_lit(b, ",\"error\":{\"code\":");
        buf_json(b, str_of(run_error_text(outcome->error)));
        buf_lit(b, ",\"message\":");
        buf_json(b, outcome->detail);
        buf_char(b, '}');
    }
    member_text(b, "say",
                good || function->say_on_error.n == 0 ? STR_NULL : function->say_on_error);
    buf_lit(b, "}}");
}

static int run_in_call(struct responder *rs, struct request *rq, const struct json *given,
                       const struct function *function, struct call_context *context,
                       struct function_run *run_r, struct function_outcome *outcome_r,
                       struct err *err)
{
    struct json *arguments;
    struct str key;

    if (function_arguments_read(rq->pool, given, &arguments, err) != 0 ||
        function_arguments_check(rq->pool, function, arguments, err) != 0 ||
        read_key(rq, &key, err) != 0)
        return -1;
    context->function.arguments = function_argument_text(rq->pool, arguments);
    struct function_call call = {.function = function,
                                 .context = &context->function,
                                 .workspace_id = rq->who->workspace_id,
                                 .of_call = true,
                                 .key = key,
                                 .time_most = rs->conf->during_call_timeout};
    return function_call(rs, rq->pool, &call, run_r, outcome_r, err);
}

int call_function(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct call_fields fields = {NULL};
    const struct function *function = NULL;
    struct function_outcome outcome;
    struct call_context context;
    struct fields_seen seen;
    struct function_run run;

    if (find_call(rs, rq, &context, &function, err) != 0)
        return -1;
    if (rq->json != NULL &&
        fields_read(rq->json, call_fields, COUNT(call_fields), false, &fields, &seen, err) != 0)
        return -1;
    if (function_call_enter(rs, &rq->who->workspace_id, err) != 0)
        return -1;
    int result = run_in_call(rs, rq, fields.arguments, function, &context, &run, &outcome, err);
    function_call_leave(rs);
    if (result != 0)
        return -1;
    save(rs, rq, &context.function.call_id, &outcome);
    write_outcome(&an->body, function, &run, &outcome);
    return 0;
}
