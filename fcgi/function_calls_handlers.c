/*
 * function_calls_handlers.c - functions that are run while somebody waits: those that a voice
 * engine calls in the middle of a conversation, and try-outs. In the voice program alone, so that
 * slow servers of customers' hold up none of the API's processes.
 */
#include "fcgi/function_call.h"
#include "fcgi/function_json.h"
#include "fcgi/member.h"
#include "lib/base/log.h"
#include "lib/rules/call_request.h"
#include "lib/rules/schema.h"
#include "sql/agents.h"
#include "sql/call_contexts.h"
#include "sql/functions.h"
#include "sql/ids.h"
#include "sql/workspaces.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static struct str written(struct pool *pool, const struct json *value)
{
    struct buf b;

    if (value == NULL)
        return STR_NULL;
    buf_init(&b, 1024 * 1024);
    json_write(&b, value);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

/* An object, or the text of one, as models give it (function.arguments of chat completions);
 * nothing is an empty one. */
static int read_arguments(struct request *rq, const struct json *given, struct json **arguments_r,
                          struct err *err)
{
    struct str text = given == NULL ? STR("{}") : json_str(given);

    if (text.p == NULL)
        text = written(rq->pool, given);
    else if (text.n == 0)
        text = STR("{}");
    if (json_parse(rq->pool, text, arguments_r, err) != 0)
        return err_prefix(err, "arguments");
    if (json_type(*arguments_r) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "arguments must be an object, or the text of one.");
    return 0;
}

static int check_arguments(struct request *rq, const struct function *function,
                           const struct json *arguments, struct err *err)
{
    struct json *schema;

    if (function->parameters.p == NULL)
        return 0;
    if (json_parse(rq->pool, function->parameters, &schema, err) != 0) {
        err->code = ERR_INTERNAL;
        return err_prefix(err, "stored parameters");
    }
    return schema_validate(schema, arguments, "arguments", err);
}

/* ---- during a call ---- */

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

    if (read_arguments(rq, given, &arguments, err) != 0 ||
        check_arguments(rq, function, arguments, err) != 0 || read_key(rq, &key, err) != 0)
        return -1;
    context->function.arguments = written(rq->pool, arguments);
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

/* ---- try-outs ---- */

struct try_fields {
    struct str call_id;
    const struct json *sample, *arguments;
};
static const struct field try_fields[] = {
    {FIELD(TEXT, struct try_fields, call_id), .min = 1, .max = 100},
    {FIELD(JSON, struct try_fields, sample)},
    {FIELD(JSON, struct try_fields, arguments)},
};

struct sample_fields {
    const struct json *contact, *info, *vars, *result;
};
static const struct field sample_fields[] = {
    {FIELD(JSON, struct sample_fields, contact)},
    {FIELD(JSON, struct sample_fields, info)},
    {FIELD(JSON, struct sample_fields, vars)},
    {FIELD(JSON, struct sample_fields, result)},
};

static const struct field contact_fields[] = {
    {.name = "number",
     .type = FIELD_TEXT,
     .max = 20,
     .offset = offsetof(struct function_context, contact_number)},
    {.name = "name",
     .type = FIELD_TEXT,
     .max = 200,
     .nullable = true,
     .offset = offsetof(struct function_context, contact_name)},
    {.name = "email",
     .type = FIELD_TEXT,
     .max = 254,
     .nullable = true,
     .offset = offsetof(struct function_context, contact_email)},
};

static const char *const result_statuses[] = {"completed", "failed", NULL};
struct result_fields {
    int status;
    struct str outcome, summary;
    int64_t duration_seconds;
};
static const struct field result_fields[] = {
    {FIELD(CHOICE, struct result_fields, status), .choices = result_statuses},
    {FIELD(TEXT, struct result_fields, outcome), .nullable = true, .max = 200},
    {FIELD(LINES, struct result_fields, summary), .nullable = true, .max = 10000},
    {FIELD(INT, struct result_fields, duration_seconds), .nullable = true, .max = 86400},
};

static int must_be_object(const struct json *value, const char *name, struct err *err)
{
    if (value == NULL || json_type(value) == JSON_OBJECT)
        return 0;
    return err_set(err, ERR_INVALID, "%s must be an object.", name);
}

static int read_result(const struct json *value, bool post, struct function_context *context,
                       struct err *err)
{
    struct result_fields f = {0, STR_NULL, STR_NULL, -1};
    struct fields_seen seen;

    if (value != NULL && !post)
        return err_set(err, ERR_INVALID, "sample.result is for post_call functions.");
    if (value != NULL &&
        fields_read(value, result_fields, COUNT(result_fields), false, &f, &seen, err) != 0)
        return err_prefix(err, "sample.result");
    context->result.known = post;
    context->result.status = str_of(result_statuses[f.status]);
    context->result.outcome = f.outcome;
    context->result.summary = f.summary;
    context->result.transcript = STR_NULL;
    context->result.duration_seconds = f.duration_seconds;
    return 0;
}

static int read_sample(struct request *rq, const struct json *sample, bool post,
                       struct function_context *context, struct err *err)
{
    struct sample_fields f = {NULL, NULL, NULL, NULL};
    struct fields_seen seen;

    if (must_be_object(sample, "sample", err) != 0)
        return -1;
    if (sample != NULL &&
        fields_read(sample, sample_fields, COUNT(sample_fields), false, &f, &seen, err) != 0)
        return err_prefix(err, "sample");
    if (must_be_object(f.contact, "sample.contact", err) != 0 ||
        must_be_object(f.info, "sample.info", err) != 0 ||
        must_be_object(f.vars, "sample.vars", err) != 0 ||
        must_be_object(f.result, "sample.result", err) != 0)
        return -1;
    if (f.contact != NULL && fields_read(f.contact, contact_fields, COUNT(contact_fields), false,
                                         context, &seen, err) != 0)
        return err_prefix(err, "sample.contact");
    context->additional_info = written(rq->pool, f.info);
    context->variables = written(rq->pool, f.vars);
    return read_result(f.result, post, context, err);
}

/* A call that nobody made. */
static int sample_context(struct responder *rs, struct request *rq, const struct json *sample,
                          const struct function *function, struct call_context *context_r,
                          struct err *err)
{
    struct workspace_view workspace;
    struct agent_row agent;
    struct function_context *f = &context_r->function;

    *context_r = (struct call_context){.workspace_id = rq->who->workspace_id};
    if (agents_get(rs->db, rq->pool, &rq->who->workspace_id, &function->agent_id, &agent, err) !=
            0 ||
        workspaces_get(rs->db, rq->pool, &rq->who->workspace_id, &workspace, err) != 0)
        return -1;
    usec_t now = clock_wall();
    f->call_id = id_new();
    f->agent_id = function->agent_id;
    f->attempt = 1;
    f->test = true;
    f->contact_number = STR("+919876543210");
    f->contact_name = f->contact_email = STR_NULL;
    f->from_number = agent.set.from_number;
    f->agent_name = agent.set.name;
    f->agent_language = agent.set.language;
    f->created_at = f->scheduled_at = now;
    f->arguments = STR_NULL;
    context_r->time_zone = workspace.set.time_zone;
    call_context_at(context_r, now);
    return read_sample(rq, sample, function->phase == PHASE_POST_CALL, f, err);
}

static int try_context(struct responder *rs, struct request *rq, const struct try_fields *fields,
                       const struct function *function, struct call_context *context_r,
                       struct err *err)
{
    struct id call_id;

    if (fields->call_id.p == NULL)
        return sample_context(rs, rq, fields->sample, function, context_r, err);
    if (fields->sample != NULL)
        return err_set(err, ERR_INVALID, "Either call_id or sample may be given, not both.");
    if (id_parse(ID_CALL, fields->call_id, &call_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "call_id: no such call.");
    return call_context_get(rs->db, rq->pool, &rq->who->workspace_id, &call_id, context_r, err);
}

static void write_trial(struct buf *b, struct pool *pool, const struct function_run *run,
                        const struct function_outcome *outcome)
{
    buf_lit(b, "{\"data\":");
    function_run_json_begin(b, pool, run);
    member_json(b, "result", outcome->error == RUN_GOOD ? outcome->result : STR_NULL);
    member_bool(b, "rejected", outcome->rejected);
    buf_lit(b, "}}");
}

static int run_trial(struct responder *rs, struct request *rq, const struct try_fields *fields,
                     struct function *function, struct function_run *run_r,
                     struct function_outcome *outcome_r, struct err *err)
{
    struct call_context context;
    struct json *arguments;

    if (read_arguments(rq, fields->arguments, &arguments, err) != 0 ||
        check_arguments(rq, function, arguments, err) != 0 ||
        try_context(rs, rq, fields, function, &context, err) != 0)
        return -1;
    context.function.arguments = written(rq->pool, arguments);
    function->retries = 0; /* the first answer is what the owner wants to see */
    struct function_call call = {.function = function,
                                 .context = &context.function,
                                 .workspace_id = rq->who->workspace_id,
                                 .of_call = fields->call_id.p != NULL,
                                 .trial = true,
                                 .key = STR_NULL,
                                 .time_most = function->timeout_ms * USEC_PER_MS};
    return function_call(rs, rq->pool, &call, run_r, outcome_r, err);
}

int function_try(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct try_fields fields = {STR_NULL, NULL, NULL};
    struct function_outcome outcome;
    struct fields_seen seen;
    struct function function;
    struct function_run run;
    struct id function_id;

    if (id_parse(ID_FUNCTION, rq->match.args[0], &function_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such function.");
    if (functions_get(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &function_id, &function,
                      err) != 0)
        return -1;
    if (rq->json != NULL &&
        fields_read(rq->json, try_fields, COUNT(try_fields), false, &fields, &seen, err) != 0)
        return -1;
    if (fields.arguments != NULL && function.phase != PHASE_DURING_CALL)
        return err_set(err, ERR_INVALID, "arguments are for during_call functions.");
    if (function_call_enter(rs, &rq->who->workspace_id, err) != 0)
        return -1;
    int result = run_trial(rs, rq, &fields, &function, &run, &outcome, err);
    function_call_leave(rs);
    if (result != 0)
        return -1;
    outcome.result = function_hide_secrets(rq->pool, &function, outcome.result);
    write_trial(&an->body, rq->pool, &run, &outcome);
    return 0;
}
