/*
 * attempt.h - an attempt to place a call, as the store, the carriers and the dispatcher speak of
 * it: which kind of carrier, what the carrier is told, what it says back.
 */
#ifndef HV_ATTEMPT_H
#define HV_ATTEMPT_H

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/rules/call.h"
#include "lib/rules/id.h"

#define CARRIER_KINDS(X) X(CARRIER_SIMULATOR, "simulator") X(CARRIER_HTTP, "http")
enum carrier_kind {
#define X(name, text) name,
    CARRIER_KINDS(X)
#undef X
        CARRIER_KIND_COUNT
};
const char *carrier_kind_text(enum carrier_kind k);
int carrier_kind_parse(struct str s, enum carrier_kind *kind_r) MUST_CHECK;

#define ATTEMPT_TOKEN_SIZE 16
#define ATTEMPT_TOKEN_TEXT_SIZE 33 /* hex and a NUL */

void attempt_token_format(const unsigned char token[ATTEMPT_TOKEN_SIZE],
                          char out[ATTEMPT_TOKEN_TEXT_SIZE]);
int attempt_token_parse(struct str s, unsigned char token_r[ATTEMPT_TOKEN_SIZE]) MUST_CHECK;

/* Everything a carrier is told of an attempt. */
struct placement {
    struct id call_id;
    unsigned attempt;
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    bool test;
    struct id agent_id;
    struct str agent_name; /* the prompt and the greeting are templates until they are filled */
    struct str prompt, greeting, language, voice, from_number;
    struct str contact_number, contact_name, contact_email;
    struct str additional_info; /* JSON text or STR_NULL (sent as {}) */
    struct str variables;       /* JSON text or STR_NULL (sent as {}) */
    struct str functions;       /* JSON text of an array or STR_NULL (sent as []) */
    struct str callback_url;
    int64_t ring_timeout_seconds, max_duration_seconds;
    usec_t created_at, scheduled_at, fenced_at;
    int offset_minutes; /* of the workspace's zone at fenced_at, east of UTC */
};

/* What an answer, a callback or a look-up says. Texts live in the pool. */
struct carrier_report {
    struct call_report report;
    struct str ref;                          /* the carrier's own reference, or STR_NULL */
    usec_t at;                               /* when it happened there; TIME_NONE: not said */
    int64_t duration_seconds;                /* -1: not said */
    struct str outcome, summary, transcript; /* transcript: JSON text; STR_NULL: not said */
    struct str message;                      /* a refusal's message, or STR_NULL */
};

/* One callback of a simulated attempt: what is posted to callback_url, and when. */
struct simulated_step {
    usec_t after; /* since placing */
    struct str body;
};

#endif
