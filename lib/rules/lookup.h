/*
 * lookup.h - what an attempt that had to be looked at becomes: a carrier was asked about it, and
 * said something, nothing, or that it never had it.
 */
#ifndef HV_LOOKUP_H
#define HV_LOOKUP_H

#include "lib/rules/call.h"

struct lookup_policy {
    usec_t gap;       /* between two look-ups */
    usec_t deadline;  /* after which what is not known stays unknown */
    unsigned denials; /* how often in a row the carrier must say "never had it" to be believed */
};

struct lookup_view {
    enum attempt_state state;
    unsigned denials; /* so far, in a row */
    usec_t fenced_at, silent_at, now;
};

enum lookup_step {
    LOOKUP_TAKE, /* the report as it is */
    LOOKUP_LOST, /* REPORT_LOST in its place */
    LOOKUP_AGAIN /* after the gap, with `denials` */
};
struct lookup_verdict {
    enum lookup_step step;
    unsigned denials;
};

/* A denial counts only when it comes twice: the first may have overtaken our own request. An
 * attempt that was placed and stayed silent beyond silent_at is lost unless it turns out to have
 * ended. Other states are a bug. */
struct lookup_verdict lookup_judge(const struct lookup_policy *policy,
                                   const struct lookup_view *view, enum report_kind found);

#endif
