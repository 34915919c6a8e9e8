/*
 * test_batch_request.c - what is a batch and what is none. What was read is compared as text:
 * "line number name info" per contact, "line! message" per refusal.
 */
#include "lib/base/buf.h"
#include "lib/rules/batch_request.h"
#include "tests/unit/check_main.h"

#include <stdio.h>
#include <string.h>

#define NOW ((usec_t)1706324520 * USEC_PER_S) /* 2024-01-27T03:02:00Z */
#define AGENT "agent_01hn4a5hgre7xb03kq0t2vqyzr"
#define BEGIN "{\"agent_id\":\"" AGENT "\","
#define CALLED(number) "{\"contact_number\":\"" number "\"}"

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

static int read_json(const char *text, struct batch_request *r)
{
    struct json *json;
    ck_assert_ok(json_parse(pool, str_of(text), &json, &err), err);
    return batch_request_read_json(pool, json, NOW, r, &err);
}

static const struct batch_words just_agent = {STR_NULL, STR_NULL, STR_NULL, STR_NULL};

static int read_csv(const char *text, struct batch_request *r)
{
    struct batch_words words = just_agent;
    words.agent_id = STR(AGENT);
    return batch_request_read_csv(pool, &words, str_of(text), NOW, r, &err);
}

static const char *shown(const struct batch_request *r)
{
    struct buf b;
    buf_init(&b, 4000);
    for (size_t i = 0; i < r->count; i++) {
        const struct batch_contact *c = &r->contacts[i];
        buf_printf(&b, "%d %.*s", (int)c->line, STR_ARG(c->call.contact_number));
        if (c->call.contact_name.p != NULL)
            buf_printf(&b, " %.*s", STR_ARG(c->call.contact_name));
        if (c->call.contact_email.p != NULL)
            buf_printf(&b, " %.*s", STR_ARG(c->call.contact_email));
        if (c->call.additional_info.p != NULL)
            buf_printf(&b, " %.*s", STR_ARG(c->call.additional_info));
        buf_char(&b, '\n');
    }
    for (size_t i = 0; i < r->refusal_count; i++)
        buf_printf(&b, "%d! %.*s\n", (int)r->refusals[i].line, STR_ARG(r->refusals[i].message));
    const char *text = pool_dup(pool, b.data, b.len);
    buf_deinit(&b);
    return text;
}

#define NO_PLUS "contact_number must be a valid +91 E.164 phone number. It has no + in front."
static const struct {
    const char *name, *json, *shown;
} good_json[] = {
    {"one", BEGIN "\"contacts\":[" CALLED("+919876543210") "]}", "1 +919876543210\n"},
    {"all of a contact",
     BEGIN "\"contacts\":[{\"contact_number\":\"+919876543210\",\"contact_name\":\"Raj\","
           "\"contact_email\":\"raj@a.in\",\"additional_info\":{\"b\":[1],\"a\":null}}]}",
     "1 +919876543210 Raj raj@a.in {\"b\":[1],\"a\":null}\n"},
    {"refused ones keep their place",
     BEGIN "\"contacts\":[17," CALLED("+919876543210") "," CALLED("919876543210") ",{}]}",
     "2 +919876543210\n1! It must be a JSON object.\n3! " NO_PLUS
     "\n4! contact_number is required and must be a string.\n"},
    {"what belongs to the batch is no contact's",
     BEGIN "\"contacts\":[" CALLED(
         "+919876543210") ",{\"contact_number\":\"+919876543211\",\"agent_id\":\"x\"}]}",
     "1 +919876543210\n2! Unknown field \"agent_id\".\n"},
    {"the first of a number stays",
     BEGIN "\"contacts\":[" CALLED("+919876543211") "," CALLED("+919876543210") "," CALLED(
         "+919876543211") "," CALLED("+919876543211") "," CALLED("+919876543210") "]}",
     "1 +919876543211\n2 +919876543210\n3! Line 1 has the same contact_number.\n4! Line 1 has the "
     "same contact_number.\n5! Line 2 has the same contact_number.\n"},
    {"one that was refused before does not count",
     BEGIN "\"contacts\":[{\"contact_number\":\"+919876543210\",\"contact_name\":17}," CALLED(
         "+919876543210") "]}",
     "2 +919876543210\n1! contact_name must be a string.\n"},
};

