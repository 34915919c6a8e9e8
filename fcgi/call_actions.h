/*
 * call_actions.h - what is done with calls on behalf of rq->who, whichever way the request came: by
 * the Calls API or by an inbound hook. The answers are the same.
 */
#ifndef HV_CALL_ACTIONS_H
#define HV_CALL_ACTIONS_H

#include "fcgi/responder.h"

/* Makes the call that the object asks for: 201 with Location, once per idempotency key (STR_NULL:
 * none). body NULL or no object: ERR_INVALID. */
int call_action_create(struct responder *rs, struct request *rq, struct answer *an,
                       const struct json *body, struct str idempotency_key,
                       struct err *err) MUST_CHECK;

int call_action_cancel(struct responder *rs, struct request *rq, struct answer *an,
                       const struct id *call_id, struct err *err) MUST_CHECK;

/* What has not the form of an id is no call's: ERR_NOT_FOUND, the same answer as for one that does
 * not exist. */
int call_id_read(struct str text, struct id *id_r, struct err *err) MUST_CHECK;

#endif
