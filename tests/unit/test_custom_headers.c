/* The owner's own headers of deliveries: what is allowed, and how changes merge. */
#include "lib/rules/custom_headers.h"
#include "tests/unit/check_main.h"

#include <string.h>

static struct pool *pool;

static int merge(struct str now, const char *change, struct str *merged_r, struct err *err)
{
    struct json *value;
    ck_assert_int_eq(json_parse(pool, str_of(change), &value, err), 0);
    return custom_headers_merge(pool, now, value, merged_r, err);
}

static void set_up(void)
{
    pool_create(&pool);
}

static void tear_down(void)
{
    pool_destroy(&pool);
}

static const struct {
    const char *change;
    const char *message; /* begins so; NULL: it is allowed */
} changes[] = {
    {"{}", NULL},
    {"{\"Authorization\": \"Bearer abc\"}", NULL},
    {"{\"X-Tenant\": \"a b ~!\", \"accept\": \"*/*\"}", NULL},
    {"{\"x\": null}", NULL},
    {"[]", "headers must be an object"},
    {"\"a\"", "headers must be an object"},
    {"{\"\": \"a\"}", "headers: \"\" is no header's name"},
    {"{\"a b\": \"a\"}", "headers: \"a b\" is no"},
    {"{\"a:b\": \"a\"}", "headers: \"a:b\" is no"},
    {"{\"a\\r\\nX-Evil\": \"a\"}", "headers: \"a"},
    {"{\"na\xc3\xafve\": \"a\"}", "headers: \"na"},
    {"{\"Content-Length\": \"1\"}", "headers: Content-Length is set by the server"},
    {"{\"HOST\": \"a\"}", "headers: HOST is set"},
    {"{\"user-agent\": \"a\"}", "headers: user-agent is set"},
    {"{\"Content-Type\": \"a\"}", "headers: Content-Type is set"},
    {"{\"Transfer-Encoding\": \"chunked\"}", "headers: Transfer-Encoding is set"},
    {"{\"Connection\": \"close\"}", "headers: Connection is set"},
    {"{\"Expect\": \"100-continue\"}", "headers: Expect is set"},
    {"{\"Webhook-Id\": \"a\"}", "headers: Webhook-Id is set"},
    {"{\"X-Webhook-Signature\": \"a\"}", "headers: X-Webhook-Signature is set"},
    {"{\"x-webhook-\": \"a\"}", "headers: x-webhook- is set"},
    {"{\"a\": 1}", "headers.a must be a string"},
    {"{\"a\": \"\"}", "headers.a must be 1 to 4096"},
    {"{\"a\": \" b\"}", "headers.a must be"},
    {"{\"a\": \"b\\r\\nX-Evil: 1\"}", "headers.a must be"},
    {"{\"a\": \"b\\nc\"}", "headers.a must be"},
    {"{\"a\": \"b\\tc\"}", "headers.a must be"},
    {"{\"a\": \"\xc3\xa9\"}", "headers.a must be"},
    {"{\"A\": \"1\", \"a\": \"2\"}", "headers: \"A\" is given twice"},
};

START_TEST(a_change_is_checked)
{
    struct err err;
    struct str merged;
    int failed = merge(STR_NULL, changes[_i].change, &merged, &err);
    if (changes[_i].message == NULL) {
        ck_assert_msg(failed == 0, "%s: %s", changes[_i].change, err.message);
        return;
    }
    ck_assert_msg(failed != 0, "%s was allowed", changes[_i].change);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.message, changes[_i].message, strlen(changes[_i].message)) == 0,
                  "%s: %s", changes[_i].change, err.message);
}
END_TEST

