/* JSON Schema: which schemas are taken, and which values they take. */
#include "lib/rules/schema.h"
#include "tests/unit/check_main.h"

#include <string.h>

static struct pool *pool;

static void set_up(void)
{
    pool_create(&pool);
}

static void tear_down(void)
{
    pool_destroy(&pool);
}

static const struct json *parsed(const char *text)
{
    struct json *value;
    struct err err;
    ck_assert_ok(json_parse(pool, str_of(text), &value, &err), err);
    return value;
}

#define P(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"

static const struct {
    const char *schema;
    const char *message; /* NULL: it is good */
} schemas[] = {
    {"{\"type\":\"object\"}", NULL},
    {P("\"a\":{\"type\":\"string\",\"description\":\"x\",\"title\":\"y\",\"default\":1,"
       "\"examples\":[1],\"minLength\":1,\"maxLength\":2,\"pattern\":\"^a\",\"format\":\"date\","
       "\"enum\":[\"a\"],\"const\":\"a\"}"),
     NULL},
    {P("\"a\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":2.5,"
       "\"exclusiveMinimum\":0,\"exclusiveMaximum\":3,\"multipleOf\":1,\"nullable\":true}"),
     NULL},
    {P("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"b\"],"
       "\"additionalProperties\":false},\"minItems\":0,\"maxItems\":4,\"uniqueItems\":true}"),
     NULL},
    {P("\"a\":{}"), NULL},
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", NULL},
    {"[]", "parameters: must be a schema"},
    {"{}", "parameters: must have \"type\": \"object\""},
    {"{\"type\":\"string\"}", "parameters: must have \"type\": \"object\""},
    {"{\"type\":[\"object\",\"null\"]}", "parameters: must have \"type\": \"object\""},
    {"{\"type\":\"object\",\"$ref\":\"#/x\"}", "parameters.$ref: this keyword is not supported."},
    {"{\"type\":\"object\",\"$schema\":\"x\"}", "parameters.$schema: this keyword"},
    {P("\"a\":{\"anyOf\":[]}"), "parameters.properties.a.anyOf: this keyword is not supported."},
    {P("\"a\":{\"oneOf\":[]}"), "parameters.properties.a.oneOf: this keyword"},
    {P("\"a\":{\"Type\":\"string\"}"), "parameters.properties.a.Type: this keyword"},
    {P("\"a\":{\"type\":\"text\"}"), "parameters.properties.a.type: must be object, array"},
    {P("\"a\":{\"type\":[\"string\",\"number\"]}"), "parameters.properties.a.type: must be"},
    {P("\"a\":{\"type\":[\"string\"]}"), "parameters.properties.a.type: must be"},
    {P("\"a\":{\"type\":[\"null\",\"null\"]}"), "parameters.properties.a.type: must be"},
    {P("\"a\":{\"enum\":[]}"), "parameters.properties.a.enum: must be an array"},
    {P("\"a\":{\"required\":[1]}"), "parameters.properties.a.required: must be an array of names"},
    {P("\"a\":{\"minimum\":\"1\"}"), "parameters.properties.a.minimum: must be a number."},
    {P("\"a\":{\"exclusiveMinimum\":true}"), "parameters.properties.a.exclusiveMinimum: must be"},
    {P("\"a\":{\"multipleOf\":0}"), "parameters.properties.a.multipleOf: must be a number over 0"},
    {P("\"a\":{\"minLength\":-1}"), "parameters.properties.a.minLength: must be a whole"},
    {P("\"a\":{\"maxItems\":1.5}"), "parameters.properties.a.maxItems: must be a whole"},
    {P("\"a\":{\"pattern\":\"(\"}"), "parameters.properties.a.pattern: at character 2: a group"},
    {P("\"a\":{\"format\":\"uri\"}"), "parameters.properties.a.format: must be date, time"},
    {P("\"a\":{\"items\":[]}"), "parameters.properties.a.items: must be a schema"},
    {P("\"a\":{\"description\":1}"), "parameters.properties.a.description: must be a string"},
    {"{\"type\":\"object\",\"properties\":[]}", "parameters.properties: must be an object"},
    {"{\"type\":\"object\",\"additionalProperties\":1}",
     "parameters.additionalProperties: must be"},
};

