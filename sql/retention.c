/*
 * retention.c - one batch at a time: rows that are old enough are locked, those in use left out,
 * then everything below them goes by its keys, the rows themselves last.
 */
#include "sql/retention.h"
#include "lib/rules/call.h"
#include "sql/list.h"
#include "sql/transaction.h"
#include "sql/usage.h"

#include <stdlib.h>
#include <string.h>

static const enum call_status stages[] = {CALL_COMPLETED, CALL_FAILED, CALL_CANCELLED,
                                          CALL_DISALLOWED};
/* The stages of a round: those of calls, then events of no call, then try-outs of functions. */
#define CALL_STAGES (sizeof stages / sizeof *stages)
#define TRIAL_STAGE (CALL_STAGES + 1)

struct old_call {
    struct id call_id;
    int64_t day, talk_seconds;
    bool kept;
};
struct old_event {
    struct id event_id, call_id; /* zero: of no call */
    int64_t day;
    bool kept;
};
struct ids {
    struct id *ids;
    size_t count;
};

struct batch {
    struct pool *pool;
    size_t limit;
    const struct retention_round *from;
    struct retention_round next;
    struct old_call *calls;
    size_t call_count;
    struct old_event *events;
    size_t event_count;
};

int retention_workspaces(struct db *db, struct pool *pool, struct retention_workspace **rows_r,
                         size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_RETENTION_WORKSPACES);
    size_t room = 0;

    *count_r = 0;
    if (query_run_again(q, err) != 0)
        return -1;
    while (query_next(q)) {
        struct retention_workspace *row = LIST_NEXT(pool, rows_r, count_r, &room);
        query_id(q, &row->workspace_id);
        row->retention_days = query_i64(q);
    }
    return 0;
}

/* ---- what is old ---- */

static void bind_old(struct query *q, const struct batch *b)
{
    const struct retention_round *r = b->from;

    query_bind_i64(q, r->workspace.retention_days);
    query_bind_time(q, r->last_at);
    query_bind_time(q, r->last_at);
    query_bind_id(q, &r->last_id);
}

static int draw_calls(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_RETENTION_CALLS);
    size_t room = 0;

    query_bind_id(q, &b->from->workspace.workspace_id);
    query_bind_str(q, str_of(call_status_text(stages[b->from->stage])));
    bind_old(q, b);
    query_bind_i64(q, b->from->workspace.retention_days);
    query_bind_i64(q, (int64_t)b->limit);
    if (query_run(q, err) != 0)
        return -1;
    while (query_next(q)) {
        struct old_call *call = LIST_NEXT(b->pool, &b->calls, &b->call_count, &room);
        query_id(q, &call->call_id);
        b->next.last_at = query_time(q);
        b->next.last_id = call->call_id;
        call->day = query_i64(q);
        call->talk_seconds = query_i64(q);
    }
    return 0;
}

static void read_event(struct query *q, struct batch *b, size_t *room)
{
    struct old_event *event = LIST_NEXT(b->pool, &b->events, &b->event_count, room);

    query_id(q, &event->event_id);
    query_id(q, &event->call_id);
    event->day = query_i64(q);
}

static int draw_events(struct db *db, struct batch *b, struct err *err)
{
    struct query *q = db_use(db, STMT_RETENTION_EVENTS);
    size_t room = 0;

    query_bind_id(q, &b->from->workspace.workspace_id);
    bind_old(q, b);
    query_bind_i64(q, (int64_t)b->limit);
    if (query_run(q, err) != 0)
        return -1;
    while (query_next(q)) {
        read_event(q, b, &room);
        b->next.last_at = query_time(q);
        b->next.last_id = b->events[b->event_count - 1].event_id;
    }
    return 0;
}

/* ---- lists of ids, in as many statements as they need ---- */

typedef void row_fn(struct query *q, void *ctx);

/* affected_r may be NULL. */
static int run_for(struct db *db, enum stmt stmt, const struct ids *list, row_fn *row, void *ctx,
                   uint64_t *affected_r, struct err *err)
{
    uint64_t affected = 0;

    for (size_t at = 0; at < list->count;) {
        size_t n = list->count - at < DB_MANY_MAX ? list->count - at : DB_MANY_MAX;
        struct query *q = db_use_many(db, stmt, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &list->ids[at + i]);
        if (query_run(q, err) != 0)
            return -1;
        affected += query_affected(q);
        while (row != NULL && query_next(q))
            row(q, ctx);
        at += n;
    }
    if (affected_r != NULL)
        *affected_r = affected;
    return 0;
}