START_TEST(contacts_of_json)
{
    struct batch_request r;
    ck_assert_msg(read_json(good_json[_i].json, &r) == 0, "%s: %s", good_json[_i].name,
                  err.message);
    ck_assert_str_eq(shown(&r), good_json[_i].shown);
}
END_TEST

static const struct {
    const char *json, *says;
    enum err_code code;
} bad_json[] = {
    {"{}", "agent_id is required.", ERR_INVALID},
    {BEGIN "\"contacts\":{}}", "contacts must be an array.", ERR_INVALID},
    {BEGIN "\"contacts\":[]}", "contacts must have at least one element.", ERR_INVALID},
    {BEGIN "\"contacts\":[1,2,3,4]}",
     "None of the 4 contacts can be called. 1: It must be a JSON object. 2: It must be a JSON "
     "object. 3: It must be a JSON object.",
     ERR_INVALID},
    {BEGIN "\"contact\":[]}", "Unknown field \"contact\".", ERR_INVALID},
    {"{\"agent_id\":\"agent_1\",\"contacts\":[" CALLED("+919876543210") "]}",
     "agent_id \"agent_1\" is not an agent of this workspace.", ERR_NOT_FOUND},
    {BEGIN "\"name\":\"a\\nb\",\"contacts\":[" CALLED("+919876543210") "]}",
     "name must not contain control characters.", ERR_INVALID},
    {BEGIN "\"scheduled_at\":\"soon\",\"contacts\":[" CALLED("+919876543210") "]}",
     "scheduled_at must be an RFC 3339 time such as 2024-01-27T03:02:00Z.", ERR_INVALID},
    {BEGIN "\"scheduled_at\":\"2024-01-27T02:56:59Z\",\"contacts\":[" CALLED("+919876543210") "]}",
     "scheduled_at must not be more than 5 minutes in the past.", ERR_INVALID},
    {BEGIN "\"expires_at\":\"2024-01-27T03:02:00Z\",\"contacts\":[" CALLED("+919876543210") "]}",
     "expires_at must be later than now.", ERR_INVALID},
    {BEGIN "\"scheduled_at\":\"2024-01-27T06:00:00Z\",\"expires_at\":\"2024-01-27T06:00:00Z\","
           "\"contacts\":[" CALLED("+919876543210") "]}",
     "expires_at must be later than scheduled_at.", ERR_INVALID},
    {BEGIN "\"expires_at\":\"2026-01-27T06:00:00Z\",\"contacts\":[" CALLED("+919876543210") "]}",
     "expires_at must not be more than a year later than now.", ERR_INVALID},
};

START_TEST(json_is_refused)
{
    struct batch_request r;
    ck_assert_int_eq(read_json(bad_json[_i].json, &r), -1);
    ck_assert_str_eq(err.message, bad_json[_i].says);
    ck_assert_int_eq(err.code, bad_json[_i].code);
}
END_TEST

START_TEST(the_whole_is_read)
{
    struct batch_request r;
    ck_assert_ok(read_json(BEGIN "\"name\":\"Diwali\",\"scheduled_at\":\"2024-01-27T06:00:00Z\","
                                 "\"expires_at\":\"2024-01-27T07:00:00Z\",\"contacts\":[" CALLED(
                                     "+919876543210") "]}",
                           &r),
                 err);
    char text[ID_TEXT_SIZE];
    id_format(ID_AGENT, &r.agent_id, text);
    ck_assert_str_eq(text, AGENT);
    ck_assert_str_is(r.name, "Diwali");
    ck_assert_int_eq(r.scheduled_at, NOW + 10680 * USEC_PER_S);
    ck_assert_int_eq(r.expires_at, NOW + 14280 * USEC_PER_S);
    ck_assert_ok(read_json(BEGIN "\"name\":null,\"scheduled_at\":null,\"expires_at\":null,"
                                 "\"contacts\":[" CALLED("+919876543210") "]}",
                           &r),
                 err);
    ck_assert_str_is(r.name, "");
    ck_assert(r.scheduled_at == TIME_NONE && r.expires_at == TIME_NONE);
}
END_TEST

