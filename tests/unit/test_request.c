/*
 * test_request.c - what is taken from a request: the path in every way of mounting, the query, the
 * media type, the body with its cap and its two lengths.
 */
#include "fcgi/request.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

/* A body that comes in pieces, and may break off. */
struct source {
    struct io io;
    size_t left, piece;
    bool breaks;
    size_t taken;
};

static ptrdiff_t source_read(struct io *io, char *p, size_t n)
{
    struct source *s = (struct source *)io;
    if (s->left == 0)
        return s->breaks ? -1 : 0;
    if (n > s->piece)
        n = s->piece;
    if (n > s->left)
        n = s->left;
    memset(p, 'x', n);
    s->left -= n;
    s->taken += n;
    return (ptrdiff_t)n;
}

static int make(struct request *rq, struct io *io, char *const *environ_, struct err *err)
{
    static const unsigned char random[10] = {1, 2, 3};
    err_clear(err);
    return request_init(rq, io, pool, environ_, random, STR_NULL, err);
}

static const struct {
    const char *name, *script_name, *path_info, *base_path, *path;
} paths[] = {
    {"lighttpd, whole path", "/v1/calls", "", "", "/v1/calls"},
    {"mod_proxy_fcgi", "/v1/calls/7", NULL, "", "/v1/calls/7"},
    {"mounted on /v1", "/v1", "/calls", "", "/v1/calls"},
    {"cgi", "/huskyvoice-api.fcgi", "/v1/calls", "", "/v1/calls"},
    {"cgi in a folder", "/cgi-bin/a/huskyvoice-api.cgi", "/v1/calls", "", "/v1/calls"},
    {"program in the whole path", "/x/huskyvoice-api.fcgi/v1/calls", NULL, "", "/v1/calls"},
    {"program and base path", "/hv/huskyvoice-api.fcgi", "/v1/calls", "/hv", "/v1/calls"},
    {"program beside the base path", "/cgi/api.fcgi", "/v1/calls", "/hv", "/v1/calls"},
    {"base path", "/hv", "/v1/calls", "/hv", "/v1/calls"},
    {"base path in one", "/hv/v1/calls", NULL, "/hv", "/v1/calls"},
    {"not below the base path", "/v1/calls", NULL, "/hv", NULL},
    {"beside the base path", "/hvx/v1/calls", NULL, "/hv", NULL},
    {"the base path alone", "/hv", NULL, "/hv", NULL},
    {"an id that ends in .cgi", "/v1/calls/a.cgi", NULL, "", "/v1/calls/a.cgi"},
    {"only path_info", "", "/healthz", "", "/healthz"},
    {"the program alone", "/huskyvoice-api.fcgi", NULL, "", ""},
    {"nothing", NULL, NULL, "", NULL},
};

START_TEST(a_path_is_the_same_however_it_is_mounted)
{
    struct str path = request_path(pool, str_of(paths[_i].script_name), str_of(paths[_i].path_info),
                                   str_of(paths[_i].base_path));
    if (paths[_i].path == NULL)
        ck_assert_msg(path.p == NULL, "%s: %.*s", paths[_i].name, STR_ARG(path));
    else
        ck_assert_msg(path.p != NULL && str_is(path, paths[_i].path), "%s: %.*s", paths[_i].name,
                      STR_ARG(path));
}
END_TEST

START_TEST(parameters_are_kept_by_their_whole_name)
{
    char *environ_[] = {"REQUEST_METHOD=POST",
                        "REQUEST_METHODS=GET",
                        "SCRIPT_NAME=/v1/calls",
                        "QUERY_STRING=a=b",
                        "HTTP_AUTHORIZATION=",
                        "http_webhook_id=no",
                        "broken",
                        "CONTENT_LENGTH=12",
                        NULL};
    struct request rq;
    struct err err;
    ck_assert_int_eq(make(&rq, NULL, environ_, &err), 0);
    ck_assert_int_eq(rq.method, METHOD_POST);
    ck_assert(str_is(rq.path, "/v1/calls"));
    ck_assert(str_is(rq.param[PARAM_QUERY], "a=b"));
    ck_assert(rq.param[PARAM_AUTHORIZATION].p != NULL);
    ck_assert(rq.param[PARAM_WEBHOOK_ID].p == NULL);
    ck_assert_uint_eq(rq.body_length, 12);
    ck_assert_uint_eq(strlen(rq.id), REQUEST_ID_SIZE - 1);
    ck_assert(strncmp(rq.id, "req_", 4) == 0);
}
END_TEST

