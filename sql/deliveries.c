/*
 * deliveries.c - draws deliveries. What became of them is written in deliveries_finish.c.
 */
#include "sql/deliveries.h"
#include "sql/list.h"
#include <string.h>

int deliveries_due(struct db *db, struct pool *pool, struct due_destination **rows_r,
                   size_t *count_r, usec_t *offset, struct err *err)
{
    usec_t asked_at = clock_monotonic(), now = TIME_NONE;
    if (db_now(db, &now, err) != 0)
        return -1;
    *offset = clock_offset(*offset, now, asked_at, clock_monotonic());

    struct query *q = db_use(db, STMT_DELIVERY_DUE);
    size_t room = 0;
    *rows_r = NULL;
    *count_r = 0;
    if (query_run_again(q, err))
        return -1;
    while (query_next(q)) {
        struct due_destination *row = LIST_NEXT(pool, rows_r, count_r, &room);
        query_id(q, &row->destination_id);
        row->due_at = query_time(q);
    }
    return 0;
}

static void read_destination(struct query *q, struct pool *pool, struct destination_row *row)
{
    query_id(q, &row->destination_id);
    query_id(q, &row->workspace_id);
    row->kind = (enum destination_kind)(query_i64(q) - 1);
    row->url = query_str(q, pool);
    row->secret_sealed = query_str(q, pool);
    row->previous_secret_sealed = query_str(q, pool);
    row->previous_until = query_time(q);
    row->timeout_seconds = (unsigned)query_i64(q);
    row->max_in_flight = (unsigned)query_i64(q);
    row->status = (enum destination_status)(query_i64(q) - 1);
    row->switches = (unsigned)query_i64(q);
    row->health.failures = (unsigned)query_i64(q);
    row->health.good_since = query_time(q);
    row->health.held_until = query_time(q);
    row->health.hold_wait = query_i64(q) * USEC_PER_MS;
    row->rate_per_second = (unsigned)query_i64(q);
    row->headers_sealed = query_str(q, pool);
}

int deliveries_destinations(struct db *db, struct pool *pool, const struct id *ids, size_t count,
                            struct destination_row **rows_r, size_t *count_r, struct err *err)
{
    struct destination_row *rows = pool_new(pool, struct destination_row, count);
    size_t found = 0;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_DELIVERY_DESTINATIONS, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &ids[done + i]);
        if (query_run_again(q, err))
            return -1;
        while (found < count && query_next(q))
            read_destination(q, pool, &rows[found++]);
        done += n;
    }
    *rows_r = rows;
    *count_r = found;
    return 0;
}

int deliveries_drop(struct db *db, const struct id *destination_id, unsigned limit, size_t *count_r,
                    struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_DROP);
    query_bind_id(q, destination_id);
    query_bind_i64(q, limit);
    if (query_run_again(q, err))
        return -1;
    *count_r = (size_t)query_affected(q);
    return 0;
}

static void read_drawn(struct query *q, struct drawn_delivery *row)
{
    query_id(q, &row->delivery_id);
    query_id(q, &row->destination_id);
    query_id(q, &row->event_id);
    row->position = (unsigned)query_i64(q);
    row->fence = (unsigned)query_i64(q) + 1;
    row->attempts = (unsigned)query_i64(q);
    row->lost = (unsigned)query_i64(q);
    if (query_i64(q) != 0)
        row->lost++;
    row->due_at = query_time(q);
}

static int draw(struct db *db, const struct draw_want *wants, size_t count,
                struct drawn_delivery *rows, size_t room, size_t *count_r, struct err *err)
{
    /* One more copy than wanted, which finds nothing: the one that fills up to a power of two. */
    struct query *q = db_use_many(db, STMT_DELIVERY_DRAW, count + 1);
    for (size_t i = 0; i < count; i++) {
        query_bind_id(q, &wants[i].destination_id);
        query_bind_time(q, wants[i].from);
        query_bind_i64(q, wants[i].limit);
    }
    query_bind_id(q, &wants[0].destination_id);
    query_bind_time(q, wants[0].from);
    query_bind_i64(q, 0);
    if (query_run(q, err))
        return -1;
    *count_r = 0;
    while (*count_r < room && query_next(q))
        read_drawn(q, &rows[(*count_r)++]);
    return 0;
}

