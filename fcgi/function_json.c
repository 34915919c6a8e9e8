/*
 * function_json.c - see function_json.h.
 */
#include "fcgi/function_json.h"
#include "fcgi/member.h"
#include "fcgi/readable.h"
#include "lib/rules/custom_headers.h"

int function_json(struct buf *b, struct pool *pool, const struct function *f, struct err *err)
{
    object_begin(b, "function_id", ID_FUNCTION, &f->function_id);
    member_id(b, "agent_id", ID_AGENT, &f->agent_id);
    member_text(b, "phase", str_of(function_phase_texts[f->phase]));
    member_i64(b, "position", f->position);
    member_text(b, "name", f->name);
    member_text(b, "description", f->description);
    member_text(b, "method", str_of(function_method_texts[f->method]));
    member_text(b, "url", f->url);
    buf_lit(b, ",\"headers\":");
    if (custom_headers_hidden(b, pool, f->headers, err) != 0)
        return -1;
    member_json(b, "query", f->query);
    member_json(b, "body", f->body);
    member_json(b, "parameters", f->parameters);
    member_json(b, "static_parameters", f->static_parameters);
    member_i64(b, "timeout_ms", f->timeout_ms);
    member_i64(b, "retries", f->retries);
    member_text(b, "on_error", str_of(function_on_error_texts[f->on_error]));
    member_text(b, "on_missing", str_of(function_on_missing_texts[f->missing_fails]));
    member_json(b, "save", f->save);
    member_text(b, "when", str_of(function_when_texts[f->when]));
    member_text(b, "say_while_running", f->say_while_running);
    member_text(b, "say_on_error", f->say_on_error);
    member_bool(b, "enabled", f->enabled);
    member_time(b, "created_at", f->created_at);
    member_time(b, "updated_at", f->updated_at);
    buf_char(b, '}');
    return 0;
}

static void write_error(struct buf *b, struct pool *pool, const struct function_run *run)
{
    if (run->error.p == NULL) {
        member_null(b, "error");
        return;
    }
    buf_lit(b, ",\"error\":{\"code\":");
    buf_json(b, run->error);
    buf_lit(b, ",\"message\":");
    buf_json(b, run->detail.p == NULL ? STR("") : readable(pool, run->detail));
    buf_char(b, '}');
}

void function_run_json_begin(struct buf *b, struct pool *pool, const struct function_run *run)
{
    object_begin(b, "run_id", ID_RUN, &run->run_id);
    member_id(b, "function_id", ID_FUNCTION, &run->function_id);
    member_text(b, "function_name", run->function_name);
    member_id(b, "call_id", ID_CALL, &run->call_id);
    member_text(b, "phase", str_of(function_phase_text(run->phase)));
    member_i64(b, "attempt", run->attempt);
    member_i64(b, "tried", run->tried);
    member_bool(b, "trial", run->trial);
    member_time(b, "started_at", run->started_at);
    member_i64(b, "duration_ms", run->duration_ms);
    member_json(b, "request", run->request);
    member_count(b, "status", run->status);
    write_error(b, pool, run);
    member_text(b, "response", run->response.p == NULL ? STR_NULL : readable(pool, run->response));
    member_json(b, "saved", run->saved);
}
