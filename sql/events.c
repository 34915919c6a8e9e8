/*
 * events.c - writes an event and one delivery per endpoint, and per function of the agent, that
 * wants it.
 *
 * Which endpoints those are is decided here, at the moment of the event: an endpoint made later
 * does not get it, one deleted later drops it.
 */
#include "sql/events.h"
#include "lib/base/crypto.h"
#include "sql/list.h"
#include <string.h>

/* More than any event needs: a summary and a message are bounded on their way in. */
#define EVENT_BODY_MAX (4u << 20)

static struct id new_id(usec_t now)
{
    unsigned char random[10];
    crypto_random(random, sizeof random);
    return id_make(now, random);
}

/* Makes the event's id and its body, as text in the pool. */
static int make_body(struct pool *pool, struct event_data *event, struct str *text_r,
                     struct err *err)
{
    struct buf body;
    buf_init(&body, EVENT_BODY_MAX);
    event->event_id = new_id(event->created_at);
    event_body(&body, event);
    bool overflow = body.overflow;
    if (!overflow)
        *text_r = pool_str(pool, buf_as_str(&body));
    buf_deinit(&body);
    return overflow ? err_set(err, ERR_INTERNAL, "an event's body would be over %u bytes",
                              EVENT_BODY_MAX)
                    : 0;
}

/* of_call: the event is its call's; else it only tells of one. */
static int insert_events(struct db *db, struct pool *pool, const struct id *workspace_id,
                         bool of_call, struct event_data *events, size_t count, struct err *err)
{
    struct str *bodies = pool_new(pool, struct str, count);

    for (size_t i = 0; i < count; i++)
        if (make_body(pool, &events[i], &bodies[i], err))
            return -1;
    for (size_t done = 0; done < count;) {
        size_t n = db_many_chunk(count - done);
        struct query *q = db_use_many(db, STMT_EVENT_INSERT, n);
        for (size_t i = done; i < done + n; i++) {
            query_bind_id(q, &events[i].event_id);
            query_bind_id(q, workspace_id);
            query_bind_id(q, of_call ? &events[i].call_id : NULL);
            query_bind_str(q, str_of(event_type_text(events[i].type)));
            query_bind_str(q, bodies[i]);
            query_bind_time(q, events[i].created_at);
        }
        if (query_run(q, err))
            return -1;
        done += n;
    }
    return 0;
}

static int destinations_of(struct db *db, struct pool *pool, const struct id *workspace_id,
                           const struct event_data *event, struct wakes *found, struct err *err)
{
    struct query *q = db_use(db, STMT_EVENT_DESTINATIONS);
    query_bind_id(q, workspace_id);
    query_bind_i64(q, (int64_t)(1u << event->type));
    query_bind_id(q, &event->agent_id);
    if (query_run(q, err))
        return -1;
    *found = (struct wakes){0};
    size_t room = 0;
    while (query_next(q))
        query_id(q, LIST_NEXT(pool, &found->ids, &found->count, &room));
    return 0;
}

/* A delivery of each event to each of them. */
static int insert_deliveries(struct db *db, struct pool *pool, const struct id *workspace_id,
                             const struct event_data *events, size_t count, usec_t first_wait,
                             const struct wakes *to, struct err *err)
{
    size_t all = count * to->count;
    for (size_t done = 0; done < all;) {
        size_t n = db_many_chunk(all - done);
        struct id *ids = pool_new(pool, struct id, n);
        struct query *q = db_use_many(db, STMT_EVENT_DELIVERIES, n);
        for (size_t i = 0; i < n; i++) {
            const struct event_data *event = &events[(done + i) / to->count];
            ids[i] = new_id(event->created_at);
            query_bind_id(q, &ids[i]);
            query_bind_id(q, workspace_id);
            query_bind_id(q, &to->ids[(done + i) % to->count]);
            query_bind_id(q, &event->event_id);
            query_bind_time(q, event->created_at + first_wait);
            query_bind_time(q, event->created_at);
            query_bind_time(q, event->created_at);
        }
        if (query_run(q, err))
            return -1;
        done += n;
    }
    return 0;
}

int events_write_many(struct db *db, struct pool *pool, const struct id *workspace_id,
                      struct event_data *events, size_t count, usec_t first_wait,
                      struct wakes *wakes, struct err *err)
{
    struct wakes to;
    if (count == 0)
        return 0;
    if (insert_events(db, pool, workspace_id, true, events, count, err) ||
        destinations_of(db, pool, workspace_id, &events[0], &to, err) ||
        insert_deliveries(db, pool, workspace_id, events, count, first_wait, &to, err))
        return -1;
    if (to.count == 0)
        return 0;
    struct id *all = pool_new(pool, struct id, wakes->count + to.count);
    if (wakes->count > 0)
        memcpy(all, wakes->ids, wakes->count * sizeof *all);
    memcpy(all + wakes->count, to.ids, to.count * sizeof *all);
    wakes->ids = all;
    wakes->count += to.count;
    return 0;
}

int events_write(struct db *db, struct pool *pool, const struct id *workspace_id,
                 struct event_data *event, usec_t first_wait, struct wakes *wakes, struct err *err)
{
    return events_write_many(db, pool, workspace_id, event, 1, first_wait, wakes, err);
}

int events_write_sample(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                        struct event_data *event, struct id *delivery_id_r, struct err *err)
{
    struct pool *pool;
    if (db_now(db, &event->created_at, err))
        return -1;
    pool_create(&pool);
    int failed = insert_events(db, pool, workspace_id, false, event, 1, err);
    pool_destroy(&pool);
    if (failed)
        return -1;
    *delivery_id_r = new_id(event->created_at);
    struct query *q = db_use_many(db, STMT_EVENT_DELIVERIES, 1);
    query_bind_id(q, delivery_id_r);
    query_bind_id(q, workspace_id);
    query_bind_id(q, endpoint_id);
    query_bind_id(q, &event->event_id);
    for (int i = 0; i < 3; i++)
        query_bind_time(q, event->created_at);
    return query_run(q, err);
}
