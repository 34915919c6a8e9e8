/*
 * function_trials_handlers.c - a function is tried out by its owner, with a call that was, or with
 * a sample of one. In the voice program, as function_calls_handlers.c.
 */
#include "fcgi/function_arguments.h"
#include "fcgi/function_call.h"
#include "fcgi/function_json.h"
#include "fcgi/member.h"
#include "sql/agents.h"
#include "sql/call_contexts.h"
#include "sql/functions.h"
#include "sql/ids.h"
#include "sql/workspaces.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

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
    context->additional_info = function_argument_text(rq->pool, f.info);
    context->variables = function_argument_text(rq->pool, f.vars);
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

    if (function_arguments_read(rq->pool, fields->arguments, &arguments, err) != 0 ||
        function_arguments_check(rq->pool, function, arguments, err) != 0 ||
        try_context(rs, rq, fields, function, &context, err) != 0)
        return -1;
    context.function.arguments = function_argument_text(rq->pool, arguments);
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
