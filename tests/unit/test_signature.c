/*
 * test_signature.c - both dialects: known answers, rotation, tolerance, and malformed headers.
 */
#include "lib/rules/signature.h"
#include "tests/unit/check_main.h"
#include <string.h>

/* Standard Webhooks' own example. */
#define SW_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SW_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SW_TIME "1614265330"
#define SW_BODY "{\"test\": 2432232314}"
#define SW_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SW_NOW (INT64_C(1614265330) * USEC_PER_S)

/* The other dialect's. */
#define HEX_SECRET "secret"
#define HEX_BODY "hello !"
#define HEX_MAC "1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98"
#define HEX_NOW (INT64_C(1636936200) * USEC_PER_S)

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define OTHER_SECRET "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define THIRD_SECRET "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

struct check_case {
    const char *name, *secret;
    struct signature_input in;
    int64_t later;              /* seconds after the moment of signing */
    const char *body, *message; /* message NULL: good */
};

#define VALUE(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define HEX(header)                                                                                \
    HEX_SECRET,                                                                                    \
    {                                                                                              \
        .x_webhook_signature = VALUE(header)                                                       \
    }
#define SW(signature)                                                                              \
    SW_SECRET,                                                                                     \
    {                                                                                              \
        .webhook_id = VALUE(SW_ID), .webhook_timestamp = VALUE(SW_TIME),                           \
        .webhook_signature = VALUE(signature)                                                      \
    }
#define FORM "X-Webhook-Signature must have the form t=<Unix seconds>,v1=<hex>."
#define NO_MATCH "The signature does not match."

static const struct check_case hex_cases[] = {
    {"good", HEX("t=1636936200,v1=" HEX_MAC), 0, HEX_BODY, NULL},
    {"five minutes old", HEX("t=1636936200,v1=" HEX_MAC), 300, HEX_BODY, NULL},
    {"older", HEX("t=1636936200,v1=" HEX_MAC), 301, HEX_BODY,
     "The signature's timestamp is too old."},
    {"five minutes early", HEX("t=1636936200,v1=" HEX_MAC), -300, HEX_BODY, NULL},
    {"earlier", HEX("t=1636936200,v1=" HEX_MAC), -301, HEX_BODY,
     "The signature's timestamp is in the future."},
    {"upper-case hex",
     HEX("t=1636936200,v1=1B3D69DF55F1E52F05224BA94A5162ABEB17EF52CD7F4948C390F810D6A87E98"), 0,
     HEX_BODY, NULL},
    {"the order does not matter", HEX("v1=" HEX_MAC ",t=1636936200"), 0, HEX_BODY, NULL},
    {"blanks behind commas", HEX("t=1636936200, v1=" HEX_MAC), 0, HEX_BODY, NULL},
    {"another version beside", HEX("t=1636936200,v0=" ZEROS ",v2=x,v1=" HEX_MAC), 0, HEX_BODY,
     NULL},
    {"the second is good", HEX("t=1636936200,v1=" ZEROS ",v1=" HEX_MAC), 0, HEX_BODY, NULL},
    {"one that is no hex beside", HEX("t=1636936200,v1=zz,v1=" HEX_MAC), 0, HEX_BODY, NULL},
    {"only another version", HEX("t=1636936200,v0=" HEX_MAC), 0, HEX_BODY, FORM},
    {"another body", HEX("t=1636936200,v1=" HEX_MAC), 0, "hello ?", NO_MATCH},
    {"empty body", HEX("t=1636936200,v1=" HEX_MAC), 0, "", NO_MATCH},
    {"another moment", HEX("t=1636936201,v1=" HEX_MAC), 0, HEX_BODY, NO_MATCH},
    {"the moment spelt otherwise", HEX("t=01636936200,v1=" HEX_MAC), 0, HEX_BODY, NO_MATCH},
    {"a digit less", HEX("t=1636936200,v1=1b3d69df"), 0, HEX_BODY, NO_MATCH},
    {"nothing", HEX(""), 0, HEX_BODY, FORM},
    {"no moment", HEX("v1=" HEX_MAC), 0, HEX_BODY, FORM},
    {"two moments", HEX("t=1636936200,t=1636936200,v1=" HEX_MAC), 0, HEX_BODY, FORM},
    {"no signature", HEX("t=1636936200"), 0, HEX_BODY, FORM},
    {"a part that is no pair", HEX("t=1636936200,hello,v1=" HEX_MAC), 0, HEX_BODY, FORM},
    {"a comma behind", HEX("t=1636936200,v1=" HEX_MAC ","), 0, HEX_BODY, FORM},
    {"bare hex", HEX(HEX_MAC), 0, HEX_BODY, FORM},
    {"the moment is no number", HEX("t=now,v1=" HEX_MAC), 0, HEX_BODY,
     "X-Webhook-Signature has no timestamp in Unix seconds."},
    {"the moment is empty", HEX("t=,v1=" HEX_MAC), 0, HEX_BODY,
     "X-Webhook-Signature has no timestamp in Unix seconds."},
    {"the moment is negative", HEX("t=-1636936200,v1=" HEX_MAC), 0, HEX_BODY,
     "X-Webhook-Signature has no timestamp in Unix seconds."},
    {"the moment is huge", HEX("t=99999999999999999999,v1=" HEX_MAC), 0, HEX_BODY,
     "X-Webhook-Signature has no timestamp in Unix seconds."},
};

