/*
 * test_router.c - the route table: no two lines mean the same, every line can be reached, and what
 * is not in it gets 404 or 405 with the right Allow.
 */
#include "fcgi/router.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A path that the pattern matches: each {name} becomes "x". */
static struct str example(const char *pattern, char *out)
{
    size_t n = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            out[n++] = *pattern++;
            continue;
        }
        out[n++] = 'x';
        pattern = strchr(pattern, '}') + 1;
    }
    return (struct str){out, n};
}

static bool same_shape(const char *a, const char *b)
{
    char ea[256], eb[256];
    return str_eq(example(a, ea), example(b, eb));
}

START_TEST(no_two_routes_are_the_same)
{
    for (unsigned a = 0; a < ROUTE_COUNT; a++)
        for (unsigned b = a + 1; b < ROUTE_COUNT; b++)
            ck_assert_msg(
                route_info((enum route)a)->method != route_info((enum route)b)->method ||
                    !same_shape(route_info((enum route)a)->path, route_info((enum route)b)->path),
                "%s is there twice", route_info((enum route)a)->path);
}
END_TEST

START_TEST(every_route_is_reached_in_each_of_its_programs)
{
    static const enum program_bit programs[] = {PROGRAM_API, PROGRAM_HOOKS, PROGRAM_VOICE};
    const struct route_info *info = route_info((enum route)_i);
    for (size_t p = 0; p < 3; p++) {
        char path[256];
        struct route_match match;
        unsigned allowed;
        struct err err;
        bool here = ((unsigned)info->program & (unsigned)programs[p]) != 0;
        int rc = router_find(programs[p], info->method, example(info->path, path), &match, &allowed,
                             &err);
        if (here) {
            ck_assert_msg(rc == 0, "%s", info->path);
            ck_assert_int_eq(match.route, _i);
        } else {
            ck_assert_msg(rc != 0 || match.route != (enum route)_i, "%s", info->path);
        }
    }
}
END_TEST

START_TEST(a_route_names_who_may_use_it)
{
    const struct route_info *info = route_info((enum route)_i);
    /* what a carrier signs needs no key; health has its own rule; who signs in or up is nobody yet
     */
    bool for_nobody = info->body == BODY_CALLBACK || info->program == PROGRAM_ANY ||
                      strncmp(info->path, "/v1/session", 11) == 0;
    if (!for_nobody)
        ck_assert(info->scope != SCOPE_NONE || info->role != ROLE_NONE);
    /* what a key may change, a viewer may not */
    if (info->scope != SCOPE_NONE && info->method != METHOD_GET && info->role != ROLE_NONE)
        ck_assert_int_ge(info->role, ROLE_ADMIN);
}
END_TEST

static const struct {
    const char *name, *path;
    enum method method;
    int code; /* ERR_NONE: found */
    enum route route;
    const char *arg, *allow;
} finds[] = {
    {"list", "/v1/calls", METHOD_GET, ERR_NONE, ROUTE_CALL_LIST, NULL, NULL},
    {"create", "/v1/calls", METHOD_POST, ERR_NONE, ROUTE_CALL_CREATE, NULL, NULL},
    {"get", "/v1/calls/abc", METHOD_GET, ERR_NONE, ROUTE_CALL_GET, "abc", NULL},
    {"head is get", "/v1/calls/abc", METHOD_HEAD, ERR_NONE, ROUTE_CALL_GET, "abc", NULL},
    {"cancel", "/v1/calls/a.b-c/cancel", METHOD_POST, ERR_NONE, ROUTE_CALL_CANCEL, "a.b-c", NULL},
    {"health", "/healthz", METHOD_GET, ERR_NONE, ROUTE_HEALTH, NULL, NULL},
    {"slash at the end", "/v1/calls/", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"slash after an id", "/v1/calls/abc/", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"empty segment", "/v1/calls//cancel", METHOD_POST, ERR_NOT_FOUND, 0, NULL, NULL},
    {"double slash", "//v1/calls", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"prefix", "/v1/call", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"longer", "/v1/callsx", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"case counts", "/V1/calls", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"no path", "", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"root", "/", METHOD_GET, ERR_NOT_FOUND, 0, NULL, NULL},
    {"another program's", "/v1/voice/callbacks/abc", METHOD_POST, ERR_NOT_FOUND, 0, NULL, NULL},
    {"put", "/v1/calls", METHOD_PUT, ERR_METHOD, 0, NULL, "GET, HEAD, POST, OPTIONS"},
    {"unknown method", "/v1/calls", METHOD_COUNT, ERR_METHOD, 0, NULL, "GET, HEAD, POST, OPTIONS"},
    {"options", "/v1/calls/abc", METHOD_OPTIONS, ERR_METHOD, 0, NULL, "GET, HEAD, OPTIONS"},
    {"get of a post", "/v1/calls/abc/cancel", METHOD_GET, ERR_METHOD, 0, NULL, "POST, OPTIONS"},
    {"head of a post", "/v1/calls/abc/cancel", METHOD_HEAD, ERR_METHOD, 0, NULL, "POST, OPTIONS"},
};

START_TEST(a_path_and_a_method_find)
{
    struct route_match match;
    unsigned allowed;
    struct err err;
    err_clear(&err);
    int rc =
        router_find(PROGRAM_API, finds[_i].method, str_of(finds[_i].path), &match, &allowed, &err);
    ck_assert_msg((int)err.code == finds[_i].code, "%s: %s", finds[_i].name, err.message);
    ck_assert_int_eq(rc, finds[_i].code == ERR_NONE ? 0 : -1);
    if (rc == 0)
        ck_assert_int_eq(match.route, finds[_i].route);
    if (rc == 0 && finds[_i].arg != NULL)
        ck_assert_msg(str_is(match.args[0], finds[_i].arg), "%s", finds[_i].name);

    struct buf allow;
    buf_init(&allow, 256);
    router_allow(allowed, &allow);
    const char *want = finds[_i].allow != NULL ? finds[_i].allow : "";
    ck_assert_msg(str_is(buf_as_str(&allow), want), "%s: %.*s", finds[_i].name,
                  STR_ARG(buf_as_str(&allow)));
    buf_deinit(&allow);
}
END_TEST

START_TEST(methods_are_read_byte_by_byte)
{
    for (unsigned m = 0; m < METHOD_COUNT; m++)
        ck_assert_int_eq(method_parse(str_of(method_text(m))), m);
    ck_assert_int_eq(method_parse(STR("get")), METHOD_COUNT);
    ck_assert_int_eq(method_parse(STR("GETS")), METHOD_COUNT);
    ck_assert_int_eq(method_parse(STR_NULL), METHOD_COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("router");
    TCase *tc = tcase_create("router");
    tcase_add_test(tc, no_two_routes_are_the_same);
    tcase_add_loop_test(tc, every_route_is_reached_in_each_of_its_programs, 0, ROUTE_COUNT);
    tcase_add_loop_test(tc, a_route_names_who_may_use_it, 0, ROUTE_COUNT);
    tcase_add_loop_test(tc, a_path_and_a_method_find, 0, sizeof(finds) / sizeof(*finds));
    tcase_add_test(tc, methods_are_read_byte_by_byte);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
