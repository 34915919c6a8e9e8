/*
 * crypto.c - SHA-256, HMAC, randomness and AES-256-GCM over OpenSSL, with the keys of the key file
 * (lib/base/key_file.h).
 *
 * The algorithm and its context are fetched once and kept: OpenSSL's look-up costs more than
 * hashing an API key. One thread, so one context is enough. What is signed or sealed, and under
 * which purpose, is the callers' business.
 */
#include "lib/base/crypto.h"
#include "lib/base/clock.h"
#include "lib/base/key_file.h"
#include "lib/base/pool.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH_BLOCK 64 /* of SHA-256 */
#define NONCE_SIZE 12
#define TAG_SIZE 16

/* The list is replaced when the file has changed. */
struct keyring {
    struct key_list *list;
    struct key_file {
        char *path;
        struct stat seen;
        usec_t looked_at; /* monotonic */
    } * file;
};

static EVP_MD *sha256;
static EVP_MD_CTX *digest;
static EVP_CIPHER *aes_gcm;
static EVP_CIPHER_CTX *cipher;

static void must(int ok, const char *what)
{
    if (ok != 1) {
        die("OpenSSL failed: %s", what);
    }
}

static void prepare_digest(void)
{
    if (digest == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        digest = EVP_MD_CTX_new();
        must(sha256 != NULL && digest != NULL, "SHA256");
    }
}

static void prepare_cipher(void)
{
    if (cipher == NULL) {
        aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        cipher = EVP_CIPHER_CTX_new();
        must(aes_gcm != NULL && cipher != NULL, "AES-256-GCM");
    }
}

static void draw_random(void *out, size_t n)
{
    if (n > INT_MAX) {
        die("crypto_random: %zu bytes", n);
    }
    must(RAND_bytes(out, (int)n), "RAND_bytes");
}

/* Ids want a few bytes several times a request, and RAND_bytes takes its time before the first. */
static struct {
    unsigned char bytes[512];
    size_t left; /* the last so many are unused */
    bool guarded;
} random_stock;

/* A child must not give out what its parent will. */
static void drop_stock(void)
{
    crypto_wipe(random_stock.bytes, sizeof(random_stock.bytes));
    random_stock.left = 0;
}

static void fill_stock(void)
{
    if (!random_stock.guarded && pthread_atfork(NULL, NULL, drop_stock) != 0) {
        die("out of memory");
    }
    random_stock.guarded = true;
    draw_random(random_stock.bytes, sizeof(random_stock.bytes));
    random_stock.left = sizeof(random_stock.bytes);
}

void crypto_random(void *out, size_t n)
{
    if (n > sizeof(random_stock.bytes) / 8) {
        draw_random(out, n);
        return;
    }
    if (n > random_stock.left) {
        fill_stock();
    }
    unsigned char *from = random_stock.bytes + sizeof(random_stock.bytes) - random_stock.left;
    memcpy(out, from, n);
    crypto_wipe(from, n);
    random_stock.left -= n;
}

static void hash_parts(const struct str *parts, size_t count, unsigned char out[SHA256_SIZE])
{
    prepare_digest();
    must(EVP_DigestInit_ex2(digest, sha256, NULL), "EVP_DigestInit_ex2");
    for (size_t i = 0; i < count; i++) {
        must(EVP_DigestUpdate(digest, parts[i].p, parts[i].n), "EVP_DigestUpdate");
    }
    must(EVP_DigestFinal_ex(digest, out, NULL), "EVP_DigestFinal_ex");
}

void crypto_sha256(struct str data, unsigned char out[SHA256_SIZE])
{
    hash_parts(&data, 1, out);
}

static struct str bytes_of(const void *p, size_t n)
{
    return (struct str){p, n};
}

