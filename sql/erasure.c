/*
 * erasure.c - a batch of calls per transaction: what hangs on them first, they themselves last,
 * so that their number finds them until all is done.
 */
#include "sql/erasure.h"
#include "lib/base/buf.h"
#include "lib/rules/event.h"
#include "sql/list.h"
#include "sql/transaction.h"

#define BATCH 100 /* calls; at most DB_MANY_MAX */
#define BODY_MAX 1000

struct erased_event {
    struct id event_id, call_id;
    enum event_type type;
    usec_t created_at;
};

struct batch {
    struct pool *pool;
    const struct id *workspace_id;
    struct str number;
    struct id calls[BATCH];
    size_t call_count;
    struct erased_event *events;
    size_t event_count;
};

static int draw(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_ERASE_DRAW);

    b->call_count = 0;
    query_bind_id(q, b->workspace_id);
    query_bind_str(q, b->number);
    query_bind_i64(q, BATCH);
    if (query_run(q, err) != 0)
        return -1;
    while (b->call_count < BATCH && query_next(q))
        query_id(q, &b->calls[b->call_count++]);
    return 0;
}

static int read_events(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use_many(db, STMT_ERASE_EVENTS, b->call_count);
    size_t room = 0;

    b->event_count = 0;
    for (size_t i = 0; i < b->call_count; i++)
        query_bind_id(q, &b->calls[i]);
    if (query_run(q, err) != 0)
        return -1;
    while (query_next(q)) {
        struct erased_event *event = LIST_NEXT(b->pool, &b->events, &b->event_count, &room);
        query_id(q, &event->event_id);
        query_id(q, &event->call_id);
        event->type = (enum event_type)(query_i64(q) - 1);
        event->created_at = query_time(q);
    }
    return 0;
}

static int run_for_calls(struct db *db, enum stmt stmt, const struct batch *b, struct err *err)
{
    struct query *q = db_use_many(db, stmt, b->call_count);

    for (size_t i = 0; i < b->call_count; i++)
        query_bind_id(q, &b->calls[i]);
    return query_run(q, err);
}

static int run_for_events(struct db *db, enum stmt stmt, const struct batch *b, struct err *err)
{
    for (size_t at = 0; at < b->event_count;) {
        size_t left = b->event_count - at, n = left < DB_MANY_MAX ? left : DB_MANY_MAX;
        struct query *q = db_use_many(db, stmt, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &b->events[at + i].event_id);
        if (query_run(q, err) != 0)
            return -1;
        at += n;
    }
    return 0;
}

/* The envelope that it had, and of the call its id alone. */
static int blank_event(struct db *db, const struct erased_event *event, struct err *err)
{
    char event_id[ID_TEXT_SIZE], call_id[ID_TEXT_SIZE], created_at[TIME_TEXT_SIZE];
    struct buf body;

    id_format(ID_EVENT, &event->event_id, event_id);
    id_format(ID_CALL, &event->call_id, call_id);
    time_format(event->created_at, created_at);
    buf_init(&body, BODY_MAX);
    buf_printf(&body,
               "{\"event_id\":\"%s\",\"event_type\":\"%s\",\"created_at\":\"%s\","
               "\"data\":{\"call_id\":\"%s\"},\"erased\":true}",
               event_id, event_type_text(event->type), created_at, call_id);
    struct query *q = db_use(db, STMT_ERASE_EVENT);
    query_bind_bytes(q, body.data, body.len);
    query_bind_id(q, &event->event_id);
    int result = query_run(q, err);
    buf_deinit(&body);
    return result;
}

static int work(struct db *db, void *ctx, struct err *err)
{
    struct batch *b = ctx;

    b->event_count = 0;
    if (draw(db, b, err) != 0)
        return -1;
    if (b->call_count == 0)
        return 0;
    if (read_events(db, b, err) != 0 || run_for_events(db, STMT_ERASE_WAITING, b, err) != 0 ||
        run_for_events(db, STMT_ERASE_LOG, b, err) != 0)
        return -1;
    for (size_t i = 0; i < b->event_count; i++)
        if (blank_event(db, &b->events[i], err) != 0)
            return -1;
    if (run_for_calls(db, STMT_RETENTION_DELETE_STEPS, b, err) != 0 ||
        run_for_calls(db, STMT_ERASE_ATTEMPTS, b, err) != 0 ||
        run_for_calls(db, STMT_ERASE_RUNS, b, err) != 0)
        return -1;
    return run_for_calls(db, STMT_ERASE_CALLS, b, err);
}

static int cancel_scheduled(struct db *db, void *ctx, struct err *err)
{
    const struct batch *b = ctx;
    struct query *q = db_use(db, STMT_ERASE_CANCEL);

    query_bind_id(q, b->workspace_id);
    query_bind_str(q, b->number);
    return query_run(q, err);
}

static int check_under_way(struct db *db, const struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_ERASE_UNDER_WAY);

    query_bind_id(q, b->workspace_id);
    query_bind_str(q, b->number);
    if (query_run_again(q, err) != 0)
        return -1;
    return query_next(q) ? err_set(err, ERR_CONFLICT, "A call of this number is under way.") : 0;
}

int erase_contact(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct str number, struct erased *erased_r, struct err *err)
{
    struct batch b = {.pool = pool, .workspace_id = workspace_id, .number = number};

    *erased_r = (struct erased){0, 0};
    if (transaction_run(db, cancel_scheduled, &b, err) != 0 || check_under_way(db, &b, err) != 0)
        return -1;
    do {
        if (transaction_run(db, work, &b, err) != 0)
            return -1;
        erased_r->calls += b.call_count;
        erased_r->events += b.event_count;
    } while (b.call_count == BATCH);
    return 0;
}

int erase_runs(struct db *db, const struct id *calls, size_t count, struct err *err)
{
    struct query *q = db_use_many(db, STMT_ERASE_LATE_RUNS, count);

    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &calls[i]);
    return query_run(q, err);
}
