/*
 * functions_change.c - functions as they are made, changed, ordered and deleted. Each is one
 * transaction that begins with the agent's row, locked: so names, numbers and the order hold.
 */
#include "lib/rules/signature.h"
#include "sql/functions_private.h"
#include "sql/ids.h"
#include "sql/signing.h"
#include "sql/transaction.h"

#define FUNCTION_MAX_IN_FLIGHT 16

struct work {
    struct pool *pool;
    const struct keyring *ring;
    const struct id *workspace_id, *function_id;
    struct function *made; /* or NULL */
    struct str secrets[2]; /* the workspace's, for a destination; [1] may be STR_NULL */
    function_edit_fn *edit;
    void *edit_ctx;
};

static int lock_agent(struct db *db, const struct id *agent_id, const struct id *workspace_id,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_AGENT_LOCK);

    query_bind_id(q, agent_id);
    query_bind_id(q, workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    return query_next(q) ? 0 : err_set(err, ERR_NOT_FOUND, "There is no such agent.");
}

/* ---- binds ---- */

/* name to enabled, as both INSERT and UPDATE have them. */
static void bind_settings(struct query *q, const struct work *w, const struct function *f)
{
    query_bind_str(q, f->name);
    query_bind_str(q, f->name);
    query_bind_str(q, f->description);
    query_bind_str(q, str_of(function_method_texts[f->method]));
    query_bind_str(q, f->url);
    query_bind_blob(q, secret_seal(w->ring, &f->function_id, f->headers, w->pool));
    query_bind_str(q, f->query);
    query_bind_str(q, f->body);
    query_bind_str(q, f->parameters);
    query_bind_str(q, f->static_parameters);
    query_bind_i64(q, f->timeout_ms);
    query_bind_i64(q, f->retries);
    query_bind_str(q, str_of(function_on_error_texts[f->on_error]));
    query_bind_str(q, str_of(function_on_missing_texts[f->missing_fails]));
    query_bind_str(q, f->save);
    query_bind_str(q, str_of(function_when_texts[f->when]));
    query_bind_str(q, f->say_while_running);
    query_bind_str(q, f->say_on_error);
    query_bind_i64(q, f->enabled);
}

static int name_taken(struct err *err, const struct function *f)
{
    return err_set(err, ERR_CONFLICT, "The agent has a function named \"%.*s\" already.",
                   STR_ARG(f->name));
}

/* A deadlock is a duplicate key's like no other error: it is left as it is. */
static int run_named(struct query *q, const struct function *f, struct err *err)
{
    if (query_run(q, err) == 0)
        return 0;
    return err->code == ERR_CONFLICT ? name_taken(err, f) : -1;
}

/* ---- the destination of a post_call function ---- */

static int64_t timeout_seconds(const struct function *f)
{
    return (f->timeout_ms + 999) / 1000;
}

static int insert_destination(struct db *db, const struct work *w, const struct function *f,
                              struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_DESTINATION_INSERT);

    query_bind_id(q, &f->function_id);
    query_bind_id(q, w->workspace_id);
    query_bind_id(q, &f->agent_id);
    query_bind_str(q, function_plain_url(w->pool, f));
    query_bind_str(q, f->name);
    query_bind_i64(q, function_event_mask(f->when));
    query_bind_blob(q, secret_seal(w->ring, &f->function_id, w->secrets[0], w->pool));
    query_bind_null(q); /* signed by the old secret before: no function was */
    query_bind_null(q);
    query_bind_i64(q, timeout_seconds(f));
    query_bind_i64(q, FUNCTION_MAX_IN_FLIGHT);
    query_bind_blob(q, secret_seal(w->ring, &f->function_id, f->headers, w->pool));
    query_bind_str(q, f->enabled ? STR("enabled") : STR("disabled"));
    return query_run(q, err);
}

