/*
 * signature.c - signing and checking of requests, in both dialects, under one or more secrets.
 *
 * One secret string serves both: the Stripe-like dialect is keyed by the string itself, Standard
 * Webhooks by the bytes that its base64 stands for. Checking works out what each secret would have
 * signed and compares in constant time; versions it does not know are passed over, so that a
 * sender may add one.
 */
#include "lib/rules/signature.h"
#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include <string.h>

#define SECRET_PREFIX "whsec_"
#define KEY_BYTES_MIN 24
#define KEY_BYTES_MAX 64
#define TIMESTAMP_MAX 253402300799 /* the end of the year 9999 */
#define TIMESTAMP_TEXT_SIZE 24
#define SIGNATURE_BASE64_LENGTH 44

_Static_assert(sizeof(SECRET_PREFIX) + 4 * ((KEY_BYTES_MAX + 2) / 3) <= SECRET_TEXT_SIZE,
               "SECRET_TEXT_SIZE is too small");

/* What each secret would have signed. */
struct expected {
    unsigned char mac[SIGNATURE_SECRETS_MAX][SHA256_SIZE];
    size_t count;
};

void secret_make(const unsigned char random[32], char out[SECRET_TEXT_SIZE])
{
    memcpy(out, SECRET_PREFIX, sizeof(SECRET_PREFIX) - 1);
    base64_encode(random, 32, out + sizeof(SECRET_PREFIX) - 1);
}

static int secret_decode(struct str secret, unsigned char key[KEY_BYTES_MAX], size_t *n_r)
{
    if (str_starts(secret, SECRET_PREFIX)) {
        secret.p += sizeof(SECRET_PREFIX) - 1;
        secret.n -= sizeof(SECRET_PREFIX) - 1;
    }
    return base64_decode(secret, key, KEY_BYTES_MAX, n_r);
}

int secret_check(struct str secret, const char *field, struct err *err)
{
    unsigned char key[KEY_BYTES_MAX];
    size_t n = 0;
    bool good = secret.p != NULL && str_starts(secret, SECRET_PREFIX) &&
                secret_decode(secret, key, &n) == 0 && n >= KEY_BYTES_MIN;

    crypto_wipe(key, sizeof(key));
    if (good)
        return 0;
    return err_set(err, ERR_INVALID, "%s must be \"whsec_\" followed by base64 of %d to %d bytes.",
                   field, KEY_BYTES_MIN, KEY_BYTES_MAX);
}

static void sign_hex_dialect(struct str secret, struct str timestamp, struct str body,
                             unsigned char mac[SHA256_SIZE])
{
    const struct str parts[] = {timestamp, STR("."), body};

    crypto_hmac_sha256(secret, parts, sizeof(parts) / sizeof(parts[0]), mac);
}

/* -1: the secret has no bytes behind it, so that nothing can be signed under it. */
static int sign_standard(struct str secret, struct str id, struct str timestamp, struct str body,
                         unsigned char mac[SHA256_SIZE])
{
    const struct str parts[] = {id, STR("."), timestamp, STR("."), body};
    unsigned char key[KEY_BYTES_MAX];
    size_t n;

    if (secret_decode(secret, key, &n) < 0 || n == 0)
        return -1;
    crypto_hmac_sha256((struct str){(const char *)key, n}, parts, sizeof(parts) / sizeof(parts[0]),
                       mac);
    crypto_wipe(key, sizeof(key));
    return 0;
}

void signature_make(struct pool *pool, const struct str *secrets, size_t count, struct str id,
                    usec_t now, struct str body, struct signed_headers *headers_r)
{
    char timestamp[TIMESTAMP_TEXT_SIZE], text[2 * SHA256_SIZE + 1];
    unsigned char mac[SHA256_SIZE];
    struct buf hex, standard;
    struct str t;

    if (count == 0 || count > SIGNATURE_SECRETS_MAX || memchr(id.p, '.', id.n) != NULL)
        die("signature: %zu secrets, id \"%.*s\"", count, STR_ARG(id));
    buf_init(&hex, 4096);
    buf_init(&standard, 4096);
    buf_printf(&hex, "%lld", (long long)(now / USEC_PER_S));
    t = (struct str){timestamp, hex.len};
    memcpy(timestamp, hex.data, hex.len);
    buf_clear(&hex);

    buf_printf(&hex, "X-Webhook-Signature: t=%.*s", STR_ARG(t));
    buf_lit(&standard, "webhook-signature:");
    for (size_t i = 0; i < count; i++) {
        sign_hex_dialect(secrets[i], t, body, mac);
        hex_encode(mac, sizeof(mac), text);
        buf_printf(&hex, ",v1=%s", text);
        if (sign_standard(secrets[i], id, t, body, mac) == 0) {
            base64_encode(mac, sizeof(mac), text);
            buf_printf(&standard, " v1,%s", text);
        }
    }
    headers_r->line[0] = pool_str(pool, buf_as_str(&hex));
    headers_r->line[1] = str_of(pool_printf(pool, "webhook-id: %.*s", STR_ARG(id)));
    headers_r->line[2] = str_of(pool_printf(pool, "webhook-timestamp: %.*s", STR_ARG(t)));
    headers_r->line[3] = pool_str(pool, buf_as_str(&standard));
    buf_deinit(&hex);
    buf_deinit(&standard);
}

