/*
 * fuzz_request.c - path, query and list parameters from arbitrary bytes. The input: SCRIPT_NAME,
 * PATH_INFO, QUERY_STRING, CONTENT_TYPE and CONTENT_LENGTH, one per line.
 */
#include "fcgi/list_query.h"
#include "fcgi/request.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE",
                                        "CONTENT_LENGTH"};
    static const unsigned char random[10];
    struct str rest = {(const char *)data, size}, line = STR_NULL;
    char *environ_[6] = {NULL};
    struct call_filter filter;
    struct request rq;
    struct pool *pool;
    struct err err;

    pool_create(&pool);
    for (size_t i = 0; i < 5 && str_split(&rest, '\n', &line); i++)
        environ_[i] = pool_printf(pool, "%s=%.*s", names[i], STR_ARG(line));
    (void)!request_init(&rq, NULL, pool, environ_, random, STR("/base"), &err);
    unsigned allowed;
    (void)!router_find(PROGRAM_ANY, METHOD_GET, rq.path, &rq.match, &allowed, &err);
    (void)!request_check_json_type(&rq, &err);
    (void)!list_query_read(pool, rq.param[PARAM_QUERY], &filter, &err);
    pool_destroy(&pool);
    return 0;
}
