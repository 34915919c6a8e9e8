/*
 * test_suppression.c - numbers that must not be called, from JSON and from rows of CSV.
 */
#include "lib/rules/suppression.h"
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
    const char *json, *says;
    enum suppression_source source;
    const char *note;
} bodies[] = {
    {"{\"contact_number\":\"+919876543210\"}", NULL, SUPPRESSION_MANUAL, ""},
    {"{\"contact_number\":\"+919876543210\",\"source\":\"registry\",\"note\":\"NCPR\"}", NULL,
     SUPPRESSION_REGISTRY, "NCPR"},
    {"{}", "contact_number is required.", 0, NULL},
    {"{\"contact_number\":\"\"}",
     "contact_number must be a valid +91 E.164 phone number. It is empty.", 0, NULL},
    {"{\"contact_number\":\"9876543210\"}",
     "contact_number must be a valid +91 E.164 phone number. It has no +91 in front.", 0, NULL},
    {"{\"contact_number\":17}", "contact_number must be a string.", 0, NULL},
    {"{\"contact_number\":\"+919876543210\",\"notes\":\"x\"}", "Unknown field \"notes\".", 0, NULL},
};

START_TEST(bodies_are_read)
{
    struct suppression s;
    struct json *json;

    ck_assert_ok(json_parse(pool, str_of(bodies[_i].json), &json, &err), err);
    if (bodies[_i].says != NULL) {
        ck_assert_int_eq(suppression_read(json, &s, &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert_str_eq(err.message, bodies[_i].says);
        return;
    }
    ck_assert_ok(suppression_read(json, &s, &err), err);
    ck_assert_str_is(s.contact_number, "+919876543210");
    ck_assert_int_eq(s.source, bodies[_i].source);
    ck_assert_str_is(s.note, bodies[_i].note);
}
END_TEST

/* One row below a header; what a row does not say is "registry" and "by hand". */
static const struct {
    const char *csv, *says;
    enum suppression_source source;
    const char *note;
} rows[] = {
    {"contact_number\n+919876543210", NULL, SUPPRESSION_REGISTRY, "by hand"},
    {"note,source,contact_number\nasked us,contact,+919876543210", NULL, SUPPRESSION_CONTACT,
     "asked us"},
    {"note,source,contact_number\n,,+919876543210", NULL, SUPPRESSION_REGISTRY, "by hand"},
    {"contact_number,created_at\n+919876543210,2024-01-27T00:00:00.000Z", NULL,
     SUPPRESSION_REGISTRY, "by hand"},
    {"contact_number,source\n+919876543210,x",
     "source must be manual, contact, complaint or registry.", 0, NULL},
    {"contact_number,note\n+919876543210,\"a\nb\"", "note must not contain control characters.", 0,
     NULL},
    {"contact_number\n+9198765",
     "contact_number must be a valid +91 E.164 phone number. It has 5 digits after +91 instead of "
     "10.",
     0, NULL},
};

START_TEST(rows_are_read)
{
    struct suppression s = {.source = SUPPRESSION_REGISTRY, .note = STR("by hand")};
    struct suppression_columns columns;
    struct csv_row row;
    struct csv csv;

    ck_assert_ok(csv_open(&csv, pool, str_of(rows[_i].csv), &err), err);
    ck_assert_ok(suppression_columns_read(&csv, &columns, &err), err);
    ck_assert_int_eq(csv_next(&csv, pool, &row, &err), CSV_ROW);
    if (rows[_i].says != NULL) {
        ck_assert_int_eq(suppression_row_read(&columns, &row, &s, &err), -1);
        ck_assert_str_eq(err.message, rows[_i].says);
        return;
    }
    ck_assert_ok(suppression_row_read(&columns, &row, &s, &err), err);
    ck_assert_str_is(s.contact_number, "+919876543210");
    ck_assert_int_eq(s.source, rows[_i].source);
    ck_assert_str_is(s.note, rows[_i].note);
}
END_TEST

START_TEST(columns_are_checked)
{
    struct suppression_columns columns;
    struct csv csv;

    ck_assert_ok(csv_open(&csv, pool, STR("number\n"), &err), err);
    ck_assert_int_eq(suppression_columns_read(&csv, &columns, &err), -1);
    ck_assert_str_eq(err.message, "There is no such column as \"number\"; contact_number, source "
                                  "and note are known.");
    ck_assert_ok(csv_open(&csv, pool, STR("note\n"), &err), err);
    ck_assert_int_eq(suppression_columns_read(&csv, &columns, &err), -1);
    ck_assert_str_eq(err.message, "The header has no column contact_number.");
}
END_TEST

static Suite *suppression_suite(void)
{
    Suite *suite = suite_create("suppression");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, bodies_are_read, 0, CASES(bodies));
    tcase_add_loop_test(tcase, rows_are_read, 0, CASES(rows));
    tcase_add_test(tcase, columns_are_checked);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(suppression_suite)
