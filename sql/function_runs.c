/*
 * function_runs.c - runs are written once and read; variables are laid over a call's under its
 * row's lock.
 */
#include "sql/function_runs.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/transaction.h"

#define DETAIL_MAX 500 /* bytes: the column has room for as many characters */

void function_run_take(struct function_run *run, const struct function_request *request,
                       const struct function_outcome *outcome)
{
    run->request = request != NULL && request->record.p != NULL ? request->record : STR("{}");
    run->status = outcome->status;
    run->error = outcome->error == RUN_GOOD ? STR_NULL : str_of(run_error_text(outcome->error));
    run->detail = outcome->detail;
    run->response = outcome->response;
    run->saved = outcome->saved;
    run->duration_ms = outcome->duration / USEC_PER_MS;
}

void function_run_strip(struct function_run *run)
{
    run->request = STR("{}");
    run->detail = run->response = run->saved = STR_NULL;
}

static void bind_run(struct query *q, const struct function_run *run)
{
    query_bind_id(q, &run->run_id);
    query_bind_id(q, &run->workspace_id);
    query_bind_id(q, id_is_zero(&run->call_id) ? NULL : &run->call_id);
    query_bind_id(q, &run->function_id);
    query_bind_str(q, str_of(function_phase_text(run->phase)));
    query_bind_i64(q, run->attempt);
    query_bind_i64(q, run->tried);
    query_bind_i64(q, run->trial);
    query_bind_time(q, run->started_at);
    query_bind_i64(q, run->duration_ms);
    query_bind_str(q, run->request);
    query_bind_i64_if(q, run->status > 0, run->status);
    query_bind_str(q, run->error);
    query_bind_str(q, str_utf8_cut(run->detail, DETAIL_MAX));
    query_bind_blob(q, run->response);
    query_bind_str(q, run->saved);
}

int function_runs_insert(struct db *db, struct function_run *runs, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (id_is_zero(&runs[i].run_id))
            runs[i].run_id = id_new();
    }
    for (size_t done = 0; done < count;) {
        size_t n = db_many_chunk(count - done);
        struct query *q = db_use_many(db, STMT_RUN_INSERT, n);
        for (size_t i = 0; i < n; i++)
            bind_run(q, &runs[done + i]);
        if (query_run(q, err) != 0)
            return -1;
        done += n;
    }
    return 0;
}

static void read_run(struct query *q, struct pool *pool, struct function_run *run)
{
    query_id(q, &run->run_id);
    query_id(q, &run->workspace_id);
    query_id(q, &run->call_id);
    query_id(q, &run->function_id);
    run->phase = (enum function_phase)(query_i64(q) - 1);
    run->attempt = query_i64(q);
    run->tried = query_i64(q);
    run->trial = query_i64(q) != 0;
    run->started_at = query_time(q);
    run->duration_ms = query_i64(q);
    run->request = query_str(q, pool);
    run->status = query_i64(q);
    run->error = query_str(q, pool);
    run->detail = query_str(q, pool);
    run->response = query_str(q, pool);
    run->saved = query_str(q, pool);
    run->function_name = query_str(q, pool);
}

static int must_exist(struct db *db, enum stmt stmt, const struct id *id,
                      const struct id *workspace_id, const char *message, struct err *err)
{
    struct query *q = db_use(db, stmt);

    query_bind_id(q, id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    return query_next(q) ? 0 : err_set(err, ERR_NOT_FOUND, "%s", message);
}

int function_runs_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                       const struct id *call_id, const struct id *function_id,
                       const struct page *page, struct function_run **runs_r, size_t *count_r,
                       struct page_end *end_r, struct err *err)
{
    struct function_run *runs = pool_new(pool, struct function_run, page->limit);
    size_t count = 0;
    int missing = call_id != NULL ? must_exist(db, STMT_RUN_CALL_EXISTS, call_id, workspace_id,
                                               "No such call.", err)
                                  : must_exist(db, STMT_RUN_FUNCTION_EXISTS, function_id,
                                               workspace_id, "There is no such function.", err);

    if (missing)
        return -1;
    struct query *q = db_use(db, call_id != NULL ? STMT_RUN_OF_CALL : STMT_RUN_OF_FUNCTION);
    query_bind_id(q, workspace_id);
    query_bind_id(q, call_id != NULL ? call_id : function_id);
    list_bind_page(q, page);
    query_bind_i64(q, (int64_t)page->limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    while (list_page_next(q, page, count, end_r))
        read_run(q, pool, &runs[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){runs[count - 1].started_at, runs[count - 1].run_id};
    *runs_r = runs;
    *count_r = count;
    return 0;
}

struct saving {
    struct pool *pool;
    const struct id *call_id;
    struct str saved;
};

/* Repeated, it writes the same. */
static int save(struct db *db, void *ctx, struct err *err)
{
    struct saving *s = ctx;
    struct query *q = db_use(db, STMT_RUN_VARIABLES_LOCK);
    struct str merged;

    query_bind_id(q, s->call_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return 0;
    struct str now = query_str(q, s->pool);
    if (variables_merge(s->pool, now, s->saved, &merged, err) != 0)
        return -1;
    q = db_use(db, STMT_RUN_VARIABLES_SET);
    query_bind_str(q, merged);
    query_bind_id(q, s->call_id);
    return query_run(q, err);
}

int call_variables_save(struct db *db, const struct id *call_id, struct str saved, struct err *err)
{
    struct saving s = {.call_id = call_id, .saved = saved};

    pool_create(&s.pool);
    int result = transaction_run(db, save, &s, err);
    pool_destroy(&s.pool);
    return result;
}
