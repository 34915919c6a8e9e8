/*
 * test_call.c - what reports make of attempts and calls: case by case, and in random sequences.
 */
#include "lib/rules/call.h"
#include "tests/unit/check_main.h"
#include <signal.h>
#include <string.h>

/* Which status may follow which; the rest may not. */
static const char *const diagram[CALL_STATUS_COUNT] = {
    [CALL_SCHEDULED] = "initiated cancelled disallowed failed",
    [CALL_INITIATED] = "ringing in_progress completed failed scheduled",
    [CALL_RINGING] = "in_progress completed failed scheduled",
    [CALL_IN_PROGRESS] = "completed failed scheduled",
    [CALL_COMPLETED] = "",
    [CALL_FAILED] = "",
    [CALL_CANCELLED] = "",
    [CALL_DISALLOWED] = "",
};

START_TEST(statuses_follow_the_diagram)
{
    enum call_status from = (enum call_status)_i;

    for (unsigned to = 0; to < CALL_STATUS_COUNT; to++) {
        struct str rest = str_of(diagram[from]), word;
        bool listed = false;
        while (str_split(&rest, ' ', &word))
            listed = listed || str_is(word, call_status_text((enum call_status)to));
        ck_assert_msg(call_may_become(from, (enum call_status)to) == listed, "%s to %s",
                      call_status_text(from), call_status_text((enum call_status)to));
    }
    ck_assert(call_is_over(from) == (diagram[from][0] == '\0'));
}
END_TEST

START_TEST(a_retry_says_why_it_waits)
{
    ck_assert_str_eq(hold_reason_text(hold_reason_of_retry(CALL_ERROR_BUSY)), "retry_busy");
    ck_assert_str_eq(hold_reason_text(hold_reason_of_retry(CALL_ERROR_NO_ANSWER)),
                     "retry_no_answer");
    ck_assert_str_eq(hold_reason_text(hold_reason_of_retry(CALL_ERROR_CARRIER_ERROR)),
                     "retry_carrier_error");
    ck_assert_str_eq(hold_reason_text(hold_reason_of_retry(CALL_ERROR_NONE)),
                     "carrier_unreachable");
}
END_TEST

START_TEST(texts_come_back)
{
    enum call_status status;
    enum call_error error;
    enum end_reason reason;

    for (unsigned i = 0; i < CALL_STATUS_COUNT; i++) {
        ck_assert_int_eq(call_status_parse(str_of(call_status_text((enum call_status)i)), &status),
                         0);
        ck_assert_uint_eq(status, i);
    }
    for (unsigned i = 1; i < CALL_ERROR_COUNT; i++) {
        ck_assert_int_eq(call_error_parse(str_of(call_error_code((enum call_error)i)), &error), 0);
        ck_assert_uint_eq(error, i);
        ck_assert(call_error_message((enum call_error)i)[0] != '\0');
    }
    for (unsigned i = 0; i < END_REASON_COUNT; i++) {
        ck_assert_int_eq(end_reason_parse(str_of(end_reason_text((enum end_reason)i)), &reason), 0);
        ck_assert_uint_eq(reason, i);
    }
    ck_assert_int_eq(call_status_parse(STR("canceled"), &status), -1);
    ck_assert_int_eq(call_error_parse(STR(""), &error), -1);
    ck_assert_int_eq(end_reason_parse(STR("no-answer"), &reason), -1);
    ck_assert_str_eq(attempt_state_text(ATTEMPT_VOID), "void");
    ck_assert_str_eq(report_kind_text(REPORT_NEVER_PLACED), "never_placed");
}
END_TEST

/* What is written per case of the view and of the change; what is not written is false or 0. */
#define VIEW_OF(status_, state_, attempt_, newest, voids, ...)                                     \
    {                                                                                              \
        .status = status_, .state = state_, .attempt = attempt_, .attempt_newest = newest,         \
        .voids_max = voids, __VA_ARGS__                                                            \
    }
#define VIEW(status, state, ...) VIEW_OF(status, state, 1, 1, 2, __VA_ARGS__)
#define SAYS(kind_)                                                                                \
    {                                                                                              \
        .kind = kind_                                                                              \
    }
#define ENDED(reason_)                                                                             \
    {                                                                                              \
        .kind = REPORT_ENDED, .reason = reason_                                                    \
    }
#define REFUSED(refusal_)                                                                          \
    {                                                                                              \
        .kind = REPORT_REFUSED, .refusal = refusal_                                                \
    }
