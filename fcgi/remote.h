/*
 * remote.h - where a request comes from, when there are proxies in front.
 */
#ifndef HV_REMOTE_H
#define HV_REMOTE_H

#include "fcgi/request.h"
#include "lib/rules/address.h"

struct proxies {
    struct address_range *ranges;
    size_t count;
};

/* "10.0.0.0/8, ::1"; ERR_INVALID names the bad one. */
int proxies_parse(struct proxies *proxies_r, struct str text, struct err *err) MUST_CHECK;
void proxies_free(struct proxies *proxies);

/* The address that attempts are counted for, as text in the pool: REMOTE_ADDR; if that is a trusted
 * proxy, what it says in X-Forwarded-For, from the right up to the first that is none. Of IPv6 the
 * first 64 bits: who has one address there has all of them. */
struct str remote_address(const struct request *rq, const struct proxies *proxies);

#endif
