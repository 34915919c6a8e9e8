/*
 * housekeep.c - see housekeep.h.
 *
 * A job does a small step and says whether there is more; between two steps the others run. That
 * several dispatchers do the same at once must not matter.
 */
#include "daemon/housekeep.h"
#include "daemon/mailer.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/batches.h"
#include "sql/expiry.h"
#include "sql/mails.h"
#include "sql/retention.h"
#include "sql/usage.h"

#include <stdlib.h>

#define ROUND_MAX (10 * USEC_PER_S) /* what is left then waits for the next */

/* *more_r: call it again at once. */
typedef int job_fn(struct dispatcher *d, struct db *db, struct pool *pool, bool *more_r,
                   struct err *err);

/* Batches whose calls are gone. */
static int retain_batches(struct dispatcher *d, struct db *db,
                          const struct retention_workspace *one, usec_t until, struct err *err)
{
    unsigned limit = (unsigned)d->conf->housekeeping_batch;
    size_t all = 0, count = 1;

    while (count > 0 && !d->stopping && clock_monotonic() < until) {
        if (batches_expire(db, &one->workspace_id, one->retention_days, limit, &count, err) != 0)
            return -1;
        all += count;
    }
    if (all > 0)
        log_write(LOG_INFO, "retention", "batches=%zu days=%lld", all,
                  (long long)one->retention_days);
    return 0;
}

/* All steps through one workspace. */
static int retain_one(struct dispatcher *d, struct db *db, const struct retention_workspace *one,
                      usec_t until, struct err *err)
{
    struct retention_round round = {.workspace = *one};
    struct pool *pool;
    int result = 0;

    pool_create(&pool);
    while (result == 0 && !round.done && !d->stopping && clock_monotonic() < until) {
        pool_clear(pool);
        result = retention_step(db, pool, (size_t)d->conf->housekeeping_batch, &round, err);
    }
    pool_destroy(&pool);
    if (round.calls + round.events > 0)
        log_write(LOG_INFO, "retention", "calls=%llu events=%llu days=%lld",
                  (unsigned long long)round.calls, (unsigned long long)round.events,
                  (long long)one->retention_days);
    return result == 0 ? retain_batches(d, db, one, until, err) : -1;
}

static int retain(struct dispatcher *d, struct db *db, struct pool *pool, bool *more_r,
                  struct err *err)
{
    usec_t until = clock_monotonic() + ROUND_MAX;
    struct retention_workspace *workspaces;
    size_t count;

    *more_r = false;
    if (retention_workspaces(db, pool, &workspaces, &count, err) != 0)
        return -1;
    for (size_t i = 0; i < count && !d->stopping && clock_monotonic() < until; i++)
        if (retain_one(d, db, &workspaces[i], until, err) != 0)
            return -1;
    return 0;
}

static int expire(struct dispatcher *d, struct db *db, struct pool *pool, bool *more_r,
                  struct err *err)
{
    (void)pool;
    return expiry_run(db, (unsigned)d->conf->housekeeping_batch, more_r, err);
}

static int tell_owners(struct dispatcher *d, struct db *db, struct pool *pool, bool *more_r,
                       struct err *err)
{
    size_t count = 0;

    *more_r = false;
    if (d->conf->sendmail_path[0] == '\0')
        return 0;
    if (mails_tell_owners(db, pool, d->keys, d->conf->held_told_after, &count, err) != 0)
        return -1;
    *more_r = count > 0;
    if (count > 0)
        mailer_look(d->mailer);
    return 0;
}

static int close_usage(struct dispatcher *d, struct db *db, struct pool *pool, bool *more_r,
                       struct err *err)
{
    usec_t until = clock_monotonic() + ROUND_MAX;
    bool more = true;

    (void)pool;
    *more_r = false;
    while (more && !d->stopping && clock_monotonic() < until)
        if (usage_close_next(db, &more, err) != 0)
            return -1;
    return 0;
}

static const struct {
    const char *name;
    job_fn *run;
} jobs[] = {
    {"retention", retain},
    {"expire", expire},
    {"tell owners", tell_owners},
    {"usage", close_usage},
};

struct housekeeper {
    struct dispatcher *dispatcher;
    struct lane *lane;
    bool done_once, ended;
};

static int run_jobs(struct housekeeper *h, struct lane *lane, struct pool *pool, struct err *err)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        bool more = true;
        while (more && !h->dispatcher->stopping) {
            pool_clear(pool);
            if (jobs[i].run(h->dispatcher, lane_db(lane), pool, &more, err) != 0)
                return err_prefix(err, "%s", jobs[i].name);
        }
    }
    return 0;
}

static void lane_run(struct lane *lane, void *ctx)
{
    struct housekeeper *h = ctx;
    struct pool *pool;

    pool_create(&pool);
    while (!h->dispatcher->stopping) {
        struct err err;
        int result = run_jobs(h, lane, pool, &err);
        h->done_once = true;
        if (result != 0) {
            dispatcher_database_failed(h->dispatcher, lane, &err);
            continue;
        }
        dispatcher_database_works(h->dispatcher);
        usec_t until = clock_monotonic() + h->dispatcher->conf->housekeeping_interval;
        while (clock_monotonic() < until && !h->dispatcher->stopping)
            lane_sleep(lane, until);
    }
    h->ended = true;
    pool_destroy(&pool);
}

void housekeeper_create(struct housekeeper **housekeeper_r, struct dispatcher *dispatcher)
{
    struct housekeeper *h = mem_alloc(sizeof *h);
    h->dispatcher = dispatcher;
    h->lane = loop_add_lane(dispatcher->loop, "housekeeping", lane_run, h);
    *housekeeper_r = h;
}

void housekeeper_destroy(struct housekeeper **housekeeper)
{
    free(*housekeeper);
    *housekeeper = NULL;
}

bool housekeeper_settled(const struct housekeeper *h)
{
    return h->ended || lane_sleeps(h->lane);
}

bool housekeeper_idle(const struct housekeeper *h)
{
    return h->done_once && lane_sleeps(h->lane);
}

void housekeeper_look(struct housekeeper *h)
{
    lane_poke(h->lane);
}