static struct ids ids_of_calls(const struct batch *b)
{
    struct ids list = {pool_new(b->pool, struct id, b->call_count + 1), 0};

    for (size_t i = 0; i < b->call_count; i++)
        if (!b->calls[i].kept)
            list.ids[list.count++] = b->calls[i].call_id;
    return list;
}

static struct ids ids_of_events(const struct batch *b)
{
    struct ids list = {pool_new(b->pool, struct id, b->event_count + 1), 0};

    for (size_t i = 0; i < b->event_count; i++)
        if (!b->events[i].kept)
            list.ids[list.count++] = b->events[i].event_id;
    return list;
}

/* ---- what is in use ---- */

struct collecting {
    struct batch *b;
    size_t room;
    struct ids list;
};

static void event_row(struct query *q, void *ctx)
{
    struct collecting *c = ctx;
    read_event(q, c->b, &c->room);
}

static void id_row(struct query *q, void *ctx)
{
    struct collecting *c = ctx;
    query_id(q, LIST_NEXT(c->b->pool, &c->list.ids, &c->list.count, &c->room));
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct id));
}

static bool among(const struct ids *sorted, const struct id *id)
{
    return sorted->count > 0 && bsearch(id, sorted->ids, sorted->count, sizeof *id, by_id) != NULL;
}

static void sort(struct ids *list)
{
    if (list->count > 0)
        qsort(list->ids, list->count, sizeof *list->ids, by_id);
}

/* An event with a delivery that waits is kept, its call with it, and all events of that call. */
static int keep_what_waits(struct db *db, struct batch *b, struct err *err)
{
    struct ids all = ids_of_events(b);
    struct collecting waiting = {.b = b};

    if (run_for(db, STMT_RETENTION_WAITING, &all, id_row, &waiting, NULL, err) != 0)
        return -1;
    if (waiting.list.count == 0)
        return 0;
    sort(&waiting.list);
    struct ids calls = {pool_new(b->pool, struct id, b->event_count), 0};
    for (size_t i = 0; i < b->event_count; i++)
        if (among(&waiting.list, &b->events[i].event_id)) {
            b->events[i].kept = true;
            if (!id_is_zero(&b->events[i].call_id))
                calls.ids[calls.count++] = b->events[i].call_id;
        }
    sort(&calls);
    for (size_t i = 0; i < b->event_count; i++)
        if (among(&calls, &b->events[i].call_id))
            b->events[i].kept = true;
    for (size_t i = 0; i < b->call_count; i++)
        b->calls[i].kept = among(&calls, &b->calls[i].call_id);
    return 0;
}

/* ---- deleting ---- */

/* A delivery that an owner sent again in the meantime waits now: the batch is given up then, and
 * done without it next time. */
static int delete_deliveries(struct db *db, struct batch *b, const struct ids *events,
                             struct err *err)
{
    struct collecting deliveries = {.b = b};
    uint64_t deleted;

    if (run_for(db, STMT_RETENTION_DELIVERIES, events, id_row, &deliveries, NULL, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_DELIVERIES, &deliveries.list, NULL, NULL, &deleted,
                err) != 0)
        return -1;
    if (deleted != deliveries.list.count)
        return err_set(err, ERR_CONFLICT, "a delivery waits again");
    return run_for(db, STMT_RETENTION_DELETE_LOG, &deliveries.list, NULL, NULL, NULL, err);
}

static int delete_all(struct db *db, struct batch *b, struct err *err)
{
    struct ids calls = ids_of_calls(b), events = ids_of_events(b);

    if (delete_deliveries(db, b, &events, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_EVENTS, &events, NULL, NULL, NULL, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_STEPS, &calls, NULL, NULL, NULL, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_RUNS, &calls, NULL, NULL, NULL, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_ATTEMPTS, &calls, NULL, NULL, NULL, err) != 0 ||
        run_for(db, STMT_RETENTION_DELETE_CALLS, &calls, NULL, NULL, NULL, err) != 0)
        return -1;
    b->next.calls += calls.count;
    b->next.events += events.count;
    return 0;
}

/* ---- counting ---- */

