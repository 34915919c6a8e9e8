/*
 * fence_counts.c - what the fence counts: open calls against lines, dials of the day against caps,
 * dials of a number, and the carrier's pace.
 *
 * Nothing of it is stored as a number that could go wrong, except the dials of a day: lines are
 * free when no open call has them. The lock of the workspace's row is what makes the count exact:
 * whoever would open another call waits for it.
 */
#include "sql/fence_private.h"

bool fence_is_counted(const struct placing_agent *a)
{
    return a->common.kind != CARRIER_SIMULATOR || a->lines > 0 || a->calls_per_day > 0 ||
           a->simulated.has_hours;
}

int fence_lock(struct db *db, const struct placing_agent *a, struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_LOCK);
    query_bind_id(q, &a->common.workspace_id);
    if (query_run(q, err))
        return -1;
    return query_next(q) ? 0 : err_set(err, ERR_INTERNAL, "an agent without a workspace");
}

static int64_t left(int64_t limit, int64_t taken)
{
    if (limit == 0)
        return NO_LIMIT;
    return limit > taken ? limit - taken : 0;
}

static int read_lines(struct db *db, const struct placing_agent *a, struct fence_room *room,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_LINES);
    query_bind_id(q, &a->common.placement.agent_id);
    query_bind_id(q, &a->common.carrier_id);
    query_bind_id(q, &a->common.carrier_id);
    query_bind_id(q, &a->common.workspace_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "open calls were not counted");
    room->now = query_time(q);
    room->workspace_lines = left(a->workspace_lines, query_i64(q));
    room->agent_lines = left(a->lines, query_i64(q));
    room->carrier_lines = left(a->carrier_lines, query_i64(q));
    room->paced_until = query_time(q);
    return 0;
}

static int read_day(struct db *db, const struct placing_agent *a, struct fence_room *room,
                    struct err *err)
{
    int64_t day = zone_day(a->zone ? a->zone : zone_utc(), room->now);
    struct query *q = db_use(db, STMT_FENCE_DAY);
    query_bind_id(q, &a->common.placement.agent_id);
    query_bind_id(q, &a->common.workspace_id);
    query_bind_time(q, day * USEC_PER_DAY);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "dials of the day were not counted");
    room->agent_day = left(a->calls_per_day, query_i64(q));
    room->workspace_day = left(a->workspace_calls_per_day, query_i64(q));
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Batches leave lines that are free to single calls: of their own agent to all that are due, of the
 * workspace's other agents to those that are known to wait for one of its lines. Asked only where
 * they would compete. */
static int read_singles(struct db *db, const struct placing_agent *a, const struct fence_ask *ask,
                        struct fence_room *room, struct err *err)
{
    int64_t lines = least(room->agent_lines, least(room->carrier_lines, room->workspace_lines));
    if (!ask->of.batched || lines <= 0 || lines >= (int64_t)ask->limit)
        return 0;
    struct query *q = db_use(db, STMT_FENCE_SINGLES_WAIT);
    query_bind_id(q, &a->common.workspace_id);
    query_bind_id(q, &a->common.placement.agent_id);
    if (query_run(q, err))
        return -1;
    if (query_next(q)) {
        room->singles_first = query_i64(q) != 0;
        room->own_singles_first = query_i64(q) != 0;
    }
    return 0;
}

int fence_read_room(struct db *db, const struct placing_agent *a, const struct fence_ask *ask,
                    struct fence_room *room_r, struct err *err)
{
    *room_r = (struct fence_room){
        .agent_lines = NO_LIMIT,
        .workspace_lines = NO_LIMIT,
        .carrier_lines = NO_LIMIT,
        .agent_day = NO_LIMIT,
        .workspace_day = NO_LIMIT,
        .pace = SIZE_MAX,
        .paced_until = TIME_NONE,
    };
    if (!fence_is_counted(a))
        return db_now(db, &room_r->now, err);
    if (read_lines(db, a, room_r, err))
        return -1;
    if (read_singles(db, a, ask, room_r, err))
        return -1;
    if ((a->calls_per_day > 0 || a->workspace_calls_per_day > 0) && read_day(db, a, room_r, err))
        return -1;
    if (a->carrier_per_second > 0) {
        usec_t until = room_r->paced_until;
        room_r->pace = policy_pace(&until, (unsigned)a->carrier_per_second, SIZE_MAX, room_r->now);
        if (room_r->pace > 0) /* or else paced_until is what has to be waited for */
            room_r->paced_until = until;
    }
    return 0;
}

/* ---- numbers ---- */

static void bind_numbers(struct query *q, const struct drawn_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        query_bind_str(q, calls[i].call.placement.contact_number);
}

static int read_suppressed(struct db *db, struct pool *pool, const struct placing_agent *a,
                           struct drawn_call *calls, size_t count, struct err *err)
{
    struct query *q = db_use_many(db, STMT_SUPPRESSED_AMONG, count);
    query_bind_id(q, &a->common.workspace_id);
    bind_numbers(q, calls, count);
    if (query_run(q, err))
        return -1;
    while (query_next(q)) {
        struct str number = query_str(q, pool);
        for (size_t i = 0; i < count; i++)
            calls[i].facts.suppressed |= str_eq(calls[i].call.placement.contact_number, number);
    }
    return 0;
}

/* Dials to these numbers since the day began, or within the gap when that is longer ago. */
static int read_dials(struct db *db, struct pool *pool, const struct placing_agent *a, usec_t now,
                      struct drawn_call *calls, size_t count, struct err *err)
{
    const struct zone *zone = a->zone ? a->zone : zone_utc();
    usec_t day = zone_day_start(zone, zone_day(zone, now));
    usec_t since = now - a->real.number_gap_minutes * 60 * USEC_PER_S;
    struct query *q = db_use_many(db, STMT_FENCE_DIALS, count);
    query_bind_time(q, day);
    query_bind_id(q, &a->common.workspace_id);
    query_bind_time(q, since < day ? since : day);
    bind_numbers(q, calls, count);
    if (query_run(q, err))
        return -1;
    while (query_next(q)) {
        struct str number = query_str(q, pool);
        int64_t dials = query_i64(q);
        usec_t last = query_time(q);
        for (size_t i = 0; i < count; i++) {
            struct drawn_call *d = &calls[i];
            if (d->simulated || !str_eq(d->call.placement.contact_number, number))
                continue;
            d->facts.number_dials = dials;
            d->facts.number_dialled_at = last;
        }
    }
    return 0;
}

int fence_read_numbers(struct db *db, struct pool *pool, const struct placing_agent *a, usec_t now,
                       struct drawn_call *calls, size_t count, struct err *err)
{
    bool limited = a->real.number_calls_per_day > 0 || a->real.number_gap_minutes > 0;
    if (read_suppressed(db, pool, a, calls, count, err))
        return -1;
    if (a->common.kind == CARRIER_SIMULATOR || !limited)
        return 0;
    return read_dials(db, pool, a, now, calls, count, err);
}
