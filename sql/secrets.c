/*
 * secrets.c - what stored secrets are bound to, and the one secret that is not stored.
 */
#include "sql/secrets.h"
#include "lib/rules/signature.h"

static struct str bound_to(const struct id *row_id)
{
    return (struct str){(const char *)row_id->b, sizeof(row_id->b)};
}

struct str secret_new(struct pool *pool)
{
    unsigned char random[32];
    char *text = pool_alloc(pool, SECRET_TEXT_SIZE);

    crypto_random(random, sizeof(random));
    secret_make(random, text);
    crypto_wipe(random, sizeof(random));
    return str_of(text);
}

struct str secret_seal(const struct keyring *ring, const struct id *row_id, struct str secret,
                       struct pool *pool)
{
    if (secret.p == NULL)
        return STR_NULL;
    size_t n = secret.n + SEAL_OVERHEAD;
    unsigned char *sealed = pool_alloc(pool, n);
    keyring_seal(ring, bound_to(row_id), secret, sealed);
    return (struct str){(const char *)sealed, n};
}

int secret_open(const struct keyring *ring, const struct id *row_id, struct str sealed,
                struct pool *pool, struct str *secret_r, struct err *err)
{
    if (keyring_open(ring, bound_to(row_id), sealed, pool, secret_r, err) == 0)
        return 0;
    err->code = ERR_INTERNAL; /* what is stored does not open: nothing a caller could mend */
    return err_prefix(err, "a stored secret");
}

int carrier_secret(const struct keyring *ring, enum carrier_kind kind, const struct id *carrier_id,
                   struct str sealed, struct pool *pool, struct str *secret_r, struct err *err)
{
    if (kind != CARRIER_SIMULATOR)
        return secret_open(ring, carrier_id, sealed, pool, secret_r, err);
    unsigned char key[SHA256_SIZE];
    char text[SECRET_TEXT_SIZE];
    keyring_derive(ring, "simulator", key);
    secret_make(key, text);
    *secret_r = pool_str(pool, str_of(text));
    crypto_wipe(key, sizeof(key));
    crypto_wipe(text, sizeof(text));
    return 0;
}