/* RFC 2104. By hand, because OpenSSL's EVP_MAC sets up anew for each key at twice the cost. */
void crypto_hmac_sha256(struct str key, const struct str *parts, size_t count,
                        unsigned char out[SHA256_SIZE])
{
    unsigned char block[HASH_BLOCK] = {0};
    unsigned char inner[SHA256_SIZE];
    if (key.n > HASH_BLOCK) {
        crypto_sha256(key, block);
    } else if (key.n > 0) {
        memcpy(block, key.p, key.n);
    }
    for (size_t i = 0; i < HASH_BLOCK; i++) {
        block[i] ^= 0x36;
    }
    prepare_digest();
    must(EVP_DigestInit_ex2(digest, sha256, NULL), "EVP_DigestInit_ex2");
    must(EVP_DigestUpdate(digest, block, HASH_BLOCK), "EVP_DigestUpdate");
    for (size_t i = 0; i < count; i++) {
        must(EVP_DigestUpdate(digest, parts[i].p, parts[i].n), "EVP_DigestUpdate");
    }
    must(EVP_DigestFinal_ex(digest, inner, NULL), "EVP_DigestFinal_ex");
    for (size_t i = 0; i < HASH_BLOCK; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    struct str outer[] = {bytes_of(block, HASH_BLOCK), bytes_of(inner, SHA256_SIZE)};
    hash_parts(outer, 2, out);
    crypto_wipe(block, sizeof(block));
    crypto_wipe(inner, sizeof(inner));
}

void crypto_scrypt(struct str password, struct str salt, unsigned cost, unsigned char *out,
                   size_t n)
{
    uint64_t memory = (UINT64_C(1024) << cost) + 65536; /* 128 r N, and what it works in */
    must(EVP_PBE_scrypt(password.n > 0 ? password.p : "", password.n, (const unsigned char *)salt.p,
                        salt.n, UINT64_C(1) << cost, 8, 1, memory, out, n),
         "scrypt");
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void crypto_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

int keyring_load(struct keyring **ring_r, const char *path, struct err *err)
{
    struct key_list *list;
    struct stat seen;
    if (key_file_load(path, &list, &seen, err) != 0) {
        return -1;
    }
    struct keyring *ring = mem_alloc(sizeof(*ring));
    ring->list = list;
    ring->file = mem_alloc(sizeof(*ring->file));
    ring->file->path = mem_strdup(path);
    ring->file->seen = seen;
    ring->file->looked_at = clock_monotonic();
    *ring_r = ring;
    return 0;
}

void keyring_destroy(struct keyring **ring)
{
    if (*ring != NULL) {
        key_list_free((*ring)->list);
        free((*ring)->file->path);
        free((*ring)->file);
        free(*ring);
        *ring = NULL;
    }
}

/* Reads the file when it has changed. One that can't be used changes nothing. */
static void look_again(const struct keyring *ring)
{
    struct stat now, *seen = &ring->file->seen;
    struct key_list *list;
    struct err err;
    ring->file->looked_at = clock_monotonic();
    if (stat(ring->file->path, &now) != 0 ||
        (now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec && now.st_size == seen->st_size &&
         now.st_ino == seen->st_ino) ||
        key_file_load(ring->file->path, &list, &now, &err) != 0) {
        return;
    }
    *seen = now;
    *ring->list = *list;
    key_list_free(list);
}

unsigned keyring_newest(const struct keyring *ring)
{
    if (clock_monotonic() - ring->file->looked_at >= KEYRING_LOOK_INTERVAL) {
        look_again(ring);
    }
    return ring->list->keys[ring->list->newest].id;
}

bool keyring_has(const struct keyring *ring, unsigned id)
{
    return key_list_find(ring->list, id) < ring->list->count;
}

static int length_for_openssl(size_t n)
{
    if (n > INT_MAX / 2) {
        die("a secret of %zu bytes", n);
    }
    return (int)n;
}

void keyring_seal(const struct keyring *ring, struct str bound, struct str plain,
                  unsigned char *out)
{
    unsigned id = keyring_newest(ring);
    size_t newest = ring->list->newest;
    unsigned char *nonce = out + 1;
    unsigned char *text = nonce + NONCE_SIZE;
    int n;
    prepare_cipher();
    out[0] = (unsigned char)id;
    crypto_random(nonce, NONCE_SIZE);
    must(EVP_EncryptInit_ex2(cipher, aes_gcm, ring->list->keys[newest].key, nonce, NULL), "seal");
    must(EVP_EncryptUpdate(cipher, NULL, &n, &out[0], 1), "seal");
    must(EVP_EncryptUpdate(cipher, NULL, &n, (const unsigned char *)bound.p,
                           length_for_openssl(bound.n)),
         "seal");
    must(EVP_EncryptUpdate(cipher, text, &n, (const unsigned char *)plain.p,
                           length_for_openssl(plain.n)),
         "seal");
    must(EVP_EncryptFinal_ex(cipher, text + n, &n), "seal");
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, text + plain.n), "seal");
    must(EVP_CIPHER_CTX_reset(cipher), "seal");
}

static bool decrypt(const unsigned char key[KEY_SIZE], struct str bound,
                    const unsigned char *sealed, size_t plain_n, unsigned char *plain)
{
    const unsigned char *text = sealed + 1 + NONCE_SIZE;
    unsigned char tag[TAG_SIZE];
    int n;
    memcpy(tag, text + plain_n, TAG_SIZE);
    prepare_cipher();
    must(EVP_DecryptInit_ex2(cipher, aes_gcm, key, sealed + 1, NULL), "open");
    must(EVP_DecryptUpdate(cipher, NULL, &n, sealed, 1), "open");
    must(EVP_DecryptUpdate(cipher, NULL, &n, (const unsigned char *)bound.p,
                           length_for_openssl(bound.n)),
         "open");
    must(EVP_DecryptUpdate(cipher, plain, &n, text, length_for_openssl(plain_n)), "open");
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag), "open");
    bool authentic = EVP_DecryptFinal_ex(cipher, plain + n, &n) == 1;
    must(EVP_CIPHER_CTX_reset(cipher), "open");
    return authentic;
}

int keyring_open(const struct keyring *ring, struct str bound, struct str sealed, struct pool *pool,
                 struct str *plain_r, struct err *err)
{
    if (sealed.n < SEAL_OVERHEAD) {
        return err_set(err, ERR_INTERNAL, "a sealed secret of %zu bytes is too short", sealed.n);
    }
    const unsigned char *bytes = (const unsigned char *)sealed.p;
    size_t i = key_list_find(ring->list, bytes[0]);
    if (i == ring->list->count) {
        look_again(ring);
        i = key_list_find(ring->list, bytes[0]);
    }
    if (i == ring->list->count) {
        return err_set(err, ERR_INTERNAL,
                       "the key file lacks key %u, which a secret is sealed with",
                       (unsigned)bytes[0]);
    }
    size_t plain_n = sealed.n - SEAL_OVERHEAD;
    char *plain = pool_alloc(pool, plain_n + 1);
    if (!decrypt(ring->list->keys[i].key, bound, bytes, plain_n, (unsigned char *)plain)) {
        crypto_wipe(plain, plain_n);
        return err_set(err, ERR_INTERNAL,
                       "a sealed secret was changed, or key %u is not the one it was sealed with",
                       (unsigned)bytes[0]);
    }
    *plain_r = (struct str){plain, plain_n};
    return 0;
}

void keyring_derive(const struct keyring *ring, const char *purpose, unsigned char out[SHA256_SIZE])
{
    struct str part = str_of(purpose);
    crypto_hmac_sha256(bytes_of(ring->list->root, KEY_SIZE), &part, 1, out);
}
