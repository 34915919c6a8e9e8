/*
 * test_call_request.c - requests for calls: what is taken, what each fault is called, and what
 * makes two requests the same.
 */
#include "lib/rules/call_request.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>

#define NOW (INT64_C(1705313700) * USEC_PER_S) /* 2024-01-15T10:15:00Z */
#define AGENT "\"agent_id\":\"agent_00000000000000000000000008\""
#define NUMBER "\"contact_number\":\"+919876543210\""
#define BASE AGENT "," NUMBER

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

static int read_text(const char *text, struct call_request *request_r, struct err *err)
{
    struct json *body;

    if (json_parse(pool, str_of(text), &body, err) < 0)
        ck_abort_msg("%s: %s", text, err->message);
    return call_request_read(pool, body, NOW, request_r, err);
}

static struct call_request taken(const char *text)
{
    struct call_request request;
    struct err err = {.code = ERR_NONE};

    ck_assert_msg(read_text(text, &request, &err) == 0, "%s: %s", text, err.message);
    return request;
}

START_TEST(the_least)
{
    struct call_request r = taken("{" BASE "}");
    static const struct id agent = {{[15] = 2}};

    ck_assert(id_eq(&r.agent_id, &agent));
    ck_assert(str_is(r.contact_number, "+919876543210"));
    ck_assert_int_eq(r.number_kind, PHONE_MOBILE);
    ck_assert(r.contact_name.p == NULL && r.contact_email.p == NULL);
    ck_assert(r.additional_info.p == NULL);
    ck_assert(r.scheduled_at == TIME_NONE);
}
END_TEST

START_TEST(everything)
{
    struct call_request r =
        taken("{" AGENT ", \"contact_number\": \"+911123456789\", \"contact_name\": \"Raj Patel\", "
              "\"contact_email\": \"raj@company.com\", \"additional_info\": "
              "{\"company\": \"Acme Corp\", \"a\": [1, 2.5, null, true]}, "
              "\"scheduled_at\": \"2024-01-15T16:00:00+05:30\"}");

    ck_assert_int_eq(r.number_kind, PHONE_LANDLINE);
    ck_assert(str_is(r.contact_name, "Raj Patel"));
    ck_assert(str_is(r.contact_email, "raj@company.com"));
    ck_assert(str_is(r.additional_info, "{\"company\":\"Acme Corp\",\"a\":[1,2.5,null,true]}"));
    ck_assert_int_eq(r.scheduled_at, NOW + 900 * USEC_PER_S);
}
END_TEST

START_TEST(null_counts_as_not_given)
{
    struct call_request r = taken("{" BASE ",\"contact_name\":null,\"contact_email\":null,"
                                  "\"additional_info\":null,\"scheduled_at\":null}");

    ck_assert(r.contact_name.p == NULL && r.contact_email.p == NULL);
    ck_assert(r.additional_info.p == NULL);
    ck_assert(r.scheduled_at == TIME_NONE);
}
END_TEST

#define PHONE_SENTENCE "contact_number must be a valid +91 E.164 phone number. "
#define EMAIL_SENTENCE "contact_email must be an email address such as raj@company.com."
#define TIME_SENTENCE "scheduled_at must be an RFC 3339 time such as 2024-01-27T03:02:00Z."

static const struct {
    const char *body, *message;
} faults[] = {
    {"[]", "The request body must be a JSON object."},
    {"\"x\"", "The request body must be a JSON object."},
    {"null", "The request body must be a JSON object."},
    {"{}", "agent_id is required and must be a string."},
    {"{" NUMBER ",\"agent_id\":null}", "agent_id is required and must be a string."},
    {"{" NUMBER ",\"agent_id\":123}", "agent_id is required and must be a string."},
    {"{" AGENT "}", "contact_number is required and must be a string."},
    {"{" AGENT ",\"contact_number\":919876543210}",
     "contact_number is required and must be a string."},
    {"{" AGENT ",\"contact_number\":\"9876543210\"}", PHONE_SENTENCE "It has no +91 in front."},
    {"{" AGENT ",\"contact_number\":\"\"}", PHONE_SENTENCE "It is empty."},
    {"{" NUMBER ",\"agnet_id\":\"x\"}", "Unknown field \"agnet_id\"."},
    {"{" BASE ",\"\":1}", "Unknown field \"\"."},
    {"{" BASE ",\"Contact_name\":\"x\"}", "Unknown field \"Contact_name\"."},
    {"{" BASE ",\"data\":{}}", "Unknown field \"data\"."},
    {"{" BASE ",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}",
     "Unknown field \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"."},
    {"{" BASE ",\"contact_name\":1}", "contact_name must be a string."},
    {"{" BASE ",\"contact_name\":[\"x\"]}", "contact_name must be a string."},
    {"{" BASE ",\"contact_name\":\"a\\nb\"}", "contact_name must not contain control characters."},
    {"{" BASE ",\"contact_name\":\"a\\u007f\"}",
     "contact_name must not contain control characters."},
    {"{" BASE ",\"contact_name\":\"a\\u0085\"}",
     "contact_name must not contain control characters."},
    {"{" BASE ",\"contact_email\":true}", "contact_email must be a string."},
    {"{" BASE ",\"contact_email\":\"\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"raj\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"@company.com\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"raj@\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"raj@a@b\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"raj patel@company.com\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"contact_email\":\"raj@company.com\\r\\nBcc: x\"}", EMAIL_SENTENCE},
    {"{" BASE ",\"additional_info\":[]}", "additional_info must be an object."},
    {"{" BASE ",\"additional_info\":\"{}\"}", "additional_info must be an object."},
    {"{" BASE ",\"scheduled_at\":1705313700}", "scheduled_at must be a string."},
    {"{" BASE ",\"scheduled_at\":\"\"}", TIME_SENTENCE},
    {"{" BASE ",\"scheduled_at\":\"tomorrow\"}", TIME_SENTENCE},
    {"{" BASE ",\"scheduled_at\":\"2024-01-15 10:15:00Z\"}", TIME_SENTENCE},
    {"{" BASE ",\"scheduled_at\":\"2024-01-15T10:15:00\"}", TIME_SENTENCE},
    {"{" BASE ",\"scheduled_at\":\"2024-01-15T10:09:59.999Z\"}",
     "scheduled_at must not be more than 5 minutes in the past."},
    {"{" BASE ",\"scheduled_at\":\"2025-01-15T10:15:00.001Z\"}",
     "scheduled_at must not be more than a year ahead."},
};

START_TEST(faults_are_named)
{
    struct call_request request;
    struct err err = {.code = ERR_NONE};

    ck_assert_msg(read_text(faults[_i].body, &request, &err) == -1, "%s", faults[_i].body);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strcmp(err.message, faults[_i].message) == 0, "%s: %s", faults[_i].body,
                  err.message);
}
END_TEST

