/*
 * calls_operator.h - all that is known of one call, for the operator: its attempts, its events and
 * where they went. The call itself is calls_get_operator() of calls.h.
 */
#ifndef HV_CALLS_OPERATOR_H
#define HV_CALLS_OPERATOR_H

#include "lib/rules/attempt.h"
#include "lib/rules/event.h"
#include "sql/delivery_log.h"

struct attempt_shown {
    unsigned n;
    enum carrier_kind kind;
    enum attempt_state state;
    struct id carrier_id;           /* zero: the simulator */
    struct str ref, reason, detail; /* STR_NULL: none */
    usec_t fenced_at;
    usec_t placed_at, ringing_at, answered_at, ended_at, watch_at; /* TIME_NONE: not */
};

struct delivery_shown {
    struct id delivery_id, event_id, destination_id;
    enum delivery_state state;
    int64_t attempts;
    int64_t last_status; /* 0: no answer yet */
    struct str last_error;
    usec_t due_at; /* of the next attempt; TIME_NONE: none */
};

struct event_shown {
    struct id event_id;
    enum event_type type;
    usec_t created_at;
};

struct call_history {
    struct attempt_shown *attempts;
    struct event_shown *events;
    struct delivery_shown *deliveries; /* sorted as the events are */
    size_t attempt_count, event_count, delivery_count;
};
int calls_history(struct db *db, struct pool *pool, const struct id *call_id,
                  struct call_history *history_r, struct err *err) MUST_CHECK;

#endif