static int timestamp_check(struct str timestamp, const char *header, usec_t now, struct err *err)
{
    uint64_t t;
    int64_t age;

    if (str_u64(timestamp, TIMESTAMP_MAX, &t) < 0)
        return err_set(err, ERR_UNAUTHORIZED, "%s has no timestamp in Unix seconds.", header);
    age = now / USEC_PER_S - (int64_t)t;
    if (age > SIGNATURE_TOLERANCE / USEC_PER_S)
        return err_set(err, ERR_UNAUTHORIZED, "The signature's timestamp is too old.");
    if (age < -SIGNATURE_TOLERANCE / USEC_PER_S)
        return err_set(err, ERR_UNAUTHORIZED, "The signature's timestamp is in the future.");
    return 0;
}

static bool matches_any(const struct expected *expected, const unsigned char mac[SHA256_SIZE])
{
    bool match = false;

    for (size_t i = 0; i < expected->count; i++)
        match = crypto_equal(expected->mac[i], mac, SHA256_SIZE) || match;
    return match;
}

static int no_match(struct err *err)
{
    return err_set(err, ERR_UNAUTHORIZED, "The signature does not match.");
}

static int hex_dialect_malformed(struct err *err)
{
    return err_set(err, ERR_UNAUTHORIZED,
                   "X-Webhook-Signature must have the form t=<Unix seconds>,v1=<hex>.");
}

/* Cuts "k=v" in two; false when it is none. */
static bool key_value(struct str part, struct str *key_r, struct str *value_r)
{
    const char *equals = memchr(part.p, '=', part.n);

    if (equals == NULL)
        return false;
    *key_r = (struct str){part.p, (size_t)(equals - part.p)};
    *value_r = (struct str){equals + 1, part.n - key_r->n - 1};
    return true;
}

static int hex_dialect_check(const struct str *secrets, size_t count, struct str header, usec_t now,
                             struct str body, struct err *err)
{
    struct str rest = header, part, key, value, timestamp = STR_NULL;
    struct expected expected = {.count = count};
    unsigned char mac[SHA256_SIZE];
    bool any = false;

    while (str_split(&rest, ',', &part)) {
        if (!key_value(str_trim(part), &key, &value))
            return hex_dialect_malformed(err);
        if (str_is(key, "t")) {
            if (timestamp.p != NULL)
                return hex_dialect_malformed(err);
            timestamp = value;
        }
        any = any || str_is(key, "v1");
    }
    if (timestamp.p == NULL || !any)
        return hex_dialect_malformed(err);
    if (timestamp_check(timestamp, "X-Webhook-Signature", now, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        sign_hex_dialect(secrets[i], timestamp, body, expected.mac[i]);
    rest = header;
    while (str_split(&rest, ',', &part)) {
        if (key_value(str_trim(part), &key, &value) && str_is(key, "v1") &&
            hex_decode(value, mac, sizeof(mac)) == 0 && matches_any(&expected, mac))
            return 0;
    }
    return no_match(err);
}

static int standard_check(const struct str *secrets, size_t count, const struct signature_input *in,
                          usec_t now, struct str body, struct err *err)
{
    struct str rest = in->webhook_signature, part;
    struct expected expected = {.count = 0};
    unsigned char mac[SHA256_SIZE];
    size_t n;

    if (in->webhook_id.p == NULL || in->webhook_id.n == 0 ||
        memchr(in->webhook_id.p, '.', in->webhook_id.n) != NULL)
        return err_set(err, ERR_UNAUTHORIZED, "webhook-id must be given, without a '.'.");
    if (timestamp_check(in->webhook_timestamp, "webhook-timestamp", now, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (sign_standard(secrets[i], in->webhook_id, in->webhook_timestamp, body,
                          expected.mac[expected.count]) == 0)
            expected.count++;
    }
    while (str_split(&rest, ' ', &part)) {
        if (part.n != 3 + SIGNATURE_BASE64_LENGTH || !str_starts(part, "v1,"))
            continue;
        part = (struct str){part.p + 3, part.n - 3};
        if (base64_decode(part, mac, sizeof(mac), &n) == 0 && n == sizeof(mac) &&
            matches_any(&expected, mac))
            return 0;
    }
    return no_match(err);
}

int signature_check(const struct str *secrets, size_t count, const struct signature_input *in,
                    usec_t now, struct str body, struct err *err)
{
    struct err first;

    if (count > SIGNATURE_SECRETS_MAX)
        die("signature: %zu secrets", count);
    err_clear(&first);
    if (in->x_webhook_signature.p != NULL &&
        hex_dialect_check(secrets, count, in->x_webhook_signature, now, body, &first) == 0)
        return 0;
    if (in->webhook_signature.p != NULL) {
        struct err second;
        if (standard_check(secrets, count, in, now, body, &second) == 0)
            return 0;
        if (first.code == ERR_NONE)
            first = second;
    }
    if (first.code == ERR_NONE)
        return err_set(err, ERR_UNAUTHORIZED,
                       "The request is not signed: it needs X-Webhook-Signature, or webhook-id, "
                       "webhook-timestamp and webhook-signature.");
    *err = first;
    return -1;
}
