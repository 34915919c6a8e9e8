/*
 * str.c - comparing, trimming and splitting of counted text, and UTF-8.
 *
 * The encodings (hex, base64, base32, percent) are in codec.c; text that grows is in buf.c.
 */
#include "lib/base/str.h"

#include <string.h>

struct str str_of(const char *s)
{
    return s == NULL ? STR_NULL : (struct str){s, strlen(s)};
}

bool str_eq(struct str a, struct str b)
{
    if (a.p == NULL || b.p == NULL) {
        return a.p == b.p;
    }
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_is_nocase(struct str a, const char *b)
{
    if (a.p == NULL || b == NULL) {
        return a.p == b;
    }
    if (a.n != strlen(b)) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool str_starts(struct str a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.p != NULL && a.n >= n && memcmp(a.p, prefix, n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool str_split(struct str *rest, char sep, struct str *part_r)
{
    if (rest->p == NULL) {
        return false;
    }
    const char *at = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
    if (at == NULL) {
        *part_r = *rest;
        *rest = STR_NULL;
        return true;
    }
    size_t n = (size_t)(at - rest->p);
    *part_r = (struct str){rest->p, n};
    *rest = (struct str){at + 1, rest->n - n - 1};
    return true;
}

int str_u64(struct str s, uint64_t max, uint64_t *value_r)
{
    if (s.n == 0) {
        return -1;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return -1;
        }
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return -1;
        }
        value = value * 10 + digit;
    }
    if (value > max) {
        return -1;
    }
    *value_r = value;
    return 0;
}

/* The length of the valid sequence at p (which is no ASCII byte), or 0. RFC 3629 section 4. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    size_t length;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        length = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        length = 3;
        low = p[0] == 0xE0 ? 0xA0 : 0x80;  /* overlong below */
        high = p[0] == 0xED ? 0x9F : 0xBF; /* surrogates above */
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        length = 4;
        low = p[0] == 0xF0 ? 0x90 : 0x80;
        high = p[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (n < length || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF) {
            return 0;
        }
    }
    return length;
}

bool str_utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        uint64_t word;
        if (s.n - i >= sizeof(word)) {
            memcpy(&word, p + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t length = p[i] < 0x80 ? 1 : utf8_sequence(p + i, s.n - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

size_t str_utf8_count(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++) {
        count += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    }
    return count;
}

struct str str_utf8_cut(struct str s, size_t max)
{
    if (s.n <= max) {
        return s;
    }
    s.n = max;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) {
        s.n--;
    }
    return s;
}
