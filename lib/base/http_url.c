/*
 * http_url.c - cutting URLs into parts. So strict that no other parser (libcurl's, for one) can see
 * a different host in what it accepts. Whether a host may be reached is the URL guard's business.
 */
#include "lib/base/http_private.h"
#include "lib/base/pool.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_MAX 253

/* What stands before the first of the bytes in `stops`; *rest begins with that byte. */
static struct str cut_before(struct str *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->n && strchr(stops, rest->p[n]) == NULL) {
        n++;
    }
    struct str part = {rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return part;
}

static bool is_name(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_')) {
            return false;
        }
    }
    return host.n > 0 && host.n <= HOST_MAX && host.p[0] != '.';
}

static bool is_ipv6(struct str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.n >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* [user@]host[:port] */
static int cut_authority(struct str authority, struct url_parts *parts, struct err *err)
{
    const char *at = authority.n == 0 ? NULL : memchr(authority.p, '@', authority.n);
    if (authority.n > 0 && memchr(authority.p, '\\', authority.n) != NULL) {
        /* Browsers take it for a slash, others don't. */
        return err_set(err, ERR_INVALID, "the URL's host must not have a backslash before it");
    }
    parts->has_user = at != NULL;
    if (at != NULL) {
        authority.n -= (size_t)(at + 1 - authority.p);
        authority.p = at + 1;
    }
    bool bracketed = authority.n > 0 && authority.p[0] == '[';
    if (bracketed) {
        authority.p++;
        authority.n--;
        parts->host = cut_before(&authority, "]");
        if (authority.n == 0 || !is_ipv6(parts->host)) {
            return err_set(err, ERR_INVALID, "the URL's host is no IPv6 address");
        }
        authority.p++;
        authority.n--;
    } else {
        parts->host = cut_before(&authority, ":");
        if (!is_name(parts->host)) {
            return err_set(err, ERR_INVALID, "the URL's host must be a name or an address");
        }
    }
    uint64_t port = parts->port;
    if (authority.n > 0) {
        struct str digits = {authority.p + 1, authority.n - 1};
        if (authority.p[0] != ':' || str_u64(digits, 65535, &port) != 0 || port == 0) {
            return err_set(err, ERR_INVALID, "the URL's port must be 1 to 65535");
        }
    }
    parts->port = (unsigned)port;
    return 0;
}

int http_url_cut(struct str url, struct url_parts *parts_r, struct err *err)
{
    struct url_parts parts = {0};
    if (url.n == 0) {
        return err_set(err, ERR_INVALID, "a URL is missing");
    }
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= 0x20 || url.p[i] > 0x7E) {
            return err_set(err, ERR_INVALID,
                           "a URL must be ASCII without blanks (percent-encoded, "
                           "and a host with other letters as xn--)");
        }
    }
    parts.scheme = cut_before(&url, ":/?#");
    bool https = str_is_nocase(parts.scheme, "https");
    if ((!https && !str_is_nocase(parts.scheme, "http")) || !str_starts(url, "://")) {
        return err_set(err, ERR_INVALID, "a URL must begin with https:// or http://");
    }
    parts.scheme = https ? STR("https") : STR("http");
    parts.port = https ? 443 : 80;
    url = (struct str){url.p + 3, url.n - 3};
    if (cut_authority(cut_before(&url, "/?#"), &parts, err) != 0) {
        return -1;
    }
    parts.path = cut_before(&url, "?#");
    if (parts.path.n == 0) {
        parts.path = STR("/");
    }
    (void)cut_before(&url, "#");
    parts.has_fragment = url.n > 0;
    *parts_r = parts;
    return 0;
}

int http_url_split(struct pool *pool, struct str url, struct url_parts *parts_r, struct err *err)
{
    struct url_parts parts;
    if (http_url_cut(url, &parts, err) != 0) {
        return -1;
    }
    char *host = pool_dup(pool, parts.host.p, parts.host.n);
    for (size_t i = 0; i < parts.host.n; i++) {
        host[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] - 'A' + 'a') : host[i];
    }
    parts.host.p = host;
    parts.path = pool_str(pool, parts.path);
    *parts_r = parts;
    return 0;
}
