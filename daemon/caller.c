/*
 * caller.c - the lane that finds what is due and has it done: agents with due calls, attempts to be
 * looked at, simulator steps.
 *
 * All customers share it, so it does nothing that takes long for one of them. Agents take turns in
 * small portions (turns.h), and between two portions the rest is looked at when it is time; calls
 * that need no dial are held.c's.
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
#define TELL_INTERVAL USEC_PER_S
#define WATCH_MAX 64 /* attempts looked at in one round */

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
    c->held_lane = loop_add_lane(dispatcher->loop, "held", held_lane_run, c);
    for (size_t i = 0; i < RECORD_LANES; i++)
        c->record_lanes[i] = loop_add_lane(dispatcher->loop, "record", record_lane_run, c);
    *caller_r = c;
}

void caller_destroy(struct caller **caller)
{
    struct caller *c = *caller;
    if (!c)
        return;
    while (c->matters)
        matter_free(c->matters);
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
    lane_poke(c->held_lane);
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
    return !c->matters && lane_sleeps(c->look_lane) && lane_sleeps(c->held_lane);
}

bool caller_idle(const struct caller *c)
{
    return caller_settled(c) && c->drawn_out && c->attended && c->looked_at != TIME_NONE;
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

/* An attempt whose workspace has enough look-ups under way comes again with the next look. */
static int look_up(struct caller *c, struct db *db, const struct watched_attempt *attempt,
                   struct err *err)
{
    if (room_for(c, BUDGET_LOOK_UP, &attempt->workspace_id) == 0)
        return watch_again(db, attempt->token, attempt->denials, c->dispatcher->conf->poll_interval,
                           err);
    ask_find(c, attempt);
    return 0;
}

static int watch(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    const struct conf *conf = c->dispatcher->conf;
    struct watched_attempt *attempts;
    size_t count;
    if (room_for(c, BUDGET_LOOK_UP, NULL) == 0)
        return 0;
    if (watch_draw(db, pool, WATCH_MAX, conf->place_timeout + conf->lease_grace, &attempts, &count,
                   err))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].state == ATTEMPT_FENCED)
            ask_left_behind(c, &attempts[i]);
        else if (look_up(c, db, &attempts[i], err))
            return -1;
    }
    return 0;
}

