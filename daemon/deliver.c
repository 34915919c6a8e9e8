/*
 * deliver.c - finds destinations that have work and draws as much for each as its window has room,
 * many destinations in one transaction.
 *
 * A look over all destinations (`scan`) costs one loose index scan; wake datagrams name those that
 * have new work, so that it is not waited for. What is drawn is started as the window opens: at
 * once, or, for a destination that answers quickly, as soon as what it answers during the draw
 * makes room.
 */
#include "daemon/deliver.h"
#include "daemon/deliver_private.h"
#include "daemon/fault.h"
#include "daemon/post_call.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/replays.h"
#include <stdlib.h>

#define SCAN_GAP (250 * USEC_PER_MS)  /* between two looks that were asked for */
#define SETTINGS_AGE (1 * USEC_PER_S) /* a change of an endpoint holds after this at the latest */
#define SMALL_DRAW_GAP (5 * USEC_PER_MS) /* under half a window free: wait this long for more */
/* A new delivery is due when it is written, and seen when it is committed: this much later, at
 * most, or else the next look over all destinations finds it. */
#define COMMIT_MAX (10 * USEC_PER_S)
#define AHEAD_MAX                                                                                  \
    192 /* claimed beyond the window, at most: what was answered since the last draw */
#define DROP_MAX 1000             /* waiting deliveries of a deleted endpoint, in one statement */
#define DRAW_DESTINATIONS_MAX 127 /* in one transaction; with the filler a power of two */

static void draw_lane_run(struct lane *lane, void *ctx);

void deliverer_create(struct deliverer **deliverer_r, struct dispatcher *dispatcher)
{
    const struct conf *conf = dispatcher->conf;
    struct deliverer *d = mem_alloc(sizeof *d);
    d->dispatcher = dispatcher;
    d->policy = (struct health_policy){
        .window_start = (unsigned)conf->window_start,
        .hold_after_failures = (unsigned)conf->hold_after_failures,
        .disable_after_failures = (unsigned)conf->disable_after_failures,
        .hold_first = conf->hold_first,
        .hold_max = conf->hold_max,
        .disable_after = conf->disable_after,
    };
    d->schedule = (struct schedule){
        .waits = conf->retry_schedule.at,
        .count = (unsigned)conf->retry_schedule.count,
        .jitter_percent = (unsigned)conf->retry_jitter_percent,
    };
    d->scanned_at = TIME_NONE;
    d->finished_end = &d->finished;
    pool_create(&d->scratch);
    destinations_create(&d->destinations);
    d->draw_lane = loop_add_lane(dispatcher->loop, "draw", draw_lane_run, d);
    d->finish_lane = loop_add_lane(dispatcher->loop, "finish", finish_lane_run, d);
    *deliverer_r = d;
}

void deliverer_destroy(struct deliverer **deliverer)
{
    struct deliverer *d = *deliverer;
    if (!d)
        return;
    sending_free_all(d);
    destinations_destroy(&d->destinations);
    pool_destroy(&d->scratch);
    free(d);
    *deliverer = NULL;
}

usec_t deliverer_now(const struct deliverer *d)
{
    return clock_monotonic() + d->clock_offset;
}

void deliverer_wake(struct deliverer *d, const struct id *ids, size_t count)
{
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct destination *one = destinations_get(d->destinations, &ids[i]);
        usec_t earliest = deliverer_now(d) - COMMIT_MAX;
        one->ready_at = 0;
        one->woken_at = clock_monotonic();
        if (one->drawn_to > earliest)
            one->drawn_to = earliest;
    }
    d->drawn_out = false;
    lane_poke(d->draw_lane);
}

void deliverer_reload(struct deliverer *d, const struct id *id)
{
    destinations_get(d->destinations, id)->loaded_at = 0;
    d->replays = true;
    deliverer_wake(d, id, 1);
}

void deliverer_look(struct deliverer *d)
{
    d->rescan = true;
    d->drawn_out = false;
    lane_poke(d->draw_lane);
}

bool deliverer_settled(const struct deliverer *d)
{
    return d->in_flight == 0 && d->queued == 0 && d->finished_count == 0 &&
           lane_sleeps(d->finish_lane) && lane_sleeps(d->draw_lane);
}

bool deliverer_idle(const struct deliverer *d)
{
    return deliverer_settled(d) && d->drawn_out && d->scanned_at != TIME_NONE;
}

static bool scan_is_due(const struct deliverer *d, usec_t monotonic)
{
    if (d->scanned_at == TIME_NONE)
        return true;
    usec_t gap = d->dispatcher->conf->poll_interval;
    if (d->rescan && gap > SCAN_GAP)
        gap = SCAN_GAP;
    return monotonic - d->scanned_at >= gap;
}

