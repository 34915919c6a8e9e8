/*
 * carrier.h - what a carrier is to the product: one table of operations per kind. They build the
 * requests and read the answers; the dispatcher and the voice responder do the sending, so that
 * nothing here waits, stores or knows a row.
 */
#ifndef HV_CARRIER_H
#define HV_CARRIER_H

#include "lib/base/http.h"
#include "lib/base/pool.h"
#include "lib/rules/attempt.h"
#include "lib/rules/signature.h"

struct carrier {
    enum carrier_kind kind;
    struct str url;    /* http */
    struct str secret; /* signing secret, both directions; newest only */
};

/* A request that the caller sends; its parts live in the pool. */
struct carrier_request {
    const char *method, *url;
    struct str body;
    struct str headers[8];
    size_t header_count;
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

#endif
