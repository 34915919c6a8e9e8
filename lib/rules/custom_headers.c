/*
 * custom_headers.c - checks, merges and writes an endpoint's own headers.
 */
#include "lib/rules/custom_headers.h"
#include "lib/rules/fields.h"

#include <string.h>

struct header {
    struct str name, value;
};

/* What the request says by itself, and what is between the two ends of a connection. */
static const char *const refused[] = {
    "connection",     "content-encoding",
    "content-length", "content-type",
    "expect",         "host",
    "keep-alive",     "te",
    "trailer",        "transfer-encoding",
    "upgrade",        "user-agent",
};
static const char *const refused_prefixes[] = {"proxy-", "webhook-", "x-webhook-"};

#define HIDDEN "(hidden)"
#define SECRET_LEAST (sizeof(HIDDEN) - 1)

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

static bool is_token(struct str s)
{
    if (s.n == 0 || s.n > CUSTOM_HEADER_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter_or_digit && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_refused(struct str name)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        if (str_is_nocase(name, refused[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(refused_prefixes) / sizeof(*refused_prefixes); i++) {
        struct str begin = {name.p, strlen(refused_prefixes[i])};
        if (name.n >= begin.n && str_is_nocase(begin, refused_prefixes[i]))
            return true;
    }
    return false;
}

static int check_name(struct str name, struct err *err)
{
    struct str shown = field_echo(name);
    if (!is_token(name))
        return err_set(err, ERR_INVALID,
                       "headers: \"%.*s\" is no header's name: 1 to %d letters, digits and signs "
                       "of RFC 9110.",
                       (int)shown.n, shown.n > 0 ? shown.p : "", CUSTOM_HEADER_NAME_MAX);
    if (is_refused(name))
        return err_set(err, ERR_INVALID, "headers: %.*s is set by the server.", STR_ARG(shown));
    return 0;
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    }
    return true;
}

static int check_value(struct str name, const struct json *value, struct err *err)
{
    struct str s = json_str(value);
    name = field_echo(name);
    if (s.p == NULL)
        return err_set(err, ERR_INVALID, "headers.%.*s must be a string, or null to remove it.",
                       STR_ARG(name));
    if (s.n == 0 || s.n > CUSTOM_HEADER_VALUE_MAX || !is_printable(s) || s.p[0] == ' ' ||
        s.p[s.n - 1] == ' ')
        return err_set(err, ERR_INVALID,
                       "headers.%.*s must be 1 to %d printable ASCII characters without a blank "
                       "at either end.",
                       STR_ARG(name), CUSTOM_HEADER_VALUE_MAX);
    return 0;
}

/* What is stored, as an array with room for `more`. */
static int read_stored(struct pool *pool, struct str text, size_t more, struct header **headers_r,
                       size_t *count_r, struct err *err)
{
    struct json *object = NULL, *value;
    struct str name;
    size_t it = 0;

    if (text.p != NULL && json_parse(pool, text, &object, err) != 0) {
        err->code = ERR_INTERNAL;
        return err_prefix(err, "stored headers");
    }
    *headers_r = pool_new(pool, struct header, json_count(object) + more + 1);
    *count_r = 0;
    while (object != NULL && json_each(object, &it, &name, &value))
        (*headers_r)[(*count_r)++] = (struct header){name, json_str(value)};
    return 0;
}

static size_t find(const struct header *headers, size_t count, struct str name)
{
    size_t i = 0;
    while (i < count && !same_name(headers[i].name, name))
        i++;
    return i;
}

static struct str write_object(struct pool *pool, const struct header *headers, size_t count)
{
    struct buf b;
    if (count == 0)
        return STR_NULL;
    buf_init(&b, (size_t)1 << 20);
    for (size_t i = 0; i < count; i++) {
        buf_char(&b, i == 0 ? '{' : ',');
        buf_json(&b, headers[i].name);
        buf_char(&b, ':');
        buf_json(&b, headers[i].value);
    }
    buf_char(&b, '}');
    struct str text = {pool_dup(pool, b.data, b.len), b.len};
    buf_deinit(&b);
    return text;
}

static int merge_one(struct header *headers, size_t *count, struct str name,
                     const struct json *value, struct err *err)
{
    size_t i = find(headers, *count, name);
    if (json_type(value) == JSON_NULL) {
        if (i < *count) {
            memmove(&headers[i], &headers[i + 1], (*count - i - 1) * sizeof(*headers));
            --*count;
        }
        return 0;
    }
    if (check_name(name, err) != 0 || check_value(name, value, err) != 0)
        return -1;
    headers[i] = (struct header){name, json_str(value)};
    if (i == *count)
        ++*count;
    return 0;
}

/* A name twice in one change, differing in case alone. */
static int check_once(const struct json *change, struct err *err)
{
    struct json *value, *other;
    struct str name, other_name;
    size_t it = 0;

    while (json_each(change, &it, &name, &value)) {
        size_t rest = it;
        while (json_each(change, &rest, &other_name, &other)) {
            if (same_name(name, other_name)) {
                name = field_echo(name);
                return err_set(err, ERR_INVALID, "headers: \"%.*s\" is given twice.", (int)name.n,
                               name.n > 0 ? name.p : "");
            }
        }
    }
    return 0;
}

int custom_headers_merge(struct pool *pool, struct str now, const struct json *change,
                         struct str *merged_r, struct err *err)
{
    struct header *headers;
    struct json *value;
    struct str name;
    size_t count, it = 0;

    *merged_r = STR_NULL;
    if (json_type(change) == JSON_NULL)
        return 0;
    if (json_type(change) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "headers must be an object of strings.");
    /* looked at before anything that costs the square of their number */
    if (json_count(change) > 2 * CUSTOM_HEADERS_MAX)
        return err_set(err, ERR_INVALID, "headers must be at most %d.", CUSTOM_HEADERS_MAX);
    if (check_once(change, err) != 0 ||
        read_stored(pool, now, json_count(change), &headers, &count, err) != 0)
        return -1;
    while (json_each(change, &it, &name, &value)) {
        if (merge_one(headers, &count, name, value, err) != 0)
            return -1;
    }
    if (count > CUSTOM_HEADERS_MAX)
        return err_set(err, ERR_INVALID, "headers must be at most %d.", CUSTOM_HEADERS_MAX);
    *merged_r = write_object(pool, headers, count);
    return 0;
}

int custom_headers_hidden(struct buf *b, struct pool *pool, struct str text, struct err *err)
{
    struct header *headers;
    size_t count;

    if (read_stored(pool, text, 0, &headers, &count, err) != 0)
        return -1;
    buf_char(b, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(b, ',');
        buf_json(b, headers[i].name);
        buf_lit(b, ":\"" HIDDEN "\"");
    }
    buf_char(b, '}');
    return 0;
}

int custom_headers_lines(struct pool *pool, struct str text, struct str **lines_r, size_t *count_r,
                         struct err *err)
{
    struct header *headers;

    if (read_stored(pool, text, 0, &headers, count_r, err) != 0)
        return -1;
    *lines_r = pool_new(pool, struct str, *count_r + 1);
    for (size_t i = 0; i < *count_r; i++) {
        const char *line =
            pool_printf(pool, "%.*s: %.*s", STR_ARG(headers[i].name), STR_ARG(headers[i].value));
        (*lines_r)[i] = str_of(line);
    }
    return 0;
}

static struct str hide(struct pool *pool, struct str secret, struct str text)
{
    const char *at;
    struct buf b;

    if (secret.n < SECRET_LEAST || text.n < secret.n ||
        memmem(text.p, text.n, secret.p, secret.n) == NULL)
        return text;
    buf_init(&b, text.n + sizeof(HIDDEN)); /* what is put in is no longer than what it stands for */
    while (text.n >= secret.n && (at = memmem(text.p, text.n, secret.p, secret.n)) != NULL) {
        size_t before = (size_t)(at - text.p);
        buf_add(&b, text.p, before);
        buf_lit(&b, HIDDEN);
        text = (struct str){at + secret.n, text.n - before - secret.n};
    }
    if (text.n > 0)
        buf_str(&b, text);
    struct str hidden = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return hidden;
}

/* As encoders of JSON write it: quotes and backslashes escaped, and slashes, as some do. */
static struct str escaped(struct pool *pool, struct str secret, bool slashes)
{
    struct buf b;

    buf_init(&b, 2 * secret.n);
    for (size_t i = 0; i < secret.n; i++) {
        char c = secret.p[i];
        if (c == '"' || c == '\\' || (slashes && c == '/'))
            buf_char(&b, '\\');
        buf_char(&b, c);
    }
    struct str text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static struct str hide_all_forms(struct pool *pool, struct str secret, struct str text)
{
    if (secret.n < SECRET_LEAST)
        return text;
    text = hide(pool, secret, text);
    text = hide(pool, escaped(pool, secret, false), text);
    return hide(pool, escaped(pool, secret, true), text);
}

struct str custom_headers_hide(struct pool *pool, const struct str *lines, size_t count,
                               struct str text)
{
    for (size_t i = 0; i < count; i++) {
        const char *colon = memchr(lines[i].p, ':', lines[i].n);
        if (colon == NULL)
            continue;
        struct str value = {colon + 2, lines[i].n - (size_t)(colon + 2 - lines[i].p)};
        text = hide_all_forms(pool, value, text);
        const char *blank = memrchr(value.p, ' ', value.n);
        if (blank != NULL) {
            struct str last = {blank + 1, value.n - (size_t)(blank + 1 - value.p)};
            text = hide_all_forms(pool, last, text);
        }
    }
    return text;
}
