/* Templates: what they become as text, in URLs and in JSON, and where they are wrong. */
#include "lib/rules/template.h"
#include "tests/unit/check_main.h"

#include <string.h>

static struct pool *pool;
static struct template_scope scope;

static const struct json *parsed(const char *text)
{
    struct json *value;
    struct err err;
    ck_assert_ok(json_parse(pool, str_of(text), &value, &err), err);
    return value;
}

static void set_up(void)
{
    pool_create(&pool);
    memset(&scope, 0, sizeof(scope));
    scope.at[TEMPLATE_CONTACT] = parsed("{\"name\":\"Asha \\\"A\\\" & B\",\"email\":null}");
    scope.at[TEMPLATE_INFO] =
        parsed("{\"n\":5,\"yes\":false,\"empty\":\"\",\"o\":{\"a\":[1,{\"b\":\"\xe0\xa4\xb9\"}]},"
               "\"First "
               "name\":\"Ravi\",\"at\":\"2026-11-25T20:15:00Z\",\"day\":\"2026-03-31\",\"big\":"
               "12345678901234}");
    ck_assert_int_eq(time_parse(STR("2026-11-25T19:05:09Z"), &scope.now), 0);
    scope.offset_minutes = 330;
}

static void tear_down(void)
{
    pool_destroy(&pool);
}

/* json NULL: the text is what the JSON string has, too. */
static const struct {
    const char *template, *text, *url, *json;
} rendered[] = {
    {"", "", "", NULL},
    {"plain } }} { text", "plain } }} { text", "plain } }} { text", NULL},
    {"Hi {{contact.name}}!", "Hi Asha \"A\" & B!", "Hi Asha%20%22A%22%20%26%20B!",
     "\"Hi Asha \\\"A\\\" & B!\""},
    {"{{ contact.name }}", "Asha \"A\" & B", "Asha%20%22A%22%20%26%20B", "\"Asha \\\"A\\\" & B\""},
    {"{{info.n}}", "5", "5", "5"},
    {"{{info.big}}", "12345678901234", "12345678901234", "12345678901234"},
    {" {{info.n}}", " 5", " 5", "\" 5\""},
    {"{{info.yes}}", "false", "false", "false"},
    {"{{info.o}}", "{\"a\":[1,{\"b\":\"\xe0\xa4\xb9\"}]}",
     "%7B%22a%22%3A%5B1%2C%7B%22b%22%3A%22%E0%A4%B9%22%7D%5D%7D",
     "{\"a\":[1,{\"b\":\"\xe0\xa4\xb9\"}]}"},
    {"{{info.o.a[1].b}}", "\xe0\xa4\xb9", "%E0%A4%B9", "\"\xe0\xa4\xb9\""},
    {"{{info.o.a[2].b}}", "", "", "null"},
    {"{{info.o.a.b}}", "", "", "null"},
    {"{{info[\"First name\"]}}", "Ravi", "Ravi", "\"Ravi\""},
    {"{{info['First name']|upcase}}", "RAVI", "RAVI", "\"RAVI\""},
    {"{{info.none}}", "", "", "null"},
    {"a{{info.none}}b", "ab", "ab", "\"ab\""},
    {"{{contact.email}}", "", "", "null"},
    {"{{vars.x}}", "", "", "null"},
    {"{{vars}}", "", "", "null"},
    {"{{info.none | default: \"there\"}}", "there", "there", "\"there\""},
    {"{{contact.email|default:'x y'}}", "x y", "x%20y", "\"x y\""},
    {"{{info.empty | default: 0}}", "0", "0", "0"},
    {"{{info.yes | default: true}}", "false", "false", "false"},
    {"{{info.none | default: -1.5}}", "-1.5", "-1.5", "-1.5"},
    {"{{info.none | default: true}}", "true", "true", "true"},
    {"{{info.none | upcase | default: \"x\" | upcase}}", "X", "X", "\"X\""},
    {"{{contact.name | downcase}}", "asha \"a\" & b", "asha%20%22a%22%20%26%20b",
     "\"asha \\\"a\\\" & b\""},
    {"{{info.o.a | json}}", "[1,{\"b\":\"\xe0\xa4\xb9\"}]",
     "%5B1%2C%7B%22b%22%3A%22%E0%A4%B9%22%7D%5D", "\"[1,{\\\"b\\\":\\\"\xe0\xa4\xb9\\\"}]\""},
    {"{{contact.name | json}}", "\"Asha \\\"A\\\" & B\"", "%22Asha%20%5C%22A%5C%22%20%26%20B%22",
     "\"\\\"Asha \\\\\\\"A\\\\\\\" & B\\\"\""},
    {"{{now}}", "2026-11-26T00:35:09+05:30", "2026-11-26T00%3A35%3A09%2B05%3A30", NULL},
    {"{{date}} {{time}}", "2026-11-26 00:35", "2026-11-26 00%3A35", NULL},
    {"{{now | date: \"%A %a %e %d %B %b %Y %y %I:%M:%S %p %j %z 100%%\"}}",
     "Thursday Thu 26 26 November Nov 2026 26 12:35:09 AM 330 +05:30 100%",
     "Thursday%20Thu%2026%2026%20November%20Nov%202026%2026%2012%3A35%3A09%20AM%20330%20%2B05%3A30"
     "%20100%25",
     NULL},
    {"{{info.at | date: \"%d %b\"}}", "26 Nov", "26%20Nov", NULL},
    {"{{info.day | date: \"%A, %d %B, %H:%M\"}}", "Tuesday, 31 March, 00:00",
     "Tuesday%2C%2031%20March%2C%2000%3A00", NULL},
    {"{{ \"{{\" }}x}}", "{{x}}", "%7B%7Bx}}", NULL},
    {"{{\n contact.name\t|\n upcase }}", "ASHA \"A\" & B", "ASHA%20%22A%22%20%26%20B",
     "\"ASHA \\\"A\\\" & B\""},
};

