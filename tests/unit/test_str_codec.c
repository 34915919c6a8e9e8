/*
 * test_str_codec.c - hex, base64, base32 and percent-encoding, there and back, and what decoders
 * refuse.
 */
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"
#include <string.h>

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

START_TEST(hex)
{
    char text[9];
    unsigned char bytes[4];
    hex_encode("\x00\x7f\x80\xff", 4, text);
    ck_assert_str_eq(text, "007f80ff");
    ck_assert_int_eq(hex_decode(STR("007F80fF"), bytes, 4), 0);
    ck_assert_mem_eq(bytes, "\x00\x7f\x80\xff", 4);
}
END_TEST

static const char *const bad_hex[] = {"007f80f",  "007f80ff0", "007f80fff",
                                      "007f80fg", "007f 0ff",  ""};

START_TEST(hex_refused)
{
    unsigned char bytes[4];
    ck_assert_int_eq(hex_decode(str_of(bad_hex[_i]), bytes, 4), -1);
}
END_TEST

/* RFC 4648 section 10. */
static const struct {
    const char *plain, *base64, *base32;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "cr"},
    {"fo", "Zm8=", "csqg"},
    {"foo", "Zm9v", "csqpy"},
    {"foob", "Zm9vYg==", "csqpyrg"},
    {"fooba", "Zm9vYmE=", "csqpyrk1"},
    {"foobar", "Zm9vYmFy", "csqpyrk1e8"},
    {"\xff\xef\xbe", "/+++", "zzqvw"},
};

START_TEST(base64)
{
    char text[16], back[16];
    size_t n;
    size_t plain_n = strlen(vectors[_i].plain);
    base64_encode(vectors[_i].plain, plain_n, text);
    ck_assert_str_eq(text, vectors[_i].base64);
    ck_assert_int_eq(base64_decode(str_of(text), back, sizeof(back), &n), 0);
    ck_assert_uint_eq(n, plain_n);
    ck_assert_mem_eq(back, vectors[_i].plain, n);
}
END_TEST

static const struct {
    const char *name, *text;
    size_t max;
} bad_base64[] = {
    {"no padding", "Zg", 16},
    {"half the padding", "Zg=", 16},
    {"only padding", "====", 16},
    {"three of padding", "Z===", 16},
    {"padding inside", "Zg==Zg==", 16},
    {"too much padding", "Zm9v====", 16},
    {"URL alphabet", "_-__", 16},
    {"blank", "Zm 9", 16},
    {"line break", "Zm9v\n", 16},
    {"loose bits of two digits", "Zh==", 16},
    {"loose bits of three digits", "Zm9=", 16},
    {"over the maximum", "Zm9v", 2},
};

START_TEST(base64_refused)
{
    char bytes[16];
    size_t n;
    ck_assert_msg(base64_decode(str_of(bad_base64[_i].text), bytes, bad_base64[_i].max, &n) == -1,
                  "%s", bad_base64[_i].name);
}
END_TEST

START_TEST(base32)
{
    char text[16], back[16];
    size_t plain_n = strlen(vectors[_i].plain);
    base32_encode(vectors[_i].plain, plain_n, text);
    ck_assert_str_eq(text, vectors[_i].base32);
    ck_assert_int_eq(base32_decode(str_of(text), back, plain_n), 0);
    ck_assert_mem_eq(back, vectors[_i].plain, plain_n);
}
END_TEST

START_TEST(base32_takes_upper_case)
{
    char back[6];
    ck_assert_int_eq(base32_decode(STR("CSQPYRK1E8"), back, 6), 0);
    ck_assert_mem_eq(back, "foobar", 6);
}
END_TEST

static const char *const bad_base32[] = {"csqpyrk1e",  "csqpyrk1e88", "csqpyrk1e9", "csqpyrk1ei",
                                         "csqpyrk1eu", "csqpyrk1e=",  "csq yrk1e8"};

START_TEST(base32_refused)
{
    char back[6];
    ck_assert_int_eq(base32_decode(str_of(bad_base32[_i]), back, 6), -1);
}
END_TEST

START_TEST(a_nul_is_no_base32_digit)
{
    char back[6];
    ck_assert_int_eq(base32_decode(STR("csqpyrk1e\0"), back, 6), -1);
}
END_TEST

START_TEST(percent_encoding)
{
    ck_assert_str_is(percent_encode(pool, STR("aZ09-._~")), "aZ09-._~");
    ck_assert_str_is(percent_encode(pool, STR("a b/c+\xc3\xa9%")), "a%20b%2Fc%2B%C3%A9%25");
    ck_assert_str_is(percent_encode(pool, STR("")), "");
}
END_TEST

static const struct {
    const char *text;
    bool plus_is_blank;
    const char *want; /* NULL: refused */
} percents[] = {
    {"", false, ""},
    {"abc", false, "abc"},
    {"a%20b%2f%2F", false, "a b//"},
    {"a+b", true, "a b"},
    {"a+b", false, "a+b"},
    {"%2B", true, "+"},
    {"%", false, NULL},
    {"%2", false, NULL},
    {"a%2", false, NULL},
    {"%zz", false, NULL},
    {"%2g", false, NULL},
    {"%%20", false, NULL},
    {"%c3%a9", false, "\xc3\xa9"},
};

START_TEST(percent_decoding)
{
    struct str out = STR_NULL;
    int result = percent_decode(pool, str_of(percents[_i].text), percents[_i].plus_is_blank, &out);
    ck_assert_int_eq(result, percents[_i].want == NULL ? -1 : 0);
    ck_assert_str_is(out, percents[_i].want);
}
END_TEST

static Suite *codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *tc = tcase_create("codec");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, hex);
    tcase_add_loop_test(tc, hex_refused, 0, CASES(bad_hex));
    tcase_add_loop_test(tc, base64, 0, CASES(vectors));
    tcase_add_loop_test(tc, base64_refused, 0, CASES(bad_base64));
    tcase_add_loop_test(tc, base32, 0, CASES(vectors));
    tcase_add_test(tc, base32_takes_upper_case);
    tcase_add_loop_test(tc, base32_refused, 0, CASES(bad_base32));
    tcase_add_test(tc, a_nul_is_no_base32_digit);
    tcase_add_test(tc, percent_encoding);
    tcase_add_loop_test(tc, percent_decoding, 0, CASES(percents));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(codec_suite)
