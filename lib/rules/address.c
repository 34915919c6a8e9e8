/*
 * address.c - which IP addresses are the public internet's.
 *
 * The list is the union of the IANA special-purpose registries (RFC 6890 and its updates), of
 * what cloud providers put on public-looking addresses, and of every way to wrap an IPv4 address
 * into IPv6. Who may reach what else is url_guard.c's business.
 */
#include "lib/rules/address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define V4(bits, ...)                                                                              \
    {                                                                                              \
        {AF_INET, {__VA_ARGS__}}, bits                                                             \
    }
#define V6(bits, ...)                                                                              \
    {                                                                                              \
        {AF_INET6, {__VA_ARGS__}}, bits                                                            \
    }

static const struct address_range v4_reserved[] = {
    V4(8, 0),                 /* this network */
    V4(8, 10),                /* private */
    V4(10, 100, 64),          /* carriers' NAT */
    V4(8, 127),               /* loopback */
    V4(32, 168, 63, 129, 16), /* Azure's host services */
    V4(16, 169, 254),         /* link-local; clouds' metadata */
    V4(12, 172, 16),          /* private */
    V4(24, 192, 0, 0),        /* IETF protocol assignments */
    V4(24, 192, 0, 2),        /* documentation */
    V4(24, 192, 31, 196),     /* AS112 */
    V4(24, 192, 52, 193),     /* AMT */
    V4(24, 192, 88, 99),      /* 6to4 relays */
    V4(16, 192, 168),         /* private */
    V4(24, 192, 175, 48),     /* AS112 */
    V4(15, 198, 18),          /* benchmarks */
    V4(24, 198, 51, 100),     /* documentation */
    V4(24, 203, 0, 113),      /* documentation */
    V4(4, 224),               /* multicast */
    V4(4, 240),               /* reserved, broadcast */
};

/* All that is public in IPv6 today. What lies outside needs no line of its own: ::/8 with
 * loopback, mapped and NAT64 addresses, 100::/64, 5f00::/16, fc00::/7, fe80::/10, fec0::/10,
 * ff00::/8. */
static const struct address_range v6_public = V6(3, 0x20);

/* And what is not public inside it. */
static const struct address_range v6_reserved[] = {
    V6(23, 0x20, 0x01),                   /* IETF protocol assignments: Teredo, ORCHID, ... */
    V6(32, 0x20, 0x01, 0x0d, 0xb8),       /* documentation */
    V6(16, 0x20, 0x02),                   /* 6to4 */
    V6(48, 0x26, 0x20, 0x00, 0x4f, 0x80), /* AS112 */
    V6(20, 0x3f, 0xff),                   /* documentation */
};

/* Where IPv6 addresses carry an IPv4 address: from which byte on, and whether it is inverted. */
static const struct {
    struct address_range range;
    unsigned at;
    unsigned char inverted;
} wrappers[] = {
    {V6(96, [8] = 0xff, 0xff), 12, 0},                   /* translated, RFC 2765 */
    {V6(96, [10] = 0xff, 0xff), 12, 0},                  /* mapped */
    {V6(96, 0), 12, 0},                                  /* compatible */
    {V6(96, 0x00, 0x64, 0xff, 0x9b), 12, 0},             /* NAT64 */
    {V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), 12, 0}, /* local NAT64 */
    {V6(16, 0x20, 0x02), 2, 0},                          /* 6to4 */
    {V6(32, 0x20, 0x01), 4, 0},                          /* Teredo: the server */
    {V6(32, 0x20, 0x01), 12, 0xff},                      /* Teredo: the client */
};

int address_parse(struct str s, struct address *address_r)
{
    char text[INET6_ADDRSTRLEN];

    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n) != NULL)
        return -1;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    memset(address_r, 0, sizeof(*address_r));
    address_r->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    return inet_pton(address_r->family, text, address_r->b) == 1 ? 0 : -1;
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->b, b->b, a->family == AF_INET ? 4 : 16) == 0;
}

int address_range_parse(struct str s, struct address_range *range_r)
{
    struct str address, bits = s;
    unsigned size;
    uint64_t n;

    if (!str_split(&bits, '/', &address) || address_parse(address, &range_r->first) < 0)
        return -1;
    size = range_r->first.family == AF_INET ? 32 : 128;
    n = size;
    if (address.n < s.n) {
        bits = (struct str){s.p + address.n + 1, s.n - address.n - 1};
        if (str_u64(bits, size, &n) < 0)
            return -1;
    }
    range_r->bits = (unsigned)n;
    for (unsigned bit = range_r->bits; bit < size; bit++) {
        if (range_r->first.b[bit / 8] & (0x80 >> bit % 8))
            return -1;
    }
    return 0;
}

static bool same_prefix(const struct address *a, const struct address *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (a->family != b->family || memcmp(a->b, b->b, whole) != 0)
        return false;
    return rest == 0 || ((a->b[whole] ^ b->b[whole]) >> (8 - rest)) == 0;
}

bool address_in(const struct address *address, const struct address_range *range)
{
    return same_prefix(address, &range->first, range->bits);
}

bool address_ranges_overlap(const struct address_range *a, const struct address_range *b)
{
    return same_prefix(&a->first, &b->first, a->bits < b->bits ? a->bits : b->bits);
}

static bool in_any(const struct address *address, const struct address_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (address_in(address, &ranges[i]))
            return true;
    }
    return false;
}

bool address_is_public(const struct address *address)
{
    if (address->family == AF_INET)
        return !in_any(address, v4_reserved, COUNT(v4_reserved));
    return address_in(address, &v6_public) && !in_any(address, v6_reserved, COUNT(v6_reserved));
}

unsigned address_inner(const struct address *address, struct address inner_r[ADDRESS_INNER_MAX])
{
    static const unsigned char zeros[15];
    unsigned count = 0;

    if (address->family != AF_INET6 || memcmp(address->b, zeros, sizeof(zeros)) == 0)
        return 0; /* :: and ::1 wrap nothing, although they lie in the compatible range */
    for (size_t i = 0; i < COUNT(wrappers) && count < ADDRESS_INNER_MAX; i++) {
        if (!address_in(address, &wrappers[i].range))
            continue;
        inner_r[count] = (struct address){.family = AF_INET};
        for (unsigned k = 0; k < 4; k++)
            inner_r[count].b[k] = address->b[wrappers[i].at + k] ^ wrappers[i].inverted;
        count++;
    }
    return count;
}
