/*
 * rates.h - what hosts take of rate limits (lib/rules/rate.h), and the limits that operators set.
 */
#ifndef HV_RATES_H
#define HV_RATES_H

#include "lib/rules/rate.h"
#include "sql/db.h"

struct rate_lease {
    struct id subject;
    uint64_t wanted;
    uint64_t taken_r; /* what the window counts now, `wanted` included */
};
#define RATE_LEASES_MAX 2
/* Counts what is wanted of several subjects, in one statement; the window is that of the database's
 * clock, *now_r. Never twice: when the answer is lost, so are the slices. */
int rates_lease(struct db *db, unsigned window_seconds, struct rate_lease *leases, size_t count,
                usec_t *now_r, struct err *err) MUST_CHECK;

/* Deletes windows that are long over. */
int rates_prune(struct db *db, struct err *err) MUST_CHECK;

/* A column of a limit: NULL is RATE_DEFAULT, 0 is RATE_NONE. And back, for a bind. */
int64_t rates_column(struct query *q);
void rates_bind(struct query *q, int64_t rate);

#endif
