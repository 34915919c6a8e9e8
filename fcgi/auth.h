/*
 * auth.h - who asks: keys and tokens are taken from the request and compared.
 */
#ifndef HV_AUTH_H
#define HV_AUTH_H

#include "fcgi/request.h"
#include "lib/base/crypto.h"
#include "sql/hooks.h"

#define API_KEY_MAX 255

/* What stands after "Bearer" (RFC 6750 section 2.1), or STR_NULL. */
struct str auth_bearer(const struct request *rq);

/* The SHA-256 of the key in the Authorization header. ERR_UNAUTHORIZED: there is none, or it can be
 * no key. */
int auth_read_key(const struct request *rq, struct credential *credential_r,
                  struct err *err) MUST_CHECK;

/* The SHA-256 of an inbound hook's token. ERR_NOT_FOUND: it can be none. */
int auth_read_hook_token(struct str token, unsigned char hash_r[SHA256_SIZE],
                         struct err *err) MUST_CHECK;

/* The token of the session that the cookie brings, or STR_NULL. */
#define SESSION_COOKIE "hv_session"
struct str auth_session_token(const struct request *rq);

/* What X-CSRF-Token must be for the session: base32 of an HMAC under `key`, so that only who may
 * read an answer of this server knows it. */
#define CSRF_TEXT_SIZE 53
void auth_csrf_token(const unsigned char key[SHA256_SIZE], const unsigned char session_hash[32],
                     char token_r[CSRF_TEXT_SIZE]);
/* ERR_FORBIDDEN: the header is missing or another session's. */
int auth_check_csrf(const struct request *rq, const unsigned char key[SHA256_SIZE],
                    struct err *err) MUST_CHECK;

/* Constant time. An empty token is nobody's. */
bool auth_token_is(const struct request *rq, struct str token);

/* Does the request come from this host, and from no proxy that passed on another's? */
bool auth_is_local(const struct request *rq);

#endif