static int scan(struct deliverer *d, struct db *db, struct pool *pool, struct err *err)
{
    struct due_destination *due;
    size_t count;
    usec_t began = clock_monotonic();
    usec_t offset = d->scanned_at == TIME_NONE ? TIME_NONE : d->clock_offset;
    if (deliveries_due(db, pool, &due, &count, &offset, err))
        return -1;
    d->clock_offset = offset;
    d->scanned_at = clock_monotonic();
    d->rescan = false;
    d->replays = true;
    /* What a wake told meanwhile, the look may have been too early to see. */
    for (size_t i = 0; i < destinations_count(d->destinations); i++) {
        struct destination *one = destinations_at(d->destinations, i);
        if (one->woken_at < began)
            one->ready_at = TIME_NEVER;
    }
    for (size_t i = 0; i < count; i++) {
        struct destination *one = destinations_get(d->destinations, &due[i].destination_id);
        if (one->ready_at > due[i].due_at)
            one->ready_at = due[i].due_at;
        one->drawn_to = due[i].due_at;
    }
    destinations_sweep(d->destinations);
    return 0;
}

static bool settings_are_old(const struct destination *destination, usec_t monotonic)
{
    return !destination->known || monotonic - destination->loaded_at > SETTINGS_AGE;
}

/* What waits for an endpoint that was deleted will not be sent. Of one there may be millions: a
 * portion at a time, others are drawn for in between. */
static int drop_for_deleted(struct deliverer *d, struct db *db, usec_t now, bool *more_r,
                            struct err *err)
{
    *more_r = false;
    for (size_t i = 0; i < destinations_count(d->destinations) && !*more_r; i++) {
        struct destination *one = destinations_at(d->destinations, i);
        size_t dropped;
        if (!one->known || one->status != DESTINATION_DELETED || one->ready_at > now)
            continue;
        /* Said before, so that a wake that comes meanwhile is not forgotten. */
        one->ready_at = TIME_NEVER;
        int failed = deliveries_drop(db, &one->id, DROP_MAX, &dropped, err);
        *more_r = failed || dropped == DROP_MAX;
        if (*more_r)
            one->ready_at = 0;
        if (failed)
            return -1;
    }
    return 0;
}

/* Reads anew what is about to be drawn for and was read too long ago. */
static int load_settings(struct deliverer *d, struct db *db, struct pool *pool, usec_t now,
                         usec_t monotonic, struct err *err)
{
    struct id *ids = pool_new(pool, struct id, DB_MANY_MAX);
    size_t wanted = 0;
    for (size_t i = 0; i < destinations_count(d->destinations) && wanted < DB_MANY_MAX; i++) {
        struct destination *one = destinations_at(d->destinations, i);
        if (one->ready_at <= now && settings_are_old(one, monotonic))
            ids[wanted++] = one->id;
    }
    if (wanted == 0)
        return 0;
    struct destination_row *rows;
    size_t found;
    if (deliveries_destinations(db, pool, ids, wanted, &rows, &found, err))
        return -1;
    for (size_t i = 0; i < found; i++) {
        struct destination *one = destinations_get(d->destinations, &rows[i].destination_id);
        destination_load(one, &rows[i], d->dispatcher->keys, &d->policy, now, monotonic);
        if (one->kind == DESTINATION_FUNCTION && post_call_load(d->dispatcher, db, one, err)) {
            one->loaded_at = 0; /* without its function it must not be drawn for */
            return -1;
        }
    }
    /* Work for a destination that does not exist can't be sent; it is looked at again later. */
    for (size_t i = 0; i < wanted; i++) {
        struct destination *one = destinations_get(d->destinations, &ids[i]);
        if (settings_are_old(one, monotonic))
            one->ready_at = TIME_NEVER;
    }
    return 0;
}

/* How many more of this destination may be claimed; 0 also when it is better to wait for more. */
static unsigned room_for(const struct destination *one, size_t free_slots, usec_t now,
                         usec_t monotonic)
{
    if (!one->known || one->status != DESTINATION_ENABLED)
        return 0;
    unsigned taken = one->in_flight + one->queued;
    if (one->health.held_until != TIME_NONE)
        return health_room(&one->health, taken, now);
    unsigned window = destination_window(one);
    unsigned room = window > one->in_flight ? window - one->in_flight : 0;
    /* Half of what is left at the most, so that no one destination takes it all. */
    if (room > (free_slots + 1) / 2)
        room = (unsigned)((free_slots + 1) / 2);
    if (one->rate_per_second > 0) {
        unsigned pace = destination_pace(one, monotonic);
        pace = pace > one->queued ? pace - one->queued : 0;
        return pace < room ? pace : room;
    }
    /* As many again will be free when they are drawn as became free during the last draw. */
    room += one->ended < AHEAD_MAX ? one->ended : AHEAD_MAX;
    room = room > one->queued ? room - one->queued : 0;
    bool small = taken > 0 && room * 2 < window;
    if (small && monotonic - one->drawn_at < SMALL_DRAW_GAP)
        return 0;
    return room;
}

