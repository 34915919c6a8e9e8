/*
 * session.h - what signing in and signing up share: passwords out of requests, attempts slowed
 * down, sessions begun and shown.
 */
#ifndef HV_SESSION_H
#define HV_SESSION_H

#include "fcgi/responder.h"
#include "sql/slowdowns.h"
#include "sql/users.h"

#define FIELD_PASSWORD(into, member)                                                               \
    FIELD(TEXT, into, member), .min = PASSWORD_MIN, .max = PASSWORD_MAX
#define FIELD_TOKEN(into, member) FIELD(TEXT, into, member), .required = true, .min = 1, .max = 200

/* Its hash, in the request's pool, at the cost of the settings. */
struct str session_hash_password(const struct responder *rs, struct request *rq,
                                 struct str password);

/* One attempt: by an account (email STR_NULL: none) and by the address that it comes from. */
struct attempt_limits {
    struct slowdown subjects[2]; /* the address, and the account if there is one */
    size_t count;
};
/* ERR_RATE_LIMITED: too early after too many failures; the answer says how long to wait. */
int session_attempt(struct responder *rs, struct request *rq, struct answer *an, const char *kind,
                    struct str email, struct attempt_limits *limits_r, struct err *err) MUST_CHECK;
int session_attempt_good(struct responder *rs, const struct attempt_limits *limits,
                         struct err *err) MUST_CHECK;

/* Begins a session of the user, sets its cookie, and answers 201 with it. password: the stored one
 * that they came with. */
int session_begin(struct responder *rs, struct request *rq, struct answer *an,
                  const struct id *user_id, struct str password, struct err *err) MUST_CHECK;
/* The request's session as it is now. */
int session_show(struct responder *rs, struct request *rq, struct answer *an,
                 struct err *err) MUST_CHECK;
void session_clear_cookie(const struct responder *rs, struct request *rq, struct answer *an);

/* {"data":{"status":"..."}} */
void session_answer_status(struct answer *an, enum answer_status status, const char *text);

#endif