static const struct {
    const char *name, *csv, *shown, *says;
} csvs[] = {
    {"numbers alone", "contact_number\n+919876543210\n+919876543211\n",
     "2 +919876543210\n3 +919876543211\n", NULL},
    {"what else there is becomes additional_info",
     "deal,contact_name,contact_number,contact_email,city\r\nD-1,Raj,+919876543210,raj@a.in,"
     "\"Pune, \"\"west\"\"\"\r\n,,+919876543211,,\r\n",
     "2 +919876543210 Raj raj@a.in {\"deal\":\"D-1\",\"city\":\"Pune, \\\"west\\\"\"}\n3 "
     "+919876543211\n",
     NULL},
    {"faults of form and of content, by physical lines",
     "contact_number,note\n+919876543210,\"a\nb\"\n919876543210,x\n+919876543211\n\n+919876543212,"
     "y\n",
     "2 +919876543210 {\"note\":\"a\\nb\"}\n7 +919876543212 {\"note\":\"y\"}\n4! " NO_PLUS
     "\n5! It has 1 field where the header has 2.\n",
     NULL},
    {"doubles", "contact_number\n+919876543210\n+919876543210\n",
     "2 +919876543210\n3! Line 2 has the same contact_number.\n", NULL},
    {"nothing", "", NULL, "There is no header row."},
    {"no rows", "contact_number\n", NULL, "There is no contact below the header row."},
    {"semicolons", "contact_number;name\n1;2\n", NULL,
     "The header row has no column contact_number; columns are separated by commas."},
    {"no good row", "contact_number\n919876543210\n", NULL,
     "None of the 1 contacts can be called. 2: " NO_PLUS},
};

