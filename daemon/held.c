/*
 * held.c - the lane that looks after scheduled calls that need no dial: those that expired, and
 * those of agents whose settings changed, which are to be judged anew.
 *
 * One act of a customer can concern all that it has, a hundred thousand calls and more. So it is
 * done in portions, between which agents take turns, and apart from the lane that dials: neither
 * the other customers' dials nor their changes wait for it.
 */
#include "daemon/caller_private.h"
#include "daemon/deliver.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/held_calls.h"

#define EXPIRE_PORTION 100
#define RECHECK_PORTION DB_MANY_MAX
#define RECHECKS_MAX 256 /* agents whose calls are walked through at one time */

struct rechecks {
    struct pool *pool;
    struct recheck *all;
    size_t count, next;
    bool full;      /* there may be more than were read */
    usec_t read_at; /* monotonic; TIME_NONE: never */
};

/* Agents that were under way stay where they are. */
static void keep_places(const struct rechecks *before, struct rechecks *now)
{
    for (size_t i = 0; i < now->count; i++) {
        for (size_t j = 0; j < before->count; j++) {
            if (id_eq(&now->all[i].agent_id, &before->all[j].agent_id) &&
                now->all[i].wanted_at == before->all[j].wanted_at)
                now->all[i] = before->all[j];
        }
    }
}

static int read_rechecks(struct db *db, struct rechecks *rechecks, struct err *err)
{
    struct rechecks now = {.next = rechecks->next, .read_at = clock_monotonic()};
    pool_create(&now.pool);
    if (held_calls_rechecks(db, now.pool, RECHECKS_MAX, &now.all, &now.count, err)) {
        pool_destroy(&now.pool);
        return -1;
    }
    now.full = now.count == RECHECKS_MAX;
    keep_places(rechecks, &now);
    pool_destroy(&rechecks->pool);
    *rechecks = now;
    return 0;
}

/* One step of the agent whose turn it is. */
static int recheck(struct caller *c, struct db *db, struct rechecks *rechecks, struct err *err)
{
    bool done;
    if (rechecks->count == 0)
        return 0;
    size_t at = rechecks->next++ % rechecks->count;
    struct recheck *one = &rechecks->all[at];
    bool batched = one->batched;
    if (held_calls_recheck(db, one, RECHECK_PORTION, &done, err))
        return -1;
    if (one->made_due > 0)
        caller_wake(c, &(struct calls_of){one->agent_id, batched});
    if (done)
        *one = rechecks->all[--rechecks->count];
    return 0;
}

static int expire(struct caller *c, struct db *db, struct pool *pool, bool *more_r, struct err *err)
{
    struct wakes wakes;
    size_t looked_at, failed;
    if (held_calls_expire(db, pool, c->dispatcher->conf, EXPIRE_PORTION, &looked_at, &failed,
                          &wakes, err))
        return -1;
    *more_r = looked_at == EXPIRE_PORTION;
    deliverer_wake(c->dispatcher->deliverer, wakes.ids, wakes.count);
    if (failed > 0)
        log_write(LOG_INFO, "calls expired", "count=%zu", failed);
    return 0;
}

static bool look_is_due(const struct caller *c, const struct rechecks *rechecks)
{
    return rechecks->read_at == TIME_NONE || (rechecks->full && rechecks->count == 0) ||
           clock_monotonic() - rechecks->read_at >= c->dispatcher->conf->poll_interval;
}

/* A portion of each kind. *more_r: of one of them there is more. */
static int attend(struct caller *c, struct db *db, struct pool *pool, struct rechecks *rechecks,
                  bool *more_r, struct err *err)
{
    pool_clear(pool);
    if (look_is_due(c, rechecks) && read_rechecks(db, rechecks, err))
        return -1;
    if (recheck(c, db, rechecks, err) || expire(c, db, pool, more_r, err))
        return -1;
    *more_r |= rechecks->count > 0 || rechecks->full;
    return 0;
}

void held_lane_run(struct lane *lane, void *ctx)
{
    struct caller *c = ctx;
    struct rechecks rechecks = {.read_at = TIME_NONE};
    struct pool *pool;
    pool_create(&pool);
    while (!c->dispatcher->stopping) {
        struct err err;
        bool more;
        if (attend(c, lane_db(lane), pool, &rechecks, &more, &err)) {
            dispatcher_database_failed(c->dispatcher, lane, &err);
            continue;
        }
        dispatcher_database_works(c->dispatcher);
        if (more)
            continue;
        c->attended = true;
        while (!look_is_due(c, &rechecks) && !c->dispatcher->stopping)
            lane_sleep(lane, rechecks.read_at + c->dispatcher->conf->poll_interval);
    }
    pool_destroy(&rechecks.pool);
    pool_destroy(&pool);
}
