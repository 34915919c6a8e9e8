/*
 * signature.h - the two dialects that requests are signed in, for senders and for receivers.
 *
 * X-Webhook-Signature: t=<unix>,v1=<hex>[,v1=<hex>]  HMAC-SHA256 over "<t>.<body>", keyed by the
 *   whole secret string (Stripe's form).
 * webhook-id, webhook-timestamp, webhook-signature: v1,<base64>[ v1,<base64>]  HMAC-SHA256 over
 *   "<id>.<t>.<body>", keyed by what the base64 after "whsec_" stands for (Standard Webhooks 1.0).
 */
#ifndef HV_SIGNATURE_H
#define HV_SIGNATURE_H

#include "lib/base/clock.h"
#include "lib/base/pool.h"

#define SIGNATURE_TOLERANCE (300 * USEC_PER_S)
#define SIGNATURE_SECRETS_MAX 12
#define SECRET_TEXT_SIZE 96 /* "whsec_" and base64 of 64 bytes, and a NUL */
#define SECRET_TEXT_MAX (SECRET_TEXT_SIZE - 1)
#define SECRET_GRACE_SECONDS_MAX (7 * 86400) /* how long an old one may be good, too */

/* "whsec_" and base64 of 32 random bytes (given). */
void secret_make(const unsigned char random[32], char out[SECRET_TEXT_SIZE]);
/* ERR_INVALID unless "whsec_" + strict base64 of 24 to 64 bytes; `field` names it. */
int secret_check(struct str secret, const char *field, struct err *err) MUST_CHECK;

struct signed_headers {
    struct str line[4]; /* complete "Name: value" header lines, in the pool */
};
/* All secrets sign; the newest comes first. id has no '.'. */
void signature_make(struct pool *pool, const struct str *secrets, size_t count, struct str id,
                    usec_t now, struct str body, struct signed_headers *headers_r);

struct signature_input { /* header values as received; STR_NULL when absent */
    struct str x_webhook_signature, webhook_id, webhook_timestamp, webhook_signature;
};
/* One good signature in either dialect under any of the secrets, not older nor newer than the
 * tolerance: 0. Else ERR_UNAUTHORIZED with what is wrong, never with the expected value. */
int signature_check(const struct str *secrets, size_t count, const struct signature_input *in,
                    usec_t now, struct str body, struct err *err) MUST_CHECK;

#endif
