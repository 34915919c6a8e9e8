/*
 * caller.c - finds what is due: agents with due calls, attempts to be looked at, simulator steps.
 *
 * Agents take turns in small portions, so that one customer's batch never stands before another's
 * single call.
 */
#include "daemon/caller.h"
#include "daemon/caller_private.h"
#include "daemon/deliver.h"
#include "daemon/fault.h"
#include "lib/base/pool.h"
#include <stdlib.h>
#include <string.h>

#define PORTION 16   /* calls of one agent fenced at once */
#define WATCH_MAX 64 /* attempts looked at in one round */
#define STEPS_MAX 256

static void look_lane_run(struct lane *lane, void *ctx);

void caller_create(struct caller **caller_r, struct dispatcher *dispatcher)
{
    struct caller *c = mem_alloc(sizeof *c);
    c->dispatcher = dispatcher;
    c->looked_at = TIME_NONE;
    c->next_step_at = TIME_NEVER;
    c->finished_end = &c->finished;
    c->look_lane = loop_add_lane(dispatcher->loop, "call", look_lane_run, c);
    for (size_t i = 0; i < RECORD_LANES; i++)
        c->record_lanes[i] = loop_add_lane(dispatcher->loop, "record", record_lane_run, c);
    *caller_r = c;
}

void caller_destroy(struct caller **caller)
{
    struct caller *c = *caller;
    if (!c)
        return;
    while (c->finished) {
        struct matter *m = c->finished;
        c->finished = m->next;
        matter_free(m);
    }
    while (c->under_way) {
        struct matter *m = c->under_way;
        c->under_way = m->older;
        matter_free(m);
    }
    free(c->ready);
    free(c);
    *caller = NULL;
}

static void make_ready(struct caller *c, const struct calls_of *of)
{
    for (size_t i = 0; i < c->ready_count; i++) {
        if (id_eq(&c->ready[i].agent_id, &of->agent_id) && c->ready[i].batched == of->batched)
            return;
    }
    if (c->ready_count == c->ready_room) {
        c->ready_room = c->ready_room ? c->ready_room * 2 : 32;
        c->ready = mem_realloc(c->ready, c->ready_room * sizeof *c->ready);
    }
    c->ready[c->ready_count++] = *of;
    c->drawn_out = false;
}

void caller_wake(struct caller *c, const struct id *agent_id)
{
    struct calls_of single = {*agent_id, false}, batched = {*agent_id, true};
    make_ready(c, &single);
    make_ready(c, &batched);
    lane_poke(c->look_lane);
}

void caller_look(struct caller *c)
{
    c->look_wanted = true;
    c->drawn_out = false;
    lane_poke(c->look_lane);
}

void caller_round(struct caller *c)
{
    if (c->just_asked)
        fault_point("call_asked");
    c->just_asked = c->asking;
    c->asking = false;
}

bool caller_settled(const struct caller *c)
{
    return c->in_flight == 0 && c->finished_count == 0 && lane_sleeps(c->look_lane);
}

bool caller_idle(const struct caller *c)
{
    return caller_settled(c) && c->drawn_out && c->looked_at != TIME_NONE;
}

static size_t free_slots(const struct caller *c)
{
    size_t most = (size_t)c->dispatcher->conf->place_in_flight_max;
    size_t taken = c->in_flight + c->finished_count;
    return taken < most ? most - taken : 0;
}

static int look_for_agents(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    struct calls_of *agents;
    size_t count;
    if (fence_due_agents(db, pool, &agents, &count, err))
        return -1;
    for (size_t i = 0; i < count; i++)
        make_ready(c, &agents[i]);
    return 0;
}

static int watch(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    const struct conf *conf = c->dispatcher->conf;
    struct watched_attempt *attempts;
    size_t count;
    if (watch_draw(db, pool, WATCH_MAX, conf->place_timeout + conf->lease_grace, &attempts, &count,
                   err))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].state == ATTEMPT_FENCED)
            ask_left_behind(c, &attempts[i]);
        else
            ask_find(c, &attempts[i]);
    }
    return 0;
}

