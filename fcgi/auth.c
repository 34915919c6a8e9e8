/*
 * auth.c - takes keys and tokens from headers; compares only what is secret of this host.
 */
#include "fcgi/auth.h"

#include "fcgi/answer.h"
#include "lib/base/crypto.h"

struct str auth_bearer(const struct request *rq)
{
    struct str rest = rq->param[PARAM_AUTHORIZATION], scheme;
    if (rest.n == 0)
        rest = rq->param[PARAM_REDIRECT_AUTHORIZATION];
    rest = str_trim(rest);
    if (rest.n == 0 || !str_split(&rest, ' ', &scheme) || !str_is_nocase(scheme, "Bearer"))
        return STR_NULL;
    rest = str_trim(rest);
    return rest.n > 0 ? rest : STR_NULL;
}

int auth_read_key(const struct request *rq, struct credential *credential_r, struct err *err)
{
    struct str key = auth_bearer(rq);
    if (key.p == NULL)
        return err_set(err, ERR_UNAUTHORIZED,
                       "Missing API key. Send it in the header \"Authorization: Bearer <key>\".");
    if (key.n > API_KEY_MAX)
        return err_set(err, ERR_UNAUTHORIZED, "Invalid API key.");
    crypto_sha256(key, credential_r->key_hash);
    return 0;
}

int auth_read_hook_token(struct str token, unsigned char hash_r[SHA256_SIZE], struct err *err)
{
    unsigned char random[HOOK_TOKEN_RANDOM];
    bool good = token.n == HOOK_TOKEN_TEXT_SIZE - 1 && str_starts(token, "tok_") &&
                base32_decode((struct str){token.p + 4, token.n - 4}, random, sizeof(random)) == 0;
    crypto_wipe(random, sizeof(random));
    if (!good)
        return hooks_not_found(err);
    crypto_sha256(token, hash_r);
    return 0;
}

bool auth_token_is(const struct request *rq, struct str token)
{
    struct str bearer = auth_bearer(rq);
    if (token.n == 0 || bearer.p == NULL)
        return false;
    /* hashes have one length, whatever the tokens have */
    unsigned char want[SHA256_SIZE], have[SHA256_SIZE];
    crypto_sha256(token, want);
    crypto_sha256(bearer, have);
    return crypto_equal(want, have, SHA256_SIZE);
}

bool auth_is_local(const struct request *rq)
{
    struct str from = rq->param[PARAM_REMOTE_ADDR];
    bool loopback = from.p != NULL && (str_starts(from, "127.") || str_is(from, "::1") ||
                                       str_starts(from, "::ffff:127."));
    return loopback && rq->param[PARAM_FORWARDED].p == NULL &&
           rq->param[PARAM_X_FORWARDED_FOR].p == NULL && rq->param[PARAM_X_REAL_IP].p == NULL;
}
