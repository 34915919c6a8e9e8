/*
 * test_crypto.c - known answers of the hashes, and the key file with what is sealed under it.
 */
#include "lib/base/crypto.h"
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static struct pool *pool;
static char path[64];
static struct err err;

static void setup(void)
{
    pool_create(&pool);
    strcpy(path, "/tmp/huskyvoice-test-keys-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void)
{
    unlink(path);
    pool_destroy(&pool);
}

static void write_keys(const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static struct keyring *load(const char *text)
{
    struct keyring *ring = NULL;
    write_keys(text);
    ck_assert_ok(keyring_load(&ring, path, &err), err);
    return ring;
}

static void check_hex(const unsigned char *bytes, const char *want)
{
    char text[2 * SHA256_SIZE + 1];
    hex_encode(bytes, SHA256_SIZE, text);
    ck_assert_str_eq(text, want);
}

/* FIPS 180-4's examples. */
static const struct {
    const char *text, *hash;
} hashes[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(sha256)
{
    unsigned char out[SHA256_SIZE];
    crypto_sha256(str_of(hashes[_i].text), out);
    check_hex(out, hashes[_i].hash);
}
END_TEST

/* RFC 4231, cases 1, 2 and 6. */
static const struct {
    const char *name, *key_byte, *key, *data, *mac;
} macs[] = {
    {"case 1", "\x0b", NULL, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"case 2", NULL, "Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"case 6, a key longer than a block", "\xaa", NULL,
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

START_TEST(hmac_sha256)
{
    char repeated[131];
    unsigned char out[SHA256_SIZE];
    struct str key = str_of(macs[_i].key);
    if (key.p == NULL) {
        memset(repeated, macs[_i].key_byte[0], sizeof(repeated));
        key = (struct str){repeated, _i == 0 ? 20 : 131};
    }
    size_t n = strlen(macs[_i].data);
    struct str parts[] = {{macs[_i].data, 3}, STR_NULL, {macs[_i].data + 3, n - 3}};
    crypto_hmac_sha256(key, parts, 3, out);
    check_hex(out, macs[_i].mac);
}
END_TEST

START_TEST(comparison_and_wiping)
{
    char secret[] = "secret";
    ck_assert(crypto_equal("abc", "abc", 3));
    ck_assert(!crypto_equal("abc", "abd", 3));
    crypto_wipe(secret, 6);
    ck_assert_mem_eq(secret, "\0\0\0\0\0\0", 6);
}
END_TEST

START_TEST(random_bytes_differ)
{
    unsigned char a[16] = {0}, b[16] = {0};
    crypto_random(a, sizeof(a));
    crypto_random(b, sizeof(b));
    ck_assert_mem_ne(a, b, 16);
}
END_TEST

/* Small draws come from a stock, which must never give the same bytes twice: not when it is filled
 * again, and not to a child. */
START_TEST(random_bytes_are_given_out_once)
{
    static unsigned char drawn[1000][10];
    for (size_t i = 0; i < 1000; i++) {
        crypto_random(drawn[i], sizeof(drawn[i]));
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(drawn[i], drawn[k], sizeof(drawn[i]));
    }
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        crypto_random(drawn[0], sizeof(drawn[0]));
        _exit(write(ends[1], drawn[0], sizeof(drawn[0])) == sizeof(drawn[0]) ? 0 : 1);
    }
    crypto_random(drawn[1], sizeof(drawn[1]));
    ck_assert_int_eq(read(ends[0], drawn[0], sizeof(drawn[0])), sizeof(drawn[0]));
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_mem_ne(drawn[0], drawn[1], sizeof(drawn[0]));
}
END_TEST

START_TEST(what_is_sealed_opens_again)
{
    struct keyring *ring = load("# keys\n\n1 " KEY_A "\n");
    unsigned char sealed[SEAL_OVERHEAD + 6];
    struct str plain;
    keyring_seal(ring, STR("row 7"), STR("secret"), sealed);
    ck_assert_uint_eq(sealed[0], 1);
    struct str text = {(char *)sealed, sizeof(sealed)};
    ck_assert_ok(keyring_open(ring, STR("row 7"), text, pool, &plain, &err), err);
    ck_assert_str_is(plain, "secret");
    keyring_destroy(&ring);
    ck_assert_ptr_null(ring);
}
END_TEST

START_TEST(nothing_can_be_sealed_too)
{
    struct keyring *ring = load("1 " KEY_A);
    unsigned char sealed[SEAL_OVERHEAD];
    struct str plain;
    keyring_seal(ring, STR(""), STR(""), sealed);
    ck_assert_ok(keyring_open(ring, STR(""), (struct str){(char *)sealed, SEAL_OVERHEAD}, pool,
                              &plain, &err),
                 err);
    ck_assert_str_is(plain, "");
    keyring_destroy(&ring);
}
END_TEST

START_TEST(two_seals_of_one_secret_differ)
{
    struct keyring *ring = load("1 " KEY_A "\n");
    unsigned char a[SEAL_OVERHEAD + 1], b[SEAL_OVERHEAD + 1];
    keyring_seal(ring, STR("r"), STR("x"), a);
    keyring_seal(ring, STR("r"), STR("x"), b);
    ck_assert_mem_ne(a, b, sizeof(a));
    keyring_destroy(&ring);
}
END_TEST

START_TEST(any_changed_byte_is_noticed)
{
    struct keyring *ring = load("1 " KEY_A "\n2 " KEY_B "\n");
    unsigned char sealed[SEAL_OVERHEAD + 6];
    struct str plain, text = {(char *)sealed, sizeof(sealed)};
    keyring_seal(ring, STR("row"), STR("secret"), sealed);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 3; /* makes key 2 into key 1 */
        ck_assert_int_eq(keyring_open(ring, STR("row"), text, pool, &plain, &err), -1);
        ck_assert_int_eq(err.code, ERR_INTERNAL);
        sealed[i] ^= 3;
    }
    ck_assert_int_eq(keyring_open(ring, STR("other"), text, pool, &plain, &err), -1);
    text.n = SEAL_OVERHEAD - 1;
    ck_assert_int_eq(keyring_open(ring, STR("row"), text, pool, &plain, &err), -1);
    keyring_destroy(&ring);
}
END_TEST

START_TEST(the_last_key_seals_and_the_old_ones_open)
{
    struct keyring *old = load("7 " KEY_A "\n");
    unsigned char sealed[SEAL_OVERHEAD + 1], newer[SEAL_OVERHEAD + 1];
    struct str plain;
    keyring_seal(old, STR("r"), STR("x"), sealed);
    keyring_destroy(&old);
    struct keyring *ring = load("7 " KEY_A "\r\n  9   " KEY_B "  \n");
    keyring_seal(ring, STR("r"), STR("x"), newer);
    ck_assert_uint_eq(newer[0], 9);
    ck_assert_ok(keyring_open(ring, STR("r"), (struct str){(char *)sealed, sizeof(sealed)}, pool,
                              &plain, &err),
                 err);
    keyring_destroy(&ring);
    ring = load("9 " KEY_B "\n");
    ck_assert_int_eq(keyring_open(ring, STR("r"), (struct str){(char *)sealed, sizeof(sealed)},
                                  pool, &plain, &err),
                     -1);
    ck_assert_ptr_nonnull(strstr(err.message, "key 7"));
    keyring_destroy(&ring);
}
END_TEST

START_TEST(a_key_that_came_later_is_found_in_the_file)
{
    struct keyring *ring = load("7 " KEY_A "\n"), *newer = load("7 " KEY_A "\n9 " KEY_B "\n");
    unsigned char sealed[SEAL_OVERHEAD + 1], next[SEAL_OVERHEAD + 1];
    struct str text = {(char *)sealed, sizeof(sealed)}, plain;

    keyring_seal(newer, STR("r"), STR("x"), sealed);
    keyring_destroy(&newer);
    ck_assert_uint_eq(sealed[0], 9);
    /* a file that can't be used changes nothing */
    write_keys("7 " KEY_A "\n9 zz\n");
    ck_assert_int_eq(keyring_open(ring, STR("r"), text, pool, &plain, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "key 9"));
    write_keys("7 " KEY_A "\n9 " KEY_B "\n\n");
    ck_assert_ok(keyring_open(ring, STR("r"), text, pool, &plain, &err), err);
    ck_assert_str_is(plain, "x");
    keyring_seal(ring, STR("r"), STR("x"), next);
    ck_assert_uint_eq(next[0], 9);
    keyring_destroy(&ring);
}
END_TEST

START_TEST(a_running_program_soon_seals_under_a_key_that_came)
{
    struct keyring *ring = load("7 " KEY_A "\n");
    unsigned char sealed[SEAL_OVERHEAD + 1];
    usec_t deadline = clock_monotonic() + 20 * KEYRING_LOOK_INTERVAL;

    ck_assert_uint_eq(keyring_newest(ring), 7);
    write_keys("7 " KEY_A "\nnext 9 " KEY_B "\n8 " KEY_B "\n");
    do {
        keyring_seal(ring, STR("r"), STR("x"), sealed);
    } while (sealed[0] != 8 && clock_monotonic() < deadline);
    ck_assert_uint_eq(sealed[0], 8);
    ck_assert_uint_eq(keyring_newest(ring), 8);
    ck_assert(keyring_has(ring, 7) && keyring_has(ring, 9) && !keyring_has(ring, 1));
    keyring_destroy(&ring);
}
END_TEST

static void derive_of(const char *text, const char *purpose, unsigned char out[SHA256_SIZE])
{
    struct keyring *ring = load(text);
    keyring_derive(ring, purpose, out);
    keyring_destroy(&ring);
}

START_TEST(derived_keys_depend_on_purpose_and_oldest_key)
{
    unsigned char a[SHA256_SIZE], b[SHA256_SIZE];
    derive_of("1 " KEY_A "\n", "cursor", a);
    derive_of("1 " KEY_A "\n", "other", b);
    ck_assert_mem_ne(a, b, SHA256_SIZE);
    derive_of("1 " KEY_A "\n2 " KEY_B "\n", "cursor", b);
    ck_assert_mem_eq(a, b, SHA256_SIZE);
    derive_of("2 " KEY_B "\n", "cursor", b);
    ck_assert_mem_ne(a, b, SHA256_SIZE);
}
END_TEST

START_TEST(derived_keys_are_of_the_line_that_says_so)
{
    unsigned char a[SHA256_SIZE], b[SHA256_SIZE];
    derive_of("1 " KEY_A "\nderive " KEY_B "\n", "cursor", a);
    derive_of("derive " KEY_B "\n2 " KEY_B "\n", "cursor", b);
    ck_assert_mem_eq(a, b, SHA256_SIZE);
}
END_TEST

static const struct {
    const char *name, *text, *message;
} bad_files[] = {
    {"empty", "", "there is no key in it"},
    {"only comments", "# none\n", "there is no key in it"},
    {"id 0", "0 " KEY_A, "line 1: a key id must be 1 to 255"},
    {"id 256", "256 " KEY_A, "line 1: a key id must be 1 to 255"},
    {"no id", "\n" KEY_A, "line 2: a key id must be 1 to 255"},
    {"short key", "1 00", "line 1: a key must be 64 hex digits"},
    {"no key", "1", "line 1: a key must be 64 hex digits"},
    {"no hex", "1 z00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "line 1: a key must be 64 hex digits"},
    {"two keys", "1 " KEY_A " " KEY_A, "line 1: a key must be 64 hex digits"},
    {"id twice", "1 " KEY_A "\n1 " KEY_B, "line 2: key id 1 is given twice"},
    {"id twice, once as next", "1 " KEY_A "\nnext 1 " KEY_B, "line 2: key id 1 is given twice"},
    {"only a next key", "next 1 " KEY_A, "there is no key in it"},
    {"next without a key", "1 " KEY_A "\nnext 2", "line 2: a key must be 64 hex digits"},
    {"next without an id", "1 " KEY_A "\nnext", "line 2: a key id must be 1 to 255"},
    {"only what is derived from", "derive " KEY_A, "there is no key in it"},
    {"derive twice", "derive " KEY_A "\n1 " KEY_A "\nderive " KEY_B,
     "line 3: derive is given twice"},
    {"a short derive", "derive 00\n1 " KEY_A, "line 1: a key must be 64 hex digits"},
};

START_TEST(key_files_refused)
{
    struct keyring *ring;
    write_keys(bad_files[_i].text);
    ck_assert_int_eq(keyring_load(&ring, path, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_msg(strstr(err.message, bad_files[_i].message) != NULL, "%s: %s", bad_files[_i].name,
                  err.message);
    ck_assert_ptr_null(strstr(err.message, "000102"));
}
END_TEST

static const struct {
    mode_t mode;
    int result;
} modes[] = {{0600, 0}, {0400, 0}, {0640, 0}, {0660, 0}, {0644, -1}, {0604, -1}, {0602, -1}};

START_TEST(a_key_file_open_to_others_is_refused)
{
    struct keyring *ring = NULL;
    write_keys("1 " KEY_A "\n");
    ck_assert_int_eq(chmod(path, modes[_i].mode), 0);
    ck_assert_int_eq(keyring_load(&ring, path, &err), modes[_i].result);
    keyring_destroy(&ring);
}
END_TEST

START_TEST(a_missing_key_file_is_named)
{
    struct keyring *ring;
    ck_assert_int_eq(keyring_load(&ring, "/nonexistent/keys", &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/keys"));
    ck_assert_int_eq(keyring_load(&ring, "/tmp", &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

static Suite *crypto_suite(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tc = tcase_create("crypto");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, sha256, 0, CASES(hashes));
    tcase_add_loop_test(tc, hmac_sha256, 0, CASES(macs));
    tcase_add_test(tc, comparison_and_wiping);
    tcase_add_test(tc, random_bytes_differ);
    tcase_add_test(tc, random_bytes_are_given_out_once);
    tcase_add_test(tc, what_is_sealed_opens_again);
    tcase_add_test(tc, nothing_can_be_sealed_too);
    tcase_add_test(tc, two_seals_of_one_secret_differ);
    tcase_add_test(tc, any_changed_byte_is_noticed);
    tcase_add_test(tc, the_last_key_seals_and_the_old_ones_open);
    tcase_add_test(tc, a_key_that_came_later_is_found_in_the_file);
    tcase_add_test(tc, a_running_program_soon_seals_under_a_key_that_came);
    tcase_add_test(tc, derived_keys_depend_on_purpose_and_oldest_key);
    tcase_add_test(tc, derived_keys_are_of_the_line_that_says_so);
    tcase_add_loop_test(tc, key_files_refused, 0, CASES(bad_files));
    tcase_add_loop_test(tc, a_key_file_open_to_others_is_refused, 0, CASES(modes));
    tcase_add_test(tc, a_missing_key_file_is_named);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(crypto_suite)