static int play_steps(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    const struct conf *conf = c->dispatcher->conf;
    struct step_row *steps;
    size_t count;
    usec_t wait;
    if (steps_draw(db, pool, STEPS_MAX, conf->place_timeout + conf->lease_grace, &steps, &count,
                   err))
        return -1;
    if (count > 0)
        fault_point("steps_claimed");
    for (size_t i = 0; i < count; i++)
        ask_step(c, &steps[i]);
    if (steps_next(db, &wait, err))
        return -1;
    c->next_step_at = wait == TIME_NONE ? TIME_NEVER : clock_monotonic() + wait;
    return 0;
}

/* Whose turn it is: agents with single calls first. */
static struct calls_of take_ready(struct caller *c)
{
    size_t at = 0;
    while (at < c->ready_count && c->ready[at].batched)
        at++;
    if (at == c->ready_count)
        at = 0;
    struct calls_of of = c->ready[at];
    c->ready_count--;
    memmove(c->ready + at, c->ready + at + 1, (c->ready_count - at) * sizeof *c->ready);
    return of;
}

/* A portion of the agent whose turn it is; it goes to the end of the line if it has more. */
static int fence_portion(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    struct fence_result result;
    struct fence_ask ask;
    /* The lease is this and place_timeout; it begins with the fence, which is later. */
    usec_t ask_by = clock_monotonic() + c->dispatcher->conf->lease_grace;
    size_t limit = free_slots(c);
    if (limit > PORTION)
        limit = PORTION;
    ask = (struct fence_ask){.of = take_ready(c), .limit = limit};
    if (fence_calls(db, pool, c->dispatcher->conf, &ask, &result, err)) {
        c->look_wanted = true;
        return -1;
    }
    if (result.count > 0)
        fault_point("call_fenced");
    c->dispatcher->counts.calls_disallowed += result.disallowed;
    deliverer_wake(c->dispatcher->deliverer, result.wakes.ids, result.wakes.count);
    for (size_t i = 0; i < result.count; i++)
        ask_place(c, &result.calls[i], ask_by);
    if (result.more)
        make_ready(c, &ask.of);
    return 0;
}

static bool look_is_due(const struct caller *c, usec_t now)
{
    return c->looked_at == TIME_NONE || c->look_wanted ||
           now - c->looked_at >= c->dispatcher->conf->poll_interval;
}

static int look(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    usec_t now = clock_monotonic();
    if (look_is_due(c, now)) {
        c->look_wanted = false;
        if (look_for_agents(c, db, pool, err) || watch(c, db, pool, err) ||
            play_steps(c, db, pool, err))
            return -1;
        c->looked_at = now;
    } else if (now >= c->next_step_at && play_steps(c, db, pool, err)) {
        return -1;
    }
    while (c->ready_count > 0 && free_slots(c) > 0 && !c->dispatcher->stopping) {
        if (fence_portion(c, db, pool, err))
            return -1;
    }
    return 0;
}

static void look_lane_run(struct lane *lane, void *ctx)
{
    struct caller *c = ctx;
    struct pool *pool;
    pool_create(&pool);
    while (!c->dispatcher->stopping) {
        struct err err;
        pool_clear(pool);
        if (look(c, lane_db(lane), pool, &err)) {
            c->look_wanted = true;
            dispatcher_database_failed(c->dispatcher, lane, &err);
            continue;
        }
        dispatcher_database_works(c->dispatcher);
        usec_t next = c->looked_at + c->dispatcher->conf->poll_interval;
        if (c->next_step_at < next)
            next = c->next_step_at;
        c->drawn_out =
            c->ready_count == 0 && !c->look_wanted && c->next_step_at > clock_monotonic();
        lane_sleep(lane, next);
    }
    pool_destroy(&pool);
}