static size_t choose(struct deliverer *d, struct draw_want *wants, usec_t now, usec_t monotonic)
{
    size_t total = destinations_count(d->destinations);
    size_t most = (size_t)d->dispatcher->conf->deliveries_in_flight_max;
    size_t taken = d->in_flight, chosen = 0, i;
    for (i = 0; i < total && chosen < DRAW_DESTINATIONS_MAX && taken < most; i++) {
        struct destination *one = destinations_at(d->destinations, (d->cursor + i) % total);
        if (one->ready_at > now)
            continue;
        unsigned room = room_for(one, most - taken, now, monotonic);
        if (room == 0)
            continue;
        wants[chosen].destination_id = one->id;
        wants[chosen].from = one->drawn_to;
        wants[chosen++].limit = room;
        taken += room < destination_window(one) ? room : destination_window(one);
    }
    d->cursor = total > 0 ? (d->cursor + i) % total : 0;
    return chosen;
}

static usec_t lease_for(const struct deliverer *d, const struct draw_want *wants, size_t count)
{
    usec_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        if (one->timeout > longest)
            longest = one->timeout;
    }
    return longest + d->dispatcher->conf->lease_grace;
}

/* Nothing more is ready there, as far as we know: said before the rows are read, so that a wake
 * that comes meanwhile is not forgotten. */
static void mark_drawing(struct deliverer *d, const struct draw_want *wants, size_t count)
{
    usec_t monotonic = clock_monotonic();
    for (size_t i = 0; i < count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        one->drawn_at = monotonic;
        one->ready_at = TIME_NEVER;
        one->ended = 0;
    }
}

/* Where as much came as was asked for, there may be more. */
static void mark_drawn(struct deliverer *d, const struct draw_want *wants, size_t count,
                       const struct drawn_delivery *rows, size_t drawn)
{
    for (size_t i = 0; i < count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        unsigned came = 0;
        for (size_t k = 0; k < drawn; k++) {
            if (!id_eq(&rows[k].destination_id, &wants[i].destination_id))
                continue;
            came++;
            one->drawn_to = rows[k].due_at;
        }
        if (came == wants[i].limit)
            one->ready_at = 0;
        if (came == 0)
            one->probe_ours = false;
    }
}

static bool is_among(const struct id *id, const struct id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (id_eq(&ids[i], id))
            return true;
    }
    return false;
}

/* The one request to a destination on hold is made by whoever moves its hold on first. */
static int win_probes(struct deliverer *d, struct db *db, struct draw_want *wants, size_t *count,
                      struct err *err)
{
    struct id held[DRAW_DESTINATIONS_MAX], ours[DRAW_DESTINATIONS_MAX];
    size_t held_count = 0, ours_count, kept = 0;
    for (size_t i = 0; i < *count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        if (one->health.held_until != TIME_NONE)
            held[held_count++] = one->id;
    }
    if (held_count == 0)
        return 0;
    if (deliveries_probe(db, held, held_count, lease_for(d, wants, *count), ours, &ours_count, err))
        return -1;
    for (size_t i = 0; i < *count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        if (one->health.held_until != TIME_NONE) {
            one->probe_ours = is_among(&one->id, ours, ours_count);
            if (!one->probe_ours) {
                one->loaded_at = 0; /* another dispatcher's probe: read anew */
                continue;
            }
        }
        wants[kept++] = wants[i];
    }
    *count = kept;
    return 0;
}

/* Of those with a rate, the ones whose turn is ours are kept. */
static int take_turns(struct deliverer *d, struct db *db, struct draw_want *wants, size_t *count,
                      struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        struct destination *one = destinations_get(d->destinations, &wants[i].destination_id);
        bool ours = true;
        if (one->rate_per_second > 0 &&
            deliveries_take_turn(db, &one->id, one->rate_per_second, wants[i].limit, PACE_SLACK,
                                 &ours, err))
            return -1;
        if (ours)
            wants[kept++] = wants[i];
        else
            destination_outpaced(one, clock_monotonic());
    }
    *count = kept;
    return 0;
}

