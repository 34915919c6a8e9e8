/*
 * test_url_guard.c - which addresses may be dialled and which URLs may be saved, with nothing
 * allowed beyond the public internet and with ranges of the operator's.
 */
#include "lib/rules/url_guard.h"
#include "tests/unit/check_main.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
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

static struct url_guard *guard_of(const char *cidrs)
{
    struct url_guard *guard;
    struct err err;

    ck_assert_msg(url_guard_parse(pool, str_of(cidrs), &guard, &err) == 0, "%s", cidrs);
    return guard;
}

static bool may_dial(const char *cidrs, bool https, const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return url_guard_address(guard_of(cidrs), https, (struct sockaddr *)&in);
    ck_assert_msg(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1, "%s", text);
    return url_guard_address(guard_of(cidrs), https, (struct sockaddr *)&in6);
}

/* The edges of each reserved range, and the public neighbours. */
static const char *const reserved[] = {
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.255",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::7f00:1",
    "::808:808",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:4136:e378::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "2002::1",
    "2002:808:808::1",
    "2002:7f00:1::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff00::1",
    "ff02::1",
    "ffff:ffff::1",
};

static const char *const public[] = {
    "1.0.0.0",         "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
    "100.128.0.0",     "126.255.255.255", "128.0.0.0",       "168.63.129.15",   "168.63.129.17",
    "169.253.255.255", "169.255.0.0",     "172.15.255.255",  "172.32.0.0",      "192.0.1.0",
    "192.0.3.0",       "192.31.195.255",  "192.31.197.0",    "192.88.98.255",   "192.167.255.255",
    "192.169.0.0",     "198.17.255.255",  "198.20.0.0",      "198.51.99.255",   "203.0.112.255",
    "203.0.114.0",     "223.255.255.255", "2001:200::1",     "2001:4860::8888", "2001:db7:ffff::",
    "2001:db9::1",     "2003::1",         "2606:4700::1111", "2620:4f:7fff::1", "2620:4f:8001::1",
    "3fff:1000::1",    "3ffe::1",         "2a00:1450::1",
};

START_TEST(reserved_addresses)
{
    ck_assert_msg(!may_dial("", true, reserved[_i]), "%s", reserved[_i]);
    ck_assert_msg(!may_dial("", false, reserved[_i]), "%s", reserved[_i]);
}
END_TEST

START_TEST(public_addresses)
{
    ck_assert_msg(may_dial("", true, public[_i]), "%s", public[_i]);
    ck_assert_msg(!may_dial("", false, public[_i]), "%s over http", public[_i]);
}
END_TEST

static const struct {
    const char *cidrs;
    bool https;
    const char *address;
    bool may;
} allowed[] = {
    {"10.0.0.0/8", true, "10.1.2.3", true},
    {"10.0.0.0/8", false, "10.1.2.3", true},
    {"10.0.0.0/8", false, "11.1.2.3", false},
    {"10.0.0.0/8", true, "192.168.0.1", false},
    {"10.0.0.0/8, 192.168.0.0/16", true, "192.168.0.1", true},
    {"127.0.0.1/32", false, "127.0.0.1", true},
    {"127.0.0.1", false, "127.0.0.1", true},
    {"127.0.0.1/32", false, "127.0.0.2", false},
    {"::1/128", false, "::1", true},
    {"::1/128", false, "127.0.0.1", false},
    {"127.0.0.0/8", false, "::1", false},
    {"0.0.0.0/0", false, "8.8.8.8", true},
    {"0.0.0.0/0", true, "::1", false},
    {"169.254.169.254/32", true, "169.254.169.254", true},
    {"fd00::/8", false, "fd00:ec2::254", true},
    {"172.16.0.0/13", true, "172.23.255.255", true},
    {"172.16.0.0/13", true, "172.24.0.0", false},
    /* what wraps and what is wrapped must both be allowed */
    {"10.0.0.0/8", true, "::ffff:10.0.0.1", false},
    {"::ffff:0:0/96", true, "::ffff:10.0.0.1", false},
    {"::ffff:0:0/96", true, "::ffff:8.8.8.8", true},
    {"::ffff:0:0/96, 10.0.0.0/8", true, "::ffff:10.0.0.1", true},
    {"64:ff9b::/96", true, "64:ff9b::808:808", true},
    {"64:ff9b::/96", false, "64:ff9b::808:808", false},
    {"64:ff9b::/96", true, "64:ff9b::a00:1", false},
    {"64:ff9b::/96, 10.0.0.0/8", false, "64:ff9b::a00:1", true},
    {"64:ff9b:1::/48", true, "64:ff9b:1::7f00:1", false},
    {"2002::/16", true, "2002:7f00:1::1", false},
    {"2002::/16", true, "2002:808:808::1", true},
    {"2001::/32", true, "2001:0:808:808:0:0:f5ff:fffe", false}, /* the client is 10.0.0.1 */
    {"2001::/32", true, "2001:0:7f00:1:0:0:f7f7:f7f7", false},  /* the server is 127.0.0.1 */
    {"2001::/32", true, "2001:0:808:808:0:0:f7f7:f7f7", true},
    {"::/96", true, "::7f00:1", false},
    {"::/0", true, "::ffff:127.0.0.1", false},
    {"::/0", true, "::1", true},
};

