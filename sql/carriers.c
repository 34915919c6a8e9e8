/*
 * carriers.c - see carriers.h.
 */
#include "sql/carriers.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/transaction.h"

static int not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such carrier.");
}

int carriers_create(struct db *db, struct pool *pool, const struct keyring *ring,
                    struct carrier_row *row, struct str secret, struct str *secret_r,
                    struct err *err)
{
    struct str sealed = STR("");

    row->carrier_id = id_new();
    *secret_r = STR_NULL;
    if (row->kind != CARRIER_SIMULATOR) {
        *secret_r = secret.p != NULL ? secret : secret_new(pool);
        sealed = secret_seal(ring, &row->carrier_id, *secret_r, pool);
    }
    struct query *q = db_use(db, STMT_CARRIER_INSERT);
    query_bind_id(q, &row->carrier_id);
    query_bind_str(q, str_of(carrier_kind_text(row->kind)));
    query_bind_str(q, row->name);
    query_bind_str(q, row->url);
    query_bind_blob(q, sealed);
    query_bind_i64_if(q, row->concurrent_calls > 0, row->concurrent_calls);
    query_bind_i64_if(q, row->calls_per_second > 0, row->calls_per_second);
    query_bind_id(q, &row->workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    row->created_at = row->updated_at = query_time(q);
    return 0;
}

/* ---- reading ---- */

static void read_carrier(struct query *q, struct pool *pool, struct carrier_row *row)
{
    query_id(q, &row->carrier_id);
    query_id(q, &row->workspace_id);
    row->kind = (enum carrier_kind)(query_i64(q) - 1);
    row->name = query_str(q, pool);
    row->url = query_str(q, pool);
    row->concurrent_calls = query_i64(q);
    row->calls_per_second = query_i64(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
}

int carriers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct carrier_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CARRIER_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_carrier(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

int carriers_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                  const struct page *page, struct carrier_row **rows_r, size_t *count_r,
                  struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CARRIER_PAGE);
    struct carrier_row *rows = pool_new(pool, struct carrier_row, page->limit);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    list_bind_page(q, page);
    query_bind_i64(q, (int64_t)page->limit + 1);
    if (query_run_again(q, err) < 0)
        return -1;
    while (list_page_next(q, page, count, end_r))
        read_carrier(q, pool, &rows[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].carrier_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

static void bind_carrier(struct query *q, const struct id *workspace_id,
                         const struct id *carrier_id)
{
    query_bind_id(q, carrier_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
}

static int find(struct db *db, struct pool *pool, enum stmt stmt, const struct id *workspace_id,
                const struct id *carrier_id, struct carrier_row *row_r, struct err *err)
{
    struct query *q = db_use(db, stmt);

    bind_carrier(q, workspace_id, carrier_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    read_carrier(q, pool, row_r);
    return 0;
}

int carriers_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct id *carrier_id, struct carrier_row *row_r, struct err *err)
{
    return find(db, pool, STMT_CARRIER_GET, workspace_id, carrier_id, row_r, err);
}

/* ---- changing ---- */

struct work {
    struct pool *pool;
    const struct id *workspace_id, *carrier_id;
    carrier_edit_fn *edit;
    void *edit_ctx;
    struct str sealed;
    bool begun; /* an earlier try got as far as its update */
};

static int change(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct carrier_row row;

    if (find(db, w->pool, STMT_CARRIER_LOCK, w->workspace_id, w->carrier_id, &row, err) != 0 ||
        w->edit(&row, w->edit_ctx, err) != 0)
        return -1;
    struct query *q = db_use(db, STMT_CARRIER_CHANGE);
    query_bind_str(q, row.name);
    query_bind_str(q, row.url);
    query_bind_i64_if(q, row.concurrent_calls > 0, row.concurrent_calls);
    query_bind_i64_if(q, row.calls_per_second > 0, row.calls_per_second);
    query_bind_id(q, w->carrier_id);
    return query_run(q, err);
}

int carriers_change(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct id *carrier_id, carrier_edit_fn *edit, void *ctx, struct err *err)
{
    struct work w = {.pool = pool,
                     .workspace_id = workspace_id,
                     .carrier_id = carrier_id,
                     .edit = edit,
                     .edit_ctx = ctx};

    return transaction_run(db, change, &w, err);
}

static int rotate(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct carrier_row row;

    if (find(db, w->pool, STMT_CARRIER_LOCK, w->workspace_id, w->carrier_id, &row, err) != 0)
        return -1;
    if (row.kind == CARRIER_SIMULATOR)
        return err_set(err, ERR_CONFLICT, "The simulator has no secret.");
    struct query *q = db_use(db, STMT_CARRIER_SET_SECRET);
    query_bind_blob(q, w->sealed);
    query_bind_id(q, w->carrier_id);
    return query_run(q, err);
}

int carriers_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                           const struct id *workspace_id, const struct id *carrier_id,
                           struct str secret, struct str *secret_r, struct err *err)
{
    *secret_r = secret.p != NULL ? secret : secret_new(pool);
    struct work w = {.pool = pool,
                     .workspace_id = workspace_id,
                     .carrier_id = carrier_id,
                     .sealed = secret_seal(ring, carrier_id, *secret_r, pool)};

    return transaction_run(db, rotate, &w, err);
}

static int delete (struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;
    struct query *q = db_use(db, STMT_CARRIER_LOCK_USED);

    bind_carrier(q, w->workspace_id, w->carrier_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return w->begun ? 0 : not_found(err); /* that try's commit happened after all */
    if (query_i64(q) != 0)
        return err_set(err, ERR_CONFLICT, "An agent uses this carrier.");
    w->begun = true;
    q = db_use(db, STMT_CARRIER_DELETE);
    query_bind_id(q, w->carrier_id);
    return query_run(q, err);
}

int carriers_delete(struct db *db, const struct id *workspace_id, const struct id *carrier_id,
                    struct err *err)
{
    struct work w = {.workspace_id = workspace_id, .carrier_id = carrier_id};

    return transaction_run(db, delete, &w, err);
}
