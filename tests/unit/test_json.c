/*
 * test_json.c - reading values out of documents, and writing them.
 */
#include "lib/base/json.h"
#include "tests/unit/check_main.h"

static struct pool *pool;
static struct err err;
static struct buf out;

static void setup(void)
{
    pool_create(&pool);
    buf_init(&out, 65536);
}

static void teardown(void)
{
    buf_deinit(&out);
    pool_destroy(&pool);
}

static struct json *parse(const char *text)
{
    struct json *value = NULL;
    ck_assert_ok(json_parse(pool, str_of(text), &value, &err), err);
    return value;
}

static const struct {
    const char *text;
    enum json_type type;
    const char *name;
} types[] = {
    {"null", JSON_NULL, "null"},       {"true", JSON_BOOL, "true or false"},
    {"1", JSON_NUMBER, "a number"},    {"1.5", JSON_NUMBER, "a number"},
    {"\"\"", JSON_STRING, "a string"}, {"{}", JSON_OBJECT, "an object"},
    {"[]", JSON_ARRAY, "an array"},
};

START_TEST(types_and_their_names)
{
    ck_assert_int_eq(json_type(parse(types[_i].text)), types[_i].type);
    ck_assert_str_eq(json_type_name(types[_i].type), types[_i].name);
}
END_TEST

START_TEST(members)
{
    struct json *v = parse("{\"n\":null,\"t\":true,\"f\":false,\"i\":-7,\"s\":\"x\\u0041\\/\"}");
    ck_assert_ptr_null(json_get(v, "absent"));
    ck_assert_ptr_nonnull(json_get(v, "n"));
    ck_assert_int_eq(json_type(json_get(v, "n")), JSON_NULL);
    ck_assert_int_eq(json_type(NULL), JSON_NULL);
    ck_assert(json_bool(json_get(v, "t")));
    ck_assert(!json_bool(json_get(v, "f")));
    ck_assert(!json_bool(json_get(v, "i")));
    ck_assert_str_is(json_str(json_get(v, "s")), "xA/");
    ck_assert_str_is(json_str(json_get(v, "i")), NULL);
    ck_assert_str_is(json_str(NULL), NULL);
    ck_assert_uint_eq(json_count(v), 5);
    ck_assert_ptr_null(json_get(json_get(v, "s"), "x"));
    ck_assert_ptr_null(json_get(NULL, "x"));
}
END_TEST

static const struct {
    const char *text;
    int result;
    int64_t value;
} integers[] = {
    {"0", 0, 0},
    {"-0", 0, 0},
    {"9223372036854775807", 0, INT64_MAX},
    {"-9223372036854775808", 0, INT64_MIN},
    {"9007199254740993", 0, INT64_C(9007199254740993)},
    {"1.0", -1, 0},
    {"1e2", -1, 0},
    {"\"1\"", -1, 0},
    {"true", -1, 0},
    {"null", -1, 0},
};

START_TEST(integers_are_exact)
{
    int64_t value = 0;
    ck_assert_int_eq(json_i64(parse(integers[_i].text), &value), integers[_i].result);
    ck_assert_int_eq(value, integers[_i].value);
}
END_TEST

START_TEST(elements)
{
    struct json *v = parse("[1,null,[2]]");
    int64_t i = 0;
    ck_assert_uint_eq(json_count(v), 3);
    ck_assert_int_eq(json_i64(json_at(v, 0), &i), 0);
    ck_assert_int_eq(i, 1);
    ck_assert_int_eq(json_type(json_at(v, 1)), JSON_NULL);
    ck_assert_uint_eq(json_count(json_at(v, 2)), 1);
    ck_assert_ptr_null(json_at(v, 3));
    ck_assert_ptr_null(json_at(json_at(v, 0), 0));
    ck_assert_uint_eq(json_count(json_at(v, 0)), 0);
}
END_TEST

START_TEST(walking_keeps_the_order)
{
    struct json *v = parse("{\"z\":1,\"a\":null,\"m\":3}"), *value;
    static const char *const names[] = {"z", "a", "m"};
    struct str name;
    size_t it = 0;
    for (size_t i = 0; i < 3; i++) {
        ck_assert(json_each(v, &it, &name, &value));
        ck_assert_str_is(name, names[i]);
        ck_assert_int_eq(json_type(value), i == 1 ? JSON_NULL : JSON_NUMBER);
    }
    ck_assert(!json_each(v, &it, &name, &value));
    ck_assert(!json_each(v, &it, &name, &value));
}
END_TEST

static const char *const without_members[] = {"{}", "[1]", "1", "null"};

START_TEST(walking_what_has_no_members)
{
    struct str name;
    struct json *value;
    size_t it = 0;
    ck_assert(!json_each(parse(without_members[_i]), &it, &name, &value));
}
END_TEST

