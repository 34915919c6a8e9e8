/*
 * record.c - the lane that writes what came of each matter, in the order they ended.
 *
 * A matter stays at the head of the queue until it is written. Each write can be repeated: a report
 * that was taken before changes nothing.
 */
#include "daemon/caller_private.h"
#include "daemon/deliver.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/lookup.h"
#include "sql/attempts.h"

#define DENIALS_NEEDED 2

void record_add(struct caller *c, struct matter *m)
{
    m->next = NULL;
    *c->finished_end = m;
    c->finished_end = &m->next;
    c->finished_count++;
    lane_poke(c->record_lane);
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
    if (!outcome.changed)
        return 0;
    log_report(m, report->report.kind);
    if (report->report.kind == REPORT_PLACED)
        c->dispatcher->counts.calls_placed++;
    if (report->report.kind == REPORT_UNKNOWN)
        c->dispatcher->counts.calls_unknown++;
    deliverer_wake(c->dispatcher->deliverer, outcome.destinations, outcome.destination_count);
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
    struct lookup_verdict verdict = lookup_judge(&policy, &view, report.report.kind);
    switch (verdict.step) {
    case LOOKUP_AGAIN:
        return watch_again(db, m->token, verdict.denials, policy.gap, err);
    case LOOKUP_LOST:
        report.report.kind = REPORT_LOST;
        break;
    case LOOKUP_TAKE:
        break;
    }
    return take_report(c, db, pool, m, &report, err);
}

static int record_step(struct caller *c, struct db *db, const struct matter *m, struct err *err)
{
    if (!m->step_taken)
        return 0;
    if (steps_delete(db, &m->step_id, 1, err))
        return -1;
    c->dispatcher->counts.callbacks_simulated++;
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
        return record_step(c, db, m, err);
    }
    die("a matter of kind %d", (int)m->kind);
}

static void forget(struct caller *c)
{
    struct matter *m = c->finished;
    c->finished = m->next;
    if (!c->finished)
        c->finished_end = &c->finished;
    c->finished_count--;
    matter_free(m);
}

void record_lane_run(struct lane *lane, void *ctx)
{
    struct caller *c = ctx;
    struct pool *pool;
    pool_create(&pool);
    while (!c->dispatcher->quit) {
        struct err err;
        if (c->finished_count == 0) {
            lane_sleep(lane, TIME_NEVER);
            continue;
        }
        pool_clear(pool);
        if (record(c, lane_db(lane), pool, c->finished, &err)) {
            if (err.code == ERR_UNAVAILABLE || err.code == ERR_UNCERTAIN) {
                dispatcher_database_failed(c->dispatcher, lane, &err);
                continue;
            }
            log_write(LOG_ERROR, "what a carrier said could not be written", "error=%s message=\"%s\"",
                      err_code_text(err.code), err.message);
        } else {
            dispatcher_database_works(c->dispatcher);
        }
        forget(c);
        lane_poke(c->look_lane);
    }
    pool_destroy(&pool);
}
