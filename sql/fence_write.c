/*
 * fence_write.c - writes what the fence decided: attempts and their counts, claims to prepare,
 * calls put off, calls that wait for a line or their carrier's pace.
 */
#include "sql/fence_private.h"

/* ---- attempts ---- */

/* Real dials are always counted by the day, simulated ones when the agent limits them. */
static bool is_counted_by_day(const struct placing_agent *a, const struct fenced_call *call)
{
    return call->kind != CARRIER_SIMULATOR || a->calls_per_day > 0;
}

static int insert_attempts(struct db *db, const struct conf *conf, const struct placing_agent *a,
                           const struct fenced_call *calls, size_t count, usec_t now, usec_t day,
                           struct err *err)
{
    usec_t longest =
        (a->common.placement.ring_timeout_seconds + a->common.placement.max_duration_seconds) *
        USEC_PER_S;
    for (size_t done = 0; done < count;) {
        size_t n = db_many_chunk(count - done);
        struct query *q = db_use_many(db, STMT_FENCE_ATTEMPTS, n);
        for (size_t i = 0; i < n; i++) {
            const struct fenced_call *call = &calls[done + i];
            bool real = call->kind != CARRIER_SIMULATOR;
            query_bind_id(q, &call->placement.call_id);
            query_bind_i64(q, call->placement.attempt);
            query_bind_id(q, &call->workspace_id);
            query_bind_id(q, id_is_zero(&call->carrier_id) ? NULL : &call->carrier_id);
            query_bind_str(q, str_of(carrier_kind_text(call->kind)));
            query_bind_bytes(q, call->placement.token, sizeof call->placement.token);
            query_bind_i64(q, a->redial_on_unknown);
            query_bind_str(q, real ? call->placement.contact_number : STR_NULL);
            query_bind_time(q, is_counted_by_day(a, call) ? day : TIME_NONE);
            query_bind_time(q, now);
            query_bind_time(q, now + longest + conf->place_timeout + conf->reaper_grace);
            query_bind_time(q, now + conf->place_timeout + conf->lease_grace);
        }
        if (query_run(q, err))
            return -1;
        done += n;
    }
    return 0;
}

static int count_dials(struct db *db, const struct placing_agent *a, usec_t day, bool simulated,
                       size_t dials, struct err *err)
{
    if (dials == 0)
        return 0;
    struct query *q = db_use(db, STMT_FENCE_COUNT_DIALS);
    query_bind_id(q, &a->common.workspace_id);
    query_bind_time(q, day);
    query_bind_id(q, &a->common.placement.agent_id);
    query_bind_i64(q, simulated);
    query_bind_i64(q, (int64_t)dials);
    return query_run(q, err);
}

static int keep_pace(struct db *db, const struct placing_agent *a, const struct fence_room *room,
                     size_t dials, struct err *err)
{
    usec_t until = TIME_NONE;
    if (dials == 0 || a->carrier_per_second == 0)
        return 0;
    if (policy_pace(&until, (unsigned)a->carrier_per_second, dials, room->now) != dials)
        return err_set(err, ERR_INTERNAL, "more dials than the carrier's pace allows");
    struct query *q = db_use(db, STMT_FENCE_PACE);
    query_bind_time(q, until);
    query_bind_id(q, &a->common.carrier_id);
    return query_run(q, err);
}

static int move_calls(struct db *db, const struct fenced_call *calls, size_t count, struct err *err)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < DB_MANY_MAX ? count - done : DB_MANY_MAX;
        struct query *q = db_use_many(db, STMT_FENCE_CALLS, n);
        for (size_t i = 0; i < n; i++)
            query_bind_id(q, &calls[done + i].placement.call_id);
        if (query_run(q, err))
            return -1;
        if (query_affected(q) != n)
            return err_set(err, ERR_INTERNAL, "a call changed while it was locked");
        done += n;
    }
    return 0;
}

static usec_t day_of(const struct placing_agent *a, usec_t now)
{
    return zone_day(a->zone ? a->zone : zone_utc(), now) * USEC_PER_DAY;
}

int fence_write_attempts(struct db *db, const struct conf *conf, const struct placing_agent *a,
                         usec_t now, const struct fenced_call *calls, size_t count, struct err *err)
{
    if (count == 0)
        return 0;
    if (insert_attempts(db, conf, a, calls, count, now, day_of(a, now), err))
        return -1;
    return move_calls(db, calls, count, err);
}

int fence_count_dials(struct db *db, const struct placing_agent *a, const struct fence_room *room,
                      const struct fenced_call *calls, size_t count, struct err *err)
{
    usec_t day = day_of(a, room->now);
    size_t real = 0, simulated = 0;
    for (size_t i = 0; i < count; i++) {
        if (calls[i].kind != CARRIER_SIMULATOR)
            real++;
        else if (is_counted_by_day(a, &calls[i]))
            simulated++;
    }
    if (count_dials(db, a, day, false, real, err) || count_dials(db, a, day, true, simulated, err))
        return -1;
    return keep_pace(db, a, room, real, err);
}

