/*
 * crypto.c - SHA-256, HMAC, randomness and AES-256-GCM over OpenSSL, and the key file.
 *
 * The algorithm and its context are fetched once and kept: OpenSSL's look-up costs more than
 * hashing an API key. One thread, so one context is enough. What is signed or sealed, and under
 * which purpose, is the callers' business.
 */
#include "lib/base/crypto.h"
#include "lib/base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SIZE 32
#define KEYS_MAX 255
#define KEY_FILE_MAX 65536
#define HASH_BLOCK 64 /* of SHA-256 */
#define NONCE_SIZE 12
#define TAG_SIZE 16

struct key_list {
    size_t count;
    struct {
        unsigned char id;
        unsigned char key[KEY_SIZE];
    } keys[KEYS_MAX]; /* oldest first */
};

/* The list is replaced when the file turns out to have got another key. */
struct keyring {
    struct key_list *list;
    struct key_file {
        char *path;
        struct stat seen;
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

/* "<id> <64 hex digits>" into the next place of the ring. No message shows the line itself. */
static int keyring_add(struct key_list *list, struct str line, unsigned number, struct err *err)
{
    struct str id_text;
    uint64_t id;
    (void)str_split(&line, ' ', &id_text);
    if (str_u64(id_text, 255, &id) != 0 || id == 0) {
        return err_set(err, ERR_INVALID, "line %u: a key id must be 1 to 255", number);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->keys[i].id == id) {
            return err_set(err, ERR_INVALID, "line %u: key id %u is given twice", number,
                           (unsigned)id);
        }
    }
    if (hex_decode(str_trim(line), list->keys[list->count].key, KEY_SIZE) != 0) {
        return err_set(err, ERR_INVALID, "line %u: a key must be 64 hex digits", number);
    }
    list->keys[list->count++].id = (unsigned char)id; /* ids differ, so there are at most 255 */
    return 0;
}

static int keyring_parse(struct key_list *list, struct str text, struct err *err)
{
    struct str line;
    for (unsigned number = 1; str_split(&text, '\n', &line); number++) {
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#') {
            continue;
        }
        if (keyring_add(list, line, number, err) != 0) {
            return -1;
        }
    }
    return list->count > 0 ? 0 : err_set(err, ERR_INVALID, "there is no key in it");
}

/* Reads the whole key file; how much there was goes to *n_r. */
static int read_key_file(int fd, struct stat *st, char *text, size_t max, size_t *n_r,
                         struct err *err)
{
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        return err_set(err, ERR_INVALID, "is no regular file");
    }
    if ((st->st_mode & S_IRWXO) != 0) {
        return err_set(err, ERR_INVALID, "others may read or write it: take that away (chmod o=)");
    }
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, text + n, max - n);
        if (got < 0) {
            return err_set(err, ERR_UNAVAILABLE, "cannot be read: %s", strerror(errno));
        }
        if (got == 0) {
            *n_r = n;
            return 0;
        }
        n += (size_t)got;
    }
    return err_set(err, ERR_INVALID, "is larger than %zu bytes", max);
}

static void forget_keys(struct key_list *list)
{
    crypto_wipe(list, sizeof(*list));
    free(list);
}

static int load_keys(const char *path, struct key_list **list_r, struct stat *seen_r,
                     struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "key file %s: %s",
                       path, strerror(errno));
    }
    size_t n = 0;
    char *text = mem_alloc(KEY_FILE_MAX);
    struct key_list *list = mem_alloc(sizeof(*list));
    int result = read_key_file(fd, seen_r, text, KEY_FILE_MAX, &n, err);
    close(fd);
    if (result == 0) {
        result = keyring_parse(list, (struct str){text, n}, err);
    }
    crypto_wipe(text, KEY_FILE_MAX);
    free(text);
    if (result != 0) {
        forget_keys(list);
        return err_prefix(err, "key file %s", path);
    }
    *list_r = list;
    return 0;
}

int keyring_load(struct keyring **ring_r, const char *path, struct err *err)
{
    struct key_list *list;
    struct stat seen;
    if (load_keys(path, &list, &seen, err) != 0) {
        return -1;
    }
    struct keyring *ring = mem_alloc(sizeof(*ring));
    ring->list = list;
    ring->file = mem_alloc(sizeof(*ring->file));
    ring->file->path = mem_strdup(path);
    ring->file->seen = seen;
    *ring_r = ring;
    return 0;
}

void keyring_destroy(struct keyring **ring)
{
    if (*ring != NULL) {
        forget_keys((*ring)->list);
        free((*ring)->file->path);
        free((*ring)->file);
        free(*ring);
        *ring = NULL;
    }
}

static size_t find_key(const struct key_list *list, unsigned char id)
{
    size_t i = 0;
    while (i < list->count && list->keys[i].id != id) {
        i++;
    }
    return i;
}

/* Looks for the key in the file, when that has changed. What can't be read changes nothing. */
static bool read_again(const struct keyring *ring, unsigned char id)
{
    struct stat now, *seen = &ring->file->seen;
    struct key_list *list;
    struct err err;
    if (stat(ring->file->path, &now) != 0 ||
        (now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec && now.st_size == seen->st_size &&
         now.st_ino == seen->st_ino) ||
        load_keys(ring->file->path, &list, &now, &err) != 0) {
        return false;
    }
    *seen = now;
    bool found = find_key(list, id) < list->count;
    *ring->list = *list;
    forget_keys(list);
    return found;
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
    size_t newest = ring->list->count - 1;
    unsigned char *nonce = out + 1;
    unsigned char *text = nonce + NONCE_SIZE;
    int n;
    prepare_cipher();
    out[0] = ring->list->keys[newest].id;
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
    size_t i = find_key(ring->list, bytes[0]);
    if (i == ring->list->count && read_again(ring, bytes[0])) {
        i = find_key(ring->list, bytes[0]);
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
    crypto_hmac_sha256(bytes_of(ring->list->keys[0].key, KEY_SIZE), &part, 1, out);
}
