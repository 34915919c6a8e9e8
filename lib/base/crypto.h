/*
 * crypto.h - hashes, signatures, randomness and secrets at rest. The only face of OpenSSL.
 *
 * Failure of a hash or of the random source is the machine's end for us: those die.
 */
#ifndef HV_CRYPTO_H
#define HV_CRYPTO_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define SHA256_SIZE 32

void crypto_random(void *out, size_t n);
void crypto_sha256(struct str data, unsigned char out[SHA256_SIZE]);
/* The parts are hashed one after another, as if they stood in one string. */
void crypto_hmac_sha256(struct str key, const struct str *parts, size_t count,
                        unsigned char out[SHA256_SIZE]);
bool crypto_equal(const void *a, const void *b, size_t n); /* constant time */
void crypto_wipe(void *p, size_t n);

/* RFC 7914 with N = 2^cost, r = 8, p = 1. */
void crypto_scrypt(struct str password, struct str salt, unsigned cost, unsigned char *out,
                   size_t n);

/* A token that is shown once and stored as its SHA-256: base32 of 25 random bytes. */
#define TOKEN_TEXT_SIZE 41
void token_make(char token_r[TOKEN_TEXT_SIZE]);

/*
 * Passwords: scrypt (RFC 7914) with r = 8, p = 1, N = 2^cost, kept with its parameters and salt as
 * "$scrypt$ln=15,r=8,p=1$<salt>$<hash>", both in base64 without padding.
 */
#define PASSWORD_TEXT_SIZE 120
void password_hash(struct str password, unsigned cost, char out[PASSWORD_TEXT_SIZE]);
/* Is it the password that was hashed? stored STR_NULL or none of ours: no, in the time that one of
 * `cost` takes. *anew_r (NULL: not asked): it is, but under other parameters: hash it anew. */
bool password_check(struct str password, struct str stored, unsigned cost, bool *anew_r);

/*
 * The keys of the key file (lib/base/key_file.h): the newest seals, all open, by id. Programs that
 * run learn by themselves of a file that has changed: before they seal, though at most once in
 * KEYRING_LOOK_INTERVAL, and when a secret is sealed under an id that they don't know.
 */
#define KEYRING_LOOK_INTERVAL USEC_PER_S
struct keyring;
int keyring_load(struct keyring **ring_r, const char *path, struct err *err) MUST_CHECK;
void keyring_destroy(struct keyring **ring);

/* AES-256-GCM. Sealed form: key id (1 byte), nonce (12), ciphertext, tag (16); `bound` (the row's
 * id, say) is authenticated and must be the same when it is opened. */
#define SEAL_OVERHEAD 29
void keyring_seal(const struct keyring *ring, struct str bound, struct str plain,
                  unsigned char *out);
int keyring_open(const struct keyring *ring, struct str bound, struct str sealed, struct pool *pool,
                 struct str *plain_r, struct err *err) MUST_CHECK;
unsigned keyring_newest(const struct keyring *ring); /* the id that seals now */
bool keyring_has(const struct keyring *ring, unsigned id);
/* A key of its own for one purpose, the same for as long as the key file says (`derive`). */
void keyring_derive(const struct keyring *ring, const char *purpose,
                    unsigned char out[SHA256_SIZE]);

#endif
