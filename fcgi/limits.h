/*
 * limits.h - rate limits of requests: who may make one more now. Most requests are decided in
 * memory that all processes of this host share; the database is asked when a slice is used up.
 *
 * responder.c asks for each request with a key, a session or a hook's token, as soon as that has
 * proved good. Another program calls limits_spend() likewise.
 */
#ifndef HV_LIMITS_H
#define HV_LIMITS_H

#include "sql/rates.h"

struct limits;

int limits_create(struct limits **limits_r, const struct conf *conf, struct err *err) MUST_CHECK;
void limits_destroy(struct limits **limits);
/* Is what a host leases shared by its processes? Else each request is counted by the database. */
bool limits_shared(const struct limits *limits);

struct limits_ask {
    enum rate_kind kind; /* what the subject is */
    struct id subject;
    struct id workspace_id; /* zero: none */
    struct rates rates;
};
/*
 * Spends one request of the subject and one of its workspace. ERR_RATE_LIMITED: one of them has
 * none left, and nothing was spent. When the database cannot be asked, the request may pass:
 * *failed_r then says why (ERR_NONE otherwise). *verdict_r is for the headers, in every case.
 */
int limits_spend(struct limits *limits, struct db *db, const struct limits_ask *ask,
                 struct rate_verdict *verdict_r, struct err *failed_r, struct err *err) MUST_CHECK;

#endif
