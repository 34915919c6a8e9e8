/*
 * replays.h - failed deliveries of an endpoint, made anew since a time: ordered by its owner,
 * worked off by dispatchers in batches.
 */
#ifndef HV_REPLAYS_H
#define HV_REPLAYS_H

#include "sql/db.h"

struct replay_row {
    struct id replay_id, endpoint_id;
    usec_t since, until;
    bool done;
    int64_t replayed; /* deliveries, so far */
    usec_t created_at, updated_at;
};

/* Deliveries that were made from since to until; until TIME_NONE: now. While one with the same
 * times runs, that is it. ERR_NOT_FOUND: no such endpoint of the workspace. ERR_INVALID: since is
 * in the future, or not before until. */
int replays_create(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                   usec_t since, usec_t until, struct replay_row *row_r,
                   struct err *err) MUST_CHECK;
int replays_get(struct db *db, const struct id *workspace_id, const struct id *replay_id,
                struct replay_row *row_r, struct err *err) MUST_CHECK;

/* One batch of one replay, in one transaction. *endpoint_id_r: for whom there is work now; false:
 * there was no replay to work on. */
int replays_work(struct db *db, bool *worked_r, struct id *endpoint_id_r,
                 struct err *err) MUST_CHECK;

#endif
