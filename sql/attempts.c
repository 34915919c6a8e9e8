/*
 * attempts.c - a report on an attempt, taken in one transaction: lock attempt and call, ask the
 * rules (lib/rules/call.h) what becomes of them, write that and the events with it.
 */
#include "sql/attempts.h"
#include "lib/rules/policy.h"
#include "sql/events.h"
#include <string.h>

#define TRIES 5
#define SUMMARY_MAX 100000 /* bytes; what a carrier says beyond is cut */
#define OUTCOME_MAX 400    /* bytes of the 100 characters that the column takes */
#define MESSAGE_MAX 500

int attempts_by_token(struct db *db, struct pool *pool, const unsigned char *token,
                      struct attempt_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_ATTEMPT_BY_TOKEN);
    query_bind_bytes(q, token, ATTEMPT_TOKEN_SIZE);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "No attempt has this token.");
    query_id(q, &row_r->call_id);
    query_id(q, &row_r->workspace_id);
    query_id(q, &row_r->agent_id);
    query_id(q, &row_r->carrier_id);
    row_r->n = (unsigned)query_i64(q);
    row_r->kind = (enum carrier_kind)(query_i64(q) - 1);
    row_r->state = (enum attempt_state)(query_i64(q) - 1);
    row_r->status = (enum call_status)(query_i64(q) - 1);
    row_r->carrier_url = query_str(q, pool);
    row_r->carrier_secret_sealed = query_str(q, pool);
    return 0;
}

/* What is read under lock, besides what the rules see. */
struct locked {
    struct call_view view;
    struct id call_id, workspace_id, agent_id;
    struct str contact_number;
    bool test;
    usec_t silent_at, now;
    unsigned voids;
    bool day_counted; /* the attempt counts against calls_per_day */
    enum carrier_kind kind;
    usec_t retry_at; /* when the next dial would be made */
};

static int lock(struct db *db, struct pool *pool, const struct conf *conf,
                const unsigned char *token, struct locked *l, struct err *err)
{
    struct query *q = db_use(db, STMT_ATTEMPT_LOCK);
    query_bind_bytes(q, token, ATTEMPT_TOKEN_SIZE);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "No attempt has this token.");
    memset(l, 0, sizeof *l);
    query_id(q, &l->call_id);
    query_id(q, &l->workspace_id);
    query_id(q, &l->agent_id);
    l->view.status = (enum call_status)(query_i64(q) - 1);
    l->test = query_i64(q) != 0;
    l->contact_number = query_str(q, pool);
    l->view.attempt_newest = (unsigned)query_i64(q);
    l->voids = (unsigned)query_i64(q);
    l->view.voids_in_row = l->voids;
    l->view.initiated_told = query_time(q) != TIME_NONE;
    l->view.attempt = (unsigned)query_i64(q);
    l->view.state = (enum attempt_state)(query_i64(q) - 1);
    l->view.redial_on_unknown = query_i64(q) != 0;
    l->silent_at = query_time(q);
    l->day_counted = query_i64(q) != 0;
    l->kind = (enum carrier_kind)(query_i64(q) - 1);
    l->now = query_time(q);
    l->view.voids_max = (unsigned)conf->place_retry_schedule.count;
    return 0;
}

/* What the agent does about a dial that came to nothing. The next is made inside calling hours, and
 * not when the call has expired by then. */
