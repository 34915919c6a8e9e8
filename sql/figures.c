/*
 * figures.c - counts what waits, runs and failed, by indexes that hold all that is counted.
 */
#include "sql/figures.h"

static usec_t age(usec_t since, usec_t now)
{
    return since == TIME_NONE || since > now ? 0 : now - since;
}

static int run(struct db *db, enum stmt stmt, struct query **q_r, struct err *err)
{
    *q_r = db_use(db, stmt);
    if (query_run_again(*q_r, err))
        return -1;
    if (!query_next(*q_r))
        return err_set(err, ERR_INTERNAL, "%s gave no row", stmt_name(stmt));
    return 0;
}

int figures_read(struct db *db, struct figures *figures_r, struct err *err)
{
    struct figures *f = figures_r;
    struct query *q;
    if (run(db, STMT_FIGURES_CALLS_DUE, &q, err))
        return -1;
    f->calls_due = query_i64(q);
    usec_t oldest_call = query_time(q);
    usec_t now = query_time(q);
    f->oldest_due_call_age = age(oldest_call, now);

    if (run(db, STMT_FIGURES_CALLS_ACTIVE, &q, err))
        return -1;
    f->calls_active = query_i64(q);

    if (run(db, STMT_FIGURES_DELIVERIES, &q, err))
        return -1;
    int64_t waiting = query_i64(q);
    f->deliveries_in_flight = query_i64(q);
    f->deliveries_waiting = waiting - f->deliveries_in_flight;
    f->oldest_waiting_delivery_age = age(query_time(q), now);

    if (run(db, STMT_FIGURES_DELIVERIES_FAILED, &q, err))
        return -1;
    f->deliveries_failed = query_i64(q);

    if (run(db, STMT_FIGURES_DESTINATIONS, &q, err))
        return -1;
    f->endpoints_held = query_i64(q);
    f->endpoints_disabled = query_i64(q);
    return 0;
}
