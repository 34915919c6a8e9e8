/*
 * call.h - the life of a call and of its attempts: which states there are, which changes are
 * legal, and what a carrier's report does to them. Pure: the store brings rows, the rules say what
 * they become.
 */
#ifndef HV_CALL_H
#define HV_CALL_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/* The order is the order of the ENUM columns of the same name (sql/migrations); a test compares. */
#define CALL_STATUSES(X)                                                                           \
    X(CALL_SCHEDULED, "scheduled")                                                                 \
    X(CALL_INITIATED, "initiated")                                                                 \
    X(CALL_RINGING, "ringing")                                                                     \
    X(CALL_IN_PROGRESS, "in_progress")                                                             \
    X(CALL_COMPLETED, "completed")                                                                 \
    X(CALL_FAILED, "failed")                                                                       \
    X(CALL_CANCELLED, "cancelled")                                                                 \
    X(CALL_DISALLOWED, "disallowed")
enum call_status {
#define X(name, text) name,
    CALL_STATUSES(X)
#undef X
        CALL_STATUS_COUNT
};
const char *call_status_text(enum call_status s);
int call_status_parse(struct str s, enum call_status *status_r) MUST_CHECK;
bool call_is_over(enum call_status s);    /* completed, failed, cancelled, disallowed */
bool call_holds_line(enum call_status s); /* initiated, ringing, in_progress */

/* May a call go from one state to another (DESIGN's diagram)? Staying is not a change. */
bool call_may_become(enum call_status from, enum call_status to);

#define ATTEMPT_STATES(X)                                                                          \
    X(ATTEMPT_FENCED, "fenced") /* committed; the carrier is about to be asked */                  \
    X(ATTEMPT_PLACED, "placed") /* the carrier has it */                                           \
    X(ATTEMPT_RINGING, "ringing")                                                                  \
    X(ATTEMPT_ANSWERED, "answered")                                                                \
    X(ATTEMPT_ENDED, "ended")                                                                      \
    X(ATTEMPT_UNKNOWN, "unknown") /* asked, no answer: placed or not is to be found out */         \
    X(ATTEMPT_VOID, "void")       /* never left, or the carrier never had it */
enum attempt_state {
#define X(name, text) name,
    ATTEMPT_STATES(X)
#undef X
        ATTEMPT_STATE_COUNT
};
const char *attempt_state_text(enum attempt_state s);

/* What `error.code` of a failed or disallowed call can be. */
#define CALL_ERRORS(X)                                                                             \
    X(CALL_ERROR_NONE, "", "")                                                                     \
    X(CALL_ERROR_NO_ANSWER, "no_answer", "The contact did not answer.")                            \
    X(CALL_ERROR_BUSY, "busy", "The contact's line was busy.")                                     \
    X(CALL_ERROR_REJECTED, "rejected", "The contact rejected the call.")                           \
    X(CALL_ERROR_INVALID_NUMBER, "invalid_number", "The carrier knows no such number.")            \
    X(CALL_ERROR_CARRIER_ERROR, "carrier_error", "The carrier could not place the call.")          \
    X(CALL_ERROR_CARRIER_TIMEOUT, "carrier_timeout", "The carrier stopped reporting on the call.") \
    X(CALL_ERROR_CARRIER_OUTCOME_UNKNOWN, "carrier_outcome_unknown",                               \
      "The carrier did not say whether the call was placed; it was not dialled again.")            \
    X(CALL_ERROR_AGENT_ERROR, "agent_error", "The agent could not hold the conversation.")         \
    X(CALL_ERROR_EXPIRED, "expired", "The call could not be placed before it expired.")            \
    X(CALL_ERROR_OUTSIDE_CALLING_HOURS, "outside_calling_hours", "It is outside calling hours.")   \
    X(CALL_ERROR_NUMBER_SUPPRESSED, "number_suppressed", "The number is on the suppression list.") \
    X(CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED, "number_type_not_allowed",                               \
      "Numbers of this type may not be called.")                                                   \
    X(CALL_ERROR_DAILY_LIMIT_EXCEEDED, "daily_limit_exceeded", "The daily limit is used up.")      \
    X(CALL_ERROR_ACCOUNT_SUSPENDED, "account_suspended", "The workspace is suspended.")            \
    X(CALL_ERROR_AGENT_DISABLED, "agent_disabled", "The agent is disabled.")                       \
    X(CALL_ERROR_PRE_CALL_REJECTED, "pre_call_rejected", "A pre-call function rejected the call.")
enum call_error {
#define X(name, code, message) name,
    CALL_ERRORS(X)
#undef X
        CALL_ERROR_COUNT
};
const char *call_error_code(enum call_error e);
const char *call_error_message(enum call_error e);
int call_error_parse(struct str code, enum call_error *error_r) MUST_CHECK;

/* Why a scheduled call waits, if it is not for its time alone (`hold_reason`). */
#define HOLD_REASONS(X)                                                                            \
    X(HOLD_NONE, "")                                                                               \
    X(HOLD_OUTSIDE_CALLING_HOURS, "outside_calling_hours")                                         \
    X(HOLD_NUMBER_GAP, "number_gap")         /* the number was called a short while ago */         \
    X(HOLD_DAILY_LIMIT, "daily_limit")       /* a retry, when the calls of the day are used up */  \
    X(HOLD_CAPACITY, "capacity")             /* no line of the workspace is free */                \
    X(HOLD_AGENT_CAPACITY, "agent_capacity") /* nor of the agent, or of its carrier */             \
    X(HOLD_CARRIER_PACE, "carrier_pace")     /* its carrier takes no more in this second */        \
    X(HOLD_PREPARING, "preparing")           /* its pre-call functions run */                      \
    X(HOLD_RETRY_BUSY, "retry_busy")                                                               \
    X(HOLD_RETRY_NO_ANSWER, "retry_no_answer")                                                     \
    X(HOLD_RETRY_CARRIER_ERROR, "retry_carrier_error")                                             \
    X(HOLD_CARRIER_UNREACHABLE, "carrier_unreachable")                                             \
    X(HOLD_BATCH_PAUSED, "batch_paused")