static const struct {
    const char *name, *text, *written, *sorted;
} texts[] = {
    {"order and blanks", "{ \"b\" : 1, \"a\" : [ true , null ] }", "{\"b\":1,\"a\":[true,null]}",
     "{\"a\":[true,null],\"b\":1}"},
    {"sorted at every level", "[{\"b\":{\"y\":1,\"x\":2},\"a\":0}]",
     "[{\"b\":{\"y\":1,\"x\":2},\"a\":0}]", "[{\"a\":0,\"b\":{\"x\":2,\"y\":1}}]"},
    {"sorted by bytes", "{\"a\":1,\"B\":2,\"\xc3\xa9\":3,\"aa\":4}",
     "{\"a\":1,\"B\":2,\"\xc3\xa9\":3,\"aa\":4}", "{\"B\":2,\"a\":1,\"aa\":4,\"\xc3\xa9\":3}"},
    {"slashes stay bare", "\"http:\\/\\/x\\/\"", "\"http://x/\"", "\"http://x/\""},
    {"escapes", "\"\\u0001\\n\\\"\\u20ac\"", "\"\\u0001\\n\\\"\xe2\x82\xac\"",
     "\"\\u0001\\n\\\"\xe2\x82\xac\""},
    {"numbers as given", "[1.50,1e3,-0.0]", "[1.50,1e3,-0.0]", "[1.5,1000,0]"},
    {"large integers", "[9223372036854775807,-9223372036854775808]",
     "[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]"},
    {"empty", "{\"a\":{},\"b\":[]}", "{\"a\":{},\"b\":[]}", "{\"a\":{},\"b\":[]}"},
    {"null", "null", "null", "null"},
};

START_TEST(writing)
{
    struct json *v = parse(texts[_i].text);
    json_write(&out, v);
    ck_assert_str_is(buf_as_str(&out), texts[_i].written);
    buf_clear(&out);
    json_write_sorted(&out, v);
    ck_assert_str_is(buf_as_str(&out), texts[_i].sorted);
}
END_TEST

START_TEST(a_faulty_document_leaves_the_next_unharmed)
{
    struct json *value;
    ck_assert_int_eq(json_parse(pool, STR("{\"a\":[1,{"), &value, &err), -1);
    ck_assert_uint_eq(json_count(parse("[1,2]")), 2);
}
END_TEST

static struct str repeated(const char *before, const char *unit, size_t count, const char *after)
{
    struct buf b;
    buf_init(&b, (size_t)16 << 20);
    buf_text(&b, before);
    for (size_t i = 0; i < count; i++) {
        buf_text(&b, i > 0 ? "," : "");
        buf_text(&b, unit);
    }
    buf_text(&b, after);
    ck_assert(!b.overflow);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static const struct {
    const char *text;
    size_t weight;
} weights[] = {
    {"1", 1},
    {"\"abc\"", 1},
    {"null", 1},
    {"[]", 2},
    {"[1,[2,true]]", 7},
    {"{}", 10},
    {"{\"a\":1}", 12},
    {"{\"a\":{\"b\":[]}}", 24},
    {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}", 30},
    {"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1}",
     33},
};

START_TEST(values_are_weighed)
{
    struct json *value;
    struct str text = str_of(weights[_i].text);
    ck_assert_ok(json_parse_values(pool, text, weights[_i].weight, &value, &err), err);
    ck_assert_int_eq(json_parse_values(pool, text, weights[_i].weight - 1, &value, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "body: has too many values");
}
END_TEST

/* Honest ones of 64 KiB, and such as are made to take memory. */
static const struct {
    const char *unit;
    size_t count;
    bool good;
} documents[] = {
    {"1", 32000, true},          {"\"\"", 21000, true},
    {"[]", 21000, true},         {"[1]", 16000, true},
    {"[1,2]", 10900, true},      {"{\"a\":1}", 8100, true},
    {"{\"a\":[1]}", 6500, true}, {"{\"id\":1,\"n\":2}", 4000, true},
    {"{}", 20000, false},        {"{}", 87000, false},
};

START_TEST(a_document_has_so_many_values)
{
    struct json *value;
    struct str text = repeated("{\"x\":[", documents[_i].unit, documents[_i].count, "]}");
    if (documents[_i].good) {
        ck_assert_uint_le(text.n, 65536);
        ck_assert_ok(json_parse(pool, text, &value, &err), err);
        return;
    }
    ck_assert_int_eq(json_parse(pool, text, &value, &err), -1);
    ck_assert_str_eq(err.message, "body: has too many values");
}
END_TEST

START_TEST(a_transcript_may_be_long)
{
    struct json *value;
    struct str text =
        repeated("{\"event\":\"completed\",\"transcript\":[",
                 "{\"role\":\"agent\",\"text\":\"Yes please.\",\"at\":\"2026-01-01T00:00:00Z\"}",
                 15000, "]}");
    ck_assert_uint_le(text.n, 1048576);
    ck_assert_ok(json_parse_values(pool, text, JSON_VALUES_TRANSCRIPT, &value, &err), err);
}
END_TEST

static Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tc = tcase_create("json");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, types_and_their_names, 0, CASES(types));
    tcase_add_test(tc, members);
    tcase_add_loop_test(tc, integers_are_exact, 0, CASES(integers));
    tcase_add_test(tc, elements);
    tcase_add_test(tc, walking_keeps_the_order);
    tcase_add_loop_test(tc, walking_what_has_no_members, 0, CASES(without_members));
    tcase_add_loop_test(tc, writing, 0, CASES(texts));
    tcase_add_test(tc, a_faulty_document_leaves_the_next_unharmed);
    tcase_add_loop_test(tc, values_are_weighed, 0, CASES(weights));
    tcase_add_loop_test(tc, a_document_has_so_many_values, 0, CASES(documents));
    tcase_add_test(tc, a_transcript_may_be_long);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(json_suite)
