/*
 * finish.c - the lane that writes results: whatever has ended meanwhile, in one transaction.
 *
 * Results are what must not be lost while the database is away, so they are kept and written when
 * it is back; a dispatcher that dies with them lets the leases run out, and the deliveries are
 * made again.
 *
 * A result that the database refuses must not keep the others from being written: it is set apart,
 * and goes without what can be at fault.
 */
#include "daemon/deliver_private.h"
#include "daemon/fault.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/function_runs.h"
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
    if (d->apart > 0)
        most = 1;
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
    if (d->apart > 0)
        d->apart--;
}

static void log_refusal(const struct sending *s, const struct err *err)
{
    char id[ID_TEXT_SIZE];
    id_format(ID_DELIVERY, &s->row.delivery_id, id);
    log_write(LOG_ERROR, "what came of a delivery could not be written whole",
              "delivery=%s error=%s message=\"%s\"", id, err_code_text(err->code), err->message);
}

/* To the end: it may be its own fault that it can't be written, and others wait behind it. */
static void put_last(struct deliverer *d)
{
    struct sending *s = d->finished;
    if (!s->next)
        return;
    d->finished = s->next;
    s->next = NULL;
    *d->finished_end = s;
    d->finished_end = &s->next;
    if (d->apart > 0)
        d->apart--;
}

/* The database is there, but takes these results not. false: there is nothing more to leave off. */
static bool set_apart(struct deliverer *d, size_t count, const struct err *err)
{
    struct sending *s = d->finished;
    if (err->code == ERR_UNAVAILABLE || err->code == ERR_UNCERTAIN)
        return false;
    if (count > 1) {
        d->apart = count;
        return true;
    }
    if (s->stripped && !s->result.run) {
        put_last(d);
        return false;
    }
    log_refusal(s, err);
    if (s->stripped)
        s->result.run = NULL;
    else if (s->result.run)
        function_run_strip(s->result.run);
    s->result.detail = s->result.response = STR_NULL;
    s->stripped = true;
    return true;
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
            if (!set_apart(d, batch.count, &err))
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
