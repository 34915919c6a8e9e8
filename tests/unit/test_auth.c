/*
 * test_auth.c - what counts as a key, and who may read the figures.
 */
#include "fcgi/auth.h"
#include "lib/base/crypto.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *header, *redirect, *key; /* key NULL: 401 */
} keys[] = {
    {"plain", "Bearer sk_live_abc", NULL, "sk_live_abc"},
    {"scheme in any case", "bEARER sk_live_abc", NULL, "sk_live_abc"},
    {"more blanks", "  Bearer   sk_live_abc  ", NULL, "sk_live_abc"},
    {"after a rewrite", NULL, "Bearer sk_live_abc", "sk_live_abc"},
    {"the header before the rewrite", "Bearer a", "Bearer b", "a"},
    {"an empty header and a rewrite", "", "Bearer b", "b"},
    {"the key's case counts", "Bearer SK", NULL, "SK"},
    {"none", NULL, NULL, NULL},
    {"empty", "", NULL, NULL},
    {"no key", "Bearer", NULL, NULL},
    {"no key but a blank", "Bearer ", NULL, NULL},
    {"no scheme", "sk_live_abc", NULL, NULL},
    {"another scheme", "Basic c2s6", NULL, NULL},
    {"a longer scheme", "Bearers sk_live_abc", NULL, NULL},
    {"no blank", "Bearer:sk_live_abc", NULL, NULL},
};

START_TEST(a_key_is_read)
{
    struct request rq = {0};
    struct credential credential;
    struct err err;
    rq.param[PARAM_AUTHORIZATION] = str_of(keys[_i].header);
    rq.param[PARAM_REDIRECT_AUTHORIZATION] = str_of(keys[_i].redirect);
    int rc = auth_read_key(&rq, &credential, &err);
    ck_assert_msg(rc == (keys[_i].key != NULL ? 0 : -1), "%s", keys[_i].name);
    if (rc == 0) {
        unsigned char hash[SHA256_SIZE];
        crypto_sha256(str_of(keys[_i].key), hash);
        ck_assert_mem_eq(credential.key_hash, hash, SHA256_SIZE);
    } else {
        ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
        ck_assert_int_eq(strncmp(err.message, "Missing API key.", 16), 0);
    }
}
END_TEST

START_TEST(a_key_too_long_is_no_key)
{
    char header[400] = "Bearer ";
    memset(header + 7, 'k', API_KEY_MAX + 1);
    struct request rq = {0};
    struct credential credential;
    struct err err;
    rq.param[PARAM_AUTHORIZATION] = str_of(header);
    ck_assert_int_eq(auth_read_key(&rq, &credential, &err), -1);
    ck_assert_str_eq(err.message, "Invalid API key.");
}
END_TEST

START_TEST(a_token_is_compared_whole)
{
    struct request rq = {0};
    rq.param[PARAM_AUTHORIZATION] = STR("Bearer secret");
    ck_assert(auth_token_is(&rq, STR("secret")));
    ck_assert(!auth_token_is(&rq, STR("secre")));
    ck_assert(!auth_token_is(&rq, STR("secrets")));
    ck_assert(!auth_token_is(&rq, STR("")));
    ck_assert(!auth_token_is(&rq, STR_NULL));
    rq.param[PARAM_AUTHORIZATION] = STR("Bearer ");
    ck_assert(!auth_token_is(&rq, STR("")));
}
END_TEST

START_TEST(a_hook_token_has_one_form)
{
    static const struct {
        const char *token;
        bool good;
    } cases[] = {
        {"tok_0123456789abcdefghjkmnpqrstvwxyz01234567", true},
        {"tok_0123456789abcdefghjkmnpqrstvwxyz0123456", false},
        {"tok_0123456789abcdefghjkmnpqrstvwxyz012345678", false},
        {"tok_0123456789abcdefghjkmnpqrstvwxyz0123456u", false},
        {"tok-0123456789abcdefghjkmnpqrstvwxyz01234567", false},
        {"TOK_0123456789abcdefghjkmnpqrstvwxyz01234567", false},
        {"tok_", false},
        {"to", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned char have[SHA256_SIZE], want[SHA256_SIZE];
        struct err err;
        struct str token = str_of(cases[i].token);
        int result = auth_read_hook_token(token, have, &err);
        ck_assert_msg((result == 0) == cases[i].good, "'%s'", cases[i].token);
        if (result != 0) {
            ck_assert_int_eq(err.code, ERR_NOT_FOUND);
            ck_assert_str_eq(err.message, "No such inbound hook.");
            continue;
        }
        crypto_sha256(token, want);
        ck_assert(crypto_equal(want, have, SHA256_SIZE));
    }
}
END_TEST

static const struct {
    const char *from;
    enum param proxy; /* PARAM_COUNT: none */
    bool local;
} hosts[] = {
    {"127.0.0.1", PARAM_COUNT, true},
    {"127.9.9.9", PARAM_COUNT, true},
    {"::1", PARAM_COUNT, true},
    {"::ffff:127.0.0.1", PARAM_COUNT, true},
    {"127.0.0.1", PARAM_X_FORWARDED_FOR, false},
    {"127.0.0.1", PARAM_FORWARDED, false},
    {"127.0.0.1", PARAM_X_REAL_IP, false},
    {"192.0.2.1", PARAM_COUNT, false},
    {"1270.0.0.1", PARAM_COUNT, false},
    {"::10", PARAM_COUNT, false},
    {"", PARAM_COUNT, false},
    {NULL, PARAM_COUNT, false},
};

START_TEST(a_request_is_local)
{
    struct request rq = {0};
    rq.param[PARAM_REMOTE_ADDR] = str_of(hosts[_i].from);
    if (hosts[_i].proxy != PARAM_COUNT)
        rq.param[hosts[_i].proxy] = STR("192.0.2.1");
    ck_assert_msg(auth_is_local(&rq) == hosts[_i].local, "%s", hosts[_i].from);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auth");
    TCase *tc = tcase_create("auth");
    tcase_add_loop_test(tc, a_key_is_read, 0, sizeof(keys) / sizeof(*keys));
    tcase_add_test(tc, a_key_too_long_is_no_key);
    tcase_add_test(tc, a_token_is_compared_whole);
    tcase_add_test(tc, a_hook_token_has_one_form);
    tcase_add_loop_test(tc, a_request_is_local, 0, sizeof(hosts) / sizeof(*hosts));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
