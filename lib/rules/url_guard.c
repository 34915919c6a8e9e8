/*
 * url_guard.c - what the operator allows beyond the public internet, and which URLs may be saved.
 *
 * A URL's host is read twice, here as it is written and by the HTTP library as it would be
 * dialled. Where the two disagree the URL is refused: then one of them could be led to where the
 * other did not look.
 */
#include "lib/rules/url_guard.h"
#include "lib/rules/address.h"
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define HOST_LENGTH_MAX 253

struct url_guard {
    struct address_range *ranges;
    size_t count;
};

int url_guard_parse(struct pool *pool, struct str cidrs, struct url_guard **guard_r,
                    struct err *err)
{
    struct url_guard *guard = pool_new(pool, struct url_guard, 1);
    struct str rest = cidrs, part;
    size_t most = 1;

    for (size_t i = 0; i < cidrs.n; i++)
        most += cidrs.p[i] == ',';
    guard->ranges = pool_new(pool, struct address_range, most);
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (part.n == 0)
            continue;
        if (address_range_parse(part, &guard->ranges[guard->count]) < 0)
            return err_set(err, ERR_INVALID, "\"%.*s\" is not an address range like 10.0.0.0/8.",
                           part.n < 60 ? (int)part.n : 60, part.p);
        guard->count++;
    }
    *guard_r = guard;
    return 0;
}

static bool operator_allows(const struct url_guard *guard, const struct address *address)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (address_in(address, &guard->ranges[i]))
            return true;
    }
    return false;
}

/* https goes to public addresses and to the operator's, http to the operator's alone. What an
 * IPv6 address wraps must be allowed like the address itself. */
static bool address_allowed(const struct url_guard *guard, bool https,
                            const struct address *address)
{
    struct address inner[ADDRESS_INNER_MAX];
    unsigned count = address_inner(address, inner);

    for (unsigned i = 0; i < count; i++) {
        if (!address_allowed(guard, https, &inner[i]))
            return false;
    }
    return operator_allows(guard, address) || (https && address_is_public(address));
}

bool url_guard_address(void *ctx, bool https, const struct sockaddr *address)
{
    struct address a = {.family = address->sa_family};
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } socket_address;

    if (a.family == AF_INET) {
        memcpy(&socket_address.in, address, sizeof(socket_address.in));
        memcpy(a.b, &socket_address.in.sin_addr, 4);
    } else if (a.family == AF_INET6) {
        memcpy(&socket_address.in6, address, sizeof(socket_address.in6));
        memcpy(a.b, &socket_address.in6.sin6_addr, 16);
    } else {
        return false;
    }
    return address_allowed(ctx, https, &a);
}

static bool allows_loopback(const struct url_guard *guard)
{
    static const struct address_range v4 = {{AF_INET, {127}}, 8};
    static const struct address_range v6 = {{AF_INET6, {[15] = 1}}, 128};

    for (size_t i = 0; i < guard->count; i++) {
        if (address_ranges_overlap(&guard->ranges[i], &v4) ||
            address_ranges_overlap(&guard->ranges[i], &v6))
            return true;
    }
    return false;
}

static bool ends_with(struct str s, const char *tail)
{
    size_t n = strlen(tail);

    return s.n >= n && str_is_nocase((struct str){s.p + s.n - n, n}, tail);
}

/* Names that can't be public. localhost is for who allowed anything of loopback; .local and
 * .internal for who allowed any range, since they stand for addresses of a network's own. */
static bool name_refused(const struct url_guard *guard, struct str name)
{
    if (str_is_nocase(name, "localhost") || ends_with(name, ".localhost"))
        return !allows_loopback(guard);
    if (ends_with(name, ".local") || ends_with(name, ".internal"))
        return guard->count == 0;
    return false;
}

static struct str without_last_dot(struct str name)
{
    if (name.n > 1 && name.p[name.n - 1] == '.')
        name.n--;
    return name;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Labels of letters, digits, '-' and '_'. The last is no number, decimal or hex: some resolvers
 * take such names for addresses (2130706433, 127.1, 0x7f000001). */
static bool is_name(struct str name)
{
    struct str rest = name, label = STR_NULL;

    if (name.n == 0 || name.n > HOST_LENGTH_MAX || name.p[name.n - 1] == '.')
        return false;
    while (str_split(&rest, '.', &label)) {
        if (label.n == 0)
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_letter_or_digit(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
                return false;
        }
    }
    if (label.n >= 2 && label.p[0] == '0' && (label.p[1] == 'x' || label.p[1] == 'X'))
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (label.p[i] < '0' || label.p[i] > '9')
            return true;
    }
    return false;
}

