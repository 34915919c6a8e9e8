/*
 * fuzz_json_scan.c - the JSON scanner: what it accepts, json-c reads too, and what we write of it
 * is accepted again and written the same.
 */
#include "lib/base/json.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_twice(struct pool *pool, const struct json *value,
                        void (*write)(struct buf *b, const struct json *v))
{
    struct buf first, second;
    struct json *again;
    struct err err;

    buf_init(&first, 1 << 24);
    buf_init(&second, 1 << 24);
    write(&first, value);
    if (json_parse(pool, buf_as_str(&first), &again, &err) != 0) {
        die("written, but not accepted: %s", err.message);
    }
    write(&second, again);
    if (!str_eq(buf_as_str(&first), buf_as_str(&second))) {
        die("written differently: %s", second.data);
    }
    buf_deinit(&first);
    buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct pool *pool;
    struct json *value;
    struct err err;

    if (json_scan(text, JSON_DEPTH_MAX, &err) != 0) {
        if (!str_utf8_valid(str_of(err.message)) || strchr(err.message, ':') == NULL) {
            abort();
        }
        return 0;
    }
    pool_create(&pool);
    if (json_parse(pool, text, &value, &err) != 0) {
        die("scanned, but not parsed: %s", err.message);
    }
    write_twice(pool, value, json_write);
    write_twice(pool, value, json_write_sorted);
    pool_destroy(&pool);
    return 0;
}