#define TOLD .initiated_told = true
#define RETRIES(left, on) .dials_left = left, .retry_on = on
#define SAME 0xff

struct advance_case {
    const char *name;
    struct call_view view;
    struct call_report report;
    unsigned state, status; /* SAME: no change */
    enum call_error error;
    /* i: initiated, c: completed, f: failed, q: requeue, v: voicemail; dialled again after b: busy,
     * n: no answer, e: an error of the carrier */
    const char *flags;
};

static const struct advance_case cases[] = {
    /* the usual way */
    {"placed", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_PLACED), ATTEMPT_PLACED, SAME, 0,
     "i"},
    {"ringing", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD), SAYS(REPORT_RINGING), ATTEMPT_RINGING,
     CALL_RINGING, 0, ""},
    {"answered", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), SAYS(REPORT_ANSWERED), ATTEMPT_ANSWERED,
     CALL_IN_PROGRESS, 0, ""},
    {"completed", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), ENDED(END_COMPLETED),
     ATTEMPT_ENDED, CALL_COMPLETED, 0, "c"},
    {"voicemail", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), ENDED(END_VOICEMAIL),
     ATTEMPT_ENDED, CALL_COMPLETED, 0, "cv"},
    /* ends without an answer */
    {"busy", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), ENDED(END_BUSY), ATTEMPT_ENDED, CALL_FAILED,
     CALL_ERROR_BUSY, "f"},
    {"no answer", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), ENDED(END_NO_ANSWER), ATTEMPT_ENDED,
     CALL_FAILED, CALL_ERROR_NO_ANSWER, "f"},
    {"rejected", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), ENDED(END_REJECTED), ATTEMPT_ENDED,
     CALL_FAILED, CALL_ERROR_REJECTED, "f"},
    {"the carrier failed", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD), ENDED(END_FAILED),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"failed while talking", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), ENDED(END_FAILED),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    /* dialled again */
    {"busy, again", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(1, 1)), ENDED(END_BUSY),
     ATTEMPT_ENDED, CALL_SCHEDULED, 0, "qb"},
    {"busy before all else, again", VIEW(CALL_INITIATED, ATTEMPT_FENCED, RETRIES(1, 7)),
     ENDED(END_BUSY), ATTEMPT_ENDED, CALL_SCHEDULED, 0, "iqb"},
    {"busy, none left", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(0, 7)), ENDED(END_BUSY),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_BUSY, "f"},
    {"busy, not retried on", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(1, 6)),
     ENDED(END_BUSY), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_BUSY, "f"},
    {"no answer, again", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(1, 2)),
     ENDED(END_NO_ANSWER), ATTEMPT_ENDED, CALL_SCHEDULED, 0, "qn"},
    {"the carrier failed, again", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD, RETRIES(1, 4)),
     ENDED(END_FAILED), ATTEMPT_ENDED, CALL_SCHEDULED, 0, "qe"},
    {"rejected is final", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(9, 7)),
     ENDED(END_REJECTED), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_REJECTED, "f"},
    {"failed while talking is final", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD, RETRIES(9, 7)),
     ENDED(END_FAILED), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"completed is final", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD, RETRIES(9, 7)),
     ENDED(END_COMPLETED), ATTEMPT_ENDED, CALL_COMPLETED, 0, "c"},
    {"refused as busy, again", VIEW(CALL_INITIATED, ATTEMPT_FENCED, RETRIES(1, 1)),
     REFUSED(CALL_ERROR_BUSY), ATTEMPT_ENDED, CALL_SCHEDULED, 0, "qb"},
    {"no such number is final", VIEW(CALL_INITIATED, ATTEMPT_FENCED, RETRIES(9, 7)),
     REFUSED(CALL_ERROR_INVALID_NUMBER), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_INVALID_NUMBER,
     "f"},
    {"lost is final", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD, RETRIES(9, 7)), SAYS(REPORT_LOST),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_TIMEOUT, "f"},
    {"void comes alive, busy, again", VIEW(CALL_SCHEDULED, ATTEMPT_VOID, RETRIES(1, 7)),
     ENDED(END_BUSY), ATTEMPT_ENDED, CALL_SCHEDULED, 0, "iqb"},
    {"old attempt is busy", VIEW_OF(CALL_INITIATED, ATTEMPT_VOID, 1, 2, 2, RETRIES(9, 7)),
     ENDED(END_BUSY), ATTEMPT_ENDED, SAME, 0, ""},
    {"busy after the retry was asked for", VIEW(CALL_SCHEDULED, ATTEMPT_ENDED, TOLD, RETRIES(9, 7)),
     ENDED(END_BUSY), SAME, SAME, 0, ""},
    /* callbacks overtake the answer and each other */
    {"ringing before the answer", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_RINGING),
     ATTEMPT_RINGING, CALL_RINGING, 0, "i"},
    {"answered before all else", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_ANSWERED),
     ATTEMPT_ANSWERED, CALL_IN_PROGRESS, 0, "i"},
    {"ended before all else", VIEW(CALL_INITIATED, ATTEMPT_FENCED), ENDED(END_COMPLETED),
     ATTEMPT_ENDED, CALL_COMPLETED, 0, "ic"},
    {"busy before all else", VIEW(CALL_INITIATED, ATTEMPT_FENCED), ENDED(END_BUSY), ATTEMPT_ENDED,
     CALL_FAILED, CALL_ERROR_BUSY, "if"},
    {"completed while it rings", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), ENDED(END_COMPLETED),
     ATTEMPT_ENDED, CALL_COMPLETED, 0, "c"},
    {"placed after ringing", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), SAYS(REPORT_PLACED), SAME,
     SAME, 0, ""},
    {"ringing after answered", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), SAYS(REPORT_RINGING),
     SAME, SAME, 0, ""},
    {"ringing after the end", VIEW(CALL_COMPLETED, ATTEMPT_ENDED, TOLD), SAYS(REPORT_RINGING), SAME,
     SAME, 0, ""},
    {"refused after a callback", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD),
     REFUSED(CALL_ERROR_BUSY), SAME, SAME, 0, ""},
    {"no answer after a callback", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), SAYS(REPORT_UNKNOWN),
     SAME, SAME, 0, ""},
    {"not sent after a callback", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD), SAYS(REPORT_NOT_SENT),
     SAME, SAME, 0, ""},
    {"denied after a callback", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD),
     SAYS(REPORT_NEVER_PLACED), SAME, SAME, 0, ""},
    /* twice */
    {"placed twice", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD), SAYS(REPORT_PLACED), SAME, SAME, 0,
     ""},
    {"ringing twice", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), SAYS(REPORT_RINGING), SAME, SAME,
     0, ""},
    {"answered twice", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), SAYS(REPORT_ANSWERED), SAME,
     SAME, 0, ""},
    {"ended twice", VIEW(CALL_COMPLETED, ATTEMPT_ENDED, TOLD), ENDED(END_COMPLETED), SAME, SAME, 0,
     ""},
    {"ended twice, otherwise", VIEW(CALL_COMPLETED, ATTEMPT_ENDED, TOLD), ENDED(END_BUSY), SAME,
     SAME, 0, ""},
    {"unknown twice", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), SAYS(REPORT_UNKNOWN), SAME, SAME, 0,
     ""},
    {"ended twice while the end is being told of", VIEW(CALL_IN_PROGRESS, ATTEMPT_ENDED, TOLD),
     ENDED(END_COMPLETED), SAME, SAME, 0, ""},
    /* refused */
    {"refused", VIEW(CALL_INITIATED, ATTEMPT_FENCED), REFUSED(CALL_ERROR_INVALID_NUMBER),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_INVALID_NUMBER, "f"},
    {"refused, learnt late", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN),
     REFUSED(CALL_ERROR_CARRIER_ERROR), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"refused, after it was given up", VIEW(CALL_SCHEDULED, ATTEMPT_VOID),
     REFUSED(CALL_ERROR_REJECTED), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_REJECTED, "f"},
    /* never left */
    {"not sent", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_NOT_SENT), ATTEMPT_VOID,
     CALL_SCHEDULED, 0, "q"},
    {"not sent, the last one allowed", VIEW(CALL_INITIATED, ATTEMPT_FENCED, .voids_in_row = 1),
     SAYS(REPORT_NOT_SENT), ATTEMPT_VOID, CALL_SCHEDULED, 0, "q"},
    {"not sent once too often", VIEW(CALL_INITIATED, ATTEMPT_FENCED, .voids_in_row = 2),
     SAYS(REPORT_NOT_SENT), ATTEMPT_VOID, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"not sent, no retries at all", VIEW_OF(CALL_INITIATED, ATTEMPT_FENCED, 1, 1, 0, ),
     SAYS(REPORT_NOT_SENT), ATTEMPT_VOID, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"not sent, said twice", VIEW(CALL_SCHEDULED, ATTEMPT_VOID), SAYS(REPORT_NOT_SENT), SAME, SAME,
     0, ""},
    /* unknown, and what it turns out to be */
    {"unknown", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_UNKNOWN), ATTEMPT_UNKNOWN, SAME,
     0, ""},
    {"unknown, but placed", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), SAYS(REPORT_PLACED),
     ATTEMPT_PLACED, SAME, 0, "i"},
    {"unknown, but answered", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), SAYS(REPORT_ANSWERED),
     ATTEMPT_ANSWERED, CALL_IN_PROGRESS, 0, "i"},
    {"unknown, but ended", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), ENDED(END_NO_ANSWER),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_NO_ANSWER, "if"},
    {"unknown, and never placed", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), SAYS(REPORT_NEVER_PLACED),
     ATTEMPT_VOID, CALL_SCHEDULED, 0, "q"},
    {"never placed once too often", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN, .voids_in_row = 2),
     SAYS(REPORT_NEVER_PLACED), ATTEMPT_VOID, CALL_FAILED, CALL_ERROR_CARRIER_ERROR, "f"},
    {"fenced, and never placed", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_NEVER_PLACED),
     ATTEMPT_VOID, CALL_SCHEDULED, 0, "q"},
    /* lost */
    {"unknown for good", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN), SAYS(REPORT_LOST), ATTEMPT_ENDED,
     CALL_FAILED, CALL_ERROR_CARRIER_OUTCOME_UNKNOWN, "f"},
    {"fenced, and its process died", VIEW(CALL_INITIATED, ATTEMPT_FENCED), SAYS(REPORT_LOST),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_OUTCOME_UNKNOWN, "f"},
    {"unknown for good, redial", VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN, .redial_on_unknown = true),
     SAYS(REPORT_LOST), ATTEMPT_VOID, CALL_SCHEDULED, 0, "q"},
    {"redialled often enough",
     VIEW(CALL_INITIATED, ATTEMPT_UNKNOWN, .redial_on_unknown = true, .voids_in_row = 2),
     SAYS(REPORT_LOST), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_OUTCOME_UNKNOWN, "f"},
    {"placed, then silence", VIEW(CALL_INITIATED, ATTEMPT_PLACED, TOLD, .redial_on_unknown = true),
     SAYS(REPORT_LOST), ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_TIMEOUT, "f"},
    {"ringing, then silence", VIEW(CALL_RINGING, ATTEMPT_RINGING, TOLD), SAYS(REPORT_LOST),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_TIMEOUT, "f"},
    {"answered, then silence", VIEW(CALL_IN_PROGRESS, ATTEMPT_ANSWERED, TOLD), SAYS(REPORT_LOST),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_CARRIER_TIMEOUT, "f"},
    {"lost twice", VIEW(CALL_FAILED, ATTEMPT_ENDED), SAYS(REPORT_LOST), SAME, SAME, 0, ""},
    {"lost after void", VIEW(CALL_SCHEDULED, ATTEMPT_VOID), SAYS(REPORT_LOST), SAME, SAME, 0, ""},
    /* the carrier had it after all */
    {"void comes alive, placed", VIEW(CALL_SCHEDULED, ATTEMPT_VOID), SAYS(REPORT_PLACED),
     ATTEMPT_PLACED, CALL_INITIATED, 0, "i"},
    {"void comes alive, ringing", VIEW(CALL_SCHEDULED, ATTEMPT_VOID), SAYS(REPORT_RINGING),
     ATTEMPT_RINGING, CALL_RINGING, 0, "i"},
    {"void comes alive, completed", VIEW(CALL_SCHEDULED, ATTEMPT_VOID), ENDED(END_COMPLETED),
     ATTEMPT_ENDED, CALL_COMPLETED, 0, "ic"},
    {"void comes alive, busy", VIEW(CALL_SCHEDULED, ATTEMPT_VOID, TOLD), ENDED(END_BUSY),
     ATTEMPT_ENDED, CALL_FAILED, CALL_ERROR_BUSY, "f"},
    {"void comes alive after a cancel", VIEW(CALL_CANCELLED, ATTEMPT_VOID), SAYS(REPORT_RINGING),
     ATTEMPT_RINGING, SAME, 0, ""},
    /* a call that is over, an attempt that is old: the attempt's row alone */
    {"late end of a failed call", VIEW(CALL_FAILED, ATTEMPT_PLACED, TOLD), ENDED(END_COMPLETED),
     ATTEMPT_ENDED, SAME, 0, ""},
    {"old attempt rings", VIEW_OF(CALL_INITIATED, ATTEMPT_VOID, 1, 2, 2, ), SAYS(REPORT_RINGING),
     ATTEMPT_RINGING, SAME, 0, ""},
    {"old attempt ends", VIEW_OF(CALL_IN_PROGRESS, ATTEMPT_VOID, 1, 3, 2, TOLD),
     ENDED(END_COMPLETED), ATTEMPT_ENDED, SAME, 0, ""},
    {"old attempt is denied", VIEW_OF(CALL_SCHEDULED, ATTEMPT_UNKNOWN, 1, 2, 2, ),
     SAYS(REPORT_NEVER_PLACED), ATTEMPT_VOID, SAME, 0, ""},
    {"old attempt is lost", VIEW_OF(CALL_INITIATED, ATTEMPT_UNKNOWN, 1, 2, 2, ), SAYS(REPORT_LOST),
     ATTEMPT_ENDED, SAME, 0, ""},
};

