/*
 * test_json_scan.c - which texts are JSON documents for us, and what is said about the others.
 */
#include "lib/base/json.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct pool *pool;
static struct err err;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static const struct {
    const char *name, *text;
} good[] = {
    {"empty object", "{}"},
    {"empty array", "[]"},
    {"blanks everywhere", " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"},
    {"top-level string", "\"x\""},
    {"top-level number", "17"},
    {"top-level zero", "0"},
    {"top-level double", "-1.5e3"},
    {"top-level null", "null"},
    {"words", "[true,false,null]"},
    {"every escape", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\""},
    {"surrogate pair", "\"\\ud83d\\ude00\""},
    {"last code point", "\"\\udbff\\udfff\""},
    {"UTF-8", "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x98\x80\"}"},
    {"DEL is no control character", "\"\x7f\""},
    {"largest integer", "9223372036854775807"},
    {"smallest integer", "-9223372036854775808"},
    {"minus zero", "-0"},
    {"17 digits", "[1.2345678901234567, 12345678901234567e5, 0.000012345678901234567]"},
    {"zeros don't count", "[0.50000000000000000000000000, 10000000000000000000000000.0]"},
    {"exponents", "[1e5, 1E+5, 1e-5, 0e0, 1e308, 1e-400]"},
    {"16 levels", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"},
    {"same name in different objects", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}"},
    {"names that differ in case", "{\"a\":1,\"A\":2}"},
    {"empty name", "{\"\":1}"},
    {"a name that begins another", "{\"ab\":1,\"a\":2,\"abc\":3}"},
};

START_TEST(documents_accepted)
{
    struct json *value;
    ck_assert_msg(json_scan(str_of(good[_i].text), JSON_DEPTH_MAX, &err) == 0, "%s: %s",
                  good[_i].name, err.message);
    ck_assert_msg(json_parse(pool, str_of(good[_i].text), &value, &err) == 0, "json-c, %s: %s",
                  good[_i].name, err.message);
}
END_TEST

#define FIVE "[[[[["
#define FIFTEEN FIVE FIVE FIVE
#define DIGITS_17 "12345678901234567"

static const struct {
    const char *name, *text, *message;
} bad[] = {
    {"nothing", "", "body: is empty"},
    {"blanks", " \n", "body: is empty"},
    {"byte order mark", "\xef\xbb\xbf{}", "body: must not begin with a byte order mark"},
    {"trailing garbage", "{} x", "body: has something after the JSON value"},
    {"two values", "1 2", "body: has something after the JSON value"},
    {"no value", "x", "body: must be a JSON value"},
    {"half a word", "[tru]", "body[0]: must be a JSON value"},
    {"word in capitals", "{\"a\":True}", "a: must be a JSON value"},
    {"NaN", "{\"a\":NaN}", "a: must be a JSON value"},
    {"Infinity", "{\"a\":Infinity}", "a: must be a JSON value"},
    {"minus Infinity", "{\"a\":-Infinity}", "a: a minus must be followed by a digit"},
    {"undefined", "{\"a\":undefined}", "a: must be a JSON value"},
    {"single quotes", "{\"a\":'x'}", "a: must be a JSON value"},
    {"name in single quotes", "{'a':1}", "body: a member's name in double quotes is missing"},
    {"bare name", "{a:1}", "body: a member's name in double quotes is missing"},
    {"comment", "{/*x*/}", "body: a member's name in double quotes is missing"},
    {"line comment", "[1,//x\n2]", "body[1]: must be a JSON value"},
    {"comma before }", "{\"a\":1,}", "body: a member's name in double quotes is missing"},
    {"comma before ]", "[1,]", "body[1]: must be a JSON value"},
    {"comma first", "[,1]", "body[0]: must be a JSON value"},
    {"no comma", "[1 2]", "body: a comma or ] must follow an element"},
    {"no comma in an object", "{\"a\":1 \"b\":2}", "body: a comma or } must follow a member"},
    {"no colon", "{\"a\" 1}", "a: a colon must follow the name"},
    {"no value for a name", "{\"a\":}", "a: must be a JSON value"},
    {"cut after the colon", "{\"a\":", "a: a JSON value is missing"},
    {"cut in an object", "{\"a\":1", "body: a comma or } must follow a member"},
    {"cut in an array", "{\"a\":[1", "a: a comma or ] must follow an element"},
    {"wrong bracket", "{\"a\":[1}", "a: a comma or ] must follow an element"},
    {"cut in a string", "{\"a\":\"x", "a: a string is not closed"},
    {"cut in an escape", "\"\\", "body: a backslash must begin one of the escapes"},
    {"unknown escape", "{\"a\":\"\\x41\"}", "a: a backslash must begin one of the escapes"},
    {"octal escape", "\"\\0\"", "body: a backslash must begin one of the escapes"},
    {"short \\u", "{\"a\":\"\\u12\"}", "a: \\u must be followed by four hex digits"},
    {"no hex in \\u", "\"\\u12g4\"", "body: \\u must be followed by four hex digits"},
    {"\\u0000", "{\"a\":\"x\\u0000\"}", "a: \\u0000 is not allowed"},
    {"\\u0000 in a name", "{\"a\\u0000b\":1}", "body: \\u0000 is not allowed"},
    {"lone high surrogate", "{\"a\":\"\\ud800\"}", "a: a surrogate escape must be one of a pair"},
    {"lone low surrogate", "\"\\udc00\"", "body: a surrogate escape must be one of a pair"},
    {"two high ones", "\"\\ud800\\ud800\"", "body: a surrogate escape must be one of a pair"},
    {"high and a letter", "\"\\ud800\\u0041\"", "body: a surrogate escape must be one of a pair"},
    {"surrogate cut short", "\"\\ud800\\udc\"", "body: a surrogate escape must be one of a pair"},
    {"line break in a string", "{\"a\":\"x\ny\"}",
     "a: control characters in a string must be escaped"},
    {"tab in a string", "\"\t\"", "body: control characters in a string must be escaped"},
    {"broken UTF-8", "{\"a\":\"\xff\"}", "a: must be valid UTF-8"},
    {"overlong UTF-8", "\"\xc0\xaf\"", "body: must be valid UTF-8"},
    {"surrogate in UTF-8", "\"\xed\xa0\x80\"", "body: must be valid UTF-8"},
    {"UTF-8 cut by the quote", "\"\xe2\x82\"", "body: must be valid UTF-8"},
    {"UTF-8 in a name", "{\"\xff\":1}", "body: must be valid UTF-8"},
    {"no-break space as blank", "\xc2\xa0{}", "body: must be a JSON value"},
    {"form feed as blank", "\f{}", "body: must be a JSON value"},
    {"one over the largest", "{\"a\":9223372036854775808}", "a: an integer must fit 64 bits"},
    {"one under the smallest", "-9223372036854775809", "body: an integer must fit 64 bits"},
    {"30 digits", "{\"a\":123456789012345678901234567890}", "a: an integer must fit 64 bits"},
    {"1e999", "{\"a\":1e999}", "a: a number is too large"},
    {"-1e999", "-1e999", "body: a number is too large"},
    {"18 digits", "0." DIGITS_17 "8", "body: a number may have at most 17 significant digits"},
    {"18 digits with exponent", DIGITS_17 "8e1", "body: a number may have at most 17 significant"},
    {"leading zero", "{\"a\":01}", "a: a number must not begin with a zero"},
    {"leading zeros", "-00", "body: a number must not begin with a zero"},
    {"plus", "{\"a\":+1}", "a: must be a JSON value"},
    {"hexadecimal", "{\"a\":0x10}", "body: a comma or } must follow a member"},
    {"no digit before the point", "[.5]", "body[0]: must be a JSON value"},
    {"no digit after the point", "[1.]", "body[0]: a decimal point must be followed by a digit"},
    {"no exponent", "[1e]", "body[0]: an exponent must have a digit"},
    {"only a sign in the exponent", "[1e+]", "body[0]: an exponent must have a digit"},
    {"two signs in the exponent", "[1e+-1]", "body[0]: an exponent must have a digit"},
    {"minus alone", "-", "body: a minus must be followed by a digit"},
    {"name given twice", "{\"a\":1,\"b\":2,\"a\":3}", "a: is given twice"},
    {"twice, spelled with an escape", "{\"ab\":1,\"\\u0061b\":2}",
     "[\"\\u0061b\"]: is given twice"},
    {"twice, both escaped", "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "is given twice"},
    {"twice, as a surrogate pair", "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}",
     "is given twice"},
    {"twice, an escaped slash", "{\"a/b\":1,\"a\\/b\":2}", "is given twice"},
    {"twice, deep down", "{\"x\":[0,{\"y\":{\"a\":1,\"a\":1}}]}", "x[1].y.a: is given twice"},
    {"17 levels", FIFTEEN "[[]]",
     "body[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested too deeply"},
    {"17 levels of objects and arrays", "{\"a\":" FIFTEEN "[", "is nested too deeply"},
    {"path", "{\"additional_info\":{\"a\":[1,2,3,x]}}",
     "additional_info.a[3]: must be a JSON value"},
    {"path with an odd name", "{\"a b\":{\"c\":x}}", "[\"a b\"].c: must be a JSON value"},
    {"path with an empty name", "{\"\":x}", "[\"\"]: must be a JSON value"},
};

START_TEST(documents_refused)
{
    struct json *value = NULL;
    ck_assert_msg(json_scan(str_of(bad[_i].text), JSON_DEPTH_MAX, &err) == -1, "%s: accepted",
                  bad[_i].name);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s: %s", bad[_i].name,
                  err.message);
    ck_assert(str_utf8_valid(str_of(err.message)));
    ck_assert_int_eq(json_parse(pool, str_of(bad[_i].text), &value, &err), -1);
    ck_assert_ptr_null(value);
}
END_TEST

/* A document without its last bytes never is one: each prefix of this is refused. */
START_TEST(no_prefix_is_a_document)
{
    static const char text[] = "{\"a\":[true,false,null,-1.5e+3,\"x\\n\\u20ac\\ud83d\\ude00\"]}";
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        char *copy = pool_alloc(pool, n == 0 ? 1 : n); /* so that a read past the end is noticed */
        memcpy(copy, text, n);
        ck_assert_msg(json_scan((struct str){copy, n}, JSON_DEPTH_MAX, &err) == -1, "%zu", n);
    }
    ck_assert_ok(json_scan(str_of(text), JSON_DEPTH_MAX, &err), err);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    ck_assert_int_eq(json_scan(STR("{\"a\":\"x\0y\"}"), JSON_DEPTH_MAX, &err), -1);
    ck_assert_str_eq(err.message, "a: a NUL byte is not allowed");
    ck_assert_int_eq(json_scan(STR("{}\0"), JSON_DEPTH_MAX, &err), -1);
    ck_assert_int_eq(json_scan(STR("\0{}"), JSON_DEPTH_MAX, &err), -1);
    ck_assert_int_eq(json_scan(STR_NULL, JSON_DEPTH_MAX, &err), -1);
}
END_TEST