static int change_destination(struct db *db, const struct work *w, const struct function *f,
                              struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_DESTINATION_CHANGE);
    struct str url = function_plain_url(w->pool, f);
    struct str status = f->enabled ? STR("enabled") : STR("disabled");

    for (int i = 0; i < 5; i++) {
        query_bind_str(q, url);
        query_bind_str(q, status);
    }
    query_bind_str(q, status);
    query_bind_str(q, url);
    query_bind_str(q, status);
    query_bind_str(q, f->name);
    query_bind_i64(q, function_event_mask(f->when));
    query_bind_i64(q, timeout_seconds(f));
    query_bind_blob(q, secret_seal(w->ring, &f->function_id, f->headers, w->pool));
    query_bind_id(q, &f->function_id);
    return query_run(q, err);
}

/* ---- the order ---- */

/* The live functions of an agent; those of one phase come in their order. */
struct order {
    struct {
        struct id function_id;
        int64_t position;
        int phase;
    } rows[FUNCTIONS_PER_AGENT_MAX];
    size_t count;
};

static int read_order(struct db *db, const struct id *agent_id, struct order *order,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_ORDER);

    order->count = 0;
    query_bind_id(q, agent_id);
    if (query_run(q, err) != 0)
        return -1;
    while (order->count < FUNCTIONS_PER_AGENT_MAX && query_next(q)) {
        query_id(q, &order->rows[order->count].function_id);
        order->rows[order->count].position = query_i64(q);
        order->rows[order->count++].phase = (int)query_i64(q) - 1;
    }
    return 0;
}

static int place(struct db *db, const struct id *function_id, int64_t position, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_PLACE);

    query_bind_i64(q, position);
    query_bind_id(q, function_id);
    return query_run(q, err);
}

/* Numbers those of a phase anew from 0, `moved` (NULL: none) standing at `to`, or last. */
static int renumber(struct db *db, const struct order *order, int phase, const struct id *moved,
                    int64_t to, struct err *err)
{
    int64_t next = 0, others = 0;

    for (size_t i = 0; i < order->count; i++)
        others += order->rows[i].phase == phase &&
                  (moved == NULL || !id_eq(&order->rows[i].function_id, moved));
    to = to > others ? others : to;
    for (size_t i = 0; i < order->count; i++) {
        if (order->rows[i].phase != phase)
            continue;
        if (moved != NULL && id_eq(&order->rows[i].function_id, moved)) {
            if (order->rows[i].position != to && place(db, moved, to, err) != 0)
                return -1;
            continue;
        }
        next += moved != NULL && next == to;
        if (order->rows[i].position != next &&
            place(db, &order->rows[i].function_id, next, err) != 0)
            return -1;
        next++;
    }
    return 0;
}

/* ---- made ---- */

static int exists(struct db *db, const struct id *function_id, bool *exists_r, struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_EXISTS);

    query_bind_id(q, function_id);
    if (query_run(q, err) != 0)
        return -1;
    *exists_r = query_next(q);
    return 0;
}

static int create(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct function *f = w->made;
    struct order order;
    bool done;

    if (lock_agent(db, &f->agent_id, w->workspace_id, err) != 0 ||
        exists(db, &f->function_id, &done, err) != 0)
        return -1;
    if (done)
        return 0;
    if (read_order(db, &f->agent_id, &order, err) != 0)
        return -1;
    if (order.count >= FUNCTIONS_PER_AGENT_MAX)
        return err_set(err, ERR_CONFLICT, "An agent has at most %d functions.",
                       FUNCTIONS_PER_AGENT_MAX);
    f->position = 0;
    for (size_t i = 0; i < order.count; i++)
        f->position += order.rows[i].phase == f->phase;
    struct query *q = db_use(db, STMT_FUNCTION_INSERT);
    query_bind_id(q, &f->function_id);
    query_bind_id(q, w->workspace_id);
    query_bind_id(q, &f->agent_id);
    query_bind_str(q, str_of(function_phase_text((enum function_phase)f->phase)));
    query_bind_i64(q, f->position);
    bind_settings(q, w, f);
    if (run_named(q, f, err) != 0)
        return -1;
    return f->phase == PHASE_POST_CALL ? insert_destination(db, w, f, err) : 0;
}