/* ---- the others ---- */

int fence_write_preparing(struct db *db, const struct conf *conf,
                          const struct call_to_prepare *calls, size_t count, struct err *err)
{
    if (count == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_FENCE_PREPARE, count);
    query_bind_i64(q, conf->pre_call_budget + conf->lease_grace);
    for (size_t i = 0; i < count; i++)
        query_bind_id(q, &calls[i].call.placement.call_id);
    if (query_run(q, err))
        return -1;
    return query_affected(q) == count
               ? 0
               : err_set(err, ERR_INTERNAL, "a call changed while it was locked");
}

/* Those from `first` on that are put off until the same moment, for the same reason. */
static int write_hold(struct db *db, const struct drawn_call *calls, size_t first, size_t count,
                      struct err *err)
{
    const struct policy_verdict *v = &calls[first].verdict;
    const struct id *ids[DB_MANY_MAX];
    size_t n = 0;
    for (size_t i = first; i < count && n < DB_MANY_MAX; i++) {
        if (calls[i].fate == FATE_HOLD && calls[i].verdict.until == v->until &&
            calls[i].verdict.hold == v->hold)
            ids[n++] = &calls[i].call.placement.call_id;
    }
    struct query *q = db_use_many(db, STMT_FENCE_HOLD, n);
    query_bind_time(q, v->until);
    query_bind_time(q, v->until);
    query_bind_str(q, str_of(hold_reason_text(v->hold)));
    for (size_t i = 0; i < n; i++)
        query_bind_id(q, ids[i]);
    return query_run(q, err);
}

int fence_write_holds(struct db *db, const struct drawn_call *calls, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        bool written = calls[i].fate != FATE_HOLD;
        for (size_t j = 0; j < i && !written; j++)
            written = calls[j].fate == FATE_HOLD &&
                      calls[j].verdict.until == calls[i].verdict.until &&
                      calls[j].verdict.hold == calls[i].verdict.hold;
        if (!written && write_hold(db, calls, i, count, err))
            return -1;
    }
    return 0;
}

static int write_fate(struct db *db, enum stmt stmt, enum fate fate, const struct drawn_call *calls,
                      size_t count, struct err *err)
{
    const struct id *ids[DB_MANY_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < DB_MANY_MAX; i++) {
        if (calls[i].fate == fate)
            ids[n++] = &calls[i].call.placement.call_id;
    }
    if (n == 0)
        return 0;
    struct query *q = db_use_many(db, stmt, n);
    for (size_t i = 0; i < n; i++)
        query_bind_id(q, ids[i]);
    return query_run(q, err);
}

int fence_write_batched(struct db *db, const struct drawn_call *calls, size_t count,
                        struct err *err)
{
    if (write_fate(db, STMT_FENCE_PAUSED, FATE_PAUSED, calls, count, err))
        return -1;
    return write_fate(db, STMT_FENCE_CANCELLED, FATE_CANCELLED, calls, count, err);
}

/* What calls wait for that stay where they are in the line. One that may go, but was left, must not
 * be taken for one that waits: HOLD_NONE. */
static const enum hold_reason waits[] = {HOLD_CAPACITY, HOLD_AGENT_CAPACITY, HOLD_CARRIER_PACE,
                                         HOLD_NONE};

static struct str told_as(enum hold_reason reason)
{
    return reason == HOLD_NONE ? STR_NULL : str_of(hold_reason_text(reason));
}

static bool says_that_it_waits(const struct drawn_call *d)
{
    for (size_t i = 0; waits[i] != HOLD_NONE; i++) {
        if (str_eq(d->hold_reason, told_as(waits[i])))
            return true;
    }
    return false;
}

static bool must_be_told(const struct drawn_call *d, enum hold_reason reason)
{
    if (d->fate == FATE_WAIT)
        return d->verdict.hold == reason && !str_eq(d->hold_reason, told_as(reason));
    return d->fate == FATE_LEFT && reason == HOLD_NONE && says_that_it_waits(d);
}

static int write_waiting(struct db *db, const struct drawn_call *calls, size_t count,
                         enum hold_reason reason, struct err *err)
{
    const struct id *ids[DB_MANY_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < DB_MANY_MAX; i++) {
        if (must_be_told(&calls[i], reason))
            ids[n++] = &calls[i].call.placement.call_id;
    }
    if (n == 0)
        return 0;
    struct query *q = db_use_many(db, STMT_FENCE_WAITING, n);
    query_bind_str(q, told_as(reason));
    for (size_t i = 0; i < n; i++)
        query_bind_id(q, ids[i]);
    return query_run(q, err);
}

int fence_write_waiting(struct db *db, const struct drawn_call *calls, size_t count,
                        struct err *err)
{
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        if (write_waiting(db, calls, count, waits[i], err))
            return -1;
    }
    return 0;
}