static bool has(const char *flags, char flag)
{
    return strchr(flags, flag) != NULL;
}

START_TEST(a_report_does)
{
    const struct advance_case *c = &cases[_i];
    struct call_change got = call_advance(&c->view, &c->report);
    unsigned state = c->state == SAME ? c->view.state : c->state;
    unsigned status = c->status == SAME ? c->view.status : c->status;

    ck_assert_msg(got.attempt_changes == (c->state != SAME) && got.state == state, "%s: attempt %s",
                  c->name, attempt_state_text(got.state));
    ck_assert_msg(got.call_changes == (c->status != SAME) && got.status == status, "%s: call %s",
                  c->name, call_status_text(got.status));
    ck_assert_msg(got.error == c->error, "%s: error %s", c->name, call_error_code(got.error));
    ck_assert_msg(got.tell_initiated == has(c->flags, 'i'), "%s: call.initiated", c->name);
    ck_assert_msg(got.tell_completed == has(c->flags, 'c'), "%s: call.completed", c->name);
    ck_assert_msg(got.tell_failed == has(c->flags, 'f'), "%s: call.failed", c->name);
    ck_assert_msg(got.requeue == has(c->flags, 'q'), "%s: requeue", c->name);
    enum call_error retry = has(c->flags, 'b')   ? CALL_ERROR_BUSY
                            : has(c->flags, 'n') ? CALL_ERROR_NO_ANSWER
                            : has(c->flags, 'e') ? CALL_ERROR_CARRIER_ERROR
                                                 : CALL_ERROR_NONE;
    ck_assert_msg(got.retry == retry, "%s: retry", c->name);
    ck_assert_msg(retry == CALL_ERROR_NONE || call_report_may_retry(&c->report), "%s", c->name);
    ck_assert_msg(got.voicemail == has(c->flags, 'v'), "%s: voicemail", c->name);
}
END_TEST

