/*
 * rates.c - leases: rows of rate_windows are counted up and read in one statement.
 */
#include "sql/rates.h"

#include <string.h>

#define DEADLOCKS_MAX 3

/* All take the rows in one order, so that two never wait for each other. */
static void order_of(const struct rate_lease *leases, size_t count, size_t order_r[RATE_LEASES_MAX])
{
    order_r[0] = 0;
    if (count == 2) {
        bool swap = memcmp(&leases[0].subject, &leases[1].subject, sizeof(struct id)) > 0;
        order_r[0] = swap ? 1 : 0;
        order_r[1] = swap ? 0 : 1;
    }
}

static int lease(struct db *db, unsigned window_seconds, const struct rate_lease *leases,
                 size_t count, struct query **q_r, struct err *err)
{
    size_t order[RATE_LEASES_MAX];
    struct query *q = *q_r = db_use_many(db, STMT_RATE_LEASE, count);
    order_of(leases, count, order);
    for (size_t i = 0; i < count; i++) {
        query_bind_id(q, &leases[order[i]].subject);
        query_bind_i64(q, window_seconds);
        query_bind_i64(q, window_seconds);
        query_bind_i64(q, (int64_t)leases[order[i]].wanted);
    }
    return query_run_again(q, err);
}

int rates_lease(struct db *db, unsigned window_seconds, struct rate_lease *leases, size_t count,
                usec_t *now_r, struct err *err)
{
    struct query *q;
    size_t rows = 0;

    if (count == 0 || count > RATE_LEASES_MAX)
        return err_set(err, ERR_INTERNAL, "%zu leases at once", count);
    for (int i = 1; lease(db, window_seconds, leases, count, &q, err) != 0; i++) {
        if (err->code != ERR_UNAVAILABLE || !db_connected(db) || i == DEADLOCKS_MAX)
            return -1;
    }
    while (query_next(q)) {
        struct id subject;
        query_id(q, &subject);
        uint64_t taken = (uint64_t)query_i64(q);
        *now_r = query_time(q);
        for (size_t i = 0; i < count; i++) {
            if (id_eq(&subject, &leases[i].subject)) {
                leases[i].taken_r = taken;
                rows++;
            }
        }
    }
    if (rows != count)
        return err_set(err, ERR_INTERNAL, "%zu leases gave %zu rows", count, rows);
    return 0;
}

int rates_prune(struct db *db, struct err *err)
{
    return query_run_again(db_use(db, STMT_RATE_PRUNE), err);
}

int64_t rates_column(struct query *q)
{
    if (query_null(q)) {
        query_skip(q, 1);
        return RATE_DEFAULT;
    }
    int64_t rate = query_i64(q);
    return rate == 0 ? RATE_NONE : rate;
}

void rates_bind(struct query *q, int64_t rate)
{
    if (rate == RATE_DEFAULT)
        query_bind_null(q);
    else
        query_bind_i64(q, rate == RATE_NONE ? 0 : rate);
}