START_TEST(what_the_operator_allows)
{
    ck_assert_msg(may_dial(allowed[_i].cidrs, allowed[_i].https, allowed[_i].address) ==
                      allowed[_i].may,
                  "%s: %s", allowed[_i].cidrs, allowed[_i].address);
}
END_TEST

START_TEST(other_families_are_refused)
{
    struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};

    ck_assert(
        !url_guard_address(guard_of("0.0.0.0/0,::/0"), true, (struct sockaddr *)&unix_socket));
}
END_TEST

static const struct {
    const char *cidrs, *bad; /* bad NULL: fine */
} lists[] = {
    {"", NULL},
    {" ", NULL},
    {",", NULL},
    {"10.0.0.0/8, 127.0.0.1/32, ::1/128", NULL},
    {"10.0.0.0/8,", NULL},
    {"10.0.0.1", NULL},
    {"fd00::/8", NULL},
    {"0.0.0.0/0", NULL},
    {"10.0.0.0/33", "10.0.0.0/33"},
    {"::1/129", "::1/129"},
    {"10.0.0.0/", "10.0.0.0/"},
    {"10.0.0.0/-1", "10.0.0.0/-1"},
    {"10.0.0.0/8/8", "10.0.0.0/8/8"},
    {"10.0.0.1/8", "10.0.0.1/8"},
    {"10.0.0/24", "10.0.0/24"},
    {"010.0.0.0/8", "010.0.0.0/8"},
    {"127.0.0.1/32, localhost", "localhost"},
    {"[::1]/128", "[::1]/128"},
    {"fe80::1%eth0/128", "fe80::1%eth0/128"},
    {"/8", "/8"},
    {"10.0.0.0 /8", "10.0.0.0 /8"},
};

START_TEST(lists_of_ranges)
{
    struct url_guard *guard;
    struct err err = {.code = ERR_NONE};
    char message[120];
    int result = url_guard_parse(pool, str_of(lists[_i].cidrs), &guard, &err);

    ck_assert_msg(result == (lists[_i].bad == NULL ? 0 : -1), "\"%s\"", lists[_i].cidrs);
    if (lists[_i].bad != NULL) {
        snprintf(message, sizeof(message), "\"%s\" is not an address range like 10.0.0.0/8.",
                 lists[_i].bad);
        ck_assert_str_eq(err.message, message);
        ck_assert_int_eq(err.code, ERR_INVALID);
    }
}
END_TEST

#define HTTPS "url must be https."
#define PRIVATE "url must not point to a private or reserved address."
#define PLAIN "url must have a plain host name or address."
#define USER "url must not contain a user name or password."
#define FRAGMENT "url must not contain a fragment (#)."
#define FORM "url must be a URL such as https://example.com/path."
#define CHARACTERS "url must not contain blanks, backslashes or characters beyond ASCII."
#define ANY "" /* refused, with whichever message */

