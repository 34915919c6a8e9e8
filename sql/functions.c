/*
 * functions.c - functions as they are read.
 */
#include "sql/functions_private.h"
#include "sql/list.h"

int functions_not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such function.");
}

/* The columns of FUNCTION_SELECT; headers are left sealed. */
static void read_row(struct query *q, struct pool *pool, struct function *f)
{
    query_id(q, &f->function_id);
    query_id(q, &f->workspace_id);
    query_id(q, &f->agent_id);
    f->phase = (int)query_i64(q) - 1;
    f->position = query_i64(q);
    f->name = query_str(q, pool);
    f->description = query_str(q, pool);
    f->method = (int)query_i64(q) - 1;
    f->url = query_str(q, pool);
    f->headers = query_str(q, pool);
    f->headers_lost = false;
    f->query = query_str(q, pool);
    f->body = query_str(q, pool);
    f->parameters = query_str(q, pool);
    f->static_parameters = query_str(q, pool);
    f->timeout_ms = query_i64(q);
    f->retries = query_i64(q);
    f->on_error = (int)query_i64(q) - 1;
    f->missing_fails = query_i64(q) == 2;
    f->save = query_str(q, pool);
    f->when = (int)query_i64(q) - 1;
    f->say_while_running = query_str(q, pool);
    f->say_on_error = query_str(q, pool);
    f->enabled = query_i64(q) != 0;
    f->created_at = query_time(q);
    f->updated_at = query_time(q);
}

int functions_read(struct query *q, struct pool *pool, const struct keyring *ring,
                   struct function *f, struct err *err)
{
    struct str sealed;

    read_row(q, pool, f);
    sealed = f->headers;
    f->headers = STR_NULL;
    if (sealed.p == NULL)
        return 0;
    return secret_open(ring, &f->function_id, sealed, pool, &f->headers, err);
}

static int read_all(struct query *q, struct pool *pool, const struct keyring *ring,
                    struct function **functions_r, size_t *count_r, struct err *err)
{
    size_t room = 0;

    *functions_r = NULL;
    *count_r = 0;
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q)) {
        if (functions_read(q, pool, ring, LIST_NEXT(pool, functions_r, count_r, &room), err) != 0)
            return -1;
    }
    return 0;
}

int functions_get(struct db *db, struct pool *pool, const struct keyring *ring,
                  const struct id *workspace_id, const struct id *function_id,
                  struct function *function_r, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_GET);

    query_bind_id(q, function_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    return query_next(q) ? functions_read(q, pool, ring, function_r, err)
                         : functions_not_found(err);
}

int functions_page(struct db *db, struct pool *pool, const struct keyring *ring,
                   const struct id *workspace_id, const struct page *page,
                   struct function **functions_r, size_t *count_r, struct page_end *end_r,
                   struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_PAGE);
    struct function *functions = pool_new(pool, struct function, page->limit);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    list_bind_page(q, page);
    query_bind_i64(q, (int64_t)page->limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    while (list_page_next(q, page, count, end_r)) {
        if (functions_read(q, pool, ring, &functions[count++], err) != 0)
            return -1;
    }
    if (count > 0)
        end_r->cursor =
            (struct cursor){functions[count - 1].created_at, functions[count - 1].function_id};
    *functions_r = functions;
    *count_r = count;
    return 0;
}

int functions_of_agent(struct db *db, struct pool *pool, const struct keyring *ring,
                       const struct id *workspace_id, const struct id *agent_id,
                       struct function **functions_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_OF_AGENT);

    query_bind_id(q, agent_id);
    query_bind_id(q, workspace_id);
    return read_all(q, pool, ring, functions_r, count_r, err);
}

/* A function whose headers are lost fails when it is run, and keeps no other from running. */
static void read_to_run(struct query *q, struct pool *pool, const struct keyring *ring,
                        struct function *f)
{
    struct err why;

    f->headers_lost = functions_read(q, pool, ring, f, &why) != 0;
}

int functions_to_run(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *agent_id, enum function_phase phase,
                     struct function **functions_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_TO_RUN);
    size_t room = 0;

    query_bind_id(q, agent_id);
    query_bind_str(q, str_of(function_phase_text(phase)));
    *functions_r = NULL;
    *count_r = 0;
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q))
        read_to_run(q, pool, ring, LIST_NEXT(pool, functions_r, count_r, &room));
    return 0;
}

int functions_to_finish(struct db *db, struct pool *pool, const struct keyring *ring,
                        const struct id *workspace_id, const struct id *function_id,
                        struct function *function_r, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_TO_FINISH);

    query_bind_id(q, function_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return functions_not_found(err);
    read_to_run(q, pool, ring, function_r);
    return 0;
}
