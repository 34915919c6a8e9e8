/*
 * str.h - text with its length, and the encodings that travel in URLs, headers and ids.
 */
#ifndef HV_STR_H
#define HV_STR_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* Not NUL-terminated; p == NULL means "not given", which differs from empty. */
struct str {
    const char *p;
    size_t n;
};

#define STR_NULL ((struct str){NULL, 0})
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

struct str str_of(const char *s); /* NULL gives STR_NULL */
bool str_eq(struct str a, struct str b);
bool str_is(struct str a, const char *b);
bool str_is_nocase(struct str a, const char *b); /* ASCII only */
bool str_starts(struct str a, const char *prefix);
struct str str_trim(struct str s); /* blanks and tabs at both ends */
/* Cuts off what stands before the next sep and gives it out; false when *rest is used up. */
bool str_split(struct str *rest, char sep, struct str *part_r);

/* Decimal, no sign, no blanks; -1 when it is anything else or over max. */
int str_u64(struct str s, uint64_t max, uint64_t *value_r) MUST_CHECK;

/* Valid UTF-8 by RFC 3629: no overlong form, no surrogate, at most U+10FFFF. */
bool str_utf8_valid(struct str s);
/* How many code points; s must be valid. */
size_t str_utf8_count(struct str s);
/* At most max bytes of it, cut between characters; s must be valid. */
struct str str_utf8_cut(struct str s, size_t max);

/* Encoders write a NUL too. Sizes without it: hex 2n, base64 4*ceil(n/3), base32 ceil(8n/5). */
void hex_encode(const void *p, size_t n, char *out);
int hex_decode(struct str s, void *out, size_t n) MUST_CHECK; /* exactly 2n digits, either case */
void base64_encode(const void *p, size_t n, char *out);       /* RFC 4648 section 4, padded */
int base64_decode(struct str s, void *out, size_t max, size_t *n_r) MUST_CHECK; /* strict */
void base32_encode(const void *p, size_t n,
                   char *out); /* Crockford's alphabet, lower case, no padding */
int base32_decode(struct str s, void *out,
                  size_t n) MUST_CHECK; /* exactly ceil(8n/5) digits, unused bits 0 */
/* RFC 3986: all but unreserved characters become %XX. */
struct str percent_encode(struct pool *pool, struct str s);
/* -1 for a broken %XX; '+' becomes a blank only if plus_is_blank (query strings). */
int percent_decode(struct pool *pool, struct str s, bool plus_is_blank,
                   struct str *out_r) MUST_CHECK;

#endif
