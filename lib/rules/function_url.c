/*
 * function_url.c - a function's URL: what templates may stand in it, and what is looked for in one.
 */
#include "lib/rules/function_private.h"
#include "lib/rules/template.h"

#include <stdlib.h>
#include <string.h>

/* The host must be the owner's: what is said on a phone must not choose who is asked. */
static bool head_has_host(struct str head)
{
    const char *slashes = memmem(head.p, head.n, "://", 3);

    if (slashes == NULL)
        return false;
    for (const char *at = slashes + 3; at < head.p + head.n; at++) {
        if (*at == '/' || *at == '?')
            return at > slashes + 3;
    }
    return false;
}

bool function_url_dotted(struct str url)
{
    const char *slashes = memmem(url.p, url.n, "://", 3);
    struct str part, path = url;

    if (slashes != NULL)
        path = (struct str){slashes + 3, url.n - (size_t)(slashes + 3 - url.p)};
    const char *query = memchr(path.p, '?', path.n);
    if (query != NULL)
        path.n = (size_t)(query - path.p);
    while (str_split(&path, '/', &part)) {
        if (str_is(part, ".") || str_is(part, ".."))
            return true;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order != 0 ? order : x->n < y->n ? -1 : x->n > y->n;
}

void url_names_read(struct pool *pool, struct str url, struct url_names *names_r)
{
    const char *query = memchr(url.p, '?', url.n);
    struct str rest, pair;
    size_t most = 1;

    *names_r = (struct url_names){NULL, 0};
    if (query == NULL)
        return;
    rest = (struct str){query + 1, url.n - (size_t)(query + 1 - url.p)};
    for (size_t i = 0; i < rest.n; i++)
        most += rest.p[i] == '&';
    names_r->names = pool_new(pool, struct str, most);
    while (str_split(&rest, '&', &pair)) {
        const char *is = memchr(pair.p, '=', pair.n);
        if (is != NULL)
            pair.n = (size_t)(is - pair.p);
        if (percent_decode(pool, pair, true, &names_r->names[names_r->count]) == 0)
            names_r->count++;
    }
    qsort(names_r->names, names_r->count, sizeof(struct str), by_name);
}

bool url_names_have(const struct url_names *names, struct str name)
{
    return names->count > 0 &&
           bsearch(&name, names->names, names->count, sizeof(struct str), by_name) != NULL;
}

int function_check_url(struct pool *pool, const struct function *f, const struct url_guard *guard,
                       struct err *err)
{
    struct template *t;

    if (template_check(pool, f->url, "url", function_sources(f->phase), &t, err) != 0)
        return -1;
    if (!template_is_text(t) && !head_has_host(template_head(t)))
        return err_set(err, ERR_INVALID,
                       "url must not have a template before the path: its host is fixed.");
    if (function_url_dotted(f->url))
        return err_set(err, ERR_INVALID, "url must not have . or .. in its path.");
    return url_guard_check(guard, function_plain_url(pool, f), "url", err);
}

struct str function_plain_url(struct pool *pool, const struct function *function)
{
    struct template_scope nothing = {.now = 0};
    struct template *t;
    struct str url = STR("");
    struct err ignored;
    struct buf b;

    if (template_parse(pool, function->url, TEMPLATE_ALL, &t, &ignored) != 0)
        return url;
    buf_init(&b, FUNCTION_URL_MAX);
    if (template_render(&b, pool, t, TEMPLATE_URL, &nothing, false, &ignored) == 0)
        url = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return url;
}
