/*
 * record.c - the lanes that write what came of each matter.
 *
 * A matter is kept until it is written, however long the database is away. Each write can be
 * repeated: a report that was taken before changes nothing.
 */
#include "daemon/caller_private.h"
#include "daemon/deliver.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/lookup.h"
#include "sql/attempts.h"

#define DENIALS_NEEDED 2
#define STEPS_AT_ONCE DB_MANY_MAX

static void append(struct caller *c, struct matter *m)
{
    m->next = NULL;
    *c->finished_end = m;
    c->finished_end = &m->next;
}

void record_add(struct caller *c, struct matter *m)
{
    append(c, m);
    for (size_t i = 0; i < RECORD_LANES; i++) {
        if (lane_sleeps(c->record_lanes[i])) {
            lane_poke(c->record_lanes[i]);
            break;
        }
    }
}

/* The oldest, and when it is a simulator's step all other steps that wait, up to max: they are
 * written by one statement. */
static struct matter *take(struct caller *c, size_t max)
{
    struct matter *taken = NULL, **taken_end = &taken, **at = &c->finished;
    size_t count = 0;
    while (*at && count < max) {
        struct matter *m = *at;
        if (count > 0 && (taken->kind != MATTER_STEP || m->kind != MATTER_STEP)) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        m->next = NULL;
        *taken_end = m;
        taken_end = &m->next;
        count++;
        if (taken->kind != MATTER_STEP)
            break;
    }
    c->finished_end = &c->finished;
    while (*c->finished_end)
        c->finished_end = &(*c->finished_end)->next;
    return taken;
}

static void log_report(const struct matter *m, enum report_kind kind)
{
    char call[ID_TEXT_SIZE];
    id_format(ID_CALL, &m->call_id, call);
    enum log_level level = kind == REPORT_PLACED ? LOG_DEBUG : LOG_INFO;
    log_write(level, "carrier's word on a call", "call=%s carrier=%s report=%s", call,
              carrier_kind_text(m->carrier), report_kind_text(kind));
}

static int take_report(struct caller *c, struct db *db, struct pool *pool, const struct matter *m,
                       const struct carrier_report *report, struct err *err)
{
    struct attempt_outcome outcome;
    if (attempts_report(db, pool, c->dispatcher->conf, m->token, report, &outcome, err))
        return -1;
    /* Counted also when a callback was quicker than the carrier's answer. */
    if (m->kind != MATTER_FIND && report->report.kind == REPORT_PLACED)
        c->dispatcher->counts.calls_placed++;
    if (!outcome.changed)
        return 0;
    log_report(m, report->report.kind);
    if (report->report.kind == REPORT_UNKNOWN)
        c->dispatcher->counts.calls_unknown++;
    deliverer_wake(c->dispatcher->deliverer, outcome.destinations, outcome.destination_count);
    if (outcome.line_free)
        caller_line_free(c, &outcome.workspace_id);
    if (outcome.status == CALL_SCHEDULED)
        caller_look(c);
    return 0;
}

static int record_simulated(struct caller *c, struct db *db, struct pool *pool, struct matter *m,
                            struct err *err)
{
    if (steps_insert(db, m->token, m->steps, m->step_count, err))
        return -1;
    m->step_count = 0; /* a repeat of what follows writes them no second time */
    caller_look(c);
    return take_report(c, db, pool, m, &m->report, err);
}

/* Has a callback come while the carrier was asked? Then it set the next look, too. */
static int moved_on(struct db *db, struct pool *pool, const struct matter *m, bool *moved_r,
                    struct err *err)
{
    struct attempt_row row;
    if (attempts_by_token(db, pool, m->token, &row, err))
        return -1;
    *moved_r = row.state != m->watched.state;
    return 0;
}

static int record_found(struct caller *c, struct db *db, struct pool *pool, const struct matter *m,
                        struct err *err)
{
    const struct conf *conf = c->dispatcher->conf;
    struct lookup_policy policy = {
        .gap = conf->lookup_gap,
        .deadline = conf->lookup_deadline,
        /* The simulator is our own table: its word is good at once. */
        .denials = m->carrier == CARRIER_SIMULATOR ? 1 : DENIALS_NEEDED,
    };
    struct lookup_view view = {
        .state = m->watched.state,
        .denials = m->watched.denials,
        .fenced_at = m->watched.fenced_at,
        .silent_at = m->watched.silent_at,
        .now = m->watched.now,
    };
    struct carrier_report report = m->report;
    bool moved;
    struct lookup_verdict verdict = lookup_judge(&policy, &view, report.report.kind);
    switch (verdict.step) {
    case LOOKUP_AGAIN:
        return watch_again(db, m->token, verdict.denials, policy.gap, err);
    case LOOKUP_LOST:
        if (moved_on(db, pool, m, &moved, err))
            return -1;
        if (moved)
            return 0;
        report.report.kind = REPORT_LOST;
        break;
    case LOOKUP_TAKE:
        break;
    }
    return take_report(c, db, pool, m, &report, err);
}

static int record_steps(struct caller *c, struct db *db, const struct matter *steps,
                        struct err *err)
{
    struct id ids[STEPS_AT_ONCE];
    size_t count = 0;
    for (const struct matter *m = steps; m; m = m->next) {
        if (m->step_taken)
            ids[count++] = m->step_id;
    }
    if (count > 0 && steps_delete(db, ids, count, err))
        return -1;
    c->dispatcher->counts.callbacks_simulated += count;
    return 0;
}

static int record(struct caller *c, struct db *db, struct pool *pool, struct matter *m,
                  struct err *err)
{
    switch (m->kind) {
    case MATTER_PLACE:
        return take_report(c, db, pool, m, &m->report, err);
    case MATTER_SIMULATE:
        return record_simulated(c, db, pool, m, err);
    case MATTER_FIND:
        return record_found(c, db, pool, m, err);
    case MATTER_STEP:
        return record_steps(c, db, m, err);
    }
    die("a matter of kind %d", (int)m->kind);
}

static void forget(struct caller *c, struct matter *taken)
{
    while (taken) {
        struct matter *m = taken;
        taken = m->next;
        matter_free(m);
    }
    turns_room_free(&c->turns);
    lane_poke(c->look_lane);
}

static void put_back(struct caller *c, struct matter *taken)
{
    while (taken) {
        struct matter *m = taken;
        taken = m->next;
        append(c, m);
    }
}

void record_lane_run(struct lane *lane, void *ctx)
{
    struct caller *c = ctx;
    struct pool *pool;
    pool_create(&pool);
    while (!c->dispatcher->quit) {
        struct err err;
        struct matter *taken = take(c, STEPS_AT_ONCE);
        if (!taken) {
            lane_sleep(lane, TIME_NEVER);
            continue;
        }
        pool_clear(pool);
        if (record(c, lane_db(lane), pool, taken, &err) == 0) {
            dispatcher_database_works(c->dispatcher);
            forget(c, taken);
        } else if (err.code == ERR_UNAVAILABLE || err.code == ERR_UNCERTAIN) {
            put_back(c, taken);
            dispatcher_database_failed(c->dispatcher, lane, &err);
        } else {
            log_write(LOG_ERROR, "what a carrier said could not be written",
                      "error=%s message=\"%s\"", err_code_text(err.code), err.message);
            forget(c, taken);
        }
    }
    pool_destroy(&pool);
}
