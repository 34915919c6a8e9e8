/*
 * attempts.h - attempts to place a call, and the one transaction in which a report on an attempt
 * moves attempt and call, and writes event and deliveries.
 */
#ifndef HV_ATTEMPTS_H
#define HV_ATTEMPTS_H

#include "lib/base/conf.h"
#include "lib/rules/attempt.h"
#include "sql/db.h"

/* What a callback's verification and a request to the carrier need of an attempt. */
struct attempt_row {
    struct id call_id, workspace_id, agent_id, carrier_id; /* carrier_id zero: the simulator */
    unsigned n;
    enum carrier_kind kind;
    enum attempt_state state;
    enum call_status status;                       /* the call's */
    struct str carrier_url, carrier_secret_sealed; /* STR_NULL for the simulator */
};
/* ERR_NOT_FOUND: no attempt has this token. */
int attempts_by_token(struct db *db, struct pool *pool, const unsigned char *token,
                      struct attempt_row *row_r, struct err *err) MUST_CHECK;

struct attempt_outcome {
    enum call_status status; /* the call's, after the report */
    bool changed;
    bool line_free; /* the call holds no line any more, since this report */
    struct id call_id, workspace_id;
    struct id *destinations; /* that got a delivery: whom to wake for */
    size_t destination_count;
};
/* Takes the report (lib/rules/call.h says what it does) in one commit. Safe to repeat: a repeat
 * changes nothing. ERR_NOT_FOUND: no such token. Deadlocks and lost commits are repeated inside. */
int attempts_report(struct db *db, struct pool *pool, const struct conf *conf,
                    const unsigned char *token, const struct carrier_report *report,
                    struct attempt_outcome *outcome_r, struct err *err) MUST_CHECK;

#endif