static const struct {
    const char *cidrs, *url, *message; /* message NULL: fine */
} urls[] = {
    {"", "https://example.com", NULL},
    {"", "https://example.com/", NULL},
    {"", "HTTPS://Example.COM/hooks?a=b&c=d", NULL},
    {"", "https://example.com:8443/hooks", NULL},
    {"", "https://example.com./hooks", NULL},
    {"", "https://a.b-c.d_e.example/", NULL},
    {"", "https://xn--bcher-kva.example/", NULL},
    {"", "https://intranet/", NULL}, /* a name: judged when it is dialled */
    {"", "https://8.8.8.8/", NULL},
    {"", "https://[2606:4700::1111]/", NULL},
    {"", "https://[2606:4700:0:0:0:0:0:1111]:8443/", NULL},
    {"", "https://1.example.com/", NULL},
    {"", "https://example.0xcom.org/", NULL},
    /* schemes */
    {"", "http://example.com/", HTTPS},
    {"10.0.0.0/8", "http://example.com/", NULL},
    {"10.0.0.0/8", "http://10.0.0.1:8080/hook", NULL},
    {"10.0.0.0/8", "https://10.0.0.1/", NULL},
    {"10.0.0.0/8", "http://8.8.8.8/", HTTPS},
    {"10.0.0.0/8", "http://127.0.0.1/", PRIVATE},
    {"127.0.0.1/32", "http://127.0.0.1:9000/", NULL},
    {"::1/128", "http://[::1]:9000/", NULL},
    {"10.0.0.0/8", "ftp://10.0.0.1/", ANY},
    {"", "gopher://example.com/", ANY},
    {"", "file:///etc/passwd", ANY},
    {"", "javascript:alert(1)", ANY},
    {"", "//example.com/", ANY},
    {"", "example.com/hooks", ANY},
    {"", "https:example.com", ANY},
    {"", "https:/example.com", ANY},
    {"", "https://", ANY},
    {"", "https:///hooks", ANY},
    {"", "", FORM},
    /* private, literally */
    {"", "https://127.0.0.1/", PRIVATE},
    {"", "https://10.0.0.1/", PRIVATE},
    {"", "https://169.254.169.254/latest/meta-data/", PRIVATE},
    {"", "https://168.63.129.16/", PRIVATE},
    {"", "https://[::1]/", PRIVATE},
    {"", "https://[::]/", PRIVATE},
    {"", "https://[::ffff:127.0.0.1]/", PRIVATE},
    {"", "https://[::ffff:8.8.8.8]/", PRIVATE},
    {"", "https://[0:0:0:0:0:ffff:7f00:1]/", PRIVATE},
    {"", "https://[64:ff9b::127.0.0.1]/", PRIVATE},
    {"", "https://[fd00:ec2::254]/", PRIVATE},
    {"", "https://[2002:7f00:1::]/", PRIVATE},
    /* private, by name */
    {"", "https://localhost/", PRIVATE},
    {"", "https://LOCALHOST./", PRIVATE},
    {"", "https://a.localhost:8443/", PRIVATE},
    {"", "https://printer.local/", PRIVATE},
    {"", "https://metadata.google.internal/", PRIVATE},
    {"", "https://localhost.example.com/", NULL},
    {"", "https://mylocalhost/", NULL},
    {"127.0.0.1/32", "http://localhost:9000/", NULL},
    {"127.0.0.0/8", "https://localhost/", NULL},
    {"0.0.0.0/0", "https://localhost/", NULL},
    {"::1/128", "http://localhost/", NULL},
    {"10.0.0.0/8", "https://localhost/", PRIVATE},
    {"10.0.0.0/8", "https://crm.internal/", NULL},
    {"10.0.0.0/8", "http://crm.local/", NULL},
    /* addresses in disguise */
    {"", "https://2130706433/", PLAIN},
    {"", "https://017700000001/", PLAIN},
    {"", "https://0x7f000001/", PLAIN},
    {"", "https://0x7f.1/", PLAIN},
    {"", "https://127.1/", PLAIN},
    {"", "https://127.0.0.1./", PLAIN},
    {"", "https://127.0.0.0x1/", PLAIN},
    {"", "https://0177.0.0.1/", PLAIN},
    {"", "https://08.8.8.8/", PLAIN},
    {"", "https://134744072/", PLAIN}, /* 8.8.8.8 */
    {"", "https://256.256.256.256/", PLAIN},
    {"", "https://1.2.3.4.5/", PLAIN},
    {"127.0.0.0/8", "http://2130706433/", PLAIN},
    {"", "https://%31%32%37.0.0.1/", ANY},
    {"", "https://ex%61mple.com/", ANY},
    {"", "https://[fe80::1%25eth0]/", ANY},
    {"", "https://[fe80::1%eth0]/", ANY},
    {"", "https://[2606:4700::1111%25eth0]/", ANY},
    {"", "https://[example.com]/", ANY},
    {"", "https://[127.0.0.1]/", ANY},
    {"", "https://[8.8.8.8]/", ANY},
    {"", "https://2606:4700::1111/", ANY},
    {"", "https://[::1/", ANY},
    {"", "https://[]/", ANY},
    {"", "https://[v1.x]/", ANY},
    {"", "https://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/", CHARACTERS},
    {"",
     "https://b\xc3\xbc"
     "cher.example/",
     CHARACTERS},
    /* what confuses readers of URLs */
    {"", "https://user@example.com/", USER},
    {"", "https://user:password@example.com/", USER},
    {"", "https://example.com@127.0.0.1/", USER},
    {"", "https://example.com:443@127.0.0.1/", USER},
    {"", "https://@example.com/", USER},
    {"", "https://example.com#@127.0.0.1/", FRAGMENT},
    {"", "https://example.com/#part", FRAGMENT},
    {"", "https://example.com/#", FRAGMENT},
    {"", "https://example.com\\@127.0.0.1/", CHARACTERS},
    {"", "https://example.com /", CHARACTERS},
    {"", " https://example.com/", CHARACTERS},
    {"", "https://example.com/\n", CHARACTERS},
    {"", "https://example.com/a b", CHARACTERS},
    {"", "https://example..com/", ANY},
    {"", "https://.example.com/", ANY},
    {"", "https://example.com../", ANY},
    {"", "https://./", ANY},
    {"", "https://exa$mple.com/", ANY},
    {"", "https://example.com:0/", ANY},
    {"", "https://example.com:65536/", ANY},
    {"", "https://example.com:port/", ANY},
    {"", "https://example.com?@127.0.0.1/", NULL}, /* a query */
    {"", "https://example.com/@127.0.0.1", NULL},  /* a path */
    {"", "https://example.com/a//b", NULL},
};

