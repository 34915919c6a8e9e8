/*
 * call.c - the states of calls and attempts, and what a report on an attempt does to both.
 *
 * A report is judged in two steps: what it makes of the attempt (forward only), and, when the
 * attempt is the call's newest and the call is not over, what that makes of the call. Rows,
 * events and waits are the store's.
 */
#include "lib/rules/call.h"

#define BIT(status) (1u << (status))

static const char *const status_texts[] = {
#define X(name, text) [name] = text,
    CALL_STATUSES(X)
#undef X
};
_Static_assert(sizeof(status_texts) / sizeof(status_texts[0]) == CALL_STATUS_COUNT, "all named");

static const char *const attempt_texts[] = {
#define X(name, text) [name] = text,
    ATTEMPT_STATES(X)
#undef X
};
_Static_assert(sizeof(attempt_texts) / sizeof(attempt_texts[0]) == ATTEMPT_STATE_COUNT,
               "all named");

static const struct {
    const char *code, *message;
} errors[] = {
#define X(name, code, message) [name] = {code, message},
    CALL_ERRORS(X)
#undef X
};
_Static_assert(sizeof(errors) / sizeof(errors[0]) == CALL_ERROR_COUNT, "all named");

static const char *const reason_texts[] = {
#define X(name, text) [name] = text,
    END_REASONS(X)
#undef X
};
_Static_assert(sizeof(reason_texts) / sizeof(reason_texts[0]) == END_REASON_COUNT, "all named");

static const char *const report_texts[] = {
#define X(name, text) [name] = text,
    REPORT_KINDS(X)
#undef X
};
_Static_assert(sizeof(report_texts) / sizeof(report_texts[0]) == REPORT_KIND_COUNT, "all named");

static const char *const hold_texts[] = {
#define X(name, text) [name] = text,
    HOLD_REASONS(X)
#undef X
};
_Static_assert(sizeof(hold_texts) / sizeof(hold_texts[0]) == HOLD_REASON_COUNT, "all named");

/* The diagram: which states each may become. */
static const unsigned becomes[] = {
    [CALL_SCHEDULED] =
        BIT(CALL_INITIATED) | BIT(CALL_CANCELLED) | BIT(CALL_DISALLOWED) | BIT(CALL_FAILED),
    [CALL_INITIATED] = BIT(CALL_RINGING) | BIT(CALL_IN_PROGRESS) | BIT(CALL_COMPLETED) |
                       BIT(CALL_FAILED) | BIT(CALL_SCHEDULED),
    [CALL_RINGING] =
        BIT(CALL_IN_PROGRESS) | BIT(CALL_COMPLETED) | BIT(CALL_FAILED) | BIT(CALL_SCHEDULED),
    [CALL_IN_PROGRESS] = BIT(CALL_COMPLETED) | BIT(CALL_FAILED) | BIT(CALL_SCHEDULED),
    [CALL_COMPLETED] = 0,
    [CALL_FAILED] = 0,
    [CALL_CANCELLED] = 0,
    [CALL_DISALLOWED] = 0,
};
_Static_assert(sizeof(becomes) / sizeof(becomes[0]) == CALL_STATUS_COUNT, "all states");

/* How far an attempt is. A void one is where an unknown one is: a carrier's word revives it. */
static const unsigned char rank[] = {
    [ATTEMPT_FENCED] = 0,  [ATTEMPT_UNKNOWN] = 1,  [ATTEMPT_VOID] = 1,  [ATTEMPT_PLACED] = 2,
    [ATTEMPT_RINGING] = 3, [ATTEMPT_ANSWERED] = 4, [ATTEMPT_ENDED] = 5,
};
_Static_assert(sizeof(rank) == ATTEMPT_STATE_COUNT, "all states");

const char *call_status_text(enum call_status s)
{
    return status_texts[s];
}

int call_status_parse(struct str s, enum call_status *status_r)
{
    for (unsigned i = 0; i < CALL_STATUS_COUNT; i++) {
        if (str_is(s, status_texts[i])) {
            *status_r = (enum call_status)i;
            return 0;
        }
    }
    return -1;
}

bool call_is_over(enum call_status s)
{
    return becomes[s] == 0;
}

bool call_holds_line(enum call_status s)
{
    return s == CALL_INITIATED || s == CALL_RINGING || s == CALL_IN_PROGRESS;
}

bool call_may_become(enum call_status from, enum call_status to)
{
    return (becomes[from] & BIT(to)) != 0;
}

const char *attempt_state_text(enum attempt_state s)
{
    return attempt_texts[s];
}

const char *call_error_code(enum call_error e)
{
    return errors[e].code;
}

const char *call_error_message(enum call_error e)
{
    return errors[e].message;
}

int call_error_parse(struct str code, enum call_error *error_r)
{
    for (unsigned i = CALL_ERROR_NONE + 1; i < CALL_ERROR_COUNT; i++) {
        if (str_is(code, errors[i].code)) {
            *error_r = (enum call_error)i;
            return 0;
        }
    }
    return -1;
}

