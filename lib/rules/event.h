/*
 * event.h - the events customers are told of, and the bytes of their bodies.
 */
#ifndef HV_EVENT_H
#define HV_EVENT_H

#include "lib/base/buf.h"
#include "lib/rules/call.h"
#include "lib/rules/id.h"

/* The order is that of the ENUM column events.type; bit (1 << type) is the filter's bit. */
#define EVENT_TYPES(X)                                                                             \
    X(EVENT_CALL_INITIATED, "call.initiated")                                                      \
    X(EVENT_CALL_COMPLETED, "call.completed")                                                      \
    X(EVENT_CALL_FAILED, "call.failed")                                                            \
    X(EVENT_CALL_DISALLOWED, "call.disallowed")
enum event_type {
#define X(name, text) name,
    EVENT_TYPES(X)
#undef X
        EVENT_TYPE_COUNT
};
#define EVENT_MASK_ALL ((1u << EVENT_TYPE_COUNT) - 1)

const char *event_type_text(enum event_type t);
int event_type_parse(struct str s, enum event_type *type_r) MUST_CHECK;
/* "call.completed,call.failed" or "all" to a mask; ERR_INVALID names the unknown one. */
int event_mask_parse(struct str s, unsigned *mask_r, struct err *err) MUST_CHECK;

struct event_data {
    struct id event_id;
    enum event_type type;
    usec_t created_at;
    struct id call_id, agent_id;
    struct str phone_number;
    unsigned attempt;            /* with call.initiated; 0: not written */
    int64_t duration_seconds;    /* with call.completed; negative writes null */
    struct str outcome, summary; /* with call.completed; STR_NULL writes null */
    enum call_error error;       /* with call.failed and call.disallowed */
    struct str error_message;    /* STR_NULL: the error's own */
    bool test;                   /* adds "test": true */
};

/* The body in the reference's form and order. What a type does not have is not written. */
void event_body(struct buf *b, const struct event_data *event);

#endif
