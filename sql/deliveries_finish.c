/*
 * deliveries_finish.c - writes what became of deliveries: state, attempt log and the health of
 * their destinations, many in one transaction.
 *
 * Every update asks for owner and fence, so that a repeat of the transaction, or a dispatcher that
 * slept past its lease, changes nothing.
 */
#include "sql/deliveries.h"
#include "sql/erasure.h"
#include "sql/function_runs.h"
#include <string.h>

/* Successes of the same fence and status go together: nearly always all of them. */
static int finish_successes(struct db *db, uint64_t owner, const struct finished_delivery *rows,
                            size_t count, size_t *changed, struct err *err)
{
    const struct finished_delivery *group[DB_MANY_MAX];
    struct {
        unsigned fence;
        int status;
    } seen[DB_MANY_MAX];
    size_t seen_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].succeeded)
            continue;
        bool known = false;
        for (size_t s = 0; s < seen_count && !known; s++)
            known = seen[s].fence == rows[i].fence && seen[s].status == rows[i].status;
        if (known)
            continue;
        seen[seen_count].fence = rows[i].fence;
        seen[seen_count++].status = rows[i].status;
        size_t n = 0;
        for (size_t k = i; k < count; k++) {
            if (rows[k].succeeded && rows[k].fence == rows[i].fence &&
                rows[k].status == rows[i].status)
                group[n++] = &rows[k];
        }
        struct query *q = db_use_many(db, STMT_DELIVERY_SUCCEEDED, n);
        query_bind_i64(q, rows[i].status);
        query_bind_i64(q, (int64_t)owner);
        query_bind_i64(q, rows[i].fence);
        for (size_t k = 0; k < n; k++)
            query_bind_id(q, &group[k]->delivery_id);
        if (query_run(q, err))
            return -1;
        *changed += query_affected(q);
    }
    return 0;
}

static int give_back(struct db *db, uint64_t owner, const struct finished_delivery *f,
                     size_t *changed, struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_GIVE_BACK);
    query_bind_time(q, f->due_at);
    query_bind_i64(q, (int64_t)owner);
    query_bind_i64(q, f->fence);
    query_bind_id(q, &f->delivery_id);
    if (query_run(q, err))
        return -1;
    *changed += query_affected(q);
    return 0;
}

static int finish_failure(struct db *db, uint64_t owner, const struct finished_delivery *f,
                          size_t *changed, struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_FAILED);
    query_bind_str(q, f->used_up ? STR("failed") : STR("waiting"));
    query_bind_i64(q, f->position);
    query_bind_time(q, f->due_at);
    query_bind_i64_if(q, f->status > 0, f->status);
    query_bind_str(q, str_of(f->error));
    query_bind_i64(q, (int64_t)owner);
    query_bind_i64(q, f->fence);
    query_bind_id(q, &f->delivery_id);
    if (query_run(q, err))
        return -1;
    *changed += query_affected(q);
    return 0;
}

/* What failed and what is given back: few, as a rule. */
static int finish_others(struct db *db, uint64_t owner, const struct finished_delivery *rows,
                         size_t count, size_t *changed, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct finished_delivery *f = &rows[i];
        if (f->succeeded)
            continue;
        int failed = f->given_back ? give_back(db, owner, f, changed, err)
                                   : finish_failure(db, owner, f, changed, err);
        if (failed)
            return -1;
    }
    return 0;
}

static void bind_log_row(struct query *q, const struct finished_delivery *f)
{
    query_bind_id(q, &f->delivery_id);
    query_bind_i64(q, f->fence);
    query_bind_id(q, &f->workspace_id);
    query_bind_time(q, f->started_at);
    query_bind_i64(q, f->duration_ms);
    query_bind_i64_if(q, f->status > 0, f->status);
    query_bind_str(q, str_of(f->error));
    query_bind_str(q, f->detail);
    query_bind_str(q, f->response);
}

static int log_attempts(struct db *db, const struct finished_delivery *rows, size_t count,
                        struct err *err)
{
    const struct finished_delivery *made[DB_MANY_MAX];
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].request_made)
            made[total++] = &rows[i];
    }
    if (total == 0)
        return 0;
    /* Rounded up by repeating the last row, which INSERT IGNORE passes over. */
    struct query *q = db_use_many(db, STMT_DELIVERY_LOG, total);
    for (size_t i = 0; i < total; i++)
        bind_log_row(q, made[i]);
    return query_run(q, err);
}

/* Some of them were not ours any more: erasing a contact is one way to that, and what its receiver
 * says of the contact came after. */
static int erase_late_answers(struct db *db, const struct finished_delivery *rows, size_t count,
                              struct err *err)
{
    struct query *q = db_use_many(db, STMT_DELIVERY_LOG_ERASED, count);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &rows[i].delivery_id);
    return query_run(q, err);
}

static int write_runs(struct db *db, const struct finished_delivery *rows, size_t count,
                      struct err *err)
{
    struct function_run runs[DB_MANY_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].run && !rows[i].given_back)
            runs[n++] = *rows[i].run;
    }
    return n > 0 ? function_runs_insert(db, runs, n, err) : 0;
}

static int erase_late_runs(struct db *db, const struct finished_delivery *rows, size_t count,
                           struct err *err)
{
    struct id calls[DB_MANY_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].run)
            calls[n++] = rows[i].run->call_id;
    }
    return n > 0 ? erase_runs(db, calls, n, err) : 0;
}

static int write_health(struct db *db, const struct destination_health *health, size_t count,
                        struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct health *h = &health[i].health;
        struct query *q = db_use(db, STMT_DELIVERY_HEALTH);
        query_bind_i64(q, h->failures);
        query_bind_time(q, h->good_since);
        query_bind_time(q, h->held_until);
        query_bind_i64(q, h->hold_wait / USEC_PER_MS);
        query_bind_id(q, &health[i].destination_id);
        query_bind_i64(q, health[i].switches);
        if (query_run(q, err))
            return -1;
        if (!health[i].disable_reason)
            continue;
        q = db_use(db, STMT_DELIVERY_DISABLE);
        query_bind_str(q, str_of(health[i].disable_reason));
        query_bind_id(q, &health[i].destination_id);
        query_bind_i64(q, health[i].switches);
        if (query_run(q, err))
            return -1;
    }
    return 0;
}

int deliveries_finish(struct db *db, uint64_t owner, const struct finished_delivery *rows,
                      size_t count, const struct destination_health *health, size_t health_count,
                      size_t *lost_r, struct err *err)
{
    size_t changed = 0;
    if (count > DB_MANY_MAX)
        return err_set(err, ERR_INTERNAL, "over %d deliveries in one write", DB_MANY_MAX);
    if (db_begin(db, err))
        return -1;
    if (finish_successes(db, owner, rows, count, &changed, err) ||
        finish_others(db, owner, rows, count, &changed, err) ||
        log_attempts(db, rows, count, err) || write_runs(db, rows, count, err) ||
        (changed < count &&
         (erase_late_answers(db, rows, count, err) || erase_late_runs(db, rows, count, err))) ||
        write_health(db, health, health_count, err)) {
        db_rollback(db);
        return -1;
    }
    *lost_r = changed < count ? count - changed : 0;
    return db_commit(db, err);
}
