/*
 * call_request.h - what a customer may ask for when a call is made: the fields, their limits,
 * their messages. The Calls API, inbound webhooks and batches read their input through this.
 */
#ifndef HV_CALL_REQUEST_H
#define HV_CALL_REQUEST_H

#include "lib/base/json.h"
#include "lib/rules/id.h"
#include "lib/rules/phone.h"

#define CONTACT_NAME_MAX 200  /* code points */
#define CONTACT_EMAIL_MAX 254 /* bytes */
#define IDEMPOTENCY_KEY_MAX 255

struct call_request {
    struct id agent_id;
    struct str contact_number;
    enum phone_kind number_kind;
    struct str contact_name, contact_email; /* STR_NULL: not given */
    struct str additional_info;    /* compact JSON object, members in their order; STR_NULL */
    usec_t scheduled_at;           /* TIME_NONE: not given */
    usec_t expires_at;             /* what could not be placed by then fails; TIME_NONE: never */
    unsigned char fingerprint[32]; /* SHA-256 of the request with sorted members */
};

/* Every message names the field. An agent_id that is not of an agent id's form can belong to no
 * workspace: ERR_NOT_FOUND, as for an unknown one. A JSON null counts as not given, for optional
 * fields. Unknown fields are refused by name. scheduled_at: not over 5 min past, not over a year
 * (366 days) ahead of now. The fingerprint is
 * filled before anything can be wrong with an object. */
int call_request_read(struct pool *pool, const struct json *body, usec_t now,
                      struct call_request *request_r, struct err *err) MUST_CHECK;

/* One contact of a batch: contact_number, contact_name, contact_email and additional_info by the
 * same rules; the rest of the request is zero. */
int call_request_read_contact(struct pool *pool, const struct json *object,
                              struct call_request *request_r, struct err *err) MUST_CHECK;
/* The rules of contact_number, contact_name and contact_email (STR_NULL: not given) as they stand
 * in the request, whose number_kind is filled. */
int call_request_check_contact(struct call_request *request, struct err *err) MUST_CHECK;
/* The rule of expires_at: later than scheduled_at (TIME_NONE: not given) and than now, and not over
 * a year after the later of them; STR_NULL gives TIME_NONE. */
int call_request_expires_at(struct str text, usec_t scheduled_at, usec_t now, usec_t *at_r,
                            struct err *err) MUST_CHECK;
/* The rule of scheduled_at; STR_NULL gives TIME_NONE. */
int call_request_scheduled_at(struct str text, usec_t now, usec_t *at_r,
                              struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND with the sentence for an agent_id that is not one of the workspace's; -1. The
 * store says it too. */
int call_request_no_agent(struct err *err, struct str agent_id);

/* The value of an Idempotency-Key header: 1 to 255 printable ASCII characters, bare or as a quoted
 * string (RFC 8941), of which the content counts. */
int idempotency_key_read(struct pool *pool, struct str header, struct str *key_r,
                         struct err *err) MUST_CHECK;

#endif
