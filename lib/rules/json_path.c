/*
 * json_path.c - paths, step by step.
 */
#include "lib/rules/json_path.h"

#include <ctype.h>
#include <string.h>

static bool is_name_byte(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 0x80 || isalnum(u) || c == '_' || c == '-';
}

static void skip(struct str *rest, size_t n)
{
    *rest = (struct str){rest->p + n, rest->n - n};
}

static int dotted(struct str *rest, struct json_step *step_r)
{
    size_t n = 1;
    while (n < rest->n && is_name_byte(rest->p[n]))
        n++;
    if (n == 1)
        return -1;
    *step_r = (struct json_step){.name = {rest->p + 1, n - 1}};
    skip(rest, n);
    return 1;
}

static int quoted(struct str *rest, struct json_step *step_r)
{
    char quote = rest->p[1];
    size_t n = 2;

    while (n < rest->n && rest->p[n] != quote && rest->p[n] != '\\')
        n++;
    if (n + 1 >= rest->n || rest->p[n] != quote || rest->p[n + 1] != ']')
        return -1;
    *step_r = (struct json_step){.name = {rest->p + 2, n - 2}};
    skip(rest, n + 2);
    return 1;
}

static int indexed(struct str *rest, struct json_step *step_r)
{
    const char *end = memchr(rest->p, ']', rest->n);
    uint64_t index;

    if (end == NULL ||
        str_u64((struct str){rest->p + 1, (size_t)(end - rest->p) - 1}, 1000000, &index) != 0)
        return -1;
    *step_r = (struct json_step){.name = STR_NULL, .index = (size_t)index};
    skip(rest, (size_t)(end - rest->p) + 1);
    return 1;
}

int json_path_step(struct str *rest, struct json_step *step_r)
{
    if (rest->n == 0)
        return 0;
    if (rest->p[0] == '.')
        return dotted(rest, step_r);
    if (rest->p[0] != '[')
        return 0;
    if (rest->n > 1 && (rest->p[1] == '"' || rest->p[1] == '\''))
        return quoted(rest, step_r);
    return indexed(rest, step_r);
}

struct json *json_path_down(const struct json *value, const struct json_step *step)
{
    char name[JSON_PATH_MAX + 1];

    if (step->name.p == NULL) {
        bool there = json_type(value) == JSON_ARRAY && step->index < json_count(value);
        return there ? json_at(value, step->index) : NULL;
    }
    if (step->name.n > JSON_PATH_MAX)
        return NULL;
    memcpy(name, step->name.p, step->name.n);
    name[step->name.n] = '\0';
    return json_get(value, name);
}

int json_path_check(struct str path, struct err *err)
{
    struct str rest = path;
    struct json_step step;
    int found;

    if (path.n > JSON_PATH_MAX)
        return err_set(err, ERR_INVALID, "at character 1: a path has at most %d bytes.",
                       JSON_PATH_MAX);
    if (path.n == 0 || path.p[0] != '$')
        return err_set(err, ERR_INVALID, "at character 1: a path begins with $, as in $.slots[0].");
    skip(&rest, 1);
    while ((found = json_path_step(&rest, &step)) > 0)
        ;
    if (found < 0 || rest.n > 0) {
        size_t at = str_utf8_count((struct str){path.p, path.n - rest.n}) + 1;
        return err_set(err, ERR_INVALID,
                       "at character %zu: expected .name, [0] or [\"name\"] or the path's end.",
                       at);
    }
    return 0;
}

struct json *json_path_find(struct json *root, struct str path)
{
    struct json *value = root;
    struct json_step step;
    struct str rest = path;

    if (path.n == 0 || path.p[0] != '$')
        return NULL;
    skip(&rest, 1);
    while (value != NULL && json_path_step(&rest, &step) > 0)
        value = json_path_down(value, &step);
    return rest.n == 0 || value == NULL ? value : NULL;
}