/* What stands between "//" and the path. */
static struct str authority_as_written(struct str url)
{
    const char *start = memmem(url.p, url.n, "//", 2);
    size_t n = 0;

    if (start == NULL)
        return STR_NULL;
    start += 2;
    while (start + n < url.p + url.n && strchr("/?#", start[n]) == NULL)
        n++;
    return (struct str){start, n};
}

/* The host in it, without its brackets, which *bracketed_r tells of. */
static struct str host_as_written(struct str authority, bool *bracketed_r)
{
    const char *end;

    *bracketed_r = authority.n > 0 && authority.p[0] == '[';
    if (*bracketed_r) {
        authority.p++;
        authority.n--;
    }
    end = memchr(authority.p, *bracketed_r ? ']' : ':', authority.n);
    if (end != NULL)
        authority.n = (size_t)(end - authority.p);
    return authority;
}

static int refuse(struct err *err, const char *field, const char *what)
{
    return err_set(err, ERR_INVALID, "%s must %s", field, what);
}

#define NOT_HTTPS "be https."
#define NOT_PUBLIC "not point to a private or reserved address."
#define NOT_PLAIN "have a plain host name or address."

static int host_check(const struct url_guard *guard, const struct url_parts *parts,
                      struct str authority, bool https, const char *field, struct err *err)
{
    struct address address, dialled;
    bool bracketed;
    struct str host = host_as_written(authority, &bracketed);

    if (address_parse(host, &address) == 0) {
        if (bracketed != (address.family == AF_INET6) || address_parse(parts->host, &dialled) < 0 ||
            !address_eq(&address, &dialled))
            return refuse(err, field, NOT_PLAIN);
        if (address_allowed(guard, https, &address))
            return 0;
        return refuse(err, field, address_allowed(guard, true, &address) ? NOT_HTTPS : NOT_PUBLIC);
    }
    host = without_last_dot(host);
    if (bracketed || !is_name(host))
        return refuse(err, field, NOT_PLAIN);
    if (without_last_dot(parts->host).n != host.n ||
        strncasecmp(parts->host.p, host.p, host.n) != 0)
        return refuse(err, field, NOT_PLAIN);
    return name_refused(guard, host) ? refuse(err, field, NOT_PUBLIC) : 0;
}

static int parts_check(const struct url_guard *guard, const struct url_parts *parts, struct str url,
                       const char *field, struct err *err)
{
    struct str authority = authority_as_written(url);
    bool https = str_is_nocase(parts->scheme, "https");

    if (authority.p == NULL)
        return refuse(err, field, NOT_PLAIN);
    if (!https && !(str_is_nocase(parts->scheme, "http") && guard->count > 0))
        return refuse(err, field, NOT_HTTPS);
    if (parts->has_user || memchr(authority.p, '@', authority.n) != NULL)
        return refuse(err, field, "not contain a user name or password.");
    if (parts->has_fragment || memchr(url.p, '#', url.n) != NULL)
        return refuse(err, field, "not contain a fragment (#).");
    if (parts->port == 0 || parts->port > 65535)
        return refuse(err, field, "have a port from 1 to 65535.");
    if (memchr(authority.p, '%', authority.n) != NULL)
        return refuse(err, field, NOT_PLAIN);
    return host_check(guard, parts, authority, https, field, err);
}

int url_guard_check(const struct url_guard *guard, struct str url, const char *field,
                    struct err *err)
{
    struct pool *pool;
    struct url_parts parts;
    struct err ignored;
    int result;

    if (url.n == 0)
        return refuse(err, field, "be a URL such as https://example.com/path.");
    if (url.n > URL_LENGTH_MAX)
        return refuse(err, field, "be at most 2048 characters.");
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '\\')
            return refuse(err, field,
                          "not contain blanks, backslashes or characters beyond ASCII.");
    }
    pool_create(&pool);
    if (http_url_split(pool, url, &parts, &ignored) < 0)
        result = refuse(err, field, "be a URL such as https://example.com/path.");
    else
        result = parts_check(guard, &parts, url, field, err);
    pool_destroy(&pool);
    return result;
}