static const struct {
    const char *name;
    struct call_view view;
    struct call_report report;
} impossible[] = {
    {"an attempt that was never made", VIEW_OF(CALL_INITIATED, ATTEMPT_FENCED, 2, 1, 2, ),
     SAYS(REPORT_PLACED)},
    {"attempts count from 1", VIEW_OF(CALL_INITIATED, ATTEMPT_FENCED, 0, 1, 2, ),
     SAYS(REPORT_PLACED)},
    {"fenced, but waiting", VIEW(CALL_SCHEDULED, ATTEMPT_FENCED), SAYS(REPORT_PLACED)},
    {"placed, but waiting", VIEW(CALL_SCHEDULED, ATTEMPT_PLACED), SAYS(REPORT_RINGING)},
    {"void, but talking", VIEW(CALL_IN_PROGRESS, ATTEMPT_VOID), SAYS(REPORT_RINGING)},
    {"a refusal that is none", VIEW(CALL_INITIATED, ATTEMPT_FENCED), REFUSED(CALL_ERROR_EXPIRED)},
};

START_TEST(impossible_rows_are_our_bug)
{
    call_advance(&impossible[_i].view, &impossible[_i].report);
}
END_TEST

/* A call as the store would keep it, and what was told of it. */
#define ATTEMPTS_MAX 64
struct model {
    struct call_view view;
    enum attempt_state states[ATTEMPTS_MAX + 1];
    unsigned initiated, completed, failed;
    bool placed; /* a carrier showed that it had the call */
};

