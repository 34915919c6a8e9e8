/*
 * caller.c - finds what is due: agents with due calls, attempts to be looked at, simulator steps,
 * calls that expired or are to be judged anew.
 *
 * Agents take turns in small portions (turns.h), so that one customer's batch never stands before
 * another's single call.
 */
#include "daemon/caller.h"
#include "daemon/caller_private.h"
#include "daemon/deliver.h"
#include "daemon/fault.h"
#include "daemon/prepare.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/held_calls.h"
#include <stdlib.h>

#define PORTION 16         /* calls of one agent fenced at once, */
#define PREPARE_PORTION 32 /* or claimed for their pre-call functions */
#define EXPIRE_MAX 100
#define RECHECK_MAX 500
#define TELL_INTERVAL USEC_PER_S
#define WATCH_MAX 64 /* attempts looked at in one round */
#define STEPS_MAX 256

static void look_lane_run(struct lane *lane, void *ctx);

void caller_create(struct caller **caller_r, struct dispatcher *dispatcher)
{
    struct caller *c = mem_alloc(sizeof *c);
    c->dispatcher = dispatcher;
    c->looked_at = TIME_NONE;
    c->next_step_at = TIME_NEVER;
    turns_init(&c->turns);
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
    turns_deinit(&c->turns);
    free(c);
    *caller = NULL;
}

void caller_wake(struct caller *c, const struct calls_of *of)
{
    turns_add(&c->turns, of);
    c->drawn_out = false;
    lane_poke(c->look_lane);
}

void caller_line_free(struct caller *c, const struct id *workspace_id)
{
    turns_line_free(&c->turns, workspace_id);
    if (c->turns.ready_count > 0)
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
    /* What waits is looked at again, too: lines and settings change without a word to us. */
    turns_time(&c->turns, TIME_NEVER);
    for (size_t i = 0; i < count; i++)
        turns_add(&c->turns, &agents[i]);
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

/* ---- calls that need no dial but attention ---- */

static int expire(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    size_t looked_at = EXPIRE_MAX;
    while (looked_at == EXPIRE_MAX && !c->dispatcher->stopping) {
        struct wakes wakes;
        size_t failed;
        if (held_calls_expire(db, pool, c->dispatcher->conf, EXPIRE_MAX, &looked_at, &failed,
                              &wakes, err))
            return -1;
        deliverer_wake(c->dispatcher->deliverer, wakes.ids, wakes.count);
        if (failed > 0)
            log_write(LOG_INFO, "calls expired", "count=%zu", failed);
    }
    return 0;
}

static int recheck(struct caller *c, struct db *db, struct err *err)
{
    struct id agent_id;
    while (!c->dispatcher->stopping) {
        if (held_calls_recheck(db, RECHECK_MAX, &agent_id, err))
            return -1;
        if (id_is_zero(&agent_id))
            break;
        turns_add(&c->turns, &(struct calls_of){agent_id, false});
        turns_add(&c->turns, &(struct calls_of){agent_id, true});
    }
    return 0;
}

/* ---- fencing ---- */

/* Those of its calls that stand first say why they wait; not more often than a look is due. */
static int tell_capacity(struct db *db, struct turn *turn, enum hold_reason reason, struct err *err)
{
    usec_t now = clock_monotonic();
    if (turn->told_at != TIME_NONE && now - turn->told_at < TELL_INTERVAL)
        return 0;
    turn->told_at = now;
    return held_calls_tell_capacity(db, &turn->of, reason, err);
}

/* Back into the line, or to those that wait for something. */
static int turn_goes_on(struct caller *c, struct db *db, struct turn *turn,
                        const struct fence_result *result, struct err *err)
{
    turn->workspace_id = result->workspace_id;
    if (result->more) {
        turns_again(&c->turns, turn);
        return 0;
    }
    if (result->no_line != HOLD_NONE || result->wait != TIME_NONE) {
        turn->until = result->wait == TIME_NONE ? TIME_NEVER : clock_monotonic() + result->wait;
        turns_wait(&c->turns, turn);
    }
    return result->no_line != HOLD_NONE ? tell_capacity(db, turn, result->no_line, err) : 0;
}

static void log_no_zone(const struct fence_result *result)
{
    char text[ID_TEXT_SIZE];
    id_format(ID_WORKSPACE, &result->workspace_id, text);
    log_write(LOG_ERROR, "a workspace's time zone can't be read here; its calls are held",
              "workspace=%s calls=%zu", text, result->held);
}

/* A portion of the agent whose turn it is. */
static int fence_portion(struct caller *c, struct db *db, struct pool *pool, struct turn *turn,
                         struct err *err)
{
    struct fence_result result;
    /* The lease is this and place_timeout; it begins with the fence, which is later. */
    usec_t ask_by = clock_monotonic() + c->dispatcher->conf->lease_grace;
    struct fence_ask ask = {
        .of = turn->of,
        .limit = free_slots(c),
        .prepare_limit = PREPARE_PORTION,
        .prepare_room = preparer_room,
        .ctx = c->dispatcher->preparer,
    };
    if (ask.limit > PORTION)
        ask.limit = PORTION;
    if (fence_calls(db, pool, c->dispatcher->conf, &ask, &result, err)) {
        c->look_wanted = true;
        return -1;
    }
    if (result.count > 0)
        fault_point("call_fenced");
    c->dispatcher->counts.calls_disallowed += result.disallowed;
    if (result.no_zone)
        log_no_zone(&result);
    deliverer_wake(c->dispatcher->deliverer, result.wakes.ids, result.wakes.count);
    for (size_t i = 0; i < result.count; i++)
        ask_place(c, &result.calls[i], ask_by);
    if (preparer_start(c->dispatcher->preparer, db, &turn->of.agent_id, &result, err)) {
        c->look_wanted = true;
        return -1;
    }
    return turn_goes_on(c, db, turn, &result, err);
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
        if (recheck(c, db, err) || expire(c, db, pool, err) || look_for_agents(c, db, pool, err) ||
            watch(c, db, pool, err) || play_steps(c, db, pool, err))
            return -1;
        c->looked_at = now;
    } else if (now >= c->next_step_at && play_steps(c, db, pool, err)) {
        return -1;
    }
    struct turn turn;
    turns_time(&c->turns, clock_monotonic());
    while (free_slots(c) > 0 && !c->dispatcher->stopping && turns_take(&c->turns, &turn)) {
        if (fence_portion(c, db, pool, &turn, err))
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
        if (turns_next(&c->turns) < next)
            next = turns_next(&c->turns);
        c->drawn_out = c->turns.ready_count == 0 && turns_next(&c->turns) == TIME_NEVER &&
                       !c->look_wanted && c->next_step_at > clock_monotonic();
        lane_sleep(lane, next);
    }
    pool_destroy(&pool);
}
