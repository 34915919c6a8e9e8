/*
 * functions_handlers.c - the functions of agents' workflows: made, listed, changed, ordered,
 * switched, deleted; their runs; and the secret that they are signed with. Running them is in
 * function_calls_handlers.c and function_trials_handlers.c.
 */
#include "fcgi/customer_url.h"
#include "fcgi/function_json.h"
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/signature.h"
#include "sql/functions.h"
#include "sql/signing.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static int no_such_function(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such function.");
}

static int read_function_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_FUNCTION, rq->match.args[0], id_r) == 0 ? 0 : no_such_function(err);
}

static int answer_function(struct request *rq, struct answer *an, const struct function *function,
                           struct err *err)
{
    buf_lit(&an->body, "{\"data\":");
    if (function_json(&an->body, rq->pool, function, err) != 0)
        return -1;
    buf_char(&an->body, '}');
    return 0;
}

static int show(struct responder *rs, struct request *rq, const struct id *function_id,
                struct answer *an, struct err *err)
{
    struct function function;

    if (functions_get(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, function_id, &function,
                      err) != 0)
        return -1;
    return answer_function(rq, an, &function, err);
}

int function_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct function function = {.workspace_id = rq->who->workspace_id};
    struct url_guard *guard;
    uint64_t given;

    if (customer_url_guard(rs->conf, rq->pool, &guard, err) != 0 ||
        function_settings_read(rq->pool, rq->json, false, guard, &function, &given, err) != 0)
        return -1;
    if (functions_create(rs->db, rq->pool, rs->ring, &function, err) != 0)
        return -1;
    responder_created(rs, rq, an, "functions", ID_FUNCTION, &function.function_id);
    return answer_function(rq, an, &function, err);
}

/* ---- lists ---- */

struct function_filter {
    struct id agent_id; /* zero: of all agents */
    struct page page;
};

static int read_agent(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    (void)pool;
    if (id_parse(ID_AGENT, value, place) != 0 || id_is_zero(place))
        return err_set(err, ERR_INVALID, "%s must be the id of an agent.", name);
    return 0;
}

/* Those of one agent are few: they come all at once, in the order in which they run. */
static int read_functions(struct responder *rs, struct request *rq,
                          const struct function_filter *filter, struct function **functions_r,
                          size_t *count_r, struct page_end *end_r, struct err *err)
{
    const struct id *workspace_id = &rq->who->workspace_id;

    if (id_is_zero(&filter->agent_id))
        return functions_page(rs->db, rq->pool, rs->ring, workspace_id, &filter->page, functions_r,
                              count_r, end_r, err);
    end_r->more = false;
    return functions_of_agent(rs->db, rq->pool, rs->ring, workspace_id, &filter->agent_id,
                              functions_r, count_r, err);
}

int function_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"agent_id", read_agent, offsetof(struct function_filter, agent_id)},
        LIST_PAGE(struct function_filter, page),
    };
    struct function_filter filter = {.page.limit = LIST_LIMIT};
    struct function *functions;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters, COUNT(parameters), &filter,
                        err) != 0 ||
        read_functions(rs, rq, &filter, &functions, &count, &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        if (function_json(&an->body, rq->pool, &functions[i], err) != 0)
            return -1;
    }
    list_end(&an->body, &end);
    return 0;
}

int function_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id function_id;

    if (read_function_id(rq, &function_id, err) != 0)
        return -1;
    return show(rs, rq, &function_id, an, err);
}

/* ---- changes ---- */

struct edit {
    struct request *rq;
    const struct url_guard *guard;
    bool enabled; /* of a switch */
};

static int edit_settings(struct function *function, void *ctx, struct err *err)
{
    struct edit *e = ctx;
    uint64_t given;

    return function_settings_read(e->rq->pool, e->rq->json, true, e->guard, function, &given, err);
}

static int edit_enabled(struct function *function, void *ctx, struct err *err)
{
    struct edit *e = ctx;

    (void)err;
    function->enabled = e->enabled;
    return 0;
}

