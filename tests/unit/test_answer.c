/*
 * test_answer.c - the bytes that go back: status and headers of every error, the envelope, and what
 * no input may bring about.
 */
#include "fcgi/answer.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct answer an;

static void setup(void)
{
    answer_init(&an);
}

static void teardown(void)
{
    answer_deinit(&an);
}

static const char *wire(bool without_body)
{
    static char text[65536];
    struct str s = answer_wire(&an, "req_1", without_body);
    ck_assert_uint_lt(s.n, sizeof(text));
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

static const struct {
    enum err_code code;
    int status;
    const char *shown, *header;
} errors[] = {
    {ERR_NONE, 500, "internal_error", NULL},
    {ERR_INVALID, 400, "invalid_request", NULL},
    {ERR_UNAUTHORIZED, 401, "unauthorized", "WWW-Authenticate: Bearer\r\n"},
    {ERR_FORBIDDEN, 403, "forbidden", NULL},
    {ERR_NOT_FOUND, 404, "not_found", NULL},
    {ERR_METHOD, 405, "method_not_allowed", NULL},
    {ERR_NOT_CANCELLABLE, 409, "call_not_cancellable", NULL},
    {ERR_CONFLICT, 409, "conflict", NULL},
    {ERR_TOO_LARGE, 413, "payload_too_large", NULL},
    {ERR_MEDIA_TYPE, 415, "unsupported_media_type", NULL},
    {ERR_KEY_REUSED, 422, "idempotency_key_reused", NULL},
    {ERR_RATE_LIMITED, 429, "rate_limited", NULL},
    {ERR_INTERNAL, 500, "internal_error", NULL},
    {ERR_UNAVAILABLE, 503, "unavailable", "Retry-After: 1\r\n"},
    {ERR_UNCERTAIN, 503, "unavailable", "Retry-After: 1\r\n"},
};
_Static_assert(sizeof(errors) / sizeof(*errors) == ERR_CODE_COUNT, "every error has its case");

START_TEST(an_error_has_its_status_and_headers)
{
    struct err err;
    err_set(&err, errors[_i].code, "the message of %d", _i);
    answer_error(&an, &err);
    const char *text = wire(false);
    char status[32], code[64];
    snprintf(status, sizeof(status), "Status: %d ", errors[_i].status);
    snprintf(code, sizeof(code), "{\"error\":{\"code\":\"%s\",\"message\":\"", errors[_i].shown);
    ck_assert_msg(strncmp(text, status, strlen(status)) == 0, "%s", text);
    ck_assert_msg(strstr(text, code) != NULL, "%s", text);
    if (errors[_i].header != NULL)
        ck_assert_msg(strstr(text, errors[_i].header) != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Cache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "X-Request-Id: req_1\r\n"));
    /* what went wrong inside stays inside */
    bool told = strstr(text, "the message of") != NULL;
    ck_assert_int_eq(told, errors[_i].status < 500);
}
END_TEST

START_TEST(an_answer_as_a_whole)
{
    answer_header(&an, "Location", STR("https://x/v1/calls/1"));
    an.status = STATUS_201;
    buf_lit(&an.body, "{\"data\":1}");
    ck_assert_str_eq(wire(false), "Status: 201 Created\r\n"
                                  "X-Request-Id: req_1\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Location: https://x/v1/calls/1\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 10\r\n"
                                  "\r\n"
                                  "{\"data\":1}");
}
END_TEST

START_TEST(head_has_the_length_and_not_the_body)
{
    buf_lit(&an.body, "{\"data\":1}");
    const char *text = wire(true);
    ck_assert_ptr_nonnull(strstr(text, "Content-Length: 10\r\n\r\n"));
    ck_assert_ptr_null(strstr(text, "data"));
}
END_TEST

START_TEST(no_content_has_neither_type_nor_length)
{
    an.status = STATUS_204;
    const char *text = wire(false);
    ck_assert_ptr_null(strstr(text, "Content-"));
    ck_assert_str_eq(text + strlen(text) - 4, "\r\n\r\n");
}
END_TEST

START_TEST(a_value_cannot_start_a_header)
{
    answer_header(&an, "Location", STR("a\r\nSet-Cookie: x=1\r\n\r\nb\x01\x7f\xc3\xa9\0end"));
    const char *text = wire(false);
    ck_assert_ptr_nonnull(
        strstr(text, "\r\nLocation: a??Set-Cookie: x=1????b?????end\r\nContent-Type"));
    ck_assert_ptr_null(strstr(text, "\nSet-Cookie"));
}
END_TEST

START_TEST(a_message_is_json_whatever_it_holds)
{
    struct err err;
    err_set(&err, ERR_INVALID, "%s", "\"quoted\" \\ \r\n field \xc3\xa9");
    answer_error(&an, &err);
    ck_assert_ptr_nonnull(
        strstr(wire(false), "\"message\":\"\\\"quoted\\\" \\\\ \\r\\n field \xc3\xa9\"}}"));
}
END_TEST

START_TEST(a_message_that_is_too_long_stays_utf8)
{
    struct err err;
    for (int shift = 0; shift < 4; shift++) {
        char text[2 * sizeof(err.message)] = "";
        for (size_t n = 0; n + 4 < sizeof(text); n += 3)
            strcat(text, "\xe2\x82\xac");
        err_set(&err, ERR_INVALID, "%.*s%s", shift, "aaa", text);
        answer_error(&an, &err);
        ck_assert(str_utf8_valid(buf_as_str(&an.body)));
        ck_assert_uint_gt(an.body.len, sizeof(err.message) - 4);
    }
}
END_TEST

START_TEST(an_error_replaces_what_was_begun)
{
    struct err err;
    buf_lit(&an.body, "{\"data\":[");
    answer_header(&an, "Location", STR("x"));
    an.content_type = "text/plain";
    err_set(&err, ERR_INTERNAL, "SELECT secret FROM x");
    answer_error(&an, &err);
    const char *text = wire(false);
    ck_assert_ptr_null(strstr(text, "data"));
    ck_assert_ptr_null(strstr(text, "Location"));
    ck_assert_ptr_null(strstr(text, "SELECT"));
    ck_assert_ptr_nonnull(strstr(text, "An unexpected error occurred."));
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: application/json"));
}
END_TEST

START_TEST(nothing_is_left_for_the_next)
{
    an.status = STATUS_404;
    buf_lit(&an.body, "x");
    answer_header(&an, "Location", STR("x"));
    (void)wire(false);
    answer_clear(&an);
    ck_assert_str_eq(wire(false), "Status: 200 OK\r\n"
                                  "X-Request-Id: req_1\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: 0\r\n"
                                  "\r\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tc = tcase_create("answer");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, an_error_has_its_status_and_headers, 0, ERR_CODE_COUNT);
    tcase_add_test(tc, an_answer_as_a_whole);
    tcase_add_test(tc, head_has_the_length_and_not_the_body);
    tcase_add_test(tc, no_content_has_neither_type_nor_length);
    tcase_add_test(tc, a_value_cannot_start_a_header);
    tcase_add_test(tc, a_message_is_json_whatever_it_holds);
    tcase_add_test(tc, a_message_that_is_too_long_stays_utf8);
    tcase_add_test(tc, an_error_replaces_what_was_begun);
    tcase_add_test(tc, nothing_is_left_for_the_next);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
