/*
 * post_call.h - deliveries to post-call functions. They wait, are retried and logged as those to
 * endpoints are; but what is sent is made of the function, as it is now, and of the call, instead
 * of being the event's own bytes, and each request is recorded as a run, too.
 */
#ifndef HV_POST_CALL_H
#define HV_POST_CALL_H

#include "daemon/deliver_private.h"
#include "sql/call_contexts.h"

/* Reads the function that the destination is. One that can't be read is none: what waits for it
 * fails, and is tried again on its schedule. */
int post_call_load(const struct dispatcher *d, struct db *db, struct destination *one,
                   struct err *err) MUST_CHECK;

/* The calls of those rows that go to functions, in the pool. */
struct post_calls {
    struct call_context *contexts;
    size_t count;
};
int post_calls_read(struct deliverer *d, struct db *db, struct pool *pool,
                    const struct drawn_delivery *rows, size_t count, struct post_calls *calls_r,
                    struct err *err) MUST_CHECK;

/* Makes the request. -1: it can't be made; *failure_r is the word for the delivery's log. */
int post_call_make(struct sending *s, const struct post_calls *calls,
                   const char **failure_r) MUST_CHECK;
/* After all it was not sent: that is its run, then. */
void post_call_not_sent(struct sending *s, const char *why);
/* Whether the answer is a good one; the run is in the result then. */
bool post_call_answered(struct sending *s, const struct http_answer *answer);

#endif
