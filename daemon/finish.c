/*
 * finish.c - the lane that writes results: whatever has ended meanwhile, in one transaction.
 *
 * Results are what must not be lost while the database is away, so they are kept and written when
 * it is back; a dispatcher that dies with them lets the leases run out, and the deliveries are
 * made again.
 */
#include "daemon/deliver_private.h"
#include "daemon/fault.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include <string.h>

void finish_add(struct deliverer *d, struct sending *s)
{
    s->next = NULL;
    *d->finished_end = s;
    d->finished_end = &s->next;
    d->finished_count++;
    lane_poke(d->finish_lane);
}

/* One write's worth: the results, and the health of destinations that changed with them. */
struct batch {
    struct finished_delivery *rows;
    struct destination_health *health;
    struct destination **destinations;
    size_t count, health_count;
};

static void add_health(struct batch *b, struct destination *one)
{
    if (!one->health_changed)
        return;
    for (size_t i = 0; i < b->health_count; i++) {
        if (b->destinations[i] == one)
            return;
    }
    b->destinations[b->health_count] = one;
    b->health[b->health_count].destination_id = one->id;
    b->health[b->health_count].switches = one->switches;
    b->health[b->health_count].health = one->health;
    b->health[b->health_count++].disable_reason = one->disable_reason;
}

static void collect(const struct deliverer *d, struct pool *pool, struct batch *b)
{
    memset(b, 0, sizeof *b);
    size_t most = d->finished_count < DB_MANY_MAX ? d->finished_count : DB_MANY_MAX;
    b->rows = pool_new(pool, struct finished_delivery, most);
    b->health = pool_new(pool, struct destination_health, most);
    b->destinations = pool_new(pool, struct destination *, most);
    for (struct sending *s = d->finished; s && b->count < most; s = s->next) {
        b->rows[b->count++] = s->result;
        add_health(b, s->destination);
    }
}

static bool same_health(const struct health *a, const struct health *b)
{
    return a->failures == b->failures && a->held_until == b->held_until &&
           a->hold_wait == b->hold_wait && a->good_since == b->good_since;
}

/* Written: forget them. Health that moved on while it was written is still to be written. */
static void settle(struct deliverer *d, const struct batch *b)
{
    for (size_t i = 0; i < b->health_count; i++) {
        struct destination *one = b->destinations[i];
        one->good_written = b->health[i].health.good_since;
        one->health_changed = !same_health(&one->health, &b->health[i].health);
        if (b->health[i].disable_reason == one->disable_reason)
            one->disable_reason = NULL;
    }
    for (size_t i = 0; i < b->count; i++) {
        struct sending *s = d->finished;
        d->finished = s->next;
        d->finished_count--;
        sending_free(s);
    }
    if (!d->finished)
        d->finished_end = &d->finished;
}

void finish_lane_run(struct lane *lane, void *ctx)
{
    struct deliverer *d = ctx;
    struct pool *pool;
    pool_create(&pool);
    while (!d->dispatcher->quit) {
        struct err err;
        struct batch batch;
        size_t lost = 0;
        if (d->finished_count == 0) {
            lane_sleep(lane, TIME_NEVER);
            continue;
        }
        pool_clear(pool);
        collect(d, pool, &batch);
        if (deliveries_finish(lane_db(lane), d->dispatcher->owner, batch.rows, batch.count,
                              batch.health, batch.health_count, &lost, &err)) {
            dispatcher_database_failed(d->dispatcher, lane, &err);
            continue;
        }
        fault_point("delivery_written");
        dispatcher_database_works(d->dispatcher);
        if (lost > 0) {
            d->dispatcher->counts.deliveries_lost += lost;
            log_write(LOG_WARNING, "deliveries were no longer ours when they ended", "count=%zu",
                      lost);
        }
        settle(d, &batch);
    }
    pool_destroy(&pool);
}