static uint32_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

static void model_fence(struct model *m)
{
    ck_assert(call_may_become(m->view.status, CALL_INITIATED));
    m->view.attempt_newest++;
    m->states[m->view.attempt_newest] = ATTEMPT_FENCED;
    m->view.status = CALL_INITIATED;
}

static void model_take(struct model *m, const struct call_report *report,
                       const struct call_change *change)
{
    enum call_status before = m->view.status;
    bool newest = m->view.attempt == m->view.attempt_newest;
    bool shows = report->kind == REPORT_PLACED || report->kind == REPORT_RINGING ||
                 report->kind == REPORT_ANSWERED || report->kind == REPORT_ENDED;

    if (call_is_over(before) || !newest)
        ck_assert(!change->call_changes && !change->tell_initiated && !change->tell_completed &&
                  !change->tell_failed && !change->requeue);
    if (change->call_changes)
        ck_assert(call_may_become(before, change->status) ||
                  (before == CALL_SCHEDULED && call_may_become(CALL_INITIATED, change->status)));
    ck_assert(m->view.state != ATTEMPT_ENDED || !change->attempt_changes);
    ck_assert(change->attempt_changes || !change->call_changes);
    ck_assert(change->requeue == (change->call_changes && change->status == CALL_SCHEDULED));
    m->placed = m->placed || (shows && change->attempt_changes && newest && !call_is_over(before));
    m->initiated += change->tell_initiated;
    m->completed += change->tell_completed;
    m->failed += change->tell_failed;
    ck_assert_uint_le(m->initiated, 1);
    ck_assert((m->initiated == 1) == m->placed);
    ck_assert(!change->tell_completed || m->initiated == 1);
    if (change->attempt_changes && newest)
        m->view.voids_in_row = change->state == ATTEMPT_VOID ? m->view.voids_in_row + 1 : 0;
    m->states[m->view.attempt] = change->state;
    m->view.status = change->status;
    m->view.initiated_told = m->initiated > 0;
}

