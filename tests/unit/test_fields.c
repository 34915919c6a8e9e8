/*
 * test_fields.c - reading a request's members by a table: types, bounds, messages that name the
 * field.
 */
#include "lib/rules/fields.h"
#include "tests/unit/check_main.h"

#include <string.h>

static const char *const colours[] = {"red", "green", "blue", NULL};

struct thing {
    struct str name, note;
    int64_t size;
    bool good;
    int colour;
    unsigned colours;
    struct id agent_id;
    usec_t since;
    const struct json *extra;
};

static const struct field table[] = {
    {FIELD(TEXT, struct thing, name), .required = true, .min = 1, .max = 5},
    {FIELD(LINES, struct thing, note), .nullable = true, .max = 20},
    {FIELD(INT, struct thing, size), .min = -2, .max = 10},
    {FIELD(BOOL, struct thing, good)},
    {FIELD(CHOICE, struct thing, colour), .choices = colours},
    {FIELD(SET, struct thing, colours), .choices = colours, .min = 1},
    {FIELD(ID, struct thing, agent_id), .kind = ID_AGENT},
    {FIELD(TIME, struct thing, since)},
    {FIELD(JSON, struct thing, extra)},
};
#define FIELDS (sizeof(table) / sizeof(*table))

static struct pool *pool;
static struct thing thing;
static struct fields_seen seen;
static struct err err;

static int reads(const char *text, bool changing)
{
    struct json *body;
    memset(&thing, 0, sizeof(thing));
    err_clear(&err);
    if (json_parse(pool, str_of(text), &body, &err) != 0)
        ck_abort_msg("%s: %s", text, err.message);
    return fields_read(body, table, FIELDS, changing, &thing, &seen, &err);
}

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

START_TEST(every_type_is_read)
{
    ck_assert_int_eq(reads("{\"name\":\"été\",\"note\":\"a\\nb\",\"size\":-2,\"good\":true,"
                           "\"colour\":\"blue\",\"colours\":[\"blue\",\"red\"],"
                           "\"since\":\"2024-01-27T03:02:00Z\",\"extra\":[1]}",
                           false),
                     0);
    ck_assert(str_is(thing.name, "été"));
    ck_assert(str_is(thing.note, "a\nb"));
    ck_assert_int_eq(thing.size, -2);
    ck_assert(thing.good);
    ck_assert_int_eq(thing.colour, 2);
    ck_assert_uint_eq(thing.colours, 5);
    ck_assert_uint_eq(json_count(thing.extra), 1);
    ck_assert_uint_eq(seen.given, 0x1bf);
    ck_assert_uint_eq(seen.nulls, 0);
}
END_TEST

START_TEST(what_is_not_given_is_left_alone)
{
    ck_assert_int_eq(reads("{\"note\":null}", true), 0);
    ck_assert_uint_eq(seen.given, 2);
    ck_assert_uint_eq(seen.nulls, 2);
    ck_assert(thing.note.p == NULL);
}
END_TEST

static const struct {
    const char *body, *message;
    bool changing;
    enum err_code code;
} refusals[] = {
    {"{}", "name is required.", false, ERR_INVALID},
    {"{}", "There is nothing to change.", true, ERR_INVALID},
    {"{\"nmae\":\"x\"}", "Unknown field \"nmae\".", true, ERR_INVALID},
    {"{\"name\":null}", "name must not be null.", true, ERR_INVALID},
    {"{\"name\":7}", "name must be a string.", true, ERR_INVALID},
    {"{\"name\":\"\"}", "name must not be empty.", true, ERR_INVALID},
    {"{\"name\":\"sixsix\"}", "name must have 1 to 5 characters.", true, ERR_INVALID},
    {"{\"name\":\"a\\nb\"}", "name must not contain control characters.", true, ERR_INVALID},
    {"{\"note\":\"a\\u0007\"}", "note must not contain control characters.", true, ERR_INVALID},
    {"{\"size\":11}", "size must be a whole number from -2 to 10.", true, ERR_INVALID},
    {"{\"size\":1.5}", "size must be a whole number from -2 to 10.", true, ERR_INVALID},
    {"{\"size\":\"1\"}", "size must be a whole number from -2 to 10.", true, ERR_INVALID},
    {"{\"good\":1}", "good must be true or false.", true, ERR_INVALID},
    {"{\"colour\":\"pink\"}", "colour must be red, green or blue.", true, ERR_INVALID},
    {"{\"colours\":[]}", "colours must not be empty.", true, ERR_INVALID},
    {"{\"colours\":[\"red\",\"red\"]}",
     "colours must be an array of red, green or blue, each at most once.", true, ERR_INVALID},
    {"{\"colours\":\"red\"}", "colours must be an array of red, green or blue, each at most once.",
     true, ERR_INVALID},
    {"{\"agent_id\":\"agent_1\"}", "agent_id \"agent_1\" does not exist in this workspace.", true,
     ERR_NOT_FOUND},
    {"{\"since\":\"yesterday\"}", "since must be an RFC 3339 time such as 2024-01-27T03:02:00Z.",
     true, ERR_INVALID},
};

START_TEST(refusals_name_the_field)
{
    ck_assert_int_eq(reads(refusals[_i].body, refusals[_i].changing), -1);
    ck_assert_str_eq(err.message, refusals[_i].message);
    ck_assert_int_eq(err.code, refusals[_i].code);
}
END_TEST

START_TEST(a_body_without_members_is_wanted)
{
    struct json *body;
    ck_assert_int_eq(fields_none(NULL, &err), 0);
    ck_assert_int_eq(json_parse(pool, STR("{}"), &body, &err), 0);
    ck_assert_int_eq(fields_none(body, &err), 0);
    ck_assert_int_eq(json_parse(pool, STR("{\"force\":true}"), &body, &err), 0);
    ck_assert_int_eq(fields_none(body, &err), -1);
    ck_assert_str_eq(err.message, "This request has no fields; it came with \"force\".");
}
END_TEST

static Suite *fields_suite(void)
{
    Suite *suite = suite_create("fields");
    TCase *tc = tcase_create("fields");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_type_is_read);
    tcase_add_test(tc, what_is_not_given_is_left_alone);
    tcase_add_loop_test(tc, refusals_name_the_field, 0, CASES(refusals));
    tcase_add_test(tc, a_body_without_members_is_wanted);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(fields_suite)