static const struct {
    const char *now, *change, *merged;
} merges[] = {
    {NULL, "{\"A\": \"1\", \"B\": \"2\"}", "{\"A\":\"1\",\"B\":\"2\"}"},
    {"{\"A\":\"1\"}", "{\"B\": \"2\"}", "{\"A\":\"1\",\"B\":\"2\"}"},
    {"{\"A\":\"1\",\"B\":\"2\"}", "{\"a\": \"3\"}", "{\"a\":\"3\",\"B\":\"2\"}"},
    {"{\"A\":\"1\",\"B\":\"2\"}", "{\"a\": null}", "{\"B\":\"2\"}"},
    {"{\"A\":\"1\"}", "{\"c\": null}", "{\"A\":\"1\"}"},
    {"{\"A\":\"1\"}", "{\"A\": null}", NULL},
    {"{\"A\":\"1\"}", "{}", "{\"A\":\"1\"}"},
    {"{\"A\":\"1\"}", "null", NULL},
};

START_TEST(a_change_is_merged)
{
    struct err err;
    struct str merged;
    ck_assert_int_eq(merge(str_of(merges[_i].now), merges[_i].change, &merged, &err), 0);
    if (merges[_i].merged == NULL)
        ck_assert_ptr_null(merged.p);
    else
        ck_assert_msg(str_is(merged, merges[_i].merged), "%.*s", STR_ARG(merged));
}
END_TEST

static const char *many(unsigned from, unsigned count)
{
    const char *text = "{";
    for (unsigned i = 0; i < count; i++)
        text = pool_printf(pool, "%s%s\"X-%u\":\"v\"", text, i > 0 ? "," : "", from + i);
    return pool_printf(pool, "%s}", text);
}

START_TEST(there_are_twenty_at_most)
{
    struct err err;
    struct str merged, more;
    ck_assert_int_eq(merge(STR_NULL, many(0, 21), &merged, &err), -1);
    ck_assert_int_eq(merge(STR_NULL, many(0, 20), &merged, &err), 0);
    ck_assert_int_eq(merge(merged, many(19, 1), &more, &err), 0);
    ck_assert_int_eq(merge(merged, many(20, 1), &more, &err), -1);
    ck_assert_str_eq(err.message, "headers must be at most 20.");
}
END_TEST

START_TEST(a_value_has_4096_bytes_at_most)
{
    struct err err;
    struct str merged;
    char value[4098];
    memset(value, 'v', sizeof value);
    value[4096] = '\0';
    ck_assert_int_eq(merge(STR_NULL, pool_printf(pool, "{\"A\":\"%s\"}", value), &merged, &err), 0);
    value[4096] = 'v';
    value[4097] = '\0';
    ck_assert_int_eq(merge(STR_NULL, pool_printf(pool, "{\"A\":\"%s\"}", value), &merged, &err),
                     -1);
}
END_TEST

START_TEST(readers_see_names_and_receivers_lines)
{
    struct err err;
    struct buf b;
    struct str *lines, stored = STR("{\"Authorization\":\"Bearer a\\\"b\",\"X\":\"1\"}");
    size_t count;
    buf_init(&b, 1000);
    ck_assert_int_eq(custom_headers_hidden(&b, pool, stored, &err), 0);
    ck_assert(str_is(buf_as_str(&b), "{\"Authorization\":\"(hidden)\",\"X\":\"(hidden)\"}"));
    buf_clear(&b);
    ck_assert_int_eq(custom_headers_hidden(&b, pool, STR_NULL, &err), 0);
    ck_assert(str_is(buf_as_str(&b), "{}"));
    buf_deinit(&b);
    ck_assert_int_eq(custom_headers_lines(pool, stored, &lines, &count, &err), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert(str_is(lines[0], "Authorization: Bearer a\"b"));
    ck_assert(str_is(lines[1], "X: 1"));
    ck_assert_int_eq(custom_headers_lines(pool, STR_NULL, &lines, &count, &err), 0);
    ck_assert_uint_eq(count, 0);
}
END_TEST

static Suite *custom_headers_suite(void)
{
    Suite *s = suite_create("custom_headers");
    TCase *c = tcase_create("custom_headers");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, a_change_is_checked, 0, CASES(changes));
    tcase_add_loop_test(c, a_change_is_merged, 0, CASES(merges));
    tcase_add_test(c, there_are_twenty_at_most);
    tcase_add_test(c, a_value_has_4096_bytes_at_most);
    tcase_add_test(c, readers_see_names_and_receivers_lines);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(custom_headers_suite)
