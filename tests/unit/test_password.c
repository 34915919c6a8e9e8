/*
 * test_password.c - passwords as they are stored, and tokens.
 */
#include "lib/base/crypto.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check_main.h"

#define COST 10

/* RFC 7914 section 12, the vector with r = 8 and p = 1. */
START_TEST(scrypt_is_that_of_the_rfc)
{
    unsigned char want[64], have[64];
    const char *hex = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";
    ck_assert_int_eq(hex_decode(str_of(hex), want, sizeof want), 0);
    crypto_scrypt(STR("pleaseletmein"), STR("SodiumChloride"), 14, have, sizeof have);
    ck_assert_mem_eq(have, want, sizeof want);
}
END_TEST

START_TEST(a_password_is_known_again)
{
    char stored[PASSWORD_TEXT_SIZE], other[PASSWORD_TEXT_SIZE];
    bool anew = true;

    password_hash(STR("correct horse"), COST, stored);
    password_hash(STR("correct horse"), COST, other);
    ck_assert_int_eq(strncmp(stored, "$scrypt$ln=10,r=8,p=1$", 22), 0);
    ck_assert_str_ne(stored, other);
    ck_assert(strchr(stored, '=') != NULL && strrchr(stored, '=')[1] != '\0');
    ck_assert(password_check(STR("correct horse"), str_of(stored), COST, &anew));
    ck_assert(!anew);
    ck_assert(!password_check(STR("correct horsf"), str_of(stored), COST, &anew));
    ck_assert(!password_check(STR("correct hors"), str_of(stored), COST, NULL));
    ck_assert(!password_check(STR(""), str_of(stored), COST, NULL));
}
END_TEST

START_TEST(other_parameters_ask_for_a_new_hash)
{
    char stored[PASSWORD_TEXT_SIZE];
    bool anew = false;

    password_hash(STR("correct horse"), COST, stored);
    ck_assert(password_check(STR("correct horse"), str_of(stored), COST + 1, &anew));
    ck_assert(anew);
    ck_assert(!password_check(STR("wrong horse"), str_of(stored), COST + 1, &anew));
    ck_assert(!anew);
}
END_TEST

static const char *const rubbish[] = {
    NULL,
    "",
    "correct horse",
    "$scrypt$",
    "$scrypt$ln=10,r=8,p=1$",
    "$scrypt$ln=10,r=8,p=1$$",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAA",
    "$scrypt$ln=10,r=9,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=99,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=0,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$2y$10$AAAAAAAAAAAAAAAAAAAAAA",
};

START_TEST(rubbish_is_nobodys_password)
{
    ck_assert(!password_check(STR("correct horse"), str_of(rubbish[_i]), COST, NULL));
    ck_assert(!password_check(STR(""), str_of(rubbish[_i]), COST, NULL));
}
END_TEST

START_TEST(tokens_differ_and_have_one_length)
{
    char one[TOKEN_TEXT_SIZE], two[TOKEN_TEXT_SIZE];

    token_make(one);
    token_make(two);
    ck_assert_uint_eq(strlen(one), TOKEN_TEXT_SIZE - 1);
    ck_assert_uint_eq(strlen(two), TOKEN_TEXT_SIZE - 1);
    ck_assert_str_ne(one, two);
}
END_TEST

static Suite *password_suite(void)
{
    Suite *suite = suite_create("password");
    TCase *tc = tcase_create("password");
    tcase_add_test(tc, scrypt_is_that_of_the_rfc);
    tcase_add_test(tc, a_password_is_known_again);
    tcase_add_test(tc, other_parameters_ask_for_a_new_hash);
    tcase_add_loop_test(tc, rubbish_is_nobodys_password, 0, CASES(rubbish));
    tcase_add_test(tc, tokens_differ_and_have_one_length);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(password_suite)
