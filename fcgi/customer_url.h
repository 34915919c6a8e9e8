/*
 * customer_url.h - the URLs that callers give us to send to later: webhooks, carriers, functions.
 */
#ifndef HV_CUSTOMER_URL_H
#define HV_CUSTOMER_URL_H

#include "lib/base/conf.h"
#include "lib/base/pool.h"
#include "lib/rules/url_guard.h"

/* The guard with what deliver_allow_cidrs lets through, in the pool. ERR_INTERNAL: the setting
 * can't be read. */
int customer_url_guard(const struct conf *conf, struct pool *pool, struct url_guard **guard_r,
                       struct err *err) MUST_CHECK;
/* ERR_INVALID names the field `url`. */
int customer_url_check(const struct conf *conf, struct pool *pool, struct str url,
                       struct err *err) MUST_CHECK;

#endif