START_TEST(checks_schemas)
{
    struct err err = {.message = ""};
    int result = schema_check(parsed(schemas[_i].schema), "parameters", &err);
    if (schemas[_i].message == NULL) {
        ck_assert_ok(result, err);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.message, schemas[_i].message, strlen(schemas[_i].message)) == 0,
                  "%s: %s", schemas[_i].schema, err.message);
}
END_TEST

static const struct {
    const char *schema, *value;
    const char *message; /* NULL: it is good */
} values[] = {
    {P(""), "{\"x\":1}", NULL},
    {P(""), "[]", "args: must be an object."},
    {"{\"type\":\"object\",\"required\":[\"a\"]}", "{\"a\":null}", NULL},
    {"{\"type\":\"object\",\"required\":[\"a\"]}", "{}", "args.a: is required."},
    {"{\"type\":\"object\",\"additionalProperties\":false}", "{\"a\":1}",
     "args.a: is not one of the parameters."},
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":1}",
     "args.a: must be a string."},
    {P("\"a\":{\"type\":\"string\"}"), "{\"a\":\"x\"}", NULL},
    {P("\"a\":{\"type\":\"string\"}"), "{\"a\":1}", "args.a: must be a string."},
    {P("\"a\":{\"type\":\"string\"}"), "{\"a\":null}", "args.a: must be a string."},
    {P("\"a\":{\"type\":[\"string\",\"null\"]}"), "{\"a\":null}", NULL},
    {P("\"a\":{\"type\":\"string\",\"nullable\":true,\"enum\":[\"x\"]}"), "{\"a\":null}", NULL},
    {P("\"a\":{\"type\":\"integer\"}"), "{\"a\":1}", NULL},
    {P("\"a\":{\"type\":\"integer\"}"), "{\"a\":1.0}", NULL},
    {P("\"a\":{\"type\":\"integer\"}"), "{\"a\":1e300}", NULL},
    {P("\"a\":{\"type\":\"integer\"}"), "{\"a\":1.5}", "args.a: must be a whole number."},
    {P("\"a\":{\"type\":\"integer\"}"), "{\"a\":\"1\"}", "args.a: must be a whole number."},
    {P("\"a\":{\"type\":\"number\"}"), "{\"a\":true}", "args.a: must be a number."},
    {P("\"a\":{\"type\":\"boolean\"}"), "{\"a\":0}", "args.a: must be true or false."},
    {P("\"a\":{\"type\":\"null\"}"), "{\"a\":0}", "args.a: must be null."},
    {P("\"a\":{\"enum\":[\"x\",2]}"), "{\"a\":2.0}", NULL},
    {P("\"a\":{\"enum\":[\"x\",2]}"), "{\"a\":\"y\"}", "args.a: must be one of \"x\", 2."},
    {P("\"a\":{\"const\":{\"b\":1,\"c\":2}}"), "{\"a\":{\"c\":2,\"b\":1}}", NULL},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":[1.0,{\"b\":\"x\"}]}", NULL},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":null}", NULL},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":true}", NULL},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":[1,{\"b\":\"y\"}]}",
     "args.a: must be one of"},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":[1,{\"c\":\"x\"}]}",
     "args.a: must be one of"},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":[1]}", "args.a: must be one of"},
    {P("\"a\":{\"enum\":[[1,{\"b\":\"x\"}],null,true]}"), "{\"a\":false}",
     "args.a: must be one of"},
    {P("\"a\":{\"const\":9007199254740993}"), "{\"a\":9007199254740992}",
     "args.a: is not the one value"},
    {P("\"a\":{\"const\":1}"), "{\"a\":2}", "args.a: is not the one value"},
    {P("\"a\":{\"minimum\":1}"), "{\"a\":0.5}", "args.a: must be at least 1."},
    {P("\"a\":{\"maximum\":1.5}"), "{\"a\":2}", "args.a: must be at most 1.5."},
    {P("\"a\":{\"exclusiveMinimum\":1}"), "{\"a\":1}", "args.a: must be over 1."},
    {P("\"a\":{\"exclusiveMaximum\":1}"), "{\"a\":1}", "args.a: must be under 1."},
    {P("\"a\":{\"minimum\":1}"), "{\"a\":\"x\"}", NULL},
    {P("\"a\":{\"multipleOf\":0.1}"), "{\"a\":0.3}", NULL},
    {P("\"a\":{\"multipleOf\":5}"), "{\"a\":12}", "args.a: must be a multiple of 5."},
    {P("\"a\":{\"minLength\":2}"), "{\"a\":\"\xe0\xa4\xb9\"}", "args.a: must have at least 2 char"},
    {P("\"a\":{\"maxLength\":1}"), "{\"a\":\"\xe0\xa4\xb9\"}", NULL},
    {P("\"a\":{\"maxLength\":1}"), "{\"a\":\"xy\"}", "args.a: must have at most 1 characters."},
    {P("\"a\":{\"pattern\":\"^\\\\d+$\"}"), "{\"a\":\"12\"}", NULL},
    {P("\"a\":{\"pattern\":\"^\\\\d+$\"}"), "{\"a\":\"1x\"}",
     "args.a: does not match its pattern."},
    {P("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2024-02-29\"}", NULL},
    {P("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2023-02-29\"}", "args.a: must be a date"},
    {P("\"a\":{\"format\":\"date\"}"), "{\"a\":\"2023-2-9\"}", "args.a: must be a date"},
    {P("\"a\":{\"format\":\"time\"}"), "{\"a\":\"16:00\"}", NULL},
    {P("\"a\":{\"format\":\"time\"}"), "{\"a\":\"16:00:30+05:30\"}", NULL},
    {P("\"a\":{\"format\":\"time\"}"), "{\"a\":\"16:00Z\"}", NULL},
    {P("\"a\":{\"format\":\"time\"}"), "{\"a\":\"24:00\"}", "args.a: must be a time"},
    {P("\"a\":{\"format\":\"time\"}"), "{\"a\":\"4pm\"}", "args.a: must be a time"},
    {P("\"a\":{\"format\":\"date-time\"}"), "{\"a\":\"2024-02-29\"}",
     "args.a: must be an RFC 3339"},
    {P("\"a\":{\"format\":\"email\"}"), "{\"a\":\"A@b.example\"}", NULL},
    {P("\"a\":{\"format\":\"email\"}"), "{\"a\":\"b.example\"}", "args.a: must be an e-mail"},
    {P("\"a\":{\"format\":\"uuid\"}"), "{\"a\":\"x\"}", "args.a: must be a UUID."},
    {P("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"), "{\"a\":[\"x\",1]}",
     "args.a[1]: must be a string."},
    {P("\"a\":{\"minItems\":1}"), "{\"a\":[]}", "args.a: must have at least 1 elements."},
    {P("\"a\":{\"maxItems\":1}"), "{\"a\":[1,2]}", "args.a: must have at most 1 elements."},
    {P("\"a\":{\"uniqueItems\":true}"), "{\"a\":[1,2,1.0]}",
     "args.a: must not have an element twice."},
    {P("\"a\":{\"items\":{\"pattern\":\"^a\"}},\"b\":{\"items\":{\"pattern\":\"^b\"}}"),
     "{\"a\":[\"a\",\"ab\"],\"b\":[\"b\",\"ba\"]}", NULL},
    {P("\"a\":{\"items\":{\"pattern\":\"^a\"}},\"b\":{\"items\":{\"pattern\":\"^b\"}}"),
     "{\"a\":[\"a\",\"ab\"],\"b\":[\"b\",\"ab\"]}", "args.b[1]: does not match its pattern."},
    {P("\"slot\":{\"type\":\"object\",\"properties\":{\"date\":{\"type\":\"string\"}},"
       "\"required\":[\"date\"]}"),
     "{\"slot\":{}}", "args.slot.date: is required."},
};

START_TEST(judges_values)
{
    struct err err = {.message = ""};
    const struct json *schema = parsed(values[_i].schema);
    ck_assert_ok(schema_check(schema, "parameters", &err), err);
    int result = schema_validate(schema, parsed(values[_i].value), "args", &err);
    if (values[_i].message == NULL) {
        ck_assert_ok(result, err);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.message, values[_i].message, strlen(values[_i].message)) == 0,
                  "%s on %s: %s", values[_i].value, values[_i].schema, err.message);
}
END_TEST

