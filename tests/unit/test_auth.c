/*
 * test_auth.c - what counts as a key, and who may read the figures.
 */
#include "fcgi/auth.h"
#include "fcgi/remote.h"
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

static const struct {
    const char *cookie, *token; /* NULL: none */
} cookies[] = {
    {"hv_session=0123456789012345678901234567890123456789",
     "0123456789012345678901234567890123456789"},
    {"a=b; hv_session=0123456789012345678901234567890123456789 ;c=d",
     "0123456789012345678901234567890123456789"},
    {"hv_session=012345678901234567890123456789012345678", NULL},
    {"hv_session=", NULL},
    {"hv_session", NULL},
    {"xhv_session=0123456789012345678901234567890123456789", NULL},
    {"HV_SESSION=0123456789012345678901234567890123456789", NULL},
    {";;=;", NULL},
    {"", NULL},
    {NULL, NULL},
};

START_TEST(a_cookie_brings_a_session)
{
    struct request rq = {0};
    rq.param[PARAM_COOKIE] = str_of(cookies[_i].cookie);
    ck_assert(str_eq(auth_session_token(&rq), str_of(cookies[_i].token)));
}
END_TEST

START_TEST(a_csrf_token_is_its_sessions)
{
    unsigned char key[SHA256_SIZE] = {1}, other_key[SHA256_SIZE] = {2}, other_session[32] = {4};
    char token[CSRF_TEXT_SIZE];
    struct request rq = {.session_hash = {3}};
    struct err err;

    auth_csrf_token(key, rq.session_hash, token);
    ck_assert_uint_eq(strlen(token), CSRF_TEXT_SIZE - 1);
    ck_assert_int_eq(auth_check_csrf(&rq, key, &err), -1);
    ck_assert_int_eq(err.code, ERR_FORBIDDEN);
    rq.param[PARAM_CSRF_TOKEN] = str_of(token);
    ck_assert_int_eq(auth_check_csrf(&rq, key, &err), 0);
    ck_assert_int_eq(auth_check_csrf(&rq, other_key, &err), -1);
    rq.param[PARAM_CSRF_TOKEN].n--;
    ck_assert_int_eq(auth_check_csrf(&rq, key, &err), -1);
    auth_csrf_token(key, other_session, token);
    rq.param[PARAM_CSRF_TOKEN] = str_of(token);
    ck_assert_int_eq(auth_check_csrf(&rq, key, &err), -1);
}
END_TEST

static const struct {
    const char *proxies, *from, *forwarded, *address;
} remotes[] = {
    {"", "192.0.2.1", "198.51.100.7", "4:c0000201"},
    {"192.0.2.0/24", "192.0.2.1", "198.51.100.7", "4:c6336407"},
    {"192.0.2.0/24", "192.0.2.1", "10.1.1.1, 198.51.100.7", "4:c6336407"},
    {"192.0.2.0/24, 10.0.0.0/8", "10.0.0.1", "203.0.113.5, 198.51.100.7, 192.0.2.2", "4:c6336407"},
    {"192.0.2.0/24", "192.0.2.1", "192.0.2.9", "4:c0000209"},
    {"192.0.2.0/24", "192.0.2.1", "rubbish", "4:c0000201"},
    {"192.0.2.0/24", "192.0.2.1", NULL, "4:c0000201"},
    {"192.0.2.0/24", "198.51.100.1", "203.0.113.5", "4:c6336401"},
    {"", "2001:db8:1:2:3:4:5:6", NULL, "6:20010db800010002"},
    {"", NULL, NULL, "unknown"},
};

START_TEST(attempts_are_counted_for_an_address)
{
    struct request rq = {0};
    struct proxies proxies;
    struct err err;

    pool_create(&rq.pool);
    ck_assert_int_eq(proxies_parse(&proxies, str_of(remotes[_i].proxies), &err), 0);
    rq.param[PARAM_REMOTE_ADDR] = str_of(remotes[_i].from);
    rq.param[PARAM_X_FORWARDED_FOR] = str_of(remotes[_i].forwarded);
    struct str address = remote_address(&rq, &proxies);
    ck_assert_msg(str_is(address, remotes[_i].address), "%d: %.*s", _i, STR_ARG(address));
    proxies_free(&proxies);
    pool_destroy(&rq.pool);
}
END_TEST

START_TEST(a_proxy_that_is_no_address_is_named)
{
    struct proxies proxies;
    struct err err;
    ck_assert_int_eq(proxies_parse(&proxies, STR("10.0.0.0/8, proxy"), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "proxy"));
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
    tcase_add_loop_test(tc, a_cookie_brings_a_session, 0, sizeof(cookies) / sizeof(*cookies));
    tcase_add_test(tc, a_csrf_token_is_its_sessions);
    tcase_add_loop_test(tc, attempts_are_counted_for_an_address, 0,
                        sizeof(remotes) / sizeof(*remotes));
    tcase_add_test(tc, a_proxy_that_is_no_address_is_named);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