static int draw(struct deliverer *d, struct db *db, struct pool *pool, struct draw_want *wants,
                size_t count, struct err *err)
{
    struct drawn_delivery *rows;
    struct post_calls calls;
    size_t drawn;
    if (win_probes(d, db, wants, &count, err) || take_turns(d, db, wants, &count, err))
        return -1;
    usec_t lease = lease_for(d, wants, count);
    mark_drawing(d, wants, count);
    if (deliveries_draw(db, pool, d->dispatcher->owner, wants, count, lease, &rows, &drawn, err) ||
        post_calls_read(d, db, pool, rows, drawn, &calls, err))
        return -1;
    if (drawn > 0)
        fault_point("delivery_claimed");
    mark_drawn(d, wants, count, rows, drawn);
    for (size_t k = 0; k < drawn; k++)
        sending_add(d, destinations_get(d->destinations, &rows[k].destination_id), &rows[k],
                    &calls);
    for (size_t i = 0; i < count; i++)
        sending_pump(d, destinations_get(d->destinations, &wants[i].destination_id));
    return 0;
}

/* When one that has work may be drawn for, by the database's clock; TIME_NEVER: when something that
 * is under way has ended, which pokes the lane. */
static usec_t ready_time(const struct destination *one, usec_t now, usec_t clock_offset)
{
    if (one->ready_at == TIME_NEVER || one->status != DESTINATION_ENABLED)
        return TIME_NEVER;
    if (one->ready_at > now)
        return one->ready_at;
    if (one->health.held_until != TIME_NONE && one->health.held_until > now)
        return one->health.held_until;
    if (one->rate_per_second > 0 && one->paced_to > now - clock_offset + SMALL_DRAW_GAP)
        return one->paced_to + clock_offset;
    unsigned most =
        one->health.window < one->max_in_flight ? one->health.window : one->max_in_flight;
    return one->in_flight >= most ? TIME_NEVER : now + SMALL_DRAW_GAP;
}

/* When to look again, by the monotonic clock. */
static usec_t next_look(const struct deliverer *d, usec_t now)
{
    const struct conf *conf = d->dispatcher->conf;
    usec_t next = d->scanned_at + (d->rescan ? SCAN_GAP : conf->poll_interval);
    for (size_t i = 0; i < destinations_count(d->destinations); i++) {
        usec_t at = ready_time(destinations_at(d->destinations, i), now, d->clock_offset);
        if (at != TIME_NEVER && at - d->clock_offset < next)
            next = at - d->clock_offset;
    }
    return next;
}

/* One batch, so that drawing goes on between two. */
static int work_on_replays(struct deliverer *d, struct db *db, struct err *err)
{
    struct id endpoint_id;
    if (!d->replays)
        return 0;
    d->replays = false; /* said before, so that a wake that comes meanwhile is not forgotten */
    bool worked = true;
    if (replays_work(db, &worked, &endpoint_id, err)) {
        d->replays = true;
        return -1;
    }
    if (!worked)
        return 0;
    fault_point("replay_batch");
    d->replays = true;
    deliverer_wake(d, &endpoint_id, 1);
    return 0;
}

static int work(struct deliverer *d, struct db *db, struct pool *pool, bool *drew_r,
                struct err *err)
{
    struct draw_want wants[DRAW_DESTINATIONS_MAX];
    *drew_r = false;
    if (scan_is_due(d, clock_monotonic()) && scan(d, db, pool, err))
        return -1;
    if (work_on_replays(d, db, err))
        return -1;
    usec_t monotonic = clock_monotonic();
    usec_t now = monotonic + d->clock_offset;
    bool more;
    if (load_settings(d, db, pool, now, monotonic, err) || drop_for_deleted(d, db, now, &more, err))
        return -1;
    size_t count = choose(d, wants, now, monotonic);
    *drew_r = count > 0 || d->replays || more;
    if (count == 0)
        return 0;
    return draw(d, db, pool, wants, count, err);
}

/* Is anything due that only waits for room? */
static bool work_waits_for_room(const struct deliverer *d, usec_t now)
{
    for (size_t i = 0; i < destinations_count(d->destinations); i++) {
        const struct destination *one = destinations_at(d->destinations, i);
        bool held = one->health.held_until != TIME_NONE && one->health.held_until > now;
        if (one->ready_at <= now && one->known && one->status == DESTINATION_ENABLED && !held)
            return true;
    }
    return false;
}

static void draw_lane_run(struct lane *lane, void *ctx)
{
    struct deliverer *d = ctx;
    struct pool *pool;
    pool_create(&pool);
    while (!d->dispatcher->stopping) {
        struct err err;
        bool drew;
        pool_clear(pool);
        if (work(d, lane_db(lane), pool, &drew, &err)) {
            d->rescan = true;
            dispatcher_database_failed(d->dispatcher, lane, &err);
            continue;
        }
        dispatcher_database_works(d->dispatcher);
        if (drew)
            continue;
        usec_t now = deliverer_now(d);
        d->drawn_out = !work_waits_for_room(d, now);
        lane_sleep(lane, next_look(d, now));
    }
    for (size_t i = 0; i < destinations_count(d->destinations); i++)
        sending_pump(d, destinations_at(d->destinations, i)); /* gives back what is queued */
    pool_destroy(&pool);
}
