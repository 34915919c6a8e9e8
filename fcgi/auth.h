/*
 * auth.h - who asks. Here a key is only taken from the request; whether it is good is learnt from
 * the statement that does the work (sql/calls.h), so that a good request costs no extra look-up.
 */
#ifndef HV_AUTH_H
#define HV_AUTH_H

#include "fcgi/request.h"

#define API_KEY_MAX 255

/* What stands after "Bearer" (RFC 6750 section 2.1), or STR_NULL. */
struct str auth_bearer(const struct request *rq);

/* Fills rq->credential from the Authorization header. ERR_UNAUTHORIZED: there is none, or it can
 * be no key. */
int auth_read_key(struct request *rq, struct err *err) MUST_CHECK;

/* The credential, for a store function that checks it; from then on nobody else needs to. */
const struct credential *auth_credential(struct request *rq);

/*
 * For a request that failed before the store was asked: what is wrong with it is told only to
 * those whose key is good. When the key is not, *err becomes that error.
 */
void auth_check_before_refusal(struct request *rq, struct db *db, struct err *err);

/* Constant time. An empty token is nobody's. */
bool auth_token_is(const struct request *rq, struct str token);

/* Does the request come from this host, and from no proxy that passed on another's? */
bool auth_is_local(const struct request *rq);

#endif
