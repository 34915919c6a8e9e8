/*
 * url_guard.h - where this server may send requests that a customer asked for: public addresses
 * over https, and what the operator allows beyond. Checked when a URL is saved (literal hosts) and
 * again on the address that is really dialled.
 */
#ifndef HV_URL_GUARD_H
#define HV_URL_GUARD_H

#include "lib/base/http.h"
#include "lib/base/pool.h"

#define URL_LENGTH_MAX 2048 /* characters */

struct url_guard; /* the operator's ranges, parsed; dies with the pool */

/* cidrs: "10.0.0.0/8, 127.0.0.1/32, ::1/128"; ERR_INVALID names the bad one. */
int url_guard_parse(struct pool *pool, struct str cidrs, struct url_guard **guard_r,
                    struct err *err) MUST_CHECK;

/* Form of a URL to be saved: https, or http with a host that is a literal address in an allowed
 * range or a name (then the range is checked at connect, and http only if any range is allowed at
 * all); no user info, no fragment, at most URL_LENGTH_MAX characters, a host that is no odd
 * spelling of an address (decimal, octal, hex, a zone), not a private literal. localhost and what
 * ends in it are refused unless the operator allows something of loopback; .local and .internal,
 * unless any range is allowed. `field` names it. */
int url_guard_check(const struct url_guard *guard, struct str url, const char *field,
                    struct err *err) MUST_CHECK;

/* An http_guard_fn: ctx is the guard. IPv4 inside IPv6 (mapped, NAT64, 6to4, Teredo, compatible)
 * is judged twice: what is inside must be allowed, and the IPv6 address too, which is never public
 * and so must lie in a range of the operator's (64:ff9b::/96 on a network with NAT64). http only to
 * allowed ranges. */
bool url_guard_address(void *ctx, bool https, const struct sockaddr *address);

#endif
