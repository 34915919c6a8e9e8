/* Paths into JSON. */
#include "lib/rules/json_path.h"
#include "tests/unit/check_main.h"

#include <string.h>

static const char document[] =
    "{\"a\":{\"b\":[10,{\"c\":null}]},\"x y\":1,\"\xe0\xa4\xb9\":2,\"a.b\":3,\"\":4}";

static const struct {
    const char *path;
    const char *found; /* JSON text; NULL: nothing */
} paths[] = {
    {"$.a.b[0]", "10"},     {"$['a'][\"b\"][0]", "10"},
    {"$.a.b[1].c", "null"}, {"$.a.b[1]", "{\"c\":null}"},
    {"$[\"x y\"]", "1"},    {"$.\xe0\xa4\xb9", "2"},
    {"$[\"a.b\"]", "3"},    {"$[\"\"]", "4"},
    {"$.a.b[2]", NULL},     {"$.a[0]", NULL},
    {"$.a.b.c", NULL},      {"$.a.b[1].c.d", NULL},
    {"$.none", NULL},       {"$.none.deeper[4]", NULL},
};

START_TEST(finds)
{
    struct pool *pool;
    struct json *root;
    struct err err;
    struct buf b;

    pool_create(&pool);
    ck_assert_ok(json_parse(pool, str_of(document), &root, &err), err);
    ck_assert_ok(json_path_check(str_of(paths[_i].path), &err), err);
    const struct json *found = json_path_find(root, str_of(paths[_i].path));
    ck_assert_int_eq(found != NULL, paths[_i].found != NULL);
    if (found != NULL) {
        buf_init(&b, 1000);
        json_write(&b, found);
        ck_assert_str_is(buf_as_str(&b), paths[_i].found);
        buf_deinit(&b);
    }
    ck_assert_ptr_eq(json_path_find(root, STR("$")), root);
    pool_destroy(&pool);
}
END_TEST

static const struct {
    const char *path, *message;
} broken[] = {
    {"", "at character 1: a path begins with $"},
    {"a.b", "at character 1: a path begins"},
    {"$a", "at character 2: expected"},
    {"$.", "at character 2: expected"},
    {"$..a", "at character 2: expected"},
    {"$.a.*", "at character 4: expected"},
    {"$.a[*]", "at character 4: expected"},
    {"$.a[0:2]", "at character 4: expected"},
    {"$.a[-1]", "at character 4: expected"},
    {"$.a[]", "at character 4: expected"},
    {"$.a[?(@.b)]", "at character 4: expected"},
    {"$.a[\"b", "at character 4: expected"},
    {"$.a[\"b\\\"\"]", "at character 4: expected"},
    {"$.\xe0\xa4\xb9 ", "at character 4: expected"},
};

START_TEST(refuses)
{
    struct err err;
    ck_assert_int_eq(json_path_check(str_of(broken[_i].path), &err), -1);
    ck_assert_msg(strncmp(err.message, broken[_i].message, strlen(broken[_i].message)) == 0,
                  "%s: %s", broken[_i].path, err.message);
}
END_TEST

START_TEST(refuses_what_is_long)
{
    char path[JSON_PATH_MAX + 1];
    struct err err;
    memset(path, 'a', sizeof(path));
    path[0] = '$';
    path[1] = '.';
    ck_assert_int_eq(json_path_check((struct str){path, sizeof(path) - 1}, &err), 0);
    ck_assert_int_eq(json_path_check((struct str){path, sizeof(path)}, &err), -1);
}
END_TEST

static Suite *json_path_suite(void)
{
    Suite *suite = suite_create("json_path");
    TCase *tc = tcase_create("json_path");
    tcase_add_loop_test(tc, finds, 0, CASES(paths));
    tcase_add_loop_test(tc, refuses, 0, CASES(broken));
    tcase_add_test(tc, refuses_what_is_long);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(json_path_suite)