START_TEST(urls_to_be_saved)
{
    struct err err = {.code = ERR_NONE};
    int result = url_guard_check(guard_of(urls[_i].cidrs), str_of(urls[_i].url), "url", &err);

    if (urls[_i].message == NULL) {
        ck_assert_msg(result == 0, "\"%s\": %s", urls[_i].url, err.message);
        return;
    }
    ck_assert_msg(result == -1, "\"%s\" is taken", urls[_i].url);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert(str_starts(str_of(err.message), "url must "));
    ck_assert_msg(urls[_i].message[0] == '\0' || strcmp(err.message, urls[_i].message) == 0,
                  "\"%s\": %s", urls[_i].url, err.message);
}
END_TEST

START_TEST(long_urls)
{
    static char url[2050] = "https://example.com/";
    struct err err;

    memset(url + 20, 'a', 2049 - 20);
    ck_assert_int_eq(url_guard_check(guard_of(""), (struct str){url, 2048}, "endpoint.url", &err),
                     0);
    ck_assert_int_eq(url_guard_check(guard_of(""), (struct str){url, 2049}, "endpoint.url", &err),
                     -1);
    ck_assert_str_eq(err.message, "endpoint.url must be at most 2048 characters.");
}
END_TEST

static Suite *url_guard_suite(void)
{
    Suite *suite = suite_create("url_guard");
    TCase *tc = tcase_create("url_guard");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, reserved_addresses, 0, (int)(sizeof(reserved) / sizeof(reserved[0])));
    tcase_add_loop_test(tc, public_addresses, 0, (int)(sizeof(public) / sizeof(public[0])));
    tcase_add_loop_test(tc, what_the_operator_allows, 0,
                        (int)(sizeof(allowed) / sizeof(allowed[0])));
    tcase_add_test(tc, other_families_are_refused);
    tcase_add_loop_test(tc, lists_of_ranges, 0, (int)(sizeof(lists) / sizeof(lists[0])));
    tcase_add_loop_test(tc, urls_to_be_saved, 0, (int)(sizeof(urls) / sizeof(urls[0])));
    tcase_add_test(tc, long_urls);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(url_guard_suite)
