/*
 * secrets.h - the signing secrets of rows, sealed under the key file (lib/base/crypto.h), and the
 * simulator's, which is stored nowhere. What a secret is bound to is decided here: the 16 bytes of
 * the id of its row, so that a sealed secret copied to another row cannot be opened there.
 */
#ifndef HV_SECRETS_H
#define HV_SECRETS_H

#include "lib/base/crypto.h"
#include "lib/rules/attempt.h"

/* A new signing secret: 32 random bytes in their text form (lib/rules/signature.h). */
struct str secret_new(struct pool *pool);

/* The sealed form, in the pool; STR_NULL stays STR_NULL. */
struct str secret_seal(const struct keyring *ring, const struct id *row_id, struct str secret,
                       struct pool *pool);
/* The secret in clear, in the pool. ERR_INTERNAL: another key file, or another row's secret. */
int secret_open(const struct keyring *ring, const struct id *row_id, struct str sealed,
                struct pool *pool, struct str *secret_r, struct err *err) MUST_CHECK;

/* A carrier's signing secret: secret_open(); for the simulator a secret that every program with
 * the same key file derives for itself. */
int carrier_secret(const struct keyring *ring, enum carrier_kind kind, const struct id *carrier_id,
                   struct str sealed, struct pool *pool, struct str *secret_r,
                   struct err *err) MUST_CHECK;

#endif
