/*
 * test_carrier.c - kinds of carriers, their operations, and the token of an attempt.
 */
#include "lib/voice/carrier.h"
#include "tests/unit/check_main.h"

START_TEST(kinds_come_back)
{
    enum carrier_kind kind;

    ck_assert_int_eq(carrier_kind_parse(str_of(carrier_kind_text((enum carrier_kind)_i)), &kind),
                     0);
    ck_assert_int_eq((int)kind, _i);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
    enum carrier_kind kind;

    ck_assert_int_eq(carrier_kind_parse(STR("twilio"), &kind), -1);
    ck_assert_int_eq(carrier_kind_parse(STR("HTTP"), &kind), -1);
    ck_assert_int_eq(carrier_kind_parse(STR_NULL, &kind), -1);
}
END_TEST

START_TEST(every_kind_has_what_the_product_calls)
{
    const struct carrier_ops *ops = carrier_ops((enum carrier_kind)_i);

    ck_assert((ops->place == NULL) != (ops->simulate == NULL));
    ck_assert(ops->place == NULL || ops->read_placed != NULL);
    ck_assert((ops->find == NULL) == (ops->read_found == NULL));
    ck_assert(ops->verify != NULL && ops->read_callback != NULL);
}
END_TEST

START_TEST(tokens_come_back)
{
    static const unsigned char token[ATTEMPT_TOKEN_SIZE] = {0, 1, 2, 0xfe, [15] = 0xff};
    unsigned char back[ATTEMPT_TOKEN_SIZE];
    char text[ATTEMPT_TOKEN_TEXT_SIZE];

    attempt_token_format(token, text);
    ck_assert_str_eq(text, "000102fe0000000000000000000000ff");
    ck_assert_int_eq(attempt_token_parse(str_of(text), back), 0);
    ck_assert_mem_eq(token, back, sizeof(token));
}
END_TEST

static const char *const bad_tokens[] = {
    "",
    "000102fe0000000000000000000000f",
    "000102fe0000000000000000000000ff0",
    "000102fe0000000000000000000000fg",
};

START_TEST(bad_tokens_are_refused)
{
    unsigned char token[ATTEMPT_TOKEN_SIZE];

    ck_assert_msg(attempt_token_parse(str_of(bad_tokens[_i]), token) == -1, "%s", bad_tokens[_i]);
}
END_TEST

static Suite *carrier_suite(void)
{
    Suite *suite = suite_create("carrier");
    TCase *tc = tcase_create("carrier");

    tcase_add_loop_test(tc, kinds_come_back, 0, CARRIER_KIND_COUNT);
    tcase_add_test(tc, unknown_kinds_are_refused);
    tcase_add_loop_test(tc, every_kind_has_what_the_product_calls, 0, CARRIER_KIND_COUNT);
    tcase_add_test(tc, tokens_come_back);
    tcase_add_loop_test(tc, bad_tokens_are_refused, 0,
                        (int)(sizeof(bad_tokens) / sizeof(bad_tokens[0])));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(carrier_suite)
