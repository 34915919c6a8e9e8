/*
 * cursor.c - a list's place as text: the moment and the id, 24 bytes in base32, so that it can
 * stand in a query string as it is. It is no secret and not signed: a forged one only names
 * another place in the caller's own list.
 */
#include "lib/rules/cursor.h"
#include <string.h>

#define CURSOR_BYTES (8 + sizeof(struct id))
#define CURSOR_DIGITS ((8 * CURSOR_BYTES + 4) / 5)
_Static_assert(CURSOR_DIGITS < CURSOR_TEXT_SIZE, "CURSOR_TEXT_SIZE is too small");

void cursor_format(const struct cursor *c, char out[CURSOR_TEXT_SIZE])
{
    unsigned char bytes[CURSOR_BYTES];
    uint64_t moment = (uint64_t)c->created_at;

    for (int i = 7; i >= 0; i--) {
        bytes[i] = (unsigned char)(moment & 0xff);
        moment >>= 8;
    }
    memcpy(bytes + 8, c->id.b, sizeof(c->id.b));
    base32_encode(bytes, sizeof(bytes), out);
}

int cursor_parse(struct str s, struct cursor *c_r)
{
    unsigned char bytes[CURSOR_BYTES];
    uint64_t moment = 0;

    if (s.p == NULL || s.n != CURSOR_DIGITS || base32_decode(s, bytes, sizeof(bytes)) < 0)
        return -1;
    if (bytes[0] & 0x80) /* before 1970, or TIME_NONE: never a row's */
        return -1;
    for (int i = 0; i < 8; i++)
        moment = moment << 8 | bytes[i];
    c_r->created_at = (usec_t)moment;
    memcpy(c_r->id.b, bytes + 8, sizeof(c_r->id.b));
    return 0;
}
