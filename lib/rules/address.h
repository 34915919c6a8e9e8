/*
 * address.h - IP addresses as bytes: ranges of them, which are public, and which carry another
 * address inside.
 */
#ifndef HV_ADDRESS_H
#define HV_ADDRESS_H

#include "lib/base/str.h"

struct address {
    int family; /* AF_INET: the first 4 bytes; AF_INET6: all 16 */
    unsigned char b[16];
};

struct address_range {
    struct address first;
    unsigned bits;
};

/* The one plain spelling of each family (inet_pton); no brackets, no zone. */
int address_parse(struct str s, struct address *address_r) MUST_CHECK;
bool address_eq(const struct address *a, const struct address *b);
/* "10.0.0.0/8", or a single address; -1 also when bits are set after the prefix. */
int address_range_parse(struct str s, struct address_range *range_r) MUST_CHECK;
bool address_in(const struct address *address, const struct address_range *range);
bool address_ranges_overlap(const struct address_range *a, const struct address_range *b);

/* Reachable for everybody and nobody's own: what the IANA special-purpose registries mark as
 * global, without what cloud providers keep there, and without prefixes that wrap IPv4. */
bool address_is_public(const struct address *address);

/* The IPv4 addresses that an IPv6 address stands for (mapped, compatible, translated, NAT64,
 * 6to4, Teredo), at most ADDRESS_INNER_MAX; returns how many. */
#define ADDRESS_INNER_MAX 2
unsigned address_inner(const struct address *address, struct address inner_r[ADDRESS_INNER_MAX]);

#endif
