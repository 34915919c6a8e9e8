/*
 * fuzz_conf.c - the configuration file: what is read and printed is read again and printed the
 * same, secrets aside.
 */
#include "lib/base/conf.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct conf *conf;
    struct buf first, second;
    struct pool *pool;
    struct err err;

    pool_create(&pool);
    if (conf_parse(pool, (struct str){(const char *)data, size}, &conf, &err) == 0) {
        buf_init(&first, 1 << 24);
        buf_init(&second, 1 << 24);
        conf_print(conf, &first);
        if (conf_parse(pool, buf_as_str(&first), &conf, &err) != 0) {
            die("printed, but not accepted: %s", err.message);
        }
        conf_print(conf, &second);
        if (!str_eq(buf_as_str(&first), buf_as_str(&second))) {
            abort();
        }
        buf_deinit(&first);
        buf_deinit(&second);
    } else if (!str_utf8_valid(str_of(err.message)) || !str_starts(str_of(err.message), "line ")) {
        abort();
    }
    pool_destroy(&pool);
    return 0;
}
