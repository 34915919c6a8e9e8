/*
 * watch.h - attempts whose time to be looked at has come: asked of a carrier without an answer,
 * left behind by a dispatcher that died, or silent for longer than a call can last.
 */
#ifndef HV_WATCH_H
#define HV_WATCH_H

#include "lib/rules/attempt.h"
#include "sql/db.h"

struct watched_attempt {
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    struct id call_id, workspace_id, carrier_id;
    unsigned n, denials;
    enum carrier_kind kind;
    enum attempt_state state;
    usec_t fenced_at, silent_at, now;
    struct str carrier_url, carrier_secret_sealed;
    bool steps_left; /* the simulator still has something to say */
};
/* Takes up to limit for `lease`, after which another dispatcher may. */
int watch_draw(struct db *db, struct pool *pool, size_t limit, usec_t lease,
               struct watched_attempt **attempts_r, size_t *count_r, struct err *err) MUST_CHECK;
/* Nothing was learnt: looked at again after `wait`. */
int watch_again(struct db *db, const unsigned char *token, unsigned denials, usec_t wait,
                struct err *err) MUST_CHECK;

#endif