static int play_steps(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    const struct conf *conf = c->dispatcher->conf;
    struct step_row *steps;
    size_t count;
    usec_t wait;
    if (!room_for_steps(c))
        return 0;
    if (steps_draw(db, pool, room_for(c, BUDGET_STEP, NULL),
                   conf->place_timeout + conf->lease_grace, &steps, &count, err))
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

/* ---- fencing ---- */

/* Those of its calls that stand first say why they wait, but not at every look. */
static int wait_and_tell(struct caller *c, struct db *db, struct turn *turn,
                         const struct fence_result *result, struct err *err)
{
    usec_t now = clock_monotonic();
    bool told = turn->told_at != TIME_NONE && now - turn->told_at < TELL_INTERVAL;
    turn->until = result->wait == TIME_NONE ? TIME_NEVER : now + result->wait;
    if (!told)
        turn->told_at = now;
    turns_wait(&c->turns, turn);
    if (told)
        return 0;
    return held_calls_tell_waiting(
        db, &turn->of, result->no_line != HOLD_NONE ? result->no_line : HOLD_CARRIER_PACE, err);
}

static void wait_for_room(struct caller *c, struct turn *turn)
{
    turn->for_room = true;
    turn->until = TIME_NEVER;
    turns_wait(&c->turns, turn);
}

/* There may be room again by now: while the fence was committed, a request may have ended. */
static void wait_for_known_room(struct caller *c, struct turn *turn)
{
    if (room_to_place(c, &turn->workspace_id) > 0)
        turns_again(&c->turns, turn);
    else
        wait_for_room(c, turn);
}

/* Back into the line, or to those that wait for something. */
static int turn_goes_on(struct caller *c, struct db *db, struct turn *turn,
                        const struct fence_result *result, struct err *err)
{
    turn->workspace_id = result->workspace_id;
    if (result->no_room) {
        wait_for_known_room(c, turn);
        return 0;
    }
    if (result->more) {
        turns_again(&c->turns, turn);
        return 0;
    }
    if (result->no_line != HOLD_NONE || result->wait != TIME_NONE)
        return wait_and_tell(c, db, turn, result, err);
    return 0;
}

static void log_no_zone(const struct fence_result *result)
{
    char text[ID_TEXT_SIZE];
    id_format(ID_WORKSPACE, &result->workspace_id, text);
    log_write(LOG_ERROR, "a workspace's time zone can't be read here; its calls are held",
              "workspace=%s calls=%zu", text, result->held);
}

static size_t room_to_prepare(void *caller, const struct id *workspace_id)
{
    const struct caller *c = caller;
    return preparer_room(c->dispatcher->preparer, workspace_id);
}

/* A portion of the agent whose turn it is. */
static int fence_portion(struct caller *c, struct db *db, struct pool *pool, struct turn *turn,
                         struct err *err)
{
    struct fence_result result;
    struct fence_ask ask = {
        .of = turn->of,
        .limit = PORTION,
        .prepare_limit = PREPARE_PORTION,
        .place_room = room_to_place,
        .prepare_room = room_to_prepare,
        .ctx = c,
    };
    if (fence_calls(db, pool, c->dispatcher->conf, &ask, &result, err))
        return -1;
    if (result.count > 0)
        fault_point("call_fenced");
    c->dispatcher->counts.calls_disallowed += result.disallowed;
    if (result.no_zone)
        log_no_zone(&result);
    deliverer_wake(c->dispatcher->deliverer, result.wakes.ids, result.wakes.count);
    /* The lease is this and place_timeout. */
    usec_t ask_by = result.began_at + c->dispatcher->conf->lease_grace;
    for (size_t i = 0; i < result.count; i++)
        ask_place(c, &result.calls[i], ask_by);
    if (preparer_start(c->dispatcher->preparer, db, &turn->of.agent_id, &result, err))
        return -1;
    return turn_goes_on(c, db, turn, &result, err);
}

/* What is wrong with one agent's calls, or a lock that was waited for too long, is nobody else's
 * matter. What may go away is tried again, and found again by the next look at the latest. */
static void put_off(struct caller *c, struct turn *turn, const struct err *err)
{
    char text[ID_TEXT_SIZE];
    id_format(ID_AGENT, &turn->of.agent_id, text);
    log_write(LOG_WARNING, "an agent's due calls could not be seen to",
              "agent=%s error=%s message=\"%s\"", text, err_code_text(err->code), err->message);
    if (err->code != ERR_UNAVAILABLE && err->code != ERR_UNCERTAIN)
        return;
    turn->until = clock_monotonic() + c->dispatcher->conf->poll_interval;
    turns_wait(&c->turns, turn);
}

static bool poll_is_due(const struct caller *c)
{
    return c->looked_at == TIME_NONE ||
           clock_monotonic() - c->looked_at >= c->dispatcher->conf->poll_interval;
}

/* One agent's portion after another, until none is ready or it is time to look at all else. */
static int fence_portions(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    struct turn turn;
    turns_time(&c->turns, clock_monotonic());
    while (room_for(c, BUDGET_PLACE, NULL) > 0 && !c->dispatcher->stopping &&
           turns_take(&c->turns, &turn)) {
        if (!id_is_zero(&turn.workspace_id) && room_to_place(c, &turn.workspace_id) == 0) {
            wait_for_room(c, &turn);
            continue;
        }
        pool_clear(pool);
        if (fence_portion(c, db, pool, &turn, err)) {
            if (!db_connected(db))
                return -1;
            put_off(c, &turn, err);
        }
        if (poll_is_due(c))
            break;
    }
    return 0;
}

static int look(struct caller *c, struct db *db, struct pool *pool, struct err *err)
{
    if (poll_is_due(c) || c->look_wanted) {
        c->look_wanted = false;
        if (look_for_agents(c, db, pool, err) || watch(c, db, pool, err) ||
            play_steps(c, db, pool, err))
            return -1;
        c->looked_at = clock_monotonic();
    } else if (clock_monotonic() >= c->next_step_at && play_steps(c, db, pool, err)) {
        return -1;
    }
    return fence_portions(c, db, pool, err);
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
        if (c->next_step_at < next && room_for_steps(c))
            next = c->next_step_at;
        if (turns_next(&c->turns) < next)
            next = turns_next(&c->turns);
        c->drawn_out = c->turns.ready_count == 0 && turns_next(&c->turns) == TIME_NEVER &&
                       !c->look_wanted && c->next_step_at > clock_monotonic();
        lane_sleep(lane, next);
    }
    pool_destroy(&pool);
}