START_TEST(random_sequences_keep_the_rules)
{
    uint64_t seed = (uint64_t)_i + 1;

    for (int run = 0; run < 2000; run++) {
        struct model m = {.view = {.status = CALL_SCHEDULED,
                                   .voids_max = random_next(&seed) % 4,
                                   .redial_on_unknown = random_next(&seed) % 2}};
        for (int step = 0; step < 40; step++) {
            struct call_report report = {
                .kind = (enum report_kind)(random_next(&seed) % REPORT_KIND_COUNT),
                .reason = (enum end_reason)(random_next(&seed) % END_REASON_COUNT),
                .refusal = (enum call_error)(CALL_ERROR_NO_ANSWER + random_next(&seed) % 5)};
            struct call_change change;
            bool fence = m.view.attempt_newest == 0 || random_next(&seed) % 3 == 0;
            if (m.view.status == CALL_SCHEDULED && fence) {
                model_fence(&m);
                continue;
            }
            m.view.attempt = m.view.attempt_newest;
            if (random_next(&seed) % 4 == 0)
                m.view.attempt = 1 + random_next(&seed) % m.view.attempt_newest;
            m.view.state = m.states[m.view.attempt];
            m.view.retry_on = random_next(&seed) % 8;
            m.view.dials_left = random_next(&seed) % 3;
            change = call_advance(&m.view, &report);
            model_take(&m, &report, &change);
        }
        ck_assert_uint_eq(m.completed, m.view.status == CALL_COMPLETED);
        ck_assert_uint_eq(m.failed, m.view.status == CALL_FAILED);
    }
}
END_TEST

static Suite *call_suite(void)
{
    Suite *suite = suite_create("call");
    TCase *tc = tcase_create("call");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, statuses_follow_the_diagram, 0, CALL_STATUS_COUNT);
    tcase_add_test(tc, texts_come_back);
    tcase_add_test(tc, a_retry_says_why_it_waits);
    tcase_add_loop_test(tc, a_report_does, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_loop_test_raise_signal(tc, impossible_rows_are_our_bug, SIGABRT, 0,
                                     (int)(sizeof(impossible) / sizeof(impossible[0])));
    tcase_add_loop_test(tc, random_sequences_keep_the_rules, 0, 8);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(call_suite)
