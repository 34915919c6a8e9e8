/*
 * password.c - passwords hashed with scrypt over OpenSSL, and tokens.
 */
#include "lib/base/crypto.h"

#include <stdio.h>
#include <string.h>

#define SALT_SIZE 16
#define HASH_SIZE 32
#define COST_MAX 20 /* 1 GiB */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

struct stored {
    unsigned cost;
    unsigned char salt[SALT_SIZE], hash[HASH_SIZE];
};

void token_make(char token_r[TOKEN_TEXT_SIZE])
{
    unsigned char random[25];

    crypto_random(random, sizeof random);
    base32_encode(random, sizeof random, token_r);
    crypto_wipe(random, sizeof random);
}

static void unpadded(const unsigned char *p, size_t n, char *out)
{
    base64_encode(p, n, out);
    size_t length = strlen(out);
    while (length > 0 && out[length - 1] == '=')
        out[--length] = '\0';
}

static int read_unpadded(struct str s, unsigned char *out, size_t size)
{
    char padded[BASE64_SIZE(HASH_SIZE)];
    size_t whole = BASE64_SIZE(size) - 1, n;

    if (s.n > whole || whole - s.n > 2)
        return -1;
    memcpy(padded, s.p, s.n);
    memset(padded + s.n, '=', whole - s.n);
    return base64_decode((struct str){padded, whole}, out, size, &n) == 0 && n == size ? 0 : -1;
}

void password_hash(struct str password, unsigned cost, char out[PASSWORD_TEXT_SIZE])
{
    unsigned char salt[SALT_SIZE], hash[HASH_SIZE];
    char salt_text[BASE64_SIZE(SALT_SIZE)], hash_text[BASE64_SIZE(HASH_SIZE)];

    crypto_random(salt, sizeof salt);
    crypto_scrypt(password, (struct str){(const char *)salt, sizeof salt}, cost, hash, sizeof hash);
    unpadded(salt, sizeof salt, salt_text);
    unpadded(hash, sizeof hash, hash_text);
    snprintf(out, PASSWORD_TEXT_SIZE, "$scrypt$ln=%u,r=8,p=1$%s$%s", cost, salt_text, hash_text);
}

/* Cuts off prefix. */
static bool take(struct str *s, const char *prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    s->p += strlen(prefix);
    s->n -= strlen(prefix);
    return true;
}

static int parse(struct str s, struct stored *stored_r)
{
    struct str cost_text, salt;
    uint64_t cost;

    if (!take(&s, "$scrypt$ln=") || !str_split(&s, ',', &cost_text) ||
        str_u64(cost_text, COST_MAX, &cost) != 0 || cost == 0 || !take(&s, "r=8,p=1$") ||
        !str_split(&s, '$', &salt) || read_unpadded(salt, stored_r->salt, SALT_SIZE) != 0 ||
        read_unpadded(s, stored_r->hash, HASH_SIZE) != 0)
        return -1;
    stored_r->cost = (unsigned)cost;
    return 0;
}

bool password_check(struct str password, struct str stored, unsigned cost, bool *anew_r)
{
    struct stored known = {.cost = cost};
    bool is_ours = stored.p != NULL && parse(stored, &known) == 0;
    unsigned char hash[HASH_SIZE];

    if (!is_ours)
        known = (struct stored){.cost = cost};
    crypto_scrypt(password, (struct str){(const char *)known.salt, SALT_SIZE}, known.cost, hash,
                  sizeof hash);
    bool same = crypto_equal(hash, known.hash, sizeof hash);
    crypto_wipe(hash, sizeof hash);
    if (anew_r != NULL)
        *anew_r = is_ours && same && known.cost != cost;
    return is_ours && same;
}