START_TEST(depth_is_bounded)
{
    struct err err;
    struct buf b;
    buf_init(&b, 10000);
    /* The JSON itself may be no deeper than 16. */
    buf_lit(&b, "{\"type\":\"object\",\"additionalProperties\":");
    for (int i = 0; i < SCHEMA_DEPTH_MAX; i++)
        buf_lit(&b, "{\"items\":");
    buf_lit(&b, "{}");
    for (int i = 0; i < SCHEMA_DEPTH_MAX; i++)
        buf_char(&b, '}');
    buf_lit(&b, "}");
    buf_char(&b, '\0');
    ck_assert_int_eq(schema_check(parsed(b.data), "parameters", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "is too deep"));
    buf_deinit(&b);
}
END_TEST

static const char *repeated(const char *before, const char *unit, size_t count, const char *after)
{
    struct buf b;
    buf_init(&b, 1024 * 1024);
    buf_text(&b, before);
    for (size_t i = 0; i < count; i++)
        buf_text(&b, unit);
    buf_text(&b, after);
    const char *text = pool_str(pool, buf_as_str(&b)).p;
    buf_deinit(&b);
    return text;
}

START_TEST(an_enum_is_bounded)
{
    struct err err;
    ck_assert_ok(
        schema_check(parsed(repeated("{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[", "1,",
                                     499, "2]}}}")),
                     "parameters", &err),
        err);
    ck_assert_int_eq(
        schema_check(parsed(repeated("{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[", "1,",
                                     500, "2]}}}")),
                     "parameters", &err),
        -1);
    ck_assert_str_eq(err.message, "parameters.properties.a.enum: must have at most 500 values.");
}
END_TEST

