/*
 * customer_url.c - see customer_url.h. Hosts' addresses are looked at when something is sent.
 */
#include "fcgi/customer_url.h"

int customer_url_guard(const struct conf *conf, struct pool *pool, struct url_guard **guard_r,
                       struct err *err)
{
    if (url_guard_parse(pool, str_of(conf->deliver_allow_cidrs), guard_r, err) == 0)
        return 0;
    err->code = ERR_INTERNAL;
    return err_prefix(err, "deliver_allow_cidrs");
}

int customer_url_check(const struct conf *conf, struct pool *pool, struct str url, struct err *err)
{
    struct url_guard *guard;

    if (customer_url_guard(conf, pool, &guard, err) != 0)
        return -1;
    return url_guard_check(guard, url, "url", err);
}
