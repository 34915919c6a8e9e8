/*
 * carrier.h - what a carrier is to the product: one table of operations per kind. They build the
 * requests and read the answers; the dispatcher and the voice responder do the sending, so that
 * nothing here waits, stores or knows a row.
 */
#ifndef HV_CARRIER_H
#define HV_CARRIER_H

#include "lib/base/http.h"
#include "lib/base/pool.h"
#include "lib/rules/call.h"
#include "lib/rules/id.h"
#include "lib/rules/signature.h"

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

struct carrier {
    enum carrier_kind kind;
    struct str url;    /* http */
    struct str secret; /* signing secret, both directions; newest only */
};

/* Everything a carrier is told of an attempt. */
struct placement {
    struct id call_id;
    unsigned attempt;
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    bool test;
    struct id agent_id;
    struct str prompt, greeting, language, voice, from_number;
    struct str contact_number, contact_name, contact_email;
    struct str additional_info; /* JSON text or STR_NULL (sent as {}) */
    struct str variables;       /* JSON text or STR_NULL (sent as {}) */
    struct str functions;       /* JSON text of an array or STR_NULL (sent as []) */
    struct str callback_url;
    int64_t ring_timeout_seconds, max_duration_seconds;
};

/* A request that the caller sends; its parts live in the pool. */
struct carrier_request {
    const char *method, *url;
    struct str body;
    struct str headers[8];
    size_t header_count;
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

struct carrier_ops {
    /* Exactly one of the next two is set: a request to send, or a timeline to play. */
    int (*place)(struct pool *pool, const struct carrier *carrier, const struct placement *p,
                 usec_t now, struct carrier_request *request_r, struct err *err);
    void (*simulate)(struct pool *pool, const struct placement *p, usec_t ring, usec_t talk,
                     struct simulated_step **steps_r, size_t *count_r);
    /* What the answer to place (or its absence) says: placed, refused, not_sent or unknown. */
    void (*read_placed)(struct pool *pool, const struct http_answer *answer,
                        struct carrier_report *report_r);
    /* Asks the carrier what became of our token; NULL where it can't be asked. */
    int (*find)(struct pool *pool, const struct carrier *carrier, const unsigned char *token,
                usec_t now, struct carrier_request *request_r, struct err *err);
    /* never_placed on a definite no; unknown when nothing was learnt. */
    void (*read_found)(struct pool *pool, const struct http_answer *answer,
                       struct carrier_report *report_r);
    int (*hang_up)(struct pool *pool, const struct carrier *carrier, const unsigned char *token,
                   usec_t now, struct carrier_request *request_r, struct err *err);
    /* A callback that arrived: verified (ERR_UNAUTHORIZED), then read (ERR_INVALID names the
     * field). */
    int (*verify)(const struct carrier *carrier, const struct signature_input *headers, usec_t now,
                  struct str body, struct err *err);
    int (*read_callback)(struct pool *pool, struct str body, struct carrier_report *report_r,
                         struct err *err);
};

const struct carrier_ops *carrier_ops(enum carrier_kind kind);

void attempt_token_format(const unsigned char token[ATTEMPT_TOKEN_SIZE],
                          char out[ATTEMPT_TOKEN_TEXT_SIZE]);
int attempt_token_parse(struct str s, unsigned char token_r[ATTEMPT_TOKEN_SIZE]) MUST_CHECK;

#endif