int end_reason_parse(struct str s, enum end_reason *reason_r)
{
    for (unsigned i = 0; i < END_REASON_COUNT; i++) {
        if (str_is(s, reason_texts[i])) {
            *reason_r = (enum end_reason)i;
            return 0;
        }
    }
    return -1;
}

const char *end_reason_text(enum end_reason r)
{
    return reason_texts[r];
}

const char *hold_reason_text(enum hold_reason r)
{
    return hold_texts[r];
}

const char *report_kind_text(enum report_kind k)
{
    return report_texts[k];
}

/* Does the report tell anything new of an attempt in this state? */
static bool report_is_news(enum attempt_state state, enum report_kind kind)
{
    switch (kind) {
    case REPORT_PLACED:
    case REPORT_REFUSED:
        return rank[state] < rank[ATTEMPT_PLACED];
    case REPORT_RINGING:
        return rank[state] < rank[ATTEMPT_RINGING];
    case REPORT_ANSWERED:
        return rank[state] < rank[ATTEMPT_ANSWERED];
    case REPORT_ENDED:
        return state != ATTEMPT_ENDED;
    case REPORT_UNKNOWN:
        return state == ATTEMPT_FENCED;
    case REPORT_NOT_SENT:
    case REPORT_NEVER_PLACED:
        /* Once the carrier has shown that it has the attempt, a denial is older than that. */
        return state == ATTEMPT_FENCED || state == ATTEMPT_UNKNOWN;
    case REPORT_LOST:
        return state != ATTEMPT_ENDED && state != ATTEMPT_VOID;
    case REPORT_KIND_COUNT:
        break;
    }
    die("call: report kind %d", (int)kind);
}

/* The pairs of attempt and call that our own writes can leave behind; anything else is our bug. */
static void view_check(const struct call_view *view)
{
    bool possible = false;

    if (view->attempt == 0 || view->attempt > view->attempt_newest)
        die("call: report on attempt %u of %u", view->attempt, view->attempt_newest);
    if (view->attempt < view->attempt_newest || call_is_over(view->status))
        return;
    switch (view->state) {
    case ATTEMPT_FENCED:
    case ATTEMPT_UNKNOWN:
    case ATTEMPT_PLACED:
        possible = view->status == CALL_INITIATED;
        break;
    case ATTEMPT_RINGING:
        possible = view->status == CALL_RINGING;
        break;
    case ATTEMPT_ANSWERED:
        possible = view->status == CALL_IN_PROGRESS;
        break;
    case ATTEMPT_VOID:
        possible = view->status == CALL_SCHEDULED;
        break;
    case ATTEMPT_ENDED: /* waits for a retry, or for what is told with the end */
        possible = true;
        break;
    case ATTEMPT_STATE_COUNT:
        break;
    }
    if (!possible)
        die("call: %s, but its newest attempt is %s", call_status_text(view->status),
            attempt_state_text(view->state));
}

static void becomes_status(struct call_change *change, const struct call_view *view,
                           enum call_status status)
{
    enum call_status from = view->status;

    if (status == from)
        return;
    /* A call that waits for its next try, and whose void attempt comes alive, is initiated again
     * on the way. */
    if (from == CALL_SCHEDULED && !call_may_become(from, status))
        from = CALL_INITIATED;
    if (!call_may_become(from, status))
        die("call: %s may not become %s", call_status_text(from), call_status_text(status));
    change->call_changes = true;
    change->status = status;
}

static void fails(struct call_change *change, const struct call_view *view, enum call_error error)
{
    becomes_status(change, view, CALL_FAILED);
    change->error = error;
    change->tell_failed = true;
}

/* The bit of an agent's retry_on that an error is, or 0. */
static unsigned retry_bit(enum call_error error)
{
    static const enum call_error retried[] = {CALL_ERROR_BUSY, CALL_ERROR_NO_ANSWER,
                                              CALL_ERROR_CARRIER_ERROR};
    for (unsigned i = 0; i < sizeof retried / sizeof *retried; i++) {
        if (retried[i] == error)
            return 1u << i;
    }
    return 0;
}

enum hold_reason hold_reason_of_retry(enum call_error retry)
{
    if (retry == CALL_ERROR_BUSY)
        return HOLD_RETRY_BUSY;
    if (retry == CALL_ERROR_NO_ANSWER)
        return HOLD_RETRY_NO_ANSWER;
    return retry == CALL_ERROR_CARRIER_ERROR ? HOLD_RETRY_CARRIER_ERROR : HOLD_CARRIER_UNREACHABLE;
}

/* A dial was made and came to nothing: the call waits for the next, or fails. */
static void dialled_in_vain(struct call_change *change, const struct call_view *view,
                            enum call_error error)
{
    bool talked = view->state == ATTEMPT_ANSWERED; /* nobody is called again in the middle of it */
    if (talked || view->dials_left == 0 || (view->retry_on & retry_bit(error)) == 0) {
        fails(change, view, error);
        return;
    }
    becomes_status(change, view, CALL_SCHEDULED);
    change->call_changes = true; /* also when a void attempt came alive to end so */
    change->requeue = true;
    change->retry = error;
}

