/*
 * fuzz_template.c - templates: what parses renders, as valid UTF-8 of no more than the maximum, and
 * as JSON it is one JSON value; in a URL an expression adds nothing that could end its place.
 */
#include "lib/rules/json_path.h"
#include "lib/rules/template.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SMALL_MAX 100

/* With a maximum that is soon reached. */
static void render_small(struct pool *pool, const struct template *t,
                         const struct template_scope *scope)
{
    struct err err;
    struct buf b;

    buf_init(&b, SMALL_MAX);
    for (int form = TEMPLATE_TEXT; form <= TEMPLATE_JSON; form++) {
        buf_clear(&b);
        if (template_render(&b, pool, t, (enum template_form)form, scope, false, &err) == 0 &&
            (b.overflow || b.len > SMALL_MAX || !str_utf8_valid(buf_as_str(&b))))
            abort();
    }
    buf_deinit(&b);
}

static void render(struct pool *pool, const struct template *t, const struct template_scope *scope)
{
    struct err err;
    struct buf b;

    buf_init(&b, 1024 * 1024);
    if (template_render(&b, pool, t, TEMPLATE_JSON, scope, false, &err) == 0 &&
        (json_scan(buf_as_str(&b), JSON_DEPTH_MAX + 1, &err) != 0 ||
         !str_utf8_valid(buf_as_str(&b))))
        abort();
    buf_clear(&b);
    if (template_render(&b, pool, t, TEMPLATE_URL, scope, true, &err) == 0 && template_is_text(t) &&
        !str_eq(template_head(t), b.len == 0 ? STR("") : buf_as_str(&b)))
        abort();
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char info[] =
        "{\"a\":{\"b\":[1,null,\"x\\\"/?&#\"]},\"t\":\"2024-01-01T00:00:00Z\"}";
    struct str input = {(const char *)data, size};
    struct template_scope scope = {.now = 1700000000 * USEC_PER_S, .offset_minutes = 330};
    struct template *t;
    struct pool *pool;
    struct json *value;
    struct err err;

    pool_create(&pool);
    if (json_parse(pool, str_of(info), &value, &err) != 0)
        abort();
    for (int i = 0; i < TEMPLATE_SOURCE_COUNT; i++)
        scope.at[i] = value;
    /* All texts come out of JSON, which is UTF-8. */
    if (str_utf8_valid(input) && memchr(data, '\0', size) == NULL) {
        if (template_parse(pool, input, TEMPLATE_ALL, &t, &err) == 0)
            render(pool, t, &scope);
        if (template_parse(pool, input, TEMPLATE_ALL, &t, &err) == 0)
            render_small(pool, t, &scope);
        struct str filled = template_fill(pool, input, &scope, SMALL_MAX);
        if (!str_utf8_valid(filled) || (filled.n > SMALL_MAX && !str_eq(filled, input)))
            abort();
        if (json_path_check(input, &err) == 0)
            (void)json_path_find(value, input);
    }
    pool_destroy(&pool);
    return 0;
}
