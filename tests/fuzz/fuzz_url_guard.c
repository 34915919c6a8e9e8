/*
 * fuzz_url_guard.c - URLs and lists of ranges: what is saved under a guard that allows nothing is
 * https, and its host is no private literal.
 */
#include "lib/rules/address.h"
#include "lib/rules/url_guard.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size};
    struct url_guard *guard, *ranges;
    struct address address;
    struct url_parts parts;
    struct pool *pool;
    struct err err;

    pool_create(&pool);
    if (url_guard_parse(pool, STR(""), &guard, &err) < 0)
        abort();
    if (url_guard_check(guard, input, "url", &err) == 0) {
        if (http_url_split(pool, input, &parts, &err) < 0 ||
            !str_is_nocase(parts.scheme, "https") || parts.has_user || parts.has_fragment)
            abort();
        if (address_parse(parts.host, &address) == 0 && !address_is_public(&address))
            abort();
    }
    if (url_guard_parse(pool, input, &ranges, &err) == 0 &&
        url_guard_check(ranges, STR("https://user@example.com/"), "url", &err) == 0)
        abort();
    pool_destroy(&pool);
    return 0;
}
