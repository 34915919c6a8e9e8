/*
 * retention.h - deletes what a workspace need not keep any longer: calls that are over, with their
 * attempts, runs, events and deliveries; events of no call; try-outs of functions. What is still in
 * use stays: a call that is not over, and whatever has a delivery that waits. What was deleted
 * stays counted (usage_days).
 */
#ifndef HV_RETENTION_H
#define HV_RETENTION_H

#include "sql/db.h"

struct retention_workspace {
    struct id workspace_id;
    int64_t retention_days;
};
int retention_workspaces(struct db *db, struct pool *pool, struct retention_workspace **rows_r,
                         size_t *count_r, struct err *err) MUST_CHECK;

/* How far a round through one workspace has come. Start with zeros and the workspace. */
struct retention_round {
    struct retention_workspace workspace;
    unsigned stage;    /* a status of calls that are over, then events and runs of no call */
    usec_t last_at;    /* of the last row that was looked at ... */
    struct id last_id; /* ... so that those that stay are passed once a round */
    bool done;
    uint64_t calls, events; /* deleted */
};

/* One short transaction: looks at `batch` rows at most, and deletes what may go. Several
 * dispatchers may do the same at once. The pool is the caller's to clear. */
int retention_step(struct db *db, struct pool *pool, size_t batch, struct retention_round *round,
                   struct err *err) MUST_CHECK;

#endif