static const struct {
    const char *text;
    int rc;
    uint64_t length;
} lengths[] = {
    {"CONTENT_LENGTH=0", 0, 0},
    {"CONTENT_LENGTH=", 0, UINT64_MAX},
    {"X=1", 0, UINT64_MAX},
    {"CONTENT_LENGTH=65537", 0, 65537},
    {"CONTENT_LENGTH=-1", -1, UINT64_MAX},
    {"CONTENT_LENGTH=+1", -1, UINT64_MAX},
    {"CONTENT_LENGTH=1 ", -1, UINT64_MAX},
    {"CONTENT_LENGTH=0x10", -1, UINT64_MAX},
    {"CONTENT_LENGTH=18446744073709551616", -1, UINT64_MAX},
    {"CONTENT_LENGTH=99999999999999999999999", -1, UINT64_MAX},
};

START_TEST(content_length_is_a_plain_number)
{
    char *environ_[] = {(char *)lengths[_i].text, NULL};
    struct request rq;
    struct err err;
    ck_assert_int_eq(make(&rq, NULL, environ_, &err), lengths[_i].rc);
    ck_assert_uint_eq(rq.body_length, lengths[_i].length);
    if (lengths[_i].rc != 0)
        ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

static const struct {
    const char *name, *query, *pairs; /* "name=value;" each; NULL: refused */
} queries[] = {
    {"none", "", ""},
    {"one", "limit=5", "limit=5;"},
    {"two", "a=1&b=2", "a=1;b=2;"},
    {"empty parts", "&&a=1&", "a=1;"},
    {"no value", "a&b=", "a=;b=;"},
    {"no name", "=1", "=1;"},
    {"more than one =", "a=b=c", "a=b=c;"},
    {"escapes", "a%3Db=%2B91%20x", "a=b=+91 x;"},
    {"plus is a blank", "contact_number=+91", "contact_number= 91;"},
    {"utf-8", "a=%C3%A9", "a=\xc3\xa9;"},
    {"cut escape", "a=%4", NULL},
    {"no hex", "a=%zz", NULL},
    {"no utf-8", "a=%ff", NULL},
    {"nul", "a=%00", NULL},
    {"nul in a name", "%00=1", NULL},
};

START_TEST(a_query_falls_into_pairs)
{
    struct str rest = str_of(queries[_i].query), name, value;
    char seen[256] = "";
    struct err err;
    int more;
    while ((more = query_next_pair(pool, &rest, &name, &value, &err)) > 0) {
        strncat(seen, name.p, name.n);
        strcat(seen, "=");
        strncat(seen, value.p, value.n);
        strcat(seen, ";");
    }
    if (queries[_i].pairs == NULL) {
        ck_assert_msg(more == -1, "%s", queries[_i].name);
        ck_assert_int_eq(err.code, ERR_INVALID);
    } else {
        ck_assert_msg(more == 0, "%s", queries[_i].name);
        ck_assert_str_eq(seen, queries[_i].pairs);
    }
}
END_TEST

static const struct {
    const char *type, *encoding;
    int rc;
} types[] = {
    {"application/json", NULL, 0},
    {"Application/JSON", NULL, 0},
    {"application/json; charset=utf-8", NULL, 0},
    {"application/json;charset=\"UTF-8\"", NULL, 0},
    {"application/json; profile=x", NULL, 0},
    {"application/json; charset=utf-8; x=y", NULL, 0},
    {"application/json", "identity", 0},
    {"application/json;", NULL, 0},
    {NULL, NULL, -1},
    {"", NULL, -1},
    {"text/json", NULL, -1},
    {"application/jsonx", NULL, -1},
    {"application/json+x", NULL, -1},
    {"application/x-www-form-urlencoded", NULL, -1},
    {"application/json; charset=latin1", NULL, -1},
    {"application/json; Charset=utf-16", NULL, -1},
    {"application/json", "gzip", -1},
};

START_TEST(a_body_of_json_says_so)
{
    struct request rq = {.pool = pool};
    struct err err;
    rq.param[PARAM_CONTENT_TYPE] = str_of(types[_i].type);
    rq.param[PARAM_CONTENT_ENCODING] = str_of(types[_i].encoding);
    ck_assert_msg(request_check_json_type(&rq, &err) == types[_i].rc, "%s", types[_i].type);
    if (types[_i].rc != 0)
        ck_assert_int_eq(err.code, ERR_MEDIA_TYPE);
}
END_TEST

#define NO_LENGTH UINT64_MAX
static const struct {
    const char *name;
    uint64_t length;
    size_t body, piece;
    bool breaks;
    int code;
    size_t taken_max;
} bodies[] = {
    {"with its length", 100, 100, 1000, false, ERR_NONE, 100},
    {"in small pieces", 100, 100, 7, false, ERR_NONE, 100},
    {"chunked", NO_LENGTH, 100, 7, false, ERR_NONE, 100},
    {"chunked, empty", NO_LENGTH, 0, 7, false, ERR_NONE, 0},
    {"as large as may be", 1000, 1000, 300, false, ERR_NONE, 1000},
    {"as large as may be, chunked", NO_LENGTH, 1000, 300, false, ERR_NONE, 1000},
    {"one too many", 1001, 1001, 300, false, ERR_TOO_LARGE, 0},
    {"one too many, chunked", NO_LENGTH, 1001, 300, false, ERR_TOO_LARGE, 1001},
    {"endless, chunked", NO_LENGTH, SIZE_MAX / 2, 300, false, ERR_TOO_LARGE, 1001},
    {"says too much", 1u << 30, 10, 300, false, ERR_TOO_LARGE, 0},
    {"shorter than it says", 100, 99, 300, false, ERR_INVALID, 99},
    {"longer than it says", 10, 500, 300, false, ERR_NONE, 500},
    {"longer than it says and than it may", 10, 5000, 300, false, ERR_TOO_LARGE, 1001},
    {"breaks off", 100, 50, 300, true, ERR_INVALID, 50},
    {"breaks off, chunked", NO_LENGTH, 50, 300, true, ERR_INVALID, 50},
};

START_TEST(a_body_is_read_to_its_end)
{
    struct source source = {.io = {.read = source_read},
                            .left = bodies[_i].body,
                            .piece = bodies[_i].piece,
                            .breaks = bodies[_i].breaks};
    struct request rq = {.io = &source.io, .pool = pool, .body_length = bodies[_i].length};
    struct err err;
    struct buf b;
    err_clear(&err);
    buf_init(&b, 0);
    int rc = request_read_body(&rq, &b, 1000, &err);
    ck_assert_msg((int)err.code == bodies[_i].code, "%s: %s", bodies[_i].name, err.message);
    ck_assert_int_eq(rc, bodies[_i].code == ERR_NONE ? 0 : -1);
    ck_assert_msg(source.taken <= bodies[_i].taken_max, "%s", bodies[_i].name);
    if (rc == 0)
        ck_assert_uint_eq(rq.body.n, bodies[_i].body);
    buf_deinit(&b);
}
END_TEST

static const struct {
    const char *name;
    size_t body, left;
    bool breaks;
} drains[] = {
    {"nothing is left", 0, 0, false},
    {"a body", 100000, 0, false},
    {"one that breaks off", 100, 0, true},
    {"as much as is read", REQUEST_DRAIN_MAX, 0, false},
    {"without end", (size_t)REQUEST_DRAIN_MAX + 5, 5, false},
};

START_TEST(what_is_left_of_a_body_is_drained)
{
    struct source source = {.io = {.read = source_read},
                            .left = drains[_i].body,
                            .piece = 1000,
                            .breaks = drains[_i].breaks};
    struct request rq = {.io = &source.io, .pool = pool};
    request_drain(&rq);
    ck_assert_msg(source.left == drains[_i].left, "%s: %zu", drains[_i].name, source.left);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tc = tcase_create("request");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_path_is_the_same_however_it_is_mounted, 0,
                        sizeof(paths) / sizeof(*paths));
    tcase_add_test(tc, parameters_are_kept_by_their_whole_name);
    tcase_add_loop_test(tc, content_length_is_a_plain_number, 0,
                        sizeof(lengths) / sizeof(*lengths));
    tcase_add_loop_test(tc, a_query_falls_into_pairs, 0, sizeof(queries) / sizeof(*queries));
    tcase_add_loop_test(tc, a_body_of_json_says_so, 0, sizeof(types) / sizeof(*types));
    tcase_add_loop_test(tc, a_body_is_read_to_its_end, 0, sizeof(bodies) / sizeof(*bodies));
    tcase_add_loop_test(tc, what_is_left_of_a_body_is_drained, 0, sizeof(drains) / sizeof(*drains));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