static struct template *parse(const char *text)
{
    struct template *t;
    struct err err;
    ck_assert_ok(template_parse(pool, str_of(text), TEMPLATE_ALL, &t, &err), err);
    return t;
}

static void is_rendered(const char *template, enum template_form form, const char *expected)
{
    struct buf b;
    struct err err;
    buf_init(&b, 10000);
    ck_assert_ok(template_render(&b, pool, parse(template), form, &scope, false, &err), err);
    struct str got = b.len == 0 ? STR("") : buf_as_str(&b);
    ck_assert_msg(str_is(got, expected), "%s became %.*s, not %s", template, STR_ARG(got),
                  expected);
    buf_deinit(&b);
}

START_TEST(renders)
{
    struct buf b;
    is_rendered(rendered[_i].template, TEMPLATE_TEXT, rendered[_i].text);
    is_rendered(rendered[_i].template, TEMPLATE_URL, rendered[_i].url);
    buf_init(&b, 10000);
    buf_json(&b, str_of(rendered[_i].text));
    buf_char(&b, '\0');
    is_rendered(rendered[_i].template, TEMPLATE_JSON,
                rendered[_i].json != NULL ? rendered[_i].json : b.data);
    buf_deinit(&b);
}
END_TEST

static const struct {
    const char *template, *message;
} broken[] = {
    {"{{", "at character 3: expected a name"},
    {"ab {{contact.name", "at character 4: {{ is not closed"},
    {"{{contact.name}", "at character 15: expected | or }}."},
    {"\xe0\xa4\xb9{{contact.name ? }}", "at character 17: expected |"},
    {"{{}}", "at character 3: expected a name"},
    {"{{customer.name}}", "at character 3: there is no such name"},
    {"{{contactname}}", "at character 3: there is no such name"},
    {"{{contact.}}", "at character 10: a path goes on"},
    {"{{contact..a}}", "at character 10: a path"},
    {"{{info[x]}}", "at character 7: a path"},
    {"{{info[-1]}}", "at character 7: a path"},
    {"{{info[\"a]}}", "at character 7: a path"},
    {"{{contact.name | shout}}", "at character 18: there is no such filter"},
    {"{{contact.name | default}}", "at character 25: this filter needs a colon"},
    {"{{contact.name | default: }}", "at character 27: expected a \"text\""},
    {"{{contact.name | default: x}}", "at character 27: expected a \"text\""},
    {"{{contact.name | default: 01}}", "at character 27: expected a \"text\""},
    {"{{contact.name | default: \"x}}", "at character 27: the quote is not closed"},
    {"{{contact.name | upcase: 1}}", "at character 24: expected |"},
    {"{{now | date: \"%Q\"}}", "at character 15: a date's format"},
    {"{{now | date: \"%\"}}", "at character 15: a date's format"},
    {"{{now | date: 5}}", "at character 15: a date's format is"},
    {"{{now.x}}", "at character 6: expected |"},
    {"{{result.summary}}", "at character 3: this name is not known here"},
    {"{{info|json|json|json|json|json|json|json|json|json|json|json}}",
     "at character 57: there are too many"},
};

