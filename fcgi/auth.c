/*
 * auth.c - takes keys and tokens from headers, and compares them.
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

struct str auth_session_token(const struct request *rq)
{
    struct str rest = rq->param[PARAM_COOKIE], pair, name;
    while (str_split(&rest, ';', &pair)) {
        struct str value = str_trim(pair);
        if (str_split(&value, '=', &name) && str_is(name, SESSION_COOKIE) &&
            value.n == TOKEN_TEXT_SIZE - 1)
            return value;
    }
    return STR_NULL;
}

void auth_csrf_token(const unsigned char key[SHA256_SIZE], const unsigned char session_hash[32],
                     char token_r[CSRF_TEXT_SIZE])
{
    unsigned char mac[SHA256_SIZE];
    struct str part = {(const char *)session_hash, 32};
    crypto_hmac_sha256((struct str){(const char *)key, SHA256_SIZE}, &part, 1, mac);
    base32_encode(mac, sizeof(mac), token_r);
}

int auth_check_csrf(const struct request *rq, const unsigned char key[SHA256_SIZE], struct err *err)
{
    struct str sent = rq->param[PARAM_CSRF_TOKEN];
    char want[CSRF_TEXT_SIZE];
    auth_csrf_token(key, rq->session_hash, want);
    if (sent.n == CSRF_TEXT_SIZE - 1 && crypto_equal(sent.p, want, CSRF_TEXT_SIZE - 1))
        return 0;
    return err_set(err, ERR_FORBIDDEN,
                   sent.n == 0 ? "The header X-CSRF-Token is missing. Send the csrf_token that "
                                 "GET /v1/session gives."
                               : "X-CSRF-Token is not this session's. Send the csrf_token that "
                                 "GET /v1/session gives.");
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
