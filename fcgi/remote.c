/*
 * remote.c - see remote.h.
 */
#include "fcgi/remote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int proxies_parse(struct proxies *proxies_r, struct str text, struct err *err)
{
    struct str part;

    *proxies_r = (struct proxies){0};
    while (str_split(&text, ',', &part)) {
        struct address_range range;
        part = str_trim(part);
        if (part.n == 0)
            continue;
        if (address_range_parse(part, &range) != 0) {
            proxies_free(proxies_r);
            return err_set(err, ERR_INVALID, "\"%.*s\" is no address and no range of addresses",
                           STR_ARG(part));
        }
        proxies_r->ranges = mem_realloc(proxies_r->ranges, (proxies_r->count + 1) * sizeof(range));
        proxies_r->ranges[proxies_r->count++] = range;
    }
    return 0;
}

void proxies_free(struct proxies *proxies)
{
    free(proxies->ranges);
    *proxies = (struct proxies){0};
}

static bool is_trusted(const struct proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->count; i++) {
        if (address_in(address, &proxies->ranges[i]))
            return true;
    }
    return false;
}

/* Cuts the last element off a list. */
static bool take_last(struct str *list, struct str *last_r)
{
    if (list->n == 0)
        return false;
    const char *comma = memrchr(list->p, ',', list->n);
    size_t before = comma != NULL ? (size_t)(comma - list->p) : 0;
    size_t from = comma != NULL ? before + 1 : 0;
    *last_r = str_trim((struct str){list->p + from, list->n - from});
    list->n = before;
    return true;
}

struct str remote_address(const struct request *rq, const struct proxies *proxies)
{
    struct str text = rq->param[PARAM_REMOTE_ADDR], list = rq->param[PARAM_X_FORWARDED_FOR], last;
    struct address address, further;

    if (text.p == NULL || address_parse(text, &address) != 0)
        return STR("unknown");
    while (is_trusted(proxies, &address) && take_last(&list, &last) &&
           address_parse(last, &further) == 0)
        address = further;
    char hex[17];
    size_t n = address.family == AF_INET ? 4 : 8;
    hex_encode(address.b, n, hex);
    return str_of(pool_printf(rq->pool, "%d:%s", address.family == AF_INET ? 4 : 6, hex));
}