START_TEST(contacts_of_csv)
{
    struct batch_request r;
    int result = read_csv(csvs[_i].csv, &r);
    if (csvs[_i].says != NULL) {
        ck_assert_int_eq(result, -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert_str_eq(err.message, csvs[_i].says);
        return;
    }
    ck_assert_msg(result == 0, "%s: %s", csvs[_i].name, err.message);
    ck_assert_str_eq(shown(&r), csvs[_i].shown);
}
END_TEST

/* count rows of "+9198000NNNNN" below a header. */
static const char *rows_of(size_t count)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    buf_lit(&b, "contact_number\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "+91980%07zu\n", i);
    const char *text = pool_dup(pool, b.data, b.len);
    buf_deinit(&b);
    return text;
}

START_TEST(ten_thousand_are_the_most)
{
    struct batch_request r;
    ck_assert_ok(read_csv(rows_of(BATCH_CONTACTS_MAX), &r), err);
    ck_assert_uint_eq(r.count, BATCH_CONTACTS_MAX);
    ck_assert_uint_eq(r.contacts[BATCH_CONTACTS_MAX - 1].line, BATCH_CONTACTS_MAX + 1);
    ck_assert_int_eq(read_csv(rows_of(BATCH_CONTACTS_MAX + 1), &r), -1);
    ck_assert_str_eq(err.message, "The body must have at most 10000 contacts.");
}
END_TEST

START_TEST(a_long_file_comes_in_portions)
{
    const char *first = rows_of(1), *text = rows_of(BATCH_CONTACTS_MAX + 5);
    const char *again = pool_printf(pool, "%s%s", text, strchr(first, '\n') + 1);
    struct batch_request r = {.count = 0};
    struct seen_numbers *seen;
    struct csv csv;
    bool more;

    seen_numbers_create(&seen);
    ck_assert_ok(csv_open(&csv, pool, str_of(again), &err), err);
    batch_request_take_rows(pool, &csv, seen, &r, &more);
    ck_assert(more && r.count == BATCH_CONTACTS_MAX);
    batch_request_take_rows(pool, &csv, seen, &r, &more);
    ck_assert(!more && r.count == 5);
    ck_assert_uint_eq(r.contacts[0].line, BATCH_CONTACTS_MAX + 2);
    /* of all its portions a number is called once */
    ck_assert_uint_eq(r.refusal_count, 1);
    ck_assert_uint_eq(r.refusals[0].line, BATCH_CONTACTS_MAX + 7);
    ck_assert_str_is(r.refusals[0].message, "Line 2 has the same contact_number.");
    seen_numbers_destroy(&seen);
}
END_TEST

static struct str contacts_text(const char *contact, size_t count)
{
    struct buf b;
    buf_init(&b, 8388608);
    buf_lit(&b, BEGIN "\"contacts\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(&b, i > 0 ? "," : "");
        buf_text(&b, contact);
    }
    buf_lit(&b, "]}");
    ck_assert(!b.overflow);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static const struct {
    const char *contact;
    size_t count;
    bool good;
} weights[] = {
    {"{\"contact_number\":\"+919876543210\",\"contact_name\":\"Asha Rao\","
     "\"contact_email\":\"asha@example.com\",\"additional_info\":{\"a\":1,\"b\":\"x\",\"c\":true,"
     "\"d\":\"y\",\"e\":null,\"f\":2.5,\"g\":7,\"h\":8,\"i\":9,\"j\":[1,2],\"k\":1,\"l\":2}}",
     10000, true},
    {"{\"contact_number\":\"+919876543210\",\"contact_name\":\"Asha Rao\","
     "\"contact_email\":\"asha@example.com\",\"additional_info\":{\"a\":1,\"b\":2,\"c\":3,"
     "\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,"
     "\"n\":14,\"o\":15,\"p\":16,\"q\":17,\"r\":18,\"s\":19,\"t\":20,\"u\":21,\"v\":22,"
     "\"w\":23,\"x\":24,\"y\":25,\"z\":26,\"A\":27,\"B\":28,\"C\":29,\"D\":30}}",
     10000, true},
    {"{\"contact_number\":1,\"additional_info\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{"
     "\"h\":{\"i\":{}}}}}}}}}}}",
     10000, false},
    {"{}", 2700000, false},
};

START_TEST(what_is_known_of_ten_thousand_fits)
{
    struct str text = contacts_text(weights[_i].contact, weights[_i].count);
    struct json *json;
    int result = json_parse_values(pool, text, BATCH_VALUES_MAX, &json, &err);
    if (weights[_i].good) {
        ck_assert_ok(result, err);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_str_eq(err.message, "body: has too many values");
}
END_TEST

START_TEST(one_contacts_information_is_limited)
{
    char *text = pool_alloc(pool, BATCH_INFO_MAX + 1000);
    struct batch_request r;
    int n = sprintf(text, "contact_number,x\n+919876543210,");
    memset(text + n, 'x', BATCH_INFO_MAX);
    strcpy(text + n + BATCH_INFO_MAX, "\n+919876543211,y\n");
    ck_assert_ok(read_csv(text, &r), err);
    ck_assert_str_eq(shown(&r),
                     "3 +919876543211 {\"x\":\"y\"}\n2! additional_info must not be over "
                     "65536 bytes.\n");
}
END_TEST

START_TEST(a_fingerprint_is_of_all_that_was_asked)
{
    struct batch_request a, b;
    struct batch_words words = just_agent;

    ck_assert_ok(read_json(BEGIN "\"contacts\":[" CALLED("+919876543210") "]}", &a), err);
    ck_assert_ok(
        read_json("{\"contacts\":[" CALLED("+919876543210") "],\"agent_id\":\"" AGENT "\"}", &b),
        err);
    ck_assert_mem_eq(a.fingerprint, b.fingerprint, 32);
    ck_assert_ok(read_json(BEGIN "\"contacts\":[" CALLED("+919876543211") "]}", &b), err);
    ck_assert_mem_ne(a.fingerprint, b.fingerprint, 32);
    ck_assert_ok(read_csv("contact_number\n+919876543210\n", &a), err);
    ck_assert_ok(read_csv("contact_number\n+919876543211\n", &b), err);
    ck_assert_mem_ne(a.fingerprint, b.fingerprint, 32);
    words.agent_id = STR(AGENT);
    words.name = STR("x");
    ck_assert_ok(
        batch_request_read_csv(pool, &words, STR("contact_number\n+919876543210\n"), NOW, &b, &err),
        err);
    ck_assert_mem_ne(a.fingerprint, b.fingerprint, 32);
}
END_TEST

static Suite *batch_request_suite(void)
{
    Suite *suite = suite_create("batch_request");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, contacts_of_json, 0, CASES(good_json));
    tcase_add_loop_test(tcase, json_is_refused, 0, CASES(bad_json));
    tcase_add_test(tcase, the_whole_is_read);
    tcase_add_loop_test(tcase, contacts_of_csv, 0, CASES(csvs));
    tcase_add_test(tcase, ten_thousand_are_the_most);
    tcase_add_test(tcase, a_long_file_comes_in_portions);
    tcase_add_loop_test(tcase, what_is_known_of_ten_thousand_fits, 0, CASES(weights));
    tcase_add_test(tcase, one_contacts_information_is_limited);
    tcase_add_test(tcase, a_fingerprint_is_of_all_that_was_asked);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(batch_request_suite)
