/*
 * function_arguments.c - see function_arguments.h.
 */
#include "fcgi/function_arguments.h"
#include "lib/base/pool.h"
#include "lib/rules/schema.h"

#define TEXT_MAX ((size_t)128 << 20) /* far over any body that is let in */

struct str function_argument_text(struct pool *pool, const struct json *value)
{
    struct buf b;

    if (value == NULL)
        return STR_NULL;
    buf_init(&b, TEXT_MAX);
    json_write(&b, value);
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

int function_arguments_read(struct pool *pool, const struct json *given, struct json **arguments_r,
                            struct err *err)
{
    struct str text = given == NULL ? STR("{}") : json_str(given);

    if (text.p == NULL)
        text = function_argument_text(pool, given);
    else if (text.n == 0)
        text = STR("{}");
    if (json_parse(pool, text, arguments_r, err) != 0)
        return err_prefix(err, "arguments");
    if (json_type(*arguments_r) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "arguments must be an object, or the text of one.");
    return 0;
}

int function_arguments_check(struct pool *pool, const struct function *function,
                             const struct json *arguments, struct err *err)
{
    struct json *schema;

    if (function->parameters.p == NULL)
        return 0;
    if (json_parse(pool, function->parameters, &schema, err) != 0) {
        err->code = ERR_INTERNAL;
        return err_prefix(err, "stored parameters");
    }
    return schema_validate(schema, arguments, "arguments", err);
}
