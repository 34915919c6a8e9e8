/*
 * replays.c - orders of replays, and the batches they are worked off in.
 *
 * A batch goes through failed deliveries of the workspace in the order of (created_at, id), from
 * where the last one ended, and makes anew those of the endpoint that are failed still. Its place
 * and its changes are one commit, and its row is locked meanwhile: a dispatcher that dies loses
 * nothing and doubles nothing, and two never work on the same.
 */
#include "sql/replays.h"
#include "sql/ids.h"
#include "sql/transaction.h"

#define BATCH DB_MANY_MAX

static int no_such_replay(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such replay.");
}

/* REPLAY_COLUMNS */
static void read_row(struct query *q, struct replay_row *row)
{
    query_id(q, &row->replay_id);
    query_id(q, &row->endpoint_id);
    row->since = query_time(q);
    row->until = query_time(q);
    row->done = query_i64(q) != 0;
    row->replayed = query_i64(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
}

/* ---- orders ---- */

struct order {
    const struct id *workspace_id, *endpoint_id;
    usec_t since, until;
    struct replay_row row;
};

static int lock_endpoint(struct db *db, const struct order *o, usec_t *now_r, struct err *err)
{
    struct query *q = db_use(db, STMT_REPLAY_LOCK_ENDPOINT);
    query_bind_id(q, o->endpoint_id);
    query_bind_id(q, o->workspace_id);
    query_bind_id(q, o->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "There is no such webhook endpoint.");
    *now_r = query_time(q);
    return 0;
}

static int find_running(struct db *db, struct order *o, bool *found_r, struct err *err)
{
    struct query *q = db_use(db, STMT_REPLAY_RUNNING);
    query_bind_id(q, o->endpoint_id);
    query_bind_time(q, o->since);
    query_bind_time(q, o->until);
    query_bind_time(q, o->until);
    if (query_run(q, err) != 0)
        return -1;
    *found_r = query_next(q);
    if (*found_r)
        read_row(q, &o->row);
    return 0;
}

static int create(struct db *db, void *ctx, struct err *err)
{
    struct order *o = ctx;
    usec_t now = TIME_NONE;
    bool found = false;
    if (lock_endpoint(db, o, &now, err) != 0)
        return -1;
    if (o->since > now)
        return err_set(err, ERR_INVALID, "since must not be in the future.");
    if (o->until != TIME_NONE && o->until <= o->since)
        return err_set(err, ERR_INVALID, "until must be after since.");
    if (find_running(db, o, &found, err) != 0)
        return -1;
    if (found)
        return 0;
    o->row = (struct replay_row){.replay_id = id_new(),
                                 .endpoint_id = *o->endpoint_id,
                                 .since = o->since,
                                 .until = o->until == TIME_NONE ? now : o->until,
                                 .created_at = now,
                                 .updated_at = now};
    struct query *q = db_use(db, STMT_REPLAY_INSERT);
    query_bind_id(q, &o->row.replay_id);
    query_bind_id(q, o->workspace_id);
    query_bind_id(q, o->endpoint_id);
    query_bind_time(q, o->row.since);
    query_bind_time(q, o->row.until);
    for (int i = 0; i < 3; i++)
        query_bind_time(q, now);
    return query_run(q, err);
}

int replays_create(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                   usec_t since, usec_t until, struct replay_row *row_r, struct err *err)
{
    struct order o = {
        .workspace_id = workspace_id, .endpoint_id = endpoint_id, .since = since, .until = until};
    if (transaction_run(db, create, &o, err) != 0)
        return -1;
    *row_r = o.row;
    return 0;
}

int replays_get(struct db *db, const struct id *workspace_id, const struct id *replay_id,
                struct replay_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_REPLAY_GET);
    query_bind_id(q, replay_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return no_such_replay(err);
    read_row(q, row_r);
    return 0;
}

/* ---- batches ---- */

struct batch {
    bool worked;
    struct id replay_id, workspace_id, endpoint_id, last_id;
    usec_t until, last_created_at;
    struct id ids[BATCH];
    size_t seen, count; /* failed deliveries that were looked at; those of the endpoint */
    uint64_t replayed;
};

static int take(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_REPLAY_TAKE);
    if (query_run(q, err) != 0)
        return -1;
    b->worked = query_next(q);
    if (!b->worked)
        return 0;
    query_id(q, &b->replay_id);
    query_id(q, &b->workspace_id);
    query_id(q, &b->endpoint_id);
    b->until = query_time(q);
    b->last_created_at = query_time(q);
    query_id(q, &b->last_id);
    return 0;
}

static int look(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_REPLAY_LOOK);
    query_bind_id(q, &b->workspace_id);
    query_bind_time(q, b->last_created_at);
    query_bind_time(q, b->until);
    query_bind_time(q, b->last_created_at);
    query_bind_id(q, &b->last_id);
    query_bind_i64(q, BATCH);
    if (query_run(q, err) != 0)
        return -1;
    b->seen = b->count = 0;
    while (b->seen < BATCH && query_next(q)) {
        struct id endpoint_id;
        query_id(q, &b->last_id);
        query_id(q, &endpoint_id);
        b->last_created_at = query_time(q);
        b->seen++;
        if (id_eq(&endpoint_id, &b->endpoint_id))
            b->ids[b->count++] = b->last_id;
    }
    return 0;
}

static int arm(struct db *db, struct batch *b, struct err *err)
{
    b->replayed = 0;
    if (b->count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_REPLAY_ARM, b->count);
    query_bind_id(q, &b->endpoint_id);
    for (size_t i = 0; i < b->count; i++)
        query_bind_id(q, &b->ids[i]);
    if (query_run(q, err) != 0)
        return -1;
    b->replayed = query_affected(q);
    return 0;
}

static int advance(struct db *db, const struct batch *b, struct err *err)
{
    bool done = b->seen < BATCH;
    struct query *q = db_use(db, STMT_REPLAY_ADVANCE);
    query_bind_str(q, done ? STR("done") : STR("running"));
    query_bind_i64(q, done);
    query_bind_i64(q, (int64_t)b->replayed);
    query_bind_time(q, b->last_created_at);
    query_bind_id(q, &b->last_id);
    query_bind_id(q, &b->replay_id);
    return query_run(q, err);
}

static int work(struct db *db, void *ctx, struct err *err)
{
    struct batch *b = ctx;
    if (take(db, b, err) != 0)
        return -1;
    if (!b->worked)
        return 0;
    return look(db, b, err) != 0 || arm(db, b, err) != 0 || advance(db, b, err) != 0 ? -1 : 0;
}

int replays_work(struct db *db, bool *worked_r, struct id *endpoint_id_r, struct err *err)
{
    struct batch b;
    if (transaction_run(db, work, &b, err) != 0)
        return -1;
    *worked_r = b.worked;
    if (b.worked)
        *endpoint_id_r = b.endpoint_id;
    return 0;
}
