/*
 * lookup.c - judges what a look-up brought. Asking and writing are the dispatcher's.
 */
#include "lib/rules/lookup.h"

static struct lookup_verdict again(unsigned denials)
{
    return (struct lookup_verdict){.step = LOOKUP_AGAIN, .denials = denials};
}

static struct lookup_verdict judge_unknown(const struct lookup_policy *policy,
                                           const struct lookup_view *view, enum report_kind found)
{
    struct lookup_verdict verdict = {.step = LOOKUP_TAKE};
    if (found == REPORT_NEVER_PLACED && view->denials + 1 < policy->denials)
        return again(view->denials + 1);
    if (found == REPORT_UNKNOWN) {
        if (view->now - view->fenced_at < policy->deadline)
            return again(0);
        verdict.step = LOOKUP_LOST;
    }
    return verdict;
}

static struct lookup_verdict judge_silent(const struct lookup_policy *policy,
                                          const struct lookup_view *view, enum report_kind found)
{
    struct lookup_verdict verdict = {.step = LOOKUP_LOST};
    if (found == REPORT_ENDED)
        verdict.step = LOOKUP_TAKE;
    else if (found == REPORT_UNKNOWN && view->now - view->silent_at < policy->deadline)
        return again(0);
    return verdict;
}

struct lookup_verdict lookup_judge(const struct lookup_policy *policy,
                                   const struct lookup_view *view, enum report_kind found)
{
    switch (view->state) {
    case ATTEMPT_UNKNOWN:
        return judge_unknown(policy, view, found);
    case ATTEMPT_PLACED:
    case ATTEMPT_RINGING:
    case ATTEMPT_ANSWERED:
        return judge_silent(policy, view, found);
    case ATTEMPT_FENCED:
    case ATTEMPT_ENDED:
    case ATTEMPT_VOID:
    case ATTEMPT_STATE_COUNT:
        break;
    }
    die("a look-up of an attempt that is %s", attempt_state_text(view->state));
}
