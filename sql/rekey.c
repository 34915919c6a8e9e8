/*
 * rekey.c - see rekey.h.
 */
#include "sql/rekey.h"
#include "sql/list.h"
#include "sql/secrets.h"
#include "sql/transaction.h"

static const struct {
    const char *name;
    enum stmt look, set;
} columns[] = {
#define S(name, table, id, column)                                                                 \
    {table "." column, STMT_REKEY_LOOK_##name, STMT_REKEY_SET_##name},
#include "sql/sealed.def"
#undef S
};
#define COLUMNS (sizeof columns / sizeof *columns)

struct sealed_row {
    struct id row_id;
    struct str sealed, anew; /* anew STR_NULL: it could not be opened */
};

struct work {
    enum stmt set;
    const struct sealed_row *rows;
    size_t count, resealed;
};

const char *sealed_column(size_t column)
{
    return column < COLUMNS ? columns[column].name : NULL;
}

/* Those under other keys than the newest; *seen_r: how many rows there were. */
static int look(struct db *db, struct pool *pool, unsigned newest, struct rekey_batch *b,
                struct rekey_figures *figures, struct sealed_row **rows_r, size_t *count_r,
                size_t *seen_r, struct err *err)
{
    struct query *q = db_use(db, columns[b->column].look);
    size_t room = 0;

    *count_r = *seen_r = 0;
    query_bind_i64(q, newest);
    query_bind_id(q, &b->after);
    query_bind_i64(q, (int64_t)b->limit);
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q)) {
        ++*seen_r;
        query_id(q, &b->after);
        unsigned key = (unsigned)query_i64(q);
        if (key != 0)
            figures->under[key & 255]++;
        if (key == 0 || key == newest)
            continue;
        struct sealed_row *row = LIST_NEXT(pool, rows_r, count_r, &room);
        row->row_id = b->after;
        row->sealed = query_str(q, pool);
    }
    return 0;
}

static void seal_anew(struct pool *pool, const struct keyring *ring, const struct rekey_batch *b,
                      struct sealed_row *rows, size_t count, struct rekey_figures *figures)
{
    for (size_t i = 0; i < count; i++) {
        struct sealed_row *row = &rows[i];
        struct str plain;
        struct err why;
        row->anew = STR_NULL;
        if (secret_open(ring, &row->row_id, row->sealed, pool, &plain, &why) == 0) {
            row->anew = secret_seal(ring, &row->row_id, plain, pool);
            continue;
        }
        figures->unreadable++;
        if (b->unreadable != NULL)
            b->unreadable(b->ctx, columns[b->column].name, &row->row_id, why.message);
    }
}

static int write_rows(struct db *db, void *ctx, struct err *err)
{
    struct work *w = ctx;

    w->resealed = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->rows[i].anew.p == NULL)
            continue;
        struct query *q = db_use(db, w->set);
        query_bind_blob(q, w->rows[i].anew);
        query_bind_id(q, &w->rows[i].row_id);
        query_bind_blob(q, w->rows[i].sealed);
        if (query_run(q, err) != 0)
            return -1;
        w->resealed += query_affected(q);
    }
    return 0;
}

int rekey_batch(struct db *db, struct pool *pool, const struct keyring *ring,
                struct rekey_batch *batch, struct rekey_figures *figures, bool *end_r,
                struct err *err)
{
    struct sealed_row *rows = NULL;
    size_t count, seen;

    if (look(db, pool, keyring_newest(ring), batch, figures, &rows, &count, &seen, err) != 0)
        return -1;
    *end_r = seen < batch->limit;
    if (!batch->write || count == 0)
        return 0;
    seal_anew(pool, ring, batch, rows, count, figures);
    struct work w = {.set = columns[batch->column].set, .rows = rows, .count = count};
    if (transaction_run(db, write_rows, &w, err) != 0)
        return -1;
    figures->resealed += w.resealed;
    return 0;
}
