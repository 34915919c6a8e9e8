/*
 * codec.c - hex, base64, base32 and percent-encoding, as str.h declares them.
 *
 * Every decoder is strict: one text for one value, so that a token or a signature has no second
 * spelling (hex and base32 take both cases, as people retype them).
 */
#include "lib/base/pool.h"
#include "lib/base/str.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

void hex_encode(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

int hex_decode(struct str s, void *out, size_t n)
{
    unsigned char *bytes = out;
    if (s.n / 2 != n || s.n % 2 != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(s.p[2 * i]);
        int low = hex_digit(s.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *p, size_t n, char *out)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *out = '\0';
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct str s, void *out, size_t max, size_t *n_r)
{
    unsigned char *bytes = out;
    if (s.n % 4 != 0) {
        return -1;
    }
    size_t padding = 0;
    while (padding < 2 && padding < s.n && s.p[s.n - 1 - padding] == '=') {
        padding++;
    }
    size_t n = s.n / 4 * 3 - padding;
    if (n > max) {
        return -1;
    }
    size_t written = 0;
    for (size_t i = 0; i < s.n; i += 4) {
        uint32_t group = 0;
        size_t digits = i + 4 == s.n ? 4 - padding : 4;
        for (size_t k = 0; k < 4; k++) {
            int digit = k < digits ? base64_digit(s.p[i + k]) : 0;
            if (digit < 0) {
                return -1;
            }
            group = group << 6 | (uint32_t)digit;
        }
        for (size_t k = 0; k < digits - 1; k++) {
            bytes[written++] = (unsigned char)(group >> (16 - 8 * k));
        }
        if (digits < 4 && (group & (digits == 3 ? 0xFFu : 0xFFFFu)) != 0) {
            return -1; /* bits that no encoder writes */
        }
    }
    *n_r = written;
    return 0;
}

static const char base32_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

void base32_encode(const void *p, size_t n, char *out)
{
    const unsigned char *bytes = p;
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | bytes[i];
        have += 8;
        while (have >= 5) {
            have -= 5;
            *out++ = base32_digits[bits >> have & 31];
        }
    }
    if (have > 0) {
        *out++ = base32_digits[bits << (5 - have) & 31];
    }
    *out = '\0';
}

int base32_decode(struct str s, void *out, size_t n)
{
    unsigned char *bytes = out;
    if (s.n != n / 5 * 8 + (n % 5 * 8 + 4) / 5) {
        return -1;
    }
    uint32_t bits = 0;
    unsigned have = 0;
    size_t written = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
        const char *at = c == '\0' ? NULL : strchr(base32_digits, c);
        if (at == NULL) {
            return -1;
        }
        bits = bits << 5 | (uint32_t)(at - base32_digits);
        have += 5;
        if (have >= 8) {
            have -= 8;
            bytes[written++] = (unsigned char)(bits >> have);
        }
    }
    return (bits & ((1u << have) - 1)) == 0 ? 0 : -1;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

struct str percent_encode(struct pool *pool, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = s.n;
    for (size_t i = 0; i < s.n; i++) {
        n += is_unreserved(s.p[i]) ? 0 : 2;
    }
    char *out = pool_alloc(pool, n + 1);
    size_t k = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i])) {
            out[k++] = s.p[i];
        } else {
            out[k++] = '%';
            out[k++] = digits[c >> 4];
            out[k++] = digits[c & 15];
        }
    }
    return (struct str){out, n};
}

int percent_decode(struct pool *pool, struct str s, bool plus_is_blank, struct str *out_r)
{
    char *out = pool_alloc(pool, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '+' && plus_is_blank) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return -1;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[n++] = c;
    }
    *out_r = (struct str){out, n};
    return 0;
}