static int claim(struct db *db, uint64_t owner, const struct drawn_delivery *rows, size_t count,
                 usec_t lease, struct err *err)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_DELIVERY_CLAIM, n);
        query_bind_i64(q, (int64_t)owner);
        query_bind_i64(q, lease);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &rows[done + i].delivery_id);
        if (query_run(q, err))
            return -1;
        done += n;
    }
    return 0;
}

static int give_bodies(struct db *db, struct pool *pool, struct drawn_delivery *rows, size_t count,
                       struct err *err)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_DELIVERY_BODIES, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &rows[done + i].event_id);
        if (query_run_again(q, err))
            return -1;
        while (query_next(q)) {
            struct id event_id;
            query_id(q, &event_id);
            struct str body = query_str(q, pool);
            struct id call_id;
            query_id(q, &call_id);
            usec_t created_at = query_time(q);
            for (size_t i = done; i < done + n; i++) {
                if (!id_eq(&rows[i].event_id, &event_id))
                    continue;
                rows[i].body = body;
                rows[i].call_id = call_id;
                rows[i].event_created_at = created_at;
            }
        }
        done += n;
    }
    return 0;
}

int deliveries_draw(struct db *db, struct pool *pool, uint64_t owner, const struct draw_want *wants,
                    size_t count, usec_t lease, struct drawn_delivery **rows_r, size_t *count_r,
                    struct err *err)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += wants[i].limit;
    struct drawn_delivery *rows = pool_new(pool, struct drawn_delivery, room);
    size_t drawn = 0;
    *rows_r = rows;
    *count_r = 0;
    if (count == 0 || room == 0)
        return 0;
    if (db_begin(db, err))
        return -1;
    if (draw(db, wants, count, rows, room, &drawn, err) ||
        (drawn > 0 && claim(db, owner, rows, drawn, lease, err))) {
        db_rollback(db);
        return -1;
    }
    /* Claimed only once the commit has answered; what an unknown commit claimed, its lease frees.
     */
    if (db_commit(db, err))
        return -1;
    if (drawn > 0 && give_bodies(db, pool, rows, drawn, err))
        return -1;
    *count_r = drawn;
    return 0;
}

int deliveries_take_turn(struct db *db, const struct id *destination_id, unsigned rate_per_second,
                         unsigned count, usec_t slack, bool *won_r, struct err *err)
{
    struct query *q = db_use(db, STMT_DELIVERY_PACE);
    query_bind_i64(q, slack);
    query_bind_i64(q, (int64_t)count * USEC_PER_S / rate_per_second);
    query_bind_id(q, destination_id);
    if (query_run(q, err))
        return -1;
    *won_r = query_affected(q) > 0;
    return 0;
}

static int draw_probes(struct db *db, const struct id *ids, size_t count, struct id *ours,
                       size_t *ours_count_r, struct err *err)
{
    struct query *q = db_use_many(db, STMT_DELIVERY_PROBE_DRAW, count);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &ids[i]);
    if (query_run(q, err))
        return -1;
    *ours_count_r = 0;
    while (*ours_count_r < count && query_next(q))
        query_id(q, &ours[(*ours_count_r)++]);
    return 0;
}

static int win_probes(struct db *db, const struct id *ours, size_t count, usec_t lease,
                      struct err *err)
{
    if (count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_DELIVERY_PROBE_WIN, count);
    query_bind_i64(q, lease);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &ours[i]);
    return query_run(q, err);
}

int deliveries_probe(struct db *db, const struct id *ids, size_t count, usec_t lease,
                     struct id *ours_r, size_t *ours_count_r, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (draw_probes(db, ids, count, ours_r, ours_count_r, err) ||
        win_probes(db, ours_r, *ours_count_r, lease, err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}
