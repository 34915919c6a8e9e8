/*
 * who.h - who asks, whether they asked too often, and whether they may: the steps of a request
 * between its route and its body.
 */
#ifndef HV_WHO_H
#define HV_WHO_H

#include "fcgi/responder.h"

/* Fills rq->who, and rq->session or rq->hook: by an API key, a person's session or a hook's token,
 * as the route takes them; a key wins over a session. Nothing else that is wrong with a request is
 * told to who has none of them: ERR_UNAUTHORIZED, or ERR_NOT_FOUND for a hook's token. */
int who_find(struct responder *rs, struct request *rq, struct err *err) MUST_CHECK;

/* Spends one request of theirs and of their workspace; ERR_RATE_LIMITED. After they are known, so
 * that nobody can spend another's requests or find out by limits which keys there are. */
int who_spend(struct responder *rs, struct request *rq, struct answer *an,
              struct err *err) MUST_CHECK;

/* ERR_FORBIDDEN: their scope or role is too small, or a session came without its CSRF token. */
int who_check_rights(const struct responder *rs, const struct request *rq,
                     struct err *err) MUST_CHECK;

#endif