/* What honest arguments of 64 KiB are, and what is refused. */
static const struct {
    const char *item; /* schema of the elements */
    const char *unit;
    size_t count;
    bool good;
} work[] = {
    {"{\"type\":\"integer\",\"minimum\":0}", "1,", 32000, true},
    {"{\"type\":\"string\",\"pattern\":\"^[a-z]{1,20}$\"}", "\"ab\",", 12000, true},
    {"{\"type\":\"string\",\"format\":\"date\"}", "\"2026-01-26\",", 4900, true},
    {"{\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"integer\"}},"
     "\"additionalProperties\":false}",
     "{\"a\":1},", 8000, true},
    {"{\"enum\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"x\"]}", "\"x\",", 16000,
     true},
    {"{\"pattern\":\"^.{0,255}.{0,200}$\"}",
     "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
     "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
     "\",",
     320, false},
    {"{\"uniqueItems\":true}", "[0,1,2,3,4,5,6,7,8,9,[],{},\"a\",\"b\"],", 2000, true},
};

START_TEST(work_is_bounded)
{
    struct err err = {.message = ""};
    const char *schema =
        pool_printf(pool, P("\"a\":{\"type\":\"array\",\"items\":%s}"), work[_i].item);
    const char *value = repeated("{\"a\":[", work[_i].unit, work[_i].count - 1, work[_i].unit);
    value = pool_printf(pool, "%.*s]}", (int)strlen(value) - 1, value);
    ck_assert_ok(schema_check(parsed(schema), "parameters", &err), err);
    int result = schema_validate(parsed(schema), parsed(value), "args", &err);
    if (work[_i].good) {
        ck_assert_ok(result, err);
        return;
    }
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "args: too much work to check by the schema.");
}
END_TEST

static Suite *schema_suite(void)
{
    Suite *suite = suite_create("schema");
    TCase *tc = tcase_create("schema");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, checks_schemas, 0, CASES(schemas));
    tcase_add_loop_test(tc, judges_values, 0, CASES(values));
    tcase_add_test(tc, depth_is_bounded);
    tcase_add_test(tc, an_enum_is_bounded);
    tcase_add_loop_test(tc, work_is_bounded, 0, CASES(work));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(schema_suite)
