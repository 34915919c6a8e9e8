/*
 * test_mail.c - addresses of people, and mails as bytes.
 */
#include "lib/rules/email.h"
#include "lib/rules/mail.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/check_main.h"

static struct pool *pool;
static struct buf b;

static void setup(void)
{
    pool_create(&pool);
    buf_init(&b, 65536);
}

static void teardown(void)
{
    buf_deinit(&b);
    pool_destroy(&pool);
}

static const struct {
    const char *given, *email; /* NULL: refused */
} emails[] = {
    {"raj@company.com", "raj@company.com"},
    {"Raj.Patel+Test@Company.COM", "raj.patel+test@company.com"},
    {"r@localhost", "r@localhost"},
    {"a_b=c/d@x-y.example", "a_b=c/d@x-y.example"},
    {"", NULL},
    {"raj", NULL},
    {"@company.com", NULL},
    {"raj@", NULL},
    {"raj@a@b", NULL},
    {"-oX@company.com", NULL},
    {".raj@company.com", NULL},
    {"raj.@company.com", NULL},
    {"raj..p@company.com", NULL},
    {"raj@company..com", NULL},
    {"raj@company.com.", NULL},
    {"raj@-company.com", NULL},
    {"raj patel@company.com", NULL},
    {"raj@company.com\nBcc: x@y.z", NULL},
    {"raj@company.com\r", NULL},
    {"<raj@company.com>", NULL},
    {"\"raj\"@company.com", NULL},
    {"raj,x@company.com", NULL},
    {"raj@[127.0.0.1]", NULL},
    {"r\xc3\xa4j@company.com", NULL},
};

START_TEST(an_address_has_one_spelling)
{
    struct str email;
    struct err err;
    int rc = email_read(pool, "email", str_of(emails[_i].given), &email, &err);
    ck_assert_msg(rc == (emails[_i].email != NULL ? 0 : -1), "%s", emails[_i].given);
    if (rc == 0)
        ck_assert_str_is(email, emails[_i].email);
    else
        ck_assert_int_eq(strncmp(err.message, "email must be", 13), 0);
}
END_TEST

START_TEST(an_address_is_not_longer_than_it_may_be)
{
    char text[400];
    struct str email;
    struct err err;

    memset(text, 'a', sizeof text);
    text[64] = '@';
    for (size_t i = 70; i < sizeof text; i += 5)
        text[i] = '.';
    ck_assert_int_eq(email_read(pool, "email", (struct str){text, 254}, &email, &err), 0);
    ck_assert_int_eq(email_read(pool, "email", (struct str){text, 256}, &email, &err), -1);
    text[64] = 'a';
    text[65] = '@';
    ck_assert_int_eq(email_read(pool, "email", (struct str){text, 100}, &email, &err), -1);
}
END_TEST

static const char *render(const char *subject, const char *body)
{
    struct mail mail = {STR("raj@company.com"), str_of(subject), str_of(body)};
    buf_clear(&b);
    mail_render(&b, &mail, STR("huskyvoice@calls.example.org"), 1706324520 * USEC_PER_S,
                STR("abc"));
    return b.data;
}

START_TEST(a_plain_mail)
{
    ck_assert_str_eq(render("Hello", "One\nTwo\n"),
                     "From: HuskyVoice <huskyvoice@calls.example.org>\n"
                     "To: <raj@company.com>\n"
                     "Subject: Hello\n"
                     "Date: Sat, 27 Jan 2024 03:02:00 +0000\n"
                     "Message-Id: <abc@calls.example.org>\n"
                     "Auto-Submitted: auto-generated\n"
                     "MIME-Version: 1.0\n"
                     "Content-Type: text/plain; charset=us-ascii\n"
                     "Content-Transfer-Encoding: 7bit\n"
                     "\n"
                     "One\nTwo\n");
}
END_TEST

START_TEST(nothing_in_a_subject_begins_a_header)
{
    static const char *const subjects[] = {"Hi\nBcc: x@y.z", "Hi\r\nBcc: x@y.z", "Hi\rBcc: x@y.z",
                                           "\n\nBody", "R\xc3\xa4j\nBcc: x@y.z"};
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        const char *text = render(subjects[i], "x\n");
        ck_assert_ptr_null(strstr(text, "Bcc"));
        ck_assert_ptr_null(strchr(text, '\r'));
        ck_assert_ptr_nonnull(strstr(text, "Subject: =?UTF-8?B?"));
        ck_assert_ptr_nonnull(strstr(text, "\n\nx\n"));
    }
}
END_TEST

START_TEST(a_long_subject_is_cut_between_characters)
{
    char subject[301];
    for (size_t i = 0; i < 300; i += 3)
        memcpy(subject + i, "\xe0\xa4\xb0", 3);
    subject[300] = '\0';
    const char *at = strstr(render(subject, "x\n"), "Subject: ") + 9;
    size_t total = 0;
    while (strncmp(at, "=?UTF-8?B?", 10) == 0) {
        const char *end = strstr(at, "?=");
        unsigned char bytes[64];
        size_t n;
        ck_assert_int_lt(end + 2 - at, 76);
        ck_assert_int_eq(
            base64_decode((struct str){at + 10, (size_t)(end - at - 10)}, bytes, 64, &n), 0);
        ck_assert(str_utf8_valid((struct str){(const char *)bytes, n}));
        total += n;
        at = end + (end[3] == ' ' ? 4 : 3);
    }
    ck_assert_uint_eq(total, 300);
}
END_TEST

START_TEST(a_body_that_is_not_plain_is_base64)
{
    char body[2001];
    memset(body, 'a', 2000);
    body[2000] = '\0';
    ck_assert_ptr_nonnull(strstr(render("s", "R\xc3\xa4j\n"), "base64\n\nUsOkago=\n"));
    ck_assert_ptr_nonnull(strstr(render("s", body), "base64\n\n"));
    ck_assert_ptr_nonnull(strstr(render("s", "a\rb\n"), "base64\n\n"));
    ck_assert_ptr_null(strstr(render("s", body), "aaaa"));
}
END_TEST

START_TEST(senders_and_links)
{
    ck_assert_str_is(mail_sender(pool, STR("a@b.c"), STR("https://x.y")), "a@b.c");
    ck_assert_str_is(mail_sender(pool, STR(""), STR("https://x.y:8080/z")), "huskyvoice@x.y");
    ck_assert_str_is(mail_link(pool, STR("https://x.y/"), "reset", "t"), "https://x.y/#reset=t");
}
END_TEST

static Suite *mail_suite(void)
{
    Suite *suite = suite_create("mail");
    TCase *tc = tcase_create("mail");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, an_address_has_one_spelling, 0, CASES(emails));
    tcase_add_test(tc, an_address_is_not_longer_than_it_may_be);
    tcase_add_test(tc, a_plain_mail);
    tcase_add_test(tc, nothing_in_a_subject_begins_a_header);
    tcase_add_test(tc, a_long_subject_is_cut_between_characters);
    tcase_add_test(tc, a_body_that_is_not_plain_is_base64);
    tcase_add_test(tc, senders_and_links);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(mail_suite)