START_TEST(the_depth_is_the_callers)
{
    ck_assert_ok(json_scan(STR("[1]"), 1, &err), err);
    ck_assert_int_eq(json_scan(STR("[[1]]"), 1, &err), -1);
    ck_assert_ok(json_scan(STR("1"), 0, &err), err);
    ck_assert_int_eq(json_scan(STR("[]"), 0, &err), -1);
}
END_TEST

START_TEST(a_long_path_leaves_room_for_the_reason)
{
    struct buf text;
    buf_init(&text, 65536);
    for (int level = 0; level < 15; level++) {
        buf_lit(&text, "{\"");
        for (int i = 0; i < 100; i++) {
            buf_text(&text, "\xe2\x82\xac");
        }
        buf_lit(&text, "\":");
    }
    buf_char(&text, 'x');
    ck_assert_int_eq(json_scan(buf_as_str(&text), JSON_DEPTH_MAX, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "...: must be a JSON value"));
    ck_assert(str_utf8_valid(str_of(err.message)));
    buf_deinit(&text);
}
END_TEST

static double seconds_of_cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Each with each would be 50 million comparisons for these, and take seconds. */
START_TEST(many_names_are_no_burden)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_char(&text, '{');
    for (int i = 0; i < 10000; i++) {
        buf_printf(&text, "%s\"%d\":1", i > 0 ? "," : "", i);
    }
    buf_char(&text, '}');
    double before = seconds_of_cpu();
    ck_assert_ok(json_scan(buf_as_str(&text), JSON_DEPTH_MAX, &err), err);
    ck_assert(seconds_of_cpu() - before < 0.5);
    text.len--;
    buf_lit(&text, ",\"4711\":2}");
    ck_assert_int_eq(json_scan(buf_as_str(&text), JSON_DEPTH_MAX, &err), -1);
    ck_assert_str_eq(err.message, "4711: is given twice");
    buf_deinit(&text);
}
END_TEST

static Suite *json_scan_suite(void)
{
    Suite *suite = suite_create("json_scan");
    TCase *tc = tcase_create("json_scan");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, documents_accepted, 0, CASES(good));
    tcase_add_loop_test(tc, documents_refused, 0, CASES(bad));
    tcase_add_test(tc, no_prefix_is_a_document);
    tcase_add_test(tc, nul_bytes_are_refused);
    tcase_add_test(tc, the_depth_is_the_callers);
    tcase_add_test(tc, a_long_path_leaves_room_for_the_reason);
    tcase_add_test(tc, many_names_are_no_burden);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(json_scan_suite)
