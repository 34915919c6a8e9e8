/*
 * readable.c - see readable.h.
 */
#include "fcgi/readable.h"

struct str readable(struct pool *pool, struct str s)
{
    for (size_t cut = 0; cut < 4 && cut <= s.n; cut++) {
        struct str part = {s.p, s.n - cut};
        if (str_utf8_valid(part))
            return part;
        if (part.n > 0 && (unsigned char)part.p[part.n - 1] < 0x80)
            break;
    }
    char *copy = pool_dup(pool, s.p, s.n);
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)copy[i] >= 0x80)
            copy[i] = '?';
    }
    return (struct str){copy, s.n};
}