static int change(struct responder *rs, struct request *rq, function_edit_fn *how,
                  struct edit *edit, struct answer *an, struct err *err)
{
    struct id function_id;

    if (read_function_id(rq, &function_id, err) != 0 ||
        functions_change(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &function_id, how,
                         edit, err) != 0)
        return -1;
    responder_wake_changed(rs, &function_id);
    return show(rs, rq, &function_id, an, err);
}

int function_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct edit edit = {.rq = rq};
    struct url_guard *guard;

    if (customer_url_guard(rs->conf, rq->pool, &guard, err) != 0)
        return -1;
    edit.guard = guard;
    return change(rs, rq, edit_settings, &edit, an, err);
}

static int switch_function(struct responder *rs, struct request *rq, bool enabled,
                           struct answer *an, struct err *err)
{
    struct edit edit = {.enabled = enabled};

    if (fields_none(rq->json, err) != 0)
        return -1;
    return change(rs, rq, edit_enabled, &edit, an, err);
}

int function_enable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_function(rs, rq, true, an, err);
}

int function_disable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_function(rs, rq, false, an, err);
}

int function_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id function_id;

    if (read_function_id(rq, &function_id, err) != 0 ||
        functions_delete(rs->db, &rq->who->workspace_id, &function_id, err) != 0)
        return -1;
    responder_wake_changed(rs, &function_id);
    answer_deleted(an, "function_id", ID_FUNCTION, &function_id);
    return 0;
}

/* ---- runs ---- */

static int answer_runs(struct responder *rs, struct request *rq, const struct id *call_id,
                       const struct id *function_id, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"cursor", list_read_cursor, 0},
        {"limit", list_read_limit, 0},
    };
    struct page page = {.limit = LIST_LIMIT};
    struct function_run *runs;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters, COUNT(parameters), &page,
                        err) != 0 ||
        function_runs_page(rs->db, rq->pool, &rq->who->workspace_id, call_id, function_id, &page,
                           &runs, &count, &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        function_run_json_begin(&an->body, rq->pool, &runs[i]);
        buf_char(&an->body, '}');
    }
    list_end(&an->body, &end);
    return 0;
}

int function_runs(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id function_id;

    if (read_function_id(rq, &function_id, err) != 0)
        return -1;
    return answer_runs(rs, rq, NULL, &function_id, an, err);
}

int call_runs(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id call_id;

    if (id_parse(ID_CALL, rq->match.args[0], &call_id) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such call.");
    return answer_runs(rs, rq, &call_id, NULL, an, err);
}

/* ---- the secret ---- */

struct rotate_fields {
    struct str secret;
    int64_t grace_seconds;
};
static const struct field rotate_fields[] = {
    {FIELD(TEXT, struct rotate_fields, secret), .min = 1, .max = SECRET_TEXT_MAX},
    {FIELD(INT, struct rotate_fields, grace_seconds), .min = 0, .max = SECRET_GRACE_SECONDS_MAX},
};

int signing_secret_rotated(struct responder *rs, struct request *rq, struct answer *an,
                           struct err *err)
{
    struct rotate_fields f = {STR_NULL, rs->conf->secret_grace / USEC_PER_S};
    struct fields_seen seen;
    struct str secret;
    usec_t until;

    if (fields_read(rq->json, rotate_fields, COUNT(rotate_fields), false, &f, &seen, err) != 0 ||
        (f.secret.p != NULL && secret_check(f.secret, "secret", err) != 0) ||
        signing_secret_rotate(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, f.secret,
                              f.grace_seconds * USEC_PER_S, &secret, &until, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    object_begin(&an->body, "workspace_id", ID_WORKSPACE, &rq->who->workspace_id);
    member_text(&an->body, "signing_secret", secret);
    member_time(&an->body, "previous_secret_until", until);
    buf_lit(&an->body, "}}");
    return 0;
}