int functions_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct function *function, struct err *err)
{
    struct work w = {
        .pool = pool, .ring = ring, .workspace_id = &function->workspace_id, .made = function};
    struct str *secrets;
    size_t count;

    if (signing_secret_ensure(db, pool, ring, &function->workspace_id, err) != 0 ||
        signing_secrets(db, pool, ring, &function->workspace_id, &secrets, &count, err) != 0)
        return -1;
    if (count == 0)
        return err_set(err, ERR_INTERNAL, "the workspace has no signing secret");
    w.secrets[0] = secrets[0];
    function->function_id = id_new();
    if (transaction_run(db, create, &w, err) != 0)
        return -1;
    return functions_get(db, pool, ring, &function->workspace_id, &function->function_id, function,
                         err);
}

/* ---- changed and deleted ---- */

/* Locks the agent of a function. */
static int lock_function(struct db *db, const struct work *w, struct id *agent_id_r, int *phase_r,
                         struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_AGENT_OF);

    query_bind_id(q, w->function_id);
    query_bind_id(q, w->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return functions_not_found(err);
    query_id(q, agent_id_r);
    *phase_r = (int)query_i64(q) - 1;
    return lock_agent(db, agent_id_r, w->workspace_id, err);
}

/* why: with headers_lost, what is wrong with them. */
static int read_locked(struct db *db, const struct work *w, struct function *f, struct err *why,
                       struct err *err)
{
    struct query *q = db_use(db, STMT_FUNCTION_GET);

    query_bind_id(q, w->function_id);
    query_bind_id(q, w->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return functions_not_found(err);
    *f = (struct function){.headers_lost = false};
    f->headers_lost = functions_read(q, w->pool, w->ring, f, why) != 0;
    return 0;
}

static int change(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct function f;
    struct id agent_id;
    struct order order;
    struct err why;
    int phase;

    if (lock_function(db, w, &agent_id, &phase, err) != 0 || read_locked(db, w, &f, &why, err) != 0)
        return -1;
    int64_t position = f.position;
    if (w->edit(&f, w->edit_ctx, err) != 0)
        return -1;
    if (f.headers_lost) {
        *err = why;
        return -1;
    }
    struct query *q = db_use(db, STMT_FUNCTION_CHANGE);
    bind_settings(q, w, &f);
    query_bind_id(q, w->function_id);
    if (run_named(q, &f, err) != 0)
        return -1;
    if (phase == PHASE_POST_CALL && change_destination(db, w, &f, err) != 0)
        return -1;
    if (f.position == position)
        return 0;
    if (read_order(db, &agent_id, &order, err) != 0)
        return -1;
    return renumber(db, &order, phase, w->function_id, f.position, err);
}

int functions_change(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *workspace_id, const struct id *function_id,
                     function_edit_fn *edit, void *ctx, struct err *err)
{
    struct work w = {.pool = pool,
                     .ring = ring,
                     .workspace_id = workspace_id,
                     .function_id = function_id,
                     .edit = edit,
                     .edit_ctx = ctx};
    return transaction_run(db, change, &w, err);
}

static int delete_row(struct db *db, enum stmt stmt, const struct id *function_id, struct err *err)
{
    struct query *q = db_use(db, stmt);

    query_bind_id(q, function_id);
    return query_run(q, err);
}

static int delete_function(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct id agent_id;
    struct order order;
    int phase;

    if (lock_function(db, w, &agent_id, &phase, err) != 0 ||
        delete_row(db, STMT_FUNCTION_DELETE, w->function_id, err) != 0 ||
        (phase == PHASE_POST_CALL &&
         delete_row(db, STMT_FUNCTION_DESTINATION_DELETE, w->function_id, err) != 0) ||
        read_order(db, &agent_id, &order, err) != 0)
        return -1;
    return renumber(db, &order, phase, NULL, 0, err);
}

int functions_delete(struct db *db, const struct id *workspace_id, const struct id *function_id,
                     struct err *err)
{
    struct work w = {.workspace_id = workspace_id, .function_id = function_id};
    return transaction_run(db, delete_function, &w, err);
}
