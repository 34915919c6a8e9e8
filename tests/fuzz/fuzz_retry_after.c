/*
 * fuzz_retry_after.c - Retry-After values: never later than the maximum.
 */
#include "lib/rules/schedule.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const usec_t now = INT64_C(1705313700) * USEC_PER_S, max = INT64_C(86400) * USEC_PER_S;
    usec_t t = retry_after_parse((struct str){(const char *)data, size}, now, max);

    if (t != TIME_NONE && t > now + max)
        abort();
    return 0;
}