static const struct check_case standard_cases[] = {
    {"good", SW(SW_SIGNATURE), 0, SW_BODY, NULL},
    {"five minutes old", SW(SW_SIGNATURE), 300, SW_BODY, NULL},
    {"older", SW(SW_SIGNATURE), 301, SW_BODY, "The signature's timestamp is too old."},
    {"five minutes early", SW(SW_SIGNATURE), -300, SW_BODY, NULL},
    {"earlier", SW(SW_SIGNATURE), -301, SW_BODY, "The signature's timestamp is in the future."},
    {"a secret without its prefix",
     "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     {.webhook_id = VALUE(SW_ID),
      .webhook_timestamp = VALUE(SW_TIME),
      .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     NULL},
    {"others beside",
     SW("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,abc v1a,xyz " SW_SIGNATURE), 0, SW_BODY,
     NULL},
    {"another", SW("v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="), 0, SW_BODY, NO_MATCH},
    {"another version", SW("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), 0, SW_BODY,
     NO_MATCH},
    {"no version", SW("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), 0, SW_BODY, NO_MATCH},
    {"cut", SW("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"), 0, SW_BODY, NO_MATCH},
    {"empty", SW(""), 0, SW_BODY, NO_MATCH},
    {"another body", SW(SW_SIGNATURE), 0, "{\"test\": 2432232315}", NO_MATCH},
    {"no id",
     SW_SECRET,
     {.webhook_timestamp = VALUE(SW_TIME), .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     "webhook-id must be given, without a '.'."},
    {"an id with a dot",
     SW_SECRET,
     {.webhook_id = VALUE("msg.1"),
      .webhook_timestamp = VALUE(SW_TIME),
      .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     "webhook-id must be given, without a '.'."},
    {"another id",
     SW_SECRET,
     {.webhook_id = VALUE("msg_1"),
      .webhook_timestamp = VALUE(SW_TIME),
      .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     NO_MATCH},
    {"no moment",
     SW_SECRET,
     {.webhook_id = VALUE(SW_ID), .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     "webhook-timestamp has no timestamp in Unix seconds."},
    {"a moment with a fraction",
     SW_SECRET,
     {.webhook_id = VALUE(SW_ID),
      .webhook_timestamp = VALUE("1614265330.5"),
      .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     "webhook-timestamp has no timestamp in Unix seconds."},
    {"no signature",
     SW_SECRET,
     {.webhook_id = VALUE(SW_ID), .webhook_timestamp = VALUE(SW_TIME)},
     0,
     SW_BODY,
     "The request is not signed: it needs X-Webhook-Signature, or webhook-id, webhook-timestamp "
     "and webhook-signature."},
    {"a secret that is no base64",
     "whsec_!",
     {.webhook_id = VALUE(SW_ID),
      .webhook_timestamp = VALUE(SW_TIME),
      .webhook_signature = VALUE(SW_SIGNATURE)},
     0,
     SW_BODY,
     NO_MATCH},
};

static void check(const struct check_case *c, usec_t signed_at)
{
    struct str secrets[] = {str_of(THIRD_SECRET), str_of(c->secret), str_of(OTHER_SECRET)};
    struct err err = {.code = ERR_NONE};
    int result = signature_check(secrets, 3, &c->in, signed_at + c->later * USEC_PER_S,
                                 str_of(c->body), &err);

    ck_assert_msg(result == (c->message == NULL ? 0 : -1), "%s: %s", c->name, err.message);
    if (c->message != NULL) {
        ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
        ck_assert_msg(strcmp(err.message, c->message) == 0, "%s: %s", c->name, err.message);
    }
}

START_TEST(hex_dialect)
{
    check(&hex_cases[_i], HEX_NOW);
}
END_TEST

START_TEST(standard_dialect)
{
    check(&standard_cases[_i], SW_NOW);
}
END_TEST

START_TEST(no_secret_passes_nothing)
{
    struct signature_input in = {.x_webhook_signature = STR("t=1636936200,v1=" HEX_MAC)};
    struct err err;

    ck_assert_int_eq(signature_check(NULL, 0, &in, HEX_NOW, STR(HEX_BODY), &err), -1);
}
END_TEST

static struct str value_of(struct str line, const char *name)
{
    ck_assert(str_starts(line, name));
    return (struct str){line.p + strlen(name), line.n - strlen(name)};
}

static struct signature_input received(const struct signed_headers *headers)
{
    return (struct signature_input){
        .x_webhook_signature = value_of(headers->line[0], "X-Webhook-Signature: "),
        .webhook_id = value_of(headers->line[1], "webhook-id: "),
        .webhook_timestamp = value_of(headers->line[2], "webhook-timestamp: "),
        .webhook_signature = value_of(headers->line[3], "webhook-signature: "),
    };
}

START_TEST(made_headers_are_the_known_ones)
{
    struct str secret = STR(SW_SECRET);
    struct signed_headers headers;
    struct pool *pool;

    pool_create(&pool);
    signature_make(pool, &secret, 1, STR(SW_ID), SW_NOW + 999999, STR(SW_BODY), &headers);
    ck_assert(str_starts(headers.line[0], "X-Webhook-Signature: t=" SW_TIME ",v1="));
    ck_assert(str_is(headers.line[1], "webhook-id: " SW_ID));
    ck_assert(str_is(headers.line[2], "webhook-timestamp: " SW_TIME));
    ck_assert(str_is(headers.line[3], "webhook-signature: " SW_SIGNATURE));

    secret = STR(HEX_SECRET);
    signature_make(pool, &secret, 1, STR("x"), HEX_NOW, STR(HEX_BODY), &headers);
    ck_assert(str_is(headers.line[0], "X-Webhook-Signature: t=1636936200,v1=" HEX_MAC));
    pool_destroy(&pool);
}
END_TEST

START_TEST(each_secret_accepts_what_all_signed)
{
    struct str secrets[SIGNATURE_SECRETS_MAX];
    char texts[SIGNATURE_SECRETS_MAX][SECRET_TEXT_SIZE];
    struct signed_headers headers;
    struct signature_input in, hex_only, standard_only;
    struct pool *pool;
    struct err err;

    pool_create(&pool);
    for (size_t i = 0; i < SIGNATURE_SECRETS_MAX; i++) {
        unsigned char random[32] = {(unsigned char)(i + 1)};
        secret_make(random, texts[i]);
        secrets[i] = str_of(texts[i]);
    }
    signature_make(pool, secrets, SIGNATURE_SECRETS_MAX, STR("evt_1"), SW_NOW, STR("{}"), &headers);
    in = hex_only = standard_only = received(&headers);
    hex_only.webhook_signature = STR_NULL;
    standard_only.x_webhook_signature = STR_NULL;
    for (size_t i = 0; i < SIGNATURE_SECRETS_MAX; i++) {
        ck_assert_int_eq(signature_check(&secrets[i], 1, &in, SW_NOW, STR("{}"), &err), 0);
        ck_assert_int_eq(signature_check(&secrets[i], 1, &hex_only, SW_NOW, STR("{}"), &err), 0);
        ck_assert_int_eq(signature_check(&secrets[i], 1, &standard_only, SW_NOW, STR("{}"), &err),
                         0);
    }
    secrets[0] = STR(OTHER_SECRET);
    ck_assert_int_eq(signature_check(secrets, 1, &in, SW_NOW, STR("{}"), &err), -1);
    pool_destroy(&pool);
}
END_TEST

START_TEST(one_good_dialect_is_enough)
{
    struct str secret = STR(SW_SECRET);
    struct signed_headers headers;
    struct signature_input in;
    struct pool *pool;
    struct err err;

    pool_create(&pool);
    signature_make(pool, &secret, 1, STR("evt_1"), SW_NOW, STR("{}"), &headers);
    in = received(&headers);
    in.x_webhook_signature = STR("t=1,v1=00");
    ck_assert_int_eq(signature_check(&secret, 1, &in, SW_NOW, STR("{}"), &err), 0);
    in = received(&headers);
    in.webhook_timestamp = STR("rubbish");
    ck_assert_int_eq(signature_check(&secret, 1, &in, SW_NOW, STR("{}"), &err), 0);
    in.x_webhook_signature = STR("rubbish");
    ck_assert_int_eq(signature_check(&secret, 1, &in, SW_NOW, STR("{}"), &err), -1);
    ck_assert_str_eq(err.message, FORM);
    pool_destroy(&pool);
}
END_TEST

static const struct {
    const char *name, *secret;
    int result;
} secrets[] = {
    {"24 bytes", SW_SECRET, 0},
    {"64 bytes",
     "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
     "=",
     0},
    {"23 bytes", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", -1},
    {"66 bytes",
     "whsec_"
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     -1},
    {"no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", -1},
    {"another prefix", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", -1},
    {"URL-safe base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL-_w", -1},
    {"a blank", "whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw", -1},
    {"a line break behind", SW_SECRET "\n", -1},
    {"empty", "", -1},
    {"only the prefix", "whsec_", -1},
};

START_TEST(which_secrets_are_taken)
{
    struct err err;
    int result = secret_check(str_of(secrets[_i].secret), "secret", &err);

    ck_assert_msg(result == secrets[_i].result, "%s", secrets[_i].name);
    if (result < 0)
        ck_assert_str_eq(err.message,
                         "secret must be \"whsec_\" followed by base64 of 24 to 64 bytes.");
}
END_TEST

START_TEST(a_made_secret_is_taken)
{
    unsigned char random[32];
    char text[SECRET_TEXT_SIZE];
    struct err err;

    memset(random, 0xa5, sizeof(random));
    secret_make(random, text);
    ck_assert_int_eq(secret_check(str_of(text), "secret", &err), 0);
    ck_assert_int_eq(secret_check(STR_NULL, "secret", &err), -1);
}
END_TEST

static Suite *signature_suite(void)
{
    Suite *suite = suite_create("signature");
    TCase *tc = tcase_create("signature");

    tcase_add_loop_test(tc, hex_dialect, 0, (int)(sizeof(hex_cases) / sizeof(hex_cases[0])));
    tcase_add_loop_test(tc, standard_dialect, 0,
                        (int)(sizeof(standard_cases) / sizeof(standard_cases[0])));
    tcase_add_test(tc, no_secret_passes_nothing);
    tcase_add_test(tc, made_headers_are_the_known_ones);
    tcase_add_test(tc, each_secret_accepts_what_all_signed);
    tcase_add_test(tc, one_good_dialect_is_enough);
    tcase_add_loop_test(tc, which_secrets_are_taken, 0,
                        (int)(sizeof(secrets) / sizeof(secrets[0])));
    tcase_add_test(tc, a_made_secret_is_taken);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(signature_suite)