START_TEST(times_at_the_edges)
{
    ck_assert_int_eq(taken("{" BASE ",\"scheduled_at\":\"2024-01-15T10:10:00Z\"}").scheduled_at,
                     NOW - 300 * USEC_PER_S);
    ck_assert_int_eq(taken("{" BASE ",\"scheduled_at\":\"2025-01-15T10:15:00Z\"}").scheduled_at,
                     NOW + (usec_t)366 * 86400 * USEC_PER_S);
}
END_TEST

static const struct {
    const char *agent_id, *message;
} strangers[] = {
    {"agent_123", "agent_id \"agent_123\" is not an agent of this workspace."},
    {"", "agent_id \"\" is not an agent of this workspace."},
    {"018d0c3e-5aa0-7123-8456-789abcdef012",
     "agent_id \"018d0c3e-5aa0-7123-8456-789abcdef012\" is not an agent of this workspace."},
    {"AGENT_00000000000000000000000008",
     "agent_id \"AGENT_00000000000000000000000008\" is not an agent of this workspace."},
};

START_TEST(an_agent_id_of_another_form_is_unknown)
{
    struct call_request request;
    struct err err = {.code = ERR_NONE};
    const char *body =
        pool_printf(pool, "{" NUMBER ",\"agent_id\":\"%s\"}", strangers[_i].agent_id);

    ck_assert_int_eq(read_text(body, &request, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_str_eq(err.message, strangers[_i].message);
}
END_TEST

START_TEST(what_is_repeated_is_cut_between_characters)
{
    struct err err;
    char text[100], want[160];

    memset(text, 'x', 59);
    memcpy(text + 59, "\xe0\xa4\xb0 and more", 13);
    snprintf(want, sizeof(want), "agent_id \"%.59s\" is not an agent of this workspace.", text);
    ck_assert_int_eq(call_request_no_agent(&err, str_of(text)), -1);
    ck_assert_str_eq(err.message, want);
    ck_assert_int_eq(call_request_no_agent(&err, STR_NULL), -1);
}
END_TEST

static const char *body_with(const char *field, const char *character, size_t count)
{
    struct buf b;
    const char *text;

    buf_init(&b, 65536);
    buf_printf(&b, "{" BASE ",\"%s\":\"", field);
    for (size_t i = 0; i < count; i++)
        buf_text(&b, character);
    buf_text(&b, strcmp(field, "contact_email") == 0 ? "@b.in\"}" : "\"}");
    text = pool_dup(pool, b.data, b.len);
    buf_deinit(&b);
    return text;
}

START_TEST(lengths_count_in_characters)
{
    struct call_request r;
    struct err err;

    r = taken(body_with("contact_name", "\xe0\xa4\xb0", CONTACT_NAME_MAX));
    ck_assert_uint_eq(r.contact_name.n, 3 * CONTACT_NAME_MAX);
    ck_assert_int_eq(
        read_text(body_with("contact_name", "\xe0\xa4\xb0", CONTACT_NAME_MAX + 1), &r, &err), -1);
    ck_assert_str_eq(err.message, "contact_name must be at most 200 characters.");
    r = taken(body_with("contact_email", "a", CONTACT_EMAIL_MAX - 5));
    ck_assert_uint_eq(r.contact_email.n, CONTACT_EMAIL_MAX);
    ck_assert_int_eq(read_text(body_with("contact_email", "a", CONTACT_EMAIL_MAX - 4), &r, &err),
                     -1);
    ck_assert_str_eq(err.message, "contact_email must be at most 254 characters.");
}
END_TEST

static const struct {
    const char *name, *a, *b;
    bool same;
} pairs[] = {
    {"order and blanks",
     "{" AGENT "," NUMBER ",\"additional_info\":{\"a\":1,\"b\":{\"c\":2,\"d\":3}}}",
     "{ \"additional_info\" : {\"b\":{\"d\":3,\"c\":2},\"a\":1}, " NUMBER " , " AGENT " }", true},
    {"escapes", "{" BASE ",\"contact_name\":\"R\\u0061j\"}", "{" BASE ",\"contact_name\":\"Raj\"}",
     true},
    {"another name", "{" BASE ",\"contact_name\":\"Raj\"}", "{" BASE ",\"contact_name\":\"raj\"}",
     false},
    {"one field more", "{" BASE "}", "{" BASE ",\"contact_name\":\"Raj\"}", false},
    {"order of elements", "{" BASE ",\"additional_info\":{\"a\":[1,2]}}",
     "{" BASE ",\"additional_info\":{\"a\":[2,1]}}", false},
    {"number and string", "{" BASE ",\"additional_info\":{\"a\":1}}",
     "{" BASE ",\"additional_info\":{\"a\":\"1\"}}", false},
};

START_TEST(fingerprints)
{
    struct call_request a = taken(pairs[_i].a), b = taken(pairs[_i].b);
    bool same = memcmp(a.fingerprint, b.fingerprint, sizeof(a.fingerprint)) == 0;

    ck_assert_msg(same == pairs[_i].same, "%s", pairs[_i].name);
}
END_TEST

static const struct {
    const char *header, *key; /* key NULL: refused */
} keys[] = {
    {"call-request-001", "call-request-001"},
    {"a", "a"},
    {"\"call-request-001\"", "call-request-001"},
    {" call-request-001\t", "call-request-001"},
    {"with a blank", "with a blank"},
    {"\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"a\"b", "a\"b"},
    {"a\\b", "a\\b"},
    {"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"},
    {"", NULL},
    {" ", NULL},
    {"\"\"", NULL},
    {"\"", NULL},
    {"\"open", NULL},
    {"\"a\"b\"", NULL},
    {"\"a\" ;p=1", NULL},
    {"\"a\\\"", NULL},
    {"\"a\\n\"", NULL},
    {"a\tb", NULL},
    {"a\x01", NULL},
    {"a\x7f", NULL},
    {"caf\xc3\xa9", NULL},
};

START_TEST(idempotency_keys)
{
    struct str key;
    struct err err = {.code = ERR_NONE};
    int result = idempotency_key_read(pool, str_of(keys[_i].header), &key, &err);

    if (keys[_i].key == NULL) {
        ck_assert_msg(result == -1, "%s", keys[_i].header);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert(str_starts(str_of(err.message), "Idempotency-Key must be 1 to 255 "));
    } else {
        ck_assert_msg(result == 0 && str_is(key, keys[_i].key), "%s", keys[_i].header);
    }
}
END_TEST

START_TEST(idempotency_key_lengths)
{
    char text[2 * IDEMPOTENCY_KEY_MAX + 4];
    struct str key;
    struct err err;

    memset(text, 'k', sizeof(text));
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 255}, &key, &err), 0);
    ck_assert_uint_eq(key.n, 255);
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 256}, &key, &err), -1);
    text[0] = text[256] = '"';
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 257}, &key, &err), 0);
    ck_assert_uint_eq(key.n, 255);
    text[256] = 'k';
    text[257] = '"';
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 258}, &key, &err), -1);
    memset(text, '\\', sizeof(text)); /* 255 times \\ in quotes */
    text[0] = text[511] = '"';
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 512}, &key, &err), 0);
    ck_assert_uint_eq(key.n, 255);
    ck_assert_int_eq(idempotency_key_read(pool, (struct str){text, 513}, &key, &err), -1);
}
END_TEST

static Suite *call_request_suite(void)
{
    Suite *suite = suite_create("call_request");
    TCase *tc = tcase_create("call_request");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_least);
    tcase_add_test(tc, everything);
    tcase_add_test(tc, null_counts_as_not_given);
    tcase_add_loop_test(tc, faults_are_named, 0, (int)(sizeof(faults) / sizeof(faults[0])));
    tcase_add_test(tc, times_at_the_edges);
    tcase_add_loop_test(tc, an_agent_id_of_another_form_is_unknown, 0,
                        (int)(sizeof(strangers) / sizeof(strangers[0])));
    tcase_add_test(tc, what_is_repeated_is_cut_between_characters);
    tcase_add_test(tc, lengths_count_in_characters);
    tcase_add_loop_test(tc, fingerprints, 0, (int)(sizeof(pairs) / sizeof(pairs[0])));
    tcase_add_loop_test(tc, idempotency_keys, 0, (int)(sizeof(keys) / sizeof(keys[0])));
    tcase_add_test(tc, idempotency_key_lengths);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(call_request_suite)
