/*
 * id.c - ids made, written and read. A UUIDv7 carries its moment in front, so that rows made later
 * sort later; every kind but the call's is written as a prefix and 26 digits of base32.
 *
 * Only the one canonical spelling of a prefixed id is taken: ids are compared byte by byte
 * elsewhere, and two spellings of one id would differ there.
 */
#include "lib/rules/id.h"
#include "lib/base/err.h"
#include <string.h>

#define BASE32_DIGITS 26
#define UUID_LENGTH 36

static const char *const prefixes[] = {
#define X(name, prefix) [name] = prefix,
    ID_KINDS(X)
#undef X
};
_Static_assert(sizeof(prefixes) / sizeof(prefixes[0]) == ID_KIND_COUNT, "a prefix for each kind");

#define X(name, prefix)                                                                            \
    _Static_assert(sizeof(prefix) + BASE32_DIGITS <= ID_TEXT_SIZE, "ID_TEXT_SIZE is too small");
ID_KINDS(X)
#undef X

struct id id_make(usec_t now, const unsigned char random[10])
{
    struct id id;
    uint64_t ms = now > 0 ? (uint64_t)(now / USEC_PER_MS) : 0;

    for (int i = 5; i >= 0; i--) {
        id.b[i] = (unsigned char)(ms & 0xff);
        ms >>= 8;
    }
    memcpy(id.b + 6, random, 10);
    id.b[6] = (unsigned char)(0x70 | (id.b[6] & 0x0f)); /* version 7 */
    id.b[8] = (unsigned char)(0x80 | (id.b[8] & 0x3f)); /* variant 10 */
    return id;
}

struct id id_make_at(usec_t now, const unsigned char random[10], uint32_t position)
{
    struct id id = id_make(now, random);

    if (position >= 1u << 18)
        die("position %u in a row of ids", position);
    id.b[6] = (unsigned char)(0x70 | position >> 14);
    id.b[7] = (unsigned char)(position >> 6 & 0xff);
    id.b[8] = (unsigned char)(0x80 | (position & 0x3f));
    return id;
}

static void uuid_format(const struct id *id, char *out)
{
    static const unsigned char group_sizes[] = {4, 2, 2, 2, 6};
    const unsigned char *from = id->b;

    for (size_t g = 0; g < sizeof(group_sizes); g++) {
        hex_encode(from, group_sizes[g], out);
        from += group_sizes[g];
        out += 2 * group_sizes[g];
        *out++ = '-';
    }
    out[-1] = '\0';
}

static int uuid_parse(struct str s, struct id *id_r)
{
    char digits[2 * sizeof(id_r->b)];
    size_t n = 0;

    if (s.n != UUID_LENGTH)
        return -1;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool hyphen_here = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen_here != (s.p[i] == '-'))
            return -1;
        if (!hyphen_here)
            digits[n++] = s.p[i];
    }
    return hex_decode((struct str){digits, n}, id_r->b, sizeof(id_r->b));
}

void id_format(enum id_kind kind, const struct id *id, char out[ID_TEXT_SIZE])
{
    size_t prefix_length = strlen(prefixes[kind]);

    if (prefix_length == 0) {
        uuid_format(id, out);
        return;
    }
    memcpy(out, prefixes[kind], prefix_length);
    base32_encode(id->b, sizeof(id->b), out + prefix_length);
}

int id_parse(enum id_kind kind, struct str s, struct id *id_r)
{
    struct id id;
    char canonical[ID_TEXT_SIZE];
    size_t prefix_length = strlen(prefixes[kind]);

    if (s.p == NULL)
        return -1;
    if (prefix_length == 0)
        return uuid_parse(s, id_r);
    if (s.n != prefix_length + BASE32_DIGITS || !str_starts(s, prefixes[kind]))
        return -1;
    if (base32_decode((struct str){s.p + prefix_length, BASE32_DIGITS}, id.b, sizeof(id.b)) < 0)
        return -1;
    id_format(kind, &id, canonical);
    if (!str_is(s, canonical))
        return -1;
    *id_r = id;
    return 0;
}

bool id_eq(const struct id *a, const struct id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;

    return id_eq(id, &zero);
}