static int read_retry(struct db *db, struct pool *pool, struct locked *l, struct err *err)
{
    struct query *q = db_use(db, STMT_ATTEMPT_RETRY);
    struct policy_hours h;
    query_bind_i64(q, l->view.attempt);
    query_bind_id(q, &l->call_id);
    if (query_run(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "a call without an agent");
    int64_t most = query_i64(q);
    l->view.retry_on = (unsigned)query_i64(q);
    struct str gaps = query_str(q, pool);
    bool own_hours = query_i64(q) != 0;
    h.hours.from_minute = query_i64(q);
    h.hours.to_minute = query_i64(q);
    h.hours.days = (unsigned)query_i64(q);
    h.holidays = policy_holidays(pool, query_str(q, pool));
    h.zone = zone_find(query_str(q, pool));
    usec_t expires_at = query_time(q);
    int64_t dials = query_i64(q);
    l->retry_at = l->now + policy_retry_gap(gaps, (unsigned)dials);
    /* In a zone that can't be read the fence will hold it. */
    if (h.zone && (own_hours || l->kind != CARRIER_SIMULATOR))
        l->retry_at = policy_opening(&h, l->retry_at);
    if (dials < most && (expires_at == TIME_NONE || l->retry_at < expires_at))
        l->view.dials_left = (unsigned)(most - dials);
    return 0;
}

/* When the dispatcher must look at the attempt again, by its new state. */
static usec_t watch_time(const struct conf *conf, const struct locked *l, enum attempt_state state)
{
    switch (state) {
    case ATTEMPT_FENCED:
        return l->now + conf->place_timeout + conf->lease_grace;
    case ATTEMPT_UNKNOWN:
        return l->now + conf->lookup_first;
    case ATTEMPT_PLACED:
    case ATTEMPT_RINGING:
    case ATTEMPT_ANSWERED:
        return l->silent_at;
    case ATTEMPT_ENDED:
    case ATTEMPT_VOID:
    case ATTEMPT_STATE_COUNT:
        break;
    }
    return TIME_NONE;
}

static const char *reason_of(const struct call_report *report)
{
    return report->kind == REPORT_ENDED ? end_reason_text(report->reason)
                                        : report_kind_text(report->kind);
}

static int write_attempt(struct db *db, const struct conf *conf, const struct locked *l,
                         const struct carrier_report *report, const struct call_change *change,
                         struct err *err)
{
    enum attempt_state state = change->state;
    struct query *q = db_use(db, STMT_ATTEMPT_ADVANCE);
    query_bind_str(q, str_of(attempt_state_text(state)));
    query_bind_str(q, str_utf8_cut(report->ref, 255));
    bool over = state == ATTEMPT_ENDED || state == ATTEMPT_VOID;
    query_bind_str(q, over ? str_of(reason_of(&report->report)) : STR_NULL);
    query_bind_str(q, str_utf8_cut(report->message, MESSAGE_MAX));
    bool placed = state != ATTEMPT_UNKNOWN && state != ATTEMPT_VOID &&
                  report->report.kind != REPORT_REFUSED && report->report.kind != REPORT_LOST;
    query_bind_time(q, placed ? l->now : TIME_NONE);
    query_bind_time(q, state == ATTEMPT_RINGING ? l->now : TIME_NONE);
    query_bind_time(q, state == ATTEMPT_ANSWERED ? l->now : TIME_NONE);
    query_bind_time(q, over ? l->now : TIME_NONE);
    query_bind_time(q, watch_time(conf, l, state));
    query_bind_id(q, &l->call_id);
    query_bind_i64(q, l->view.attempt);
    return query_run(q, err);
}

/* The call's outcome in words: what the carrier said, or what can be told from how it ended. */
static struct str outcome_of(const struct carrier_report *report, const struct call_change *change)
{
    if (change->voicemail)
        return STR("voicemail");
    if (report->outcome.p)
        return str_utf8_cut(report->outcome, OUTCOME_MAX);
    return STR("unknown");
}

/* Attempts in a row that never left, this one included. */
static unsigned voids_after(const struct locked *l, const struct call_change *change)
{
    if (!change->attempt_changes)
        return l->voids;
    switch (change->state) {
    case ATTEMPT_VOID:
        return l->voids + 1;
    case ATTEMPT_FENCED:
    case ATTEMPT_UNKNOWN:
    case ATTEMPT_STATE_COUNT:
        return l->voids;
    case ATTEMPT_PLACED:
    case ATTEMPT_RINGING:
    case ATTEMPT_ANSWERED:
    case ATTEMPT_ENDED:
        break;
    }
    return 0;
}

static usec_t requeue_time(const struct conf *conf, const struct locked *l,
                           const struct call_change *change, unsigned voids)
{
    if (!change->requeue)
        return TIME_NONE;
    if (change->retry != CALL_ERROR_NONE)
        return l->retry_at;
    if (change->state != ATTEMPT_VOID || voids == 0 || conf->place_retry_schedule.count == 0)
        return l->now;
    size_t i = voids - 1;
    if (i >= conf->place_retry_schedule.count)
        i = conf->place_retry_schedule.count - 1;
    return l->now + conf->place_retry_schedule.at[i];
}

static int write_call(struct db *db, const struct conf *conf, const struct locked *l,
                      const struct carrier_report *report, const struct call_change *change,
                      struct err *err)
{
    bool done = change->status == CALL_COMPLETED;
    bool failed = change->status == CALL_FAILED;
    unsigned voids = voids_after(l, change);
    usec_t due = requeue_time(conf, l, change, voids);
    struct str message = report->message.p ? str_utf8_cut(report->message, MESSAGE_MAX)
                                           : str_of(call_error_message(change->error));
    struct query *q = db_use(db, STMT_CALL_ADVANCE);
    query_bind_str(q, str_of(call_status_text(change->status)));
    query_bind_time(q, change->tell_initiated ? l->now : TIME_NONE);
    query_bind_time(q, change->status == CALL_IN_PROGRESS ? l->now : TIME_NONE);
    query_bind_time(q, done || failed ? l->now : TIME_NONE);
    query_bind_i64_if(q, done && report->duration_seconds >= 0, report->duration_seconds);
    query_bind_str(q, done ? outcome_of(report, change) : STR_NULL);
    query_bind_str(q, done ? str_utf8_cut(report->summary, SUMMARY_MAX) : STR_NULL);
    query_bind_str(q, done ? report->transcript : STR_NULL);
    query_bind_str(q, failed ? str_of(call_error_code(change->error)) : STR_NULL);
    query_bind_str(q, failed ? message : STR_NULL);
    query_bind_time(q, due);
    query_bind_time(q, due);
    query_bind_str(q, change->requeue
                          ? str_of(hold_reason_text(hold_reason_of_retry(change->retry)))
                          : STR_NULL);
    query_bind_i64(q, voids);
    query_bind_time(q, l->now);
    query_bind_id(q, &l->call_id);
    return query_run(q, err);
}

static int tell(struct db *db, struct pool *pool, const struct conf *conf, const struct locked *l,
                const struct carrier_report *report, const struct call_change *change,
                enum event_type type, struct wakes *wakes, struct err *err)
{
    /* The second event of one commit is a microsecond younger, so that lists keep their order. */
    usec_t later = change->tell_initiated && type != EVENT_CALL_INITIATED ? 1 : 0;
    struct event_data event = {
        .type = type,
        .created_at = l->now + later,
        .call_id = l->call_id,
        .agent_id = l->agent_id,
        .phone_number = l->contact_number,
        .attempt = l->view.attempt,
        .duration_seconds = report->duration_seconds,
        .outcome = outcome_of(report, change),
        .summary = str_utf8_cut(report->summary, SUMMARY_MAX),
        .error = change->error,
        .error_message = str_utf8_cut(report->message, MESSAGE_MAX),
        .test = l->test,
    };
    usec_t first = conf->retry_schedule.count > 0 ? conf->retry_schedule.at[0] : 0;
    return events_write(db, pool, &l->workspace_id, &event, first, wakes, err);
}

/* A void attempt is no dial of the day; one that comes alive is. */
static int count_dial(struct db *db, const struct locked *l, const struct call_change *change,
                      struct err *err)
{
    bool was = l->view.state != ATTEMPT_VOID, is = change->state != ATTEMPT_VOID;
    if (!l->day_counted || was == is)
        return 0;
    struct query *q = db_use(db, STMT_ATTEMPT_COUNT_DIAL);
    query_bind_i64(q, is);
    query_bind_id(q, &l->call_id);
    query_bind_i64(q, l->view.attempt);
    return query_run(q, err);
}

static int write_change(struct db *db, struct pool *pool, const struct conf *conf,
                        const struct locked *l, const struct carrier_report *report,
                        const struct call_change *change, struct wakes *wakes, struct err *err)
{
    if (change->attempt_changes &&
        (write_attempt(db, conf, l, report, change, err) || count_dial(db, l, change, err)))
        return -1;
    if (change->call_changes || change->tell_initiated) {
        struct call_change whole = *change;
        if (!change->call_changes)
            whole.status = l->view.status;
        if (write_call(db, conf, l, report, &whole, err))
            return -1;
    }
    if (change->tell_initiated &&
        tell(db, pool, conf, l, report, change, EVENT_CALL_INITIATED, wakes, err))
        return -1;
    if (change->tell_completed &&
        tell(db, pool, conf, l, report, change, EVENT_CALL_COMPLETED, wakes, err))
        return -1;
    if (change->tell_failed &&
        tell(db, pool, conf, l, report, change, EVENT_CALL_FAILED, wakes, err))
        return -1;
    return 0;
}

static int report_once(struct db *db, struct pool *pool, const struct conf *conf,
                       const unsigned char *token, const struct carrier_report *report,
                       struct attempt_outcome *outcome, struct err *err)
{
    struct locked l;
    if (db_begin(db, err))
        return -1;
    if (lock(db, pool, conf, token, &l, err) ||
        (call_report_may_retry(&report->report) && read_retry(db, pool, &l, err))) {
        db_rollback(db);
        return -1;
    }
    struct call_change change = call_advance(&l.view, &report->report);
    memset(outcome, 0, sizeof *outcome);
    outcome->call_id = l.call_id;
    outcome->workspace_id = l.workspace_id;
    outcome->status = change.call_changes ? change.status : l.view.status;
    outcome->changed = change.call_changes || change.attempt_changes;
    outcome->line_free = call_holds_line(l.view.status) && !call_holds_line(outcome->status);
    if (!outcome->changed) {
        db_rollback(db);
        return 0;
    }
    struct wakes wakes = {0};
    if (write_change(db, pool, conf, &l, report, &change, &wakes, err)) {
        db_rollback(db);
        return -1;
    }
    outcome->destinations = wakes.ids;
    outcome->destination_count = wakes.count;
    return db_commit(db, err);
}

int attempts_report(struct db *db, struct pool *pool, const struct conf *conf,
                    const unsigned char *token, const struct carrier_report *report,
                    struct attempt_outcome *outcome_r, struct err *err)
{
    for (unsigned n = 0;; n++) {
        err_clear(err);
        if (report_once(db, pool, conf, token, report, outcome_r, err) == 0)
            return 0;
        bool again = err->code == ERR_UNAVAILABLE || err->code == ERR_UNCERTAIN;
        if (!again || n + 1 == TRIES)
            break;
    }
    if (err->code == ERR_UNCERTAIN)
        err->code = ERR_UNAVAILABLE;
    return -1;
}
