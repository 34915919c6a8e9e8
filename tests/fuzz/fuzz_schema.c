/*
 * fuzz_schema.c - a schema, a line break, and a value: a checked schema judges any value, in no
 * great time; and patterns alone.
 */
#include "lib/rules/pattern.h"
#include "lib/rules/schema.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, first;
    struct json *schema, *value;
    struct pool *pool;
    struct err err;

    if (!str_utf8_valid(rest) || memchr(data, '\0', size) != NULL ||
        !str_split(&rest, '\n', &first))
        return 0;
    pool_create(&pool);
    if (pattern_check(first, &err) == 0)
        (void)pattern_matches(first, rest.p == NULL ? STR("") : rest);
    if (json_parse(pool, first, &schema, &err) == 0 &&
        schema_check(schema, "parameters", &err) == 0 &&
        json_parse(pool, rest, &value, &err) == 0 &&
        schema_validate(schema, value, "args", &err) != 0 && err.code != ERR_INVALID)
        __builtin_trap();
    pool_destroy(&pool);
    return 0;
}
