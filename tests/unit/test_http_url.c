/*
 * test_http_url.c - cutting URLs, and what is no URL for us.
 */
#include "lib/base/http.h"
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"

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
    const char *url, *scheme, *host, *path;
    unsigned port;
    bool has_user, has_fragment;
} good[] = {
    {"https://example.com/a/b?c=d", "https", "example.com", "/a/b", 443, false, false},
    {"HTTP://EXAMPLE.com:8080", "http", "example.com", "/", 8080, false, false},
    {"http://example.com?x=/y", "http", "example.com", "/", 80, false, false},
    {"https://user:pass@example.com/x", "https", "example.com", "/x", 443, true, false},
    {"https://@example.com", "https", "example.com", "/", 443, true, false},
    {"https://example.com/#here", "https", "example.com", "/", 443, false, true},
    {"https://example.com/?a#", "https", "example.com", "/", 443, false, true},
    {"https://[2001:DB8::1]:8443/x", "https", "2001:db8::1", "/x", 8443, false, false},
    {"https://[::ffff:127.0.0.1]/", "https", "::ffff:127.0.0.1", "/", 443, false, false},
    {"https://0x7f.1/", "https", "0x7f.1", "/", 443, false, false},
    {"https://a_b-c.example./", "https", "a_b-c.example.", "/", 443, false, false},
    {"https://example.com/a@b:c/[d]{e}|f%zz", "https", "example.com", "/a@b:c/[d]{e}|f%zz", 443,
     false, false},
};

START_TEST(parts_of_urls)
{
    struct url_parts parts = {0};
    ck_assert_ok(http_url_split(pool, str_of(good[_i].url), &parts, &err), err);
    ck_assert_str_is(parts.scheme, good[_i].scheme);
    ck_assert_str_is(parts.host, good[_i].host);
    ck_assert_str_is(parts.path, good[_i].path);
    ck_assert_uint_eq(parts.port, good[_i].port);
    ck_assert_int_eq(parts.has_user, good[_i].has_user);
    ck_assert_int_eq(parts.has_fragment, good[_i].has_fragment);
}
END_TEST

static const char *const bad[] = {
    "",
    "example.com",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "https:/example.com",
    "https:example.com",
    "https://",
    "https:///path",
    "https://:443/",
    "https://user@/",
    "https://exa mple.com/",
    " https://example.com/",
    "https://example.com/a b",
    "https://example.com/a\r\nX: y",
    "https://example.com/\x7f",
    "https://ex\xc3\xa4mple.com/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:-1/",
    "https://example.com:/",
    "https://example.com:80x/",
    "https://example.com:80:90/",
    "https://example.com\\@evil.example/",
    "https://a@b@example.com/",
    "https://a\\b@example.com/",
    "https://exa%6Dple.com/",
    "https://.example.com/",
    "https://[::1/",
    "https://[::1]x/",
    "https://[fe80::1%25eth0]/",
    "https://[127.0.0.1]/",
    "https://::1/",
};

START_TEST(no_urls)
{
    struct url_parts parts;
    ck_assert_msg(http_url_split(pool, str_of(bad[_i]), &parts, &err) == -1, "%s", bad[_i]);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
    struct url_parts parts;
    ck_assert_int_eq(http_url_split(pool, STR("https://example.com\0.evil/"), &parts, &err), -1);
    ck_assert_int_eq(http_url_split(pool, STR_NULL, &parts, &err), -1);
}
END_TEST

START_TEST(a_host_name_has_at_most_253_bytes)
{
    struct url_parts parts;
    const char *url = pool_printf(pool, "https://%0253d/", 1);
    ck_assert_ok(http_url_split(pool, str_of(url), &parts, &err), err);
    url = pool_printf(pool, "https://%0254d/", 1);
    ck_assert_int_eq(http_url_split(pool, str_of(url), &parts, &err), -1);
}
END_TEST

static Suite *http_url_suite(void)
{
    Suite *suite = suite_create("http_url");
    TCase *tc = tcase_create("http_url");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, parts_of_urls, 0, CASES(good));
    tcase_add_loop_test(tc, no_urls, 0, CASES(bad));
    tcase_add_test(tc, a_nul_ends_nothing);
    tcase_add_test(tc, a_host_name_has_at_most_253_bytes);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(http_url_suite)
