/*
 * slowdowns.h - attempts slowed down: to sign in to one account, from one address, to have mail
 * sent. An attempt is counted as a failure before it is made, so that many at once count too, and
 * taken back when it succeeds.
 */
#ifndef HV_SLOWDOWNS_H
#define HV_SLOWDOWNS_H

#include "sql/db.h"

struct slowdown {
    unsigned char subject[32];
    int64_t free;    /* failures that cost no wait */
    usec_t forgiven; /* one is forgotten after so much quiet */
};

/* kind: "account", "address"; its order is the order in which subjects are given below. */
struct slowdown slowdown_of(const char *kind, struct str of, int64_t free, usec_t forgiven);

/* *wait_r > 0: not yet; nothing is counted. Else the attempt is counted with each subject. */
int slowdowns_begin(struct db *db, const struct slowdown *subjects, size_t count, usec_t *wait_r,
                    struct err *err) MUST_CHECK;
/* It succeeded: the account's failures are forgotten; the address has only this one taken back. */
int slowdowns_forget(struct db *db, const struct slowdown *subject, struct err *err) MUST_CHECK;
int slowdowns_forgive(struct db *db, const struct slowdown *subject, struct err *err) MUST_CHECK;

#endif
