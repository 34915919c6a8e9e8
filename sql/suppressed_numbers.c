/*
 * suppressed_numbers.c - reads and writes the list of numbers that must not be called.
 */
#include "sql/suppressed_numbers.h"
#include "sql/list.h"
#include "sql/transaction.h"
#include "sql/workspaces.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 4

static void read_row(struct query *q, struct pool *pool, struct suppressed_number *row)
{
    row->set.contact_number = query_str(q, pool);
    row->set.source = (enum suppression_source)(query_i64(q) - 1);
    row->set.note = query_str(q, pool);
    row->created_at = query_time(q);
}

static int not_suppressed(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "This number is not suppressed.");
}

int suppressed_numbers_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                           struct str contact_number, struct suppressed_number *row_r,
                           struct err *err)
{
    struct query *q = db_use(db, STMT_SUPPRESSED_GET);

    query_bind_id(q, workspace_id);
    query_bind_str(q, contact_number);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return not_suppressed(err);
    read_row(q, pool, row_r);
    return 0;
}

struct one {
    const struct id *workspace_id;
    const struct suppression *suppression;
};

/* Under the lock that a fence has, too: when it is answered no dial follows that did not see it.
 * ERR_CONFLICT: it is there. */
static int put(struct db *db, void *ctx, struct err *err)
{
    const struct one *one = ctx;
    const struct suppression *s = one->suppression;

    if (workspaces_lock(db, one->workspace_id, err) != 0)
        return -1;
    struct query *q = db_use(db, STMT_SUPPRESSED_INSERT);
    query_bind_id(q, one->workspace_id);
    query_bind_str(q, s->contact_number);
    query_bind_str(q, str_of(suppression_source_text(s->source)));
    query_bind_str(q, s->note);
    return query_run(q, err);
}

int suppressed_numbers_put(struct db *db, struct pool *pool, const struct id *workspace_id,
                           const struct suppression *suppression, struct suppressed_number *row_r,
                           bool *made_r, struct err *err)
{
    struct one one = {workspace_id, suppression};

    for (unsigned n = 0; n < TRIES; n++) {
        *made_r = transaction_run(db, put, &one, err) == 0;
        if (!*made_r && err->code != ERR_CONFLICT)
            return -1;
        if (suppressed_numbers_get(db, pool, workspace_id, suppression->contact_number, row_r,
                                   err) == 0)
            return 0;
        if (err->code != ERR_NOT_FOUND)
            return -1;
        /* somebody took it off the list again, in between */
    }
    return err_set(err, ERR_UNAVAILABLE, "The number could not be written. Please retry.");
}

struct many {
    const struct id *workspace_id;
    const struct suppression *suppressions;
    size_t count, made;
};

static int put_many(struct db *db, void *ctx, struct err *err)
{
    struct many *m = ctx;

    m->made = 0;
    if (workspaces_lock(db, m->workspace_id, err) != 0)
        return -1;
    for (size_t done = 0; done < m->count;) {
        size_t n = db_many_chunk(m->count - done);
        struct query *q = db_use_many(db, STMT_SUPPRESSED_INSERT_MANY, n);
        for (size_t i = 0; i < n; i++) {
            const struct suppression *s = &m->suppressions[done + i];
            query_bind_id(q, m->workspace_id);
            query_bind_str(q, s->contact_number);
            query_bind_str(q, str_of(suppression_source_text(s->source)));
            query_bind_str(q, s->note);
        }
        if (query_run(q, err) != 0)
            return -1;
        m->made += query_affected(q);
        done += n;
    }
    return 0;
}

int suppressed_numbers_put_many(struct db *db, const struct id *workspace_id,
                                const struct suppression *suppressions, size_t count,
                                size_t *made_r, struct err *err)
{
    struct many m = {workspace_id, suppressions, count, 0};

    if (count > SUPPRESSED_MANY_MAX)
        die("%zu suppressed numbers at once", count);
    if (count > 0 && transaction_run(db, put_many, &m, err) != 0)
        return -1;
    *made_r = m.made;
    return 0;
}

int suppressed_numbers_delete(struct db *db, const struct id *workspace_id,
                              struct str contact_number, struct err *err)
{
    struct query *q = db_use(db, STMT_SUPPRESSED_DELETE);

    query_bind_id(q, workspace_id);
    query_bind_str(q, contact_number);
    if (query_run_again(q, err) != 0)
        return -1;
    return query_affected(q) > 0 ? 0 : not_suppressed(err);
}

int suppressed_numbers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                            struct str after, unsigned limit, struct suppressed_number **rows_r,
                            size_t *count_r, bool *more_r, struct err *err)
{
    struct query *q = db_use(db, STMT_SUPPRESSED_LIST);

    query_bind_id(q, workspace_id);
    query_bind_str(q, after.p != NULL ? after : STR(""));
    query_bind_i64(q, (int64_t)limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    *rows_r = pool_new(pool, struct suppressed_number, limit);
    *count_r = 0;
    while (list_next(q, limit, *count_r, more_r))
        read_row(q, pool, &(*rows_r)[(*count_r)++]);
    return 0;
}

struct wanted {
    struct str number;
    size_t at;
};

static int by_text(const void *a, const void *b)
{
    struct str x = ((const struct wanted *)a)->number, y = ((const struct wanted *)b)->number;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

    return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

int suppressed_numbers_any(struct db *db, const struct id *workspace_id, bool *any_r,
                           struct err *err)
{
    struct query *q = db_use(db, STMT_SUPPRESSED_ANY);

    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    *any_r = query_next(q);
    return 0;
}

int suppressed_numbers_among(struct db *db, struct pool *pool, const struct id *workspace_id,
                             const struct str *numbers, size_t count, bool *suppressed_r,
                             struct err *err)
{
    struct wanted *sorted = pool_new(pool, struct wanted, count);

    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct wanted){numbers[i], i};
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), by_text);
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_SUPPRESSED_AMONG, n);
        query_bind_id(q, workspace_id);
        for (size_t i = 0; i < n; i++)
            query_bind_str(q, sorted[done + i].number);
        if (query_run(q, err) != 0)
            return -1;
        while (query_next(q)) {
            struct wanted key = {.number = query_str(q, pool)};
            struct wanted *found = bsearch(&key, sorted + done, n, sizeof(*sorted), by_text);
            if (found != NULL)
                suppressed_r[found->at] = true;
        }
        done += n;
    }
    return 0;
}