START_TEST(says_where_it_is_wrong)
{
    struct template *t;
    struct err err;
    unsigned sources = TEMPLATE_ALL & ~(1u << TEMPLATE_RESULT);
    ck_assert_int_eq(template_parse(pool, str_of(broken[_i].template), sources, &t, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.message, broken[_i].message, strlen(broken[_i].message)) == 0,
                  "%s: %s", broken[_i].template, err.message);
}
END_TEST

static const struct {
    const char *template;
    const char *message; /* NULL: it is good, though strict */
} strict[] = {
    {"{{contact.name}}", NULL},
    {"{{info.none | default: \"\"}}", NULL},
    {"{{info.empty}}", NULL},
    {"{{info.none}}", "{{info.none}} is missing."},
    {"x {{ contact.email | upcase }}", "{{contact.email}} is missing."},
    {"{{vars.a.b}}", "{{vars.a.b}} is missing."},
    {"{{contact.name | date: \"%d\"}}", "{{contact.name}} is no time"},
};

START_TEST(strict_needs_all)
{
    for (int form = TEMPLATE_TEXT; form <= TEMPLATE_JSON; form++) {
        struct buf b;
        struct err err = {.message = ""};
        buf_init(&b, 10000);
        int result = template_render(&b, pool, parse(strict[_i].template), (enum template_form)form,
                                     &scope, true, &err);
        ck_assert_int_eq(result, strict[_i].message == NULL ? 0 : -1);
        if (strict[_i].message != NULL)
            ck_assert_msg(strncmp(err.message, strict[_i].message, strlen(strict[_i].message)) == 0,
                          "%s", err.message);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(fills_json)
{
    static const char document[] = "{\"a\":\"{{info.n}}\",\"b\":[\"{{contact.name}}\",{\"c\":\"n={{"
                                   "info.n}}\"},null,1.50,true],"
                                   "\"{d}\":\"{{info.o}}\"}";
    struct buf b;
    struct err err;
    ck_assert_ok(template_json_check(pool, parsed(document), "body", TEMPLATE_ALL, &err), err);
    buf_init(&b, 10000);
    ck_assert_ok(template_json_render(&b, pool, parsed(document), &scope, true, &err), err);
    ck_assert_str_is(buf_as_str(&b),
                     "{\"a\":5,\"b\":[\"Asha \\\"A\\\" & B\",{\"c\":\"n=5\"},null,1.50,true],"
                     "\"{d}\":{\"a\":[1,{\"b\":\"\xe0\xa4\xb9\"}]}}");
    buf_deinit(&b);
}
END_TEST

START_TEST(json_faults_have_a_path)
{
    struct err err;
    ck_assert_int_eq(template_json_check(pool, parsed("{\"a\":[1,{\"b\":\"x {{y}}\"}]}"), "body",
                                         TEMPLATE_ALL, &err),
                     -1);
    ck_assert_msg(strncmp(err.message, "body.a[1].b: at character 5: there is no", 40) == 0, "%s",
                  err.message);
    ck_assert_int_eq(
        template_json_check(pool, parsed("{\"{{now}}\":1}"), "body", TEMPLATE_ALL, &err), -1);
    ck_assert_str_eq(err.message, "body.{{now}}: a member's name can't be a template.");
}
END_TEST

START_TEST(a_maximum_is_kept)
{
    struct buf b;
    struct err err;
    buf_init(&b, 20);
    ck_assert_int_eq(template_render(&b, pool, parse("{{contact.name}}{{contact.name}}"),
                                     TEMPLATE_TEXT, &scope, false, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_TOO_LARGE);
    buf_deinit(&b);
}
END_TEST

/* `unit` so many times, between quotes when it shall be JSON. */
static const char *repeated(const char *unit, size_t count, const char *quote)
{
    struct buf b;
    buf_init(&b, 1024 * 1024);
    buf_text(&b, quote);
    for (size_t i = 0; i < count; i++)
        buf_text(&b, unit);
    buf_text(&b, quote);
    const char *text = pool_str(pool, buf_as_str(&b)).p;
    buf_deinit(&b);
    return text;
}

START_TEST(what_is_too_large_is_not_gone_on_with)
{
    struct buf b;
    struct err err;
    buf_init(&b, 20);
    ck_assert_int_eq(template_render(&b, pool,
                                     parse("{{contact.name}}{{contact.name}}{{info | date: '%d'}}"),
                                     TEMPLATE_TEXT, &scope, false, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_TOO_LARGE);
    ck_assert_str_eq(err.message, "the text of a template is over 20 bytes.");
    buf_deinit(&b);
}
END_TEST

/* Ten filters of a value each write it anew. */
static const struct {
    enum template_form form;
    size_t count;
    int result;
} work[] = {
    {TEMPLATE_TEXT, 4, 0},
    {TEMPLATE_TEXT, 90, -1},
    {TEMPLATE_JSON, 4, 0},
    {TEMPLATE_JSON, 90, -1},
};

START_TEST(what_is_written_on_the_way_is_bounded)
{
    static const char expression[] =
        "{{info|upcase|upcase|upcase|upcase|upcase|upcase|upcase|upcase|upcase|upcase}}";
    struct buf b;
    struct err err;
    scope.at[TEMPLATE_INFO] = parsed(repeated("x", 1000, "\""));
    buf_init(&b, 100000);
    ck_assert_int_eq(template_render(&b, pool, parse(repeated(expression, work[_i].count, "")),
                                     work[_i].form, &scope, false, &err),
                     work[_i].result);
    ck_assert_uint_le(b.len, 100000);
    if (work[_i].result != 0)
        ck_assert_int_eq(err.code, ERR_TOO_LARGE);
    buf_deinit(&b);
    /* of a document as a whole, too */
    buf_init(&b, 100000);
    const char *array =
        pool_printf(pool, "[%s\"\"]",
                    repeated("\"{{info|upcase|downcase}}\",", work[_i].count == 4 ? 4 : 99, ""));
    scope.at[TEMPLATE_INFO] = parsed(repeated("x", work[_i].count == 4 ? 1000 : 2500, "\""));
    ck_assert_int_eq(template_json_render(&b, pool, parsed(array), &scope, false, &err),
                     work[_i].result);
    buf_deinit(&b);
}
END_TEST

START_TEST(date_formats_are_short)
{
    struct template *t;
    struct err err;
    const char *good = pool_printf(pool, "{{now | date: '%s'}}", repeated("\xe0\xa4\xb9", 66, ""));
    const char *bad = pool_printf(pool, "{{now | date: '%s'}}", repeated("\xe0\xa4\xb9", 67, ""));
    is_rendered(good, TEMPLATE_TEXT, repeated("\xe0\xa4\xb9", 66, ""));
    ck_assert_int_eq(template_parse(pool, str_of(bad), TEMPLATE_ALL, &t, &err), -1);
    ck_assert_str_eq(err.message, "at character 15: a date's format has at most 200 bytes.");
}
END_TEST

START_TEST(no_text_is_cut_inside_a_date)
{
    struct buf b;
    struct err err;
    buf_init(&b, 10);
    ck_assert_int_eq(template_render(&b, pool,
                                     parse("{{now | date: '\xe0\xa4\xb9\xe0\xa4\xb9\xe0\xa4\xb9"
                                           "\xe0\xa4\xb9'}}"),
                                     TEMPLATE_TEXT, &scope, false, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_TOO_LARGE);
    ck_assert(b.len == 0);
    buf_deinit(&b);
}
END_TEST

START_TEST(expressions_of_a_field_are_counted)
{
    struct template *t;
    struct err err;
    const char *two = pool_printf(pool, "{\"a\":%s,\"b\":[%s]}", repeated("{{now}}", 250, "\""),
                                  repeated("{{now}}", 250, "\""));
    const char *more = pool_printf(pool, "{\"a\":%s,\"b\":[%s]}", repeated("{{now}}", 250, "\""),
                                   repeated("{{now}}", 251, "\""));
    ck_assert_ok(template_json_check(pool, parsed(two), "body", TEMPLATE_ALL, &err), err);
    ck_assert_int_eq(template_json_check(pool, parsed(more), "body", TEMPLATE_ALL, &err), -1);
    ck_assert_str_eq(err.message, "body has more than 500 expressions in {{ and }}.");
    ck_assert_ok(template_check(pool, str_of(repeated("{{now}}x", 500, "")), "prompt", TEMPLATE_ALL,
                                &t, &err),
                 err);
    ck_assert_int_eq(template_check(pool, str_of(repeated("{{now}}x", 501, "")), "prompt",
                                    TEMPLATE_ALL, &t, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, "prompt has more than 500 expressions in {{ and }}.");
}
END_TEST

START_TEST(prompts_are_filled_or_left)
{
    ck_assert_str_is(template_fill(pool, STR("Hi {{contact.name}}{{info.none}}."), &scope, 1000),
                     "Hi Asha \"A\" & B.");
    ck_assert_str_is(template_fill(pool, STR("Hi {{customer}}."), &scope, 1000),
                     "Hi {{customer}}.");
    ck_assert_str_is(template_fill(pool, STR("{{info.none}}"), &scope, 1000), "");
    ck_assert_str_is(
        template_fill(pool, STR("{{info.n}} on {{info.o.a[0] | date: '%d'}}"), &scope, 1000),
        "5 on 1");
    ck_assert_str_is(template_fill(pool, STR("{{contact.name}}"), &scope, 3), "{{contact.name}}");
}
END_TEST

static Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tc = tcase_create("template");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, renders, 0, CASES(rendered));
    tcase_add_loop_test(tc, says_where_it_is_wrong, 0, CASES(broken));
    tcase_add_loop_test(tc, strict_needs_all, 0, CASES(strict));
    tcase_add_test(tc, fills_json);
    tcase_add_test(tc, json_faults_have_a_path);
    tcase_add_test(tc, a_maximum_is_kept);
    tcase_add_test(tc, what_is_too_large_is_not_gone_on_with);
    tcase_add_loop_test(tc, what_is_written_on_the_way_is_bounded, 0, CASES(work));
    tcase_add_test(tc, date_formats_are_short);
    tcase_add_test(tc, no_text_is_cut_inside_a_date);
    tcase_add_test(tc, expressions_of_a_field_are_counted);
    tcase_add_test(tc, prompts_are_filled_or_left);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(template_suite)