enum hold_reason {
#define X(name, text) name,
    HOLD_REASONS(X)
#undef X
        HOLD_REASON_COUNT
};
const char *hold_reason_text(enum hold_reason r);
/* Of a call that waits for the dial after one that ended so. */
enum hold_reason hold_reason_of_retry(enum call_error retry);

/* Why an attempt ended, as carriers say it (`reason`). */
#define END_REASONS(X)                                                                             \
    X(END_COMPLETED, "completed")                                                                  \
    X(END_BUSY, "busy")                                                                            \
    X(END_NO_ANSWER, "no_answer")                                                                  \
    X(END_REJECTED, "rejected")                                                                    \
    X(END_FAILED, "failed")                                                                        \
    X(END_VOICEMAIL, "voicemail")
enum end_reason {
#define X(name, text) name,
    END_REASONS(X)
#undef X
        END_REASON_COUNT
};
int end_reason_parse(struct str s, enum end_reason *reason_r) MUST_CHECK;
const char *end_reason_text(enum end_reason r);

/* What was learnt of one attempt: from the carrier's answer, a callback, a look-up or the reaper.
 */
#define REPORT_KINDS(X)                                                                            \
    X(REPORT_PLACED, "placed") /* the carrier took the request */                                  \
    X(REPORT_RINGING, "ringing")                                                                   \
    X(REPORT_ANSWERED, "answered")                                                                 \
    X(REPORT_ENDED, "ended")                                                                       \
    X(REPORT_REFUSED, "refused")           /* the carrier said no; nothing was dialled; final */   \
    X(REPORT_NOT_SENT, "not_sent")         /* our request never left: safe to repeat */            \
    X(REPORT_UNKNOWN, "unknown")           /* it left and no answer came */                        \
    X(REPORT_NEVER_PLACED, "never_placed") /* the carrier, asked later, never had it */            \
    X(REPORT_LOST, "lost")                 /* nothing more can be learnt */
enum report_kind {
#define X(name, text) name,
    REPORT_KINDS(X)
#undef X
        REPORT_KIND_COUNT
};
const char *report_kind_text(enum report_kind k);

struct call_report {
    enum report_kind kind;
    enum end_reason reason;  /* with REPORT_ENDED */
    enum call_error refusal; /* with REPORT_REFUSED: one of no_answer .. carrier_error */
};

/* Can a report be one that a retry follows, so that the view's retry_on and dials_left matter? */
bool call_report_may_retry(const struct call_report *report);

/* What the rules need to see of the rows, read under lock. */
struct call_view {
    enum call_status status;
    bool initiated_told;     /* call.initiated was written before */
    unsigned attempt_newest; /* number of the call's newest attempt */
    unsigned attempt;        /* the attempt reported on */
    enum attempt_state state;
    unsigned voids_in_row;  /* attempts that never left, since the last that did */
    unsigned voids_max;     /* entries of place_retry_schedule */
    bool redial_on_unknown; /* the agent's */
    unsigned retry_on;      /* the agent's: bits in the order of agent_retry_texts */
    unsigned dials_left;    /* that may follow the attempt reported on, before the call expires */
};

enum event_type; /* lib/rules/event.h */

struct call_change {
    bool attempt_changes, call_changes;
    enum attempt_state state; /* the attempt's new state */
    enum call_status status;  /* the call's new status */
    enum call_error error;    /* with CALL_FAILED */
    bool tell_initiated;      /* write call.initiated (before any other event) */
    bool tell_completed, tell_failed;
    bool requeue;          /* the call waits again: the store sets when */
    enum call_error retry; /* with requeue: what the next dial is made for; NONE: the carrier
                              could not be asked */
    bool voicemail;        /* completed, but a machine answered */
};

/*
 * Reports come late, twice and out of order: an attempt moves forward only
 * (fenced < unknown < placed < ringing < answered < ended), a terminal call is final, a report on
 * an older attempt than the newest changes that attempt's row alone. A carrier's report on a void
 * or unknown attempt revives it, if the call has not been fenced anew. A skipped step is made up
 * for: `ended` on a fenced attempt still tells call.initiated first. REPORT_ENDED with completed
 * or voicemail completes the call (also when `answered` was never seen); the other reasons fail it
 * with their own error (END_FAILED: carrier_error), and so does REFUSED; but when the agent retries
 * on it (busy, no_answer, carrier_error), nobody had answered and there are dials left, the call is
 * requeued instead.
 * NOT_SENT and NEVER_PLACED void the attempt and
 * requeue the call, or fail it with carrier_error once voids_in_row (this one included) exceeds
 * voids_max; once the carrier has shown that it has the attempt, they say nothing. LOST ends the
 * attempt and fails the call: carrier_outcome_unknown when the attempt is fenced or unknown (with
 * redial_on_unknown it is voided and the call requeued instead, as often as voids_max allows),
 * carrier_timeout when it was placed or later. A scheduled call whose void attempt comes alive
 * passes through initiated on its way. A view that our own writes can't leave behind is a bug:
 * dies.
 */
struct call_change call_advance(const struct call_view *view, const struct call_report *report);

#endif
