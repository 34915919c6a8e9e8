/*
 * figures.c - counts what waits, runs and failed, by indexes that hold all that is counted, and
 * stops at a limit.
 */
#include "sql/figures.h"
#include "sql/destinations.h"

static usec_t age(usec_t since, usec_t now)
{
    return since == TIME_NONE || since > now ? 0 : now - since;
}

static int run(struct query *q, struct err *err)
{
    if (query_run_again(q, err))
        return -1;
    return query_next(q) ? 0 : err_set(err, ERR_INTERNAL, "a figure gave no row");
}

static int count(struct db *db, enum stmt stmt, int64_t most, int64_t *count_r, struct err *err)
{
    struct query *q = db_use(db, stmt);
    query_bind_i64(q, most);
    if (run(q, err))
        return -1;
    *count_r = query_i64(q);
    return 0;
}

static int read_oldest(struct db *db, struct figures *f, struct err *err)
{
    struct query *q = db_use(db, STMT_FIGURES_OLDEST);
    if (run(q, err))
        return -1;
    usec_t call = query_time(q), delivery = query_time(q), now = query_time(q);
    f->oldest_due_call_age = age(call, now);
    f->oldest_waiting_delivery_age = age(delivery, now);
    return 0;
}

int figures_read(struct db *db, int64_t most, usec_t lease_grace, struct figures *figures_r,
                 struct err *err)
{
    struct figures *f = figures_r;
    if (count(db, STMT_FIGURES_CALLS_DUE, most, &f->calls_due, err) ||
        count(db, STMT_FIGURES_CALLS_ACTIVE, most, &f->calls_active, err) ||
        count(db, STMT_FIGURES_DELIVERIES_WAITING, most, &f->deliveries_waiting, err) ||
        count(db, STMT_FIGURES_DELIVERIES_FAILED, most, &f->deliveries_failed, err) ||
        read_oldest(db, f, err))
        return -1;
    struct query *q = db_use(db, STMT_FIGURES_DELIVERIES_IN_FLIGHT);
    query_bind_i64(q, ENDPOINT_TIMEOUT_MAX * USEC_PER_S + lease_grace);
    query_bind_i64(q, most);
    if (run(q, err))
        return -1;
    f->deliveries_in_flight = query_i64(q);
    q = db_use(db, STMT_FIGURES_DESTINATIONS);
    if (run(q, err))
        return -1;
    f->endpoints_held = query_i64(q);
    f->endpoints_disabled = query_i64(q);
    return 0;
}