/* The attempt never was; the call waits for the next, unless that has happened too often. */
static void voided(struct call_change *change, const struct call_view *view, enum call_error error)
{
    if (view->voids_in_row + 1 > view->voids_max) {
        fails(change, view, error);
        return;
    }
    becomes_status(change, view, CALL_SCHEDULED);
    change->requeue = true;
}

static void ended(struct call_change *change, const struct call_view *view, enum end_reason reason)
{
    switch (reason) {
    case END_VOICEMAIL:
        change->voicemail = true;
        /* fall through */
    case END_COMPLETED:
        becomes_status(change, view, CALL_COMPLETED);
        change->tell_completed = true;
        return;
    case END_BUSY:
        dialled_in_vain(change, view, CALL_ERROR_BUSY);
        return;
    case END_NO_ANSWER:
        dialled_in_vain(change, view, CALL_ERROR_NO_ANSWER);
        return;
    case END_REJECTED:
        fails(change, view, CALL_ERROR_REJECTED);
        return;
    case END_FAILED:
        dialled_in_vain(change, view, CALL_ERROR_CARRIER_ERROR);
        return;
    case END_REASON_COUNT:
        break;
    }
    die("call: end reason %d", (int)reason);
}

/* Nothing more can be learnt of the attempt. Redialling gives it up as void, so that its carrier
 * can still revive it until the call is fenced anew, and counts it as such, which bounds it. */
static void lost(struct call_change *change, const struct call_view *view)
{
    if (rank[view->state] >= rank[ATTEMPT_PLACED])
        fails(change, view, CALL_ERROR_CARRIER_TIMEOUT);
    else if (view->redial_on_unknown)
        voided(change, view, CALL_ERROR_CARRIER_OUTCOME_UNKNOWN);
    else
        fails(change, view, CALL_ERROR_CARRIER_OUTCOME_UNKNOWN);
    if (change->requeue)
        change->state = ATTEMPT_VOID;
}

static enum attempt_state state_after(enum report_kind kind)
{
    switch (kind) {
    case REPORT_PLACED:
        return ATTEMPT_PLACED;
    case REPORT_RINGING:
        return ATTEMPT_RINGING;
    case REPORT_ANSWERED:
        return ATTEMPT_ANSWERED;
    case REPORT_ENDED:
    case REPORT_REFUSED:
    case REPORT_LOST:
        return ATTEMPT_ENDED;
    case REPORT_NOT_SENT:
    case REPORT_NEVER_PLACED:
        return ATTEMPT_VOID;
    case REPORT_UNKNOWN:
        return ATTEMPT_UNKNOWN;
    case REPORT_KIND_COUNT:
        break;
    }
    die("call: report kind %d", (int)kind);
}

static void call_follows(struct call_change *change, const struct call_view *view,
                         const struct call_report *report)
{
    switch (report->kind) {
    case REPORT_PLACED:
        becomes_status(change, view, CALL_INITIATED);
        break;
    case REPORT_RINGING:
        becomes_status(change, view, CALL_RINGING);
        break;
    case REPORT_ANSWERED:
        becomes_status(change, view, CALL_IN_PROGRESS);
        break;
    case REPORT_ENDED:
        ended(change, view, report->reason);
        break;
    case REPORT_REFUSED:
        if (report->refusal < CALL_ERROR_NO_ANSWER || report->refusal > CALL_ERROR_CARRIER_ERROR)
            die("call: %s is no refusal", call_error_code(report->refusal));
        dialled_in_vain(change, view, report->refusal);
        break;
    case REPORT_NOT_SENT:
    case REPORT_NEVER_PLACED:
        voided(change, view, CALL_ERROR_CARRIER_ERROR);
        break;
    case REPORT_UNKNOWN:
        break;
    case REPORT_LOST:
        lost(change, view);
        break;
    case REPORT_KIND_COUNT:
        break;
    }
}

bool call_report_may_retry(const struct call_report *report)
{
    if (report->kind == REPORT_REFUSED)
        return retry_bit(report->refusal) != 0;
    return report->kind == REPORT_ENDED &&
           (report->reason == END_BUSY || report->reason == END_NO_ANSWER ||
            report->reason == END_FAILED);
}

struct call_change call_advance(const struct call_view *view, const struct call_report *report)
{
    struct call_change change = {.state = view->state, .status = view->status};
    bool carrier_has_it = report->kind == REPORT_PLACED || report->kind == REPORT_RINGING ||
                          report->kind == REPORT_ANSWERED || report->kind == REPORT_ENDED;

    view_check(view);
    if (!report_is_news(view->state, report->kind))
        return change;
    change.attempt_changes = true;
    change.state = state_after(report->kind);
    if (view->attempt < view->attempt_newest || call_is_over(view->status))
        return change;
    change.tell_initiated = carrier_has_it && !view->initiated_told;
    call_follows(&change, view, report);
    return change;
}
