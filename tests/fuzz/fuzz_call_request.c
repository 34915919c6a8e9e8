/*
 * fuzz_call_request.c - bodies of requests for calls, and Idempotency-Key headers.
 */
#include "lib/rules/call_request.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const usec_t now = INT64_C(1705313700) * USEC_PER_S;
    struct str input = {(const char *)data, size}, key;
    struct call_request request;
    struct pool *pool;
    struct json *body;
    struct err err;

    pool_create(&pool);
    if (json_parse(pool, input, &body, &err) == 0) {
        if (call_request_read(pool, body, now, &request, &err) == 0) {
            if (request.contact_number.n != 13 || !str_starts(request.contact_number, "+91"))
                abort();
        } else if (err.code != ERR_INVALID && err.code != ERR_NOT_FOUND) {
            abort();
        }
    }
    if (idempotency_key_read(pool, input, &key, &err) == 0 &&
        (key.n < 1 || key.n > IDEMPOTENCY_KEY_MAX || memchr(key.p, '\0', key.n) != NULL))
        abort();
    pool_destroy(&pool);
    return 0;
}