struct day {
    int64_t day, calls, talk_seconds, events;
};

static struct day *day_at(struct batch *b, struct day **days, size_t *count, size_t *room,
                          int64_t day)
{
    for (size_t i = *count; i-- > 0;)
        if ((*days)[i].day == day)
            return &(*days)[i];
    struct day *made = LIST_NEXT(b->pool, days, count, room);
    made->day = day;
    return made;
}

static int add_day(struct db *db, const struct batch *b, const struct day *day, struct err *err)
{
    enum call_status status =
        b->from->stage < CALL_STAGES ? stages[b->from->stage] : CALL_STATUS_COUNT;
    struct query *q = db_use(db, STMT_RETENTION_COUNT);

    query_bind_id(q, &b->from->workspace.workspace_id);
    query_bind_i64(q, day->day);
    query_bind_i64(q, day->calls);
    query_bind_i64(q, status == CALL_COMPLETED ? day->calls : 0);
    query_bind_i64(q, status == CALL_FAILED ? day->calls : 0);
    query_bind_i64(q, status == CALL_CANCELLED ? day->calls : 0);
    query_bind_i64(q, status == CALL_DISALLOWED ? day->calls : 0);
    query_bind_i64(q, day->talk_seconds);
    query_bind_i64(q, day->events);
    if (query_run(q, err) != 0)
        return -1;
    return usage_open(db, &b->from->workspace.workspace_id, day->day, err);
}

static int count_days(struct db *db, struct batch *b, struct err *err)
{
    struct day *days = NULL;
    size_t count = 0, room = 0;

    for (size_t i = 0; i < b->call_count; i++) {
        if (b->calls[i].kept)
            continue;
        struct day *day = day_at(b, &days, &count, &room, b->calls[i].day);
        day->calls++;
        day->talk_seconds += b->calls[i].talk_seconds;
    }
    for (size_t i = 0; i < b->event_count; i++)
        if (!b->events[i].kept)
            day_at(b, &days, &count, &room, b->events[i].day)->events++;
    for (size_t i = 0; i < count; i++)
        if (add_day(db, b, &days[i], err) != 0)
            return -1;
    return 0;
}

/* ---- a step ---- */

static int draw(struct db *db, struct batch *b, struct err *err)
{
    if (b->from->stage >= CALL_STAGES)
        return draw_events(db, b, err);
    if (draw_calls(db, b, err) != 0)
        return -1;
    struct ids calls = ids_of_calls(b);
    struct collecting events = {.b = b};
    return run_for(db, STMT_RETENTION_EVENTS_OF, &calls, event_row, &events, NULL, err);
}

static int work(struct db *db, void *ctx, struct err *err)
{
    struct batch *b = ctx;

    b->next = *b->from;
    b->calls = NULL;
    b->events = NULL;
    b->call_count = b->event_count = 0;
    if (draw(db, b, err) != 0 || keep_what_waits(db, b, err) != 0 || delete_all(db, b, err) != 0)
        return -1;
    return count_days(db, b, err);
}

static int delete_trials(struct db *db, size_t limit, const struct retention_round *round,
                         size_t *deleted_r, struct err *err)
{
    struct query *q = db_use(db, STMT_RETENTION_DELETE_TRIALS);

    query_bind_id(q, &round->workspace.workspace_id);
    query_bind_i64(q, round->workspace.retention_days);
    query_bind_i64(q, (int64_t)limit);
    if (query_run_again(q, err) != 0)
        return -1;
    *deleted_r = (size_t)query_affected(q);
    return 0;
}

int retention_step(struct db *db, struct pool *pool, size_t batch, struct retention_round *round,
                   struct err *err)
{
    struct batch b = {.pool = pool, .limit = batch, .from = round};
    size_t trials;

    if (round->stage == TRIAL_STAGE) {
        if (delete_trials(db, batch, round, &trials, err) != 0)
            return -1;
        round->done = trials < batch;
        return 0;
    }
    if (transaction_run(db, work, &b, err) != 0 && err->code != ERR_CONFLICT)
        return -1;
    size_t seen = round->stage < CALL_STAGES ? b.call_count : b.event_count;
    *round = b.next;
    if (seen < batch) {
        round->stage++;
        round->last_at = 0;
        memset(&round->last_id, 0, sizeof round->last_id);
    }
    return 0;
}
