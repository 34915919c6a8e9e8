/*
 * zone.c - reads zone files (RFC 8536) and answers what clocks show.
 *
 * A file lists the moments at which a zone's offset changed, and ends with a rule, in the form of
 * POSIX's TZ, for all that comes after the last of them (zone_rule.c).
 */
#include "lib/base/zone.h"
#include "lib/base/pool.h"
#include "lib/base/zone_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define FILE_MAX ((size_t)1 << 20)
#define HEADER_SIZE 44
#define DAY_SECONDS 86400
#define KOLKATA_OFFSET 19800

struct zone {
    struct zone *next; /* of those that are kept */
    char name[NAME_MAX_BYTES + 1];
    int64_t *changes; /* seconds since 1970, ascending */
    int32_t *offsets; /* from changes[i] on */
    size_t count;
    int32_t first_offset; /* before all changes */
    struct zone_rule rule;
    bool has_rule;
};

static struct zone utc_zone = {.name = "UTC"};
static struct zone kolkata_zone = {.name = "Asia/Kolkata", .first_offset = KOLKATA_OFFSET};
static struct zone *kept;

const struct zone *zone_utc(void)
{
    return &utc_zone;
}

/* ---- reading ---- */

struct reader {
    const unsigned char *p;
    size_t n;
};

struct counts {
    size_t is_utc, is_standard, leaps, times, types, chars;
};

static int64_t big_endian(const unsigned char *p, size_t size)
{
    uint64_t value = size > 0 && (p[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

static const unsigned char *take(struct reader *r, size_t n)
{
    const unsigned char *p = r->p;
    if (n > r->n)
        return NULL;
    r->p += n;
    r->n -= n;
    return p;
}

static int read_header(struct reader *r, struct counts *c, int *version)
{
    const unsigned char *p = take(r, HEADER_SIZE);
    if (p == NULL || memcmp(p, "TZif", 4) != 0)
        return -1;
    *version = p[4];
    size_t *fields[] = {&c->is_utc, &c->is_standard, &c->leaps, &c->times, &c->types, &c->chars};
    for (size_t i = 0; i < 6; i++) {
        int64_t value = big_endian(p + 20 + 4 * i, 4);
        if (value < 0 || (size_t)value > FILE_MAX)
            return -1;
        *fields[i] = (size_t)value;
    }
    return 0;
}

static size_t body_size(const struct counts *c, size_t time_size)
{
    return c->times * (time_size + 1) + c->types * 6 + c->chars + c->leaps * (time_size + 4) +
           c->is_standard + c->is_utc;
}

static int read_body(struct reader *r, const struct counts *c, size_t time_size, struct zone *zone)
{
    const unsigned char *times = take(r, c->times * time_size), *which = take(r, c->times);
    const unsigned char *types = take(r, c->types * 6);
    size_t rest = c->chars + c->leaps * (time_size + 4) + c->is_standard + c->is_utc;
    if (times == NULL || which == NULL || types == NULL || c->types == 0 || take(r, rest) == NULL)
        return -1;
    zone->first_offset = (int32_t)big_endian(types, 4);
    if (c->times == 0)
        return 0;
    zone->changes = mem_alloc(c->times * sizeof *zone->changes);
    zone->offsets = mem_alloc(c->times * sizeof *zone->offsets);
    for (size_t i = 0; i < c->times; i++) {
        zone->changes[i] = big_endian(times + i * time_size, time_size);
        if (which[i] >= c->types || (i > 0 && zone->changes[i] <= zone->changes[i - 1]))
            return -1;
        zone->offsets[i] = (int32_t)big_endian(types + 6 * (size_t)which[i], 4);
    }
    zone->count = c->times;
    return 0;
}

static int read_footer(struct reader *r, struct zone *zone)
{
    const unsigned char *end;
    if (r->n < 2 || r->p[0] != '\n' || (end = memchr(r->p + 1, '\n', r->n - 1)) == NULL)
        return -1;
    struct str text = {(const char *)r->p + 1, (size_t)(end - r->p) - 1};
    if (text.n == 0)
        return 0;
    zone->has_rule = true;
    return zone_rule_parse(text, &zone->rule);
}

static int parse(struct reader r, struct zone *zone)
{
    struct counts c;
    int version;
    if (read_header(&r, &c, &version) != 0)
        return -1;
    if (version == 0)
        return read_body(&r, &c, 4, zone);
    /* The first body is for readers of 32-bit times. */
    if (take(&r, body_size(&c, 4)) == NULL || read_header(&r, &c, &version) != 0)
        return -1;
    return read_body(&r, &c, 8, zone) == 0 ? read_footer(&r, zone) : -1;
}

void zone_destroy(struct zone **zone)
{
    if (*zone == NULL)
        return;
    free((*zone)->changes);
    free((*zone)->offsets);
    free(*zone);
    *zone = NULL;
}

/* No path that leaves the folder. */
static bool name_good(struct str name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES || name.p[0] == '/' || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\0' || (name.p[i] == '.' && name.p[i - 1] == '.'))
            return false;
    }
    return true;
}

struct zone *zone_read(const char *folder, struct str name)
{
    char path[512];
    unsigned char *bytes;
    struct zone *zone;

    if (!name_good(name) ||
        (size_t)snprintf(path, sizeof path, "%s/%.*s", folder, STR_ARG(name)) >= sizeof path)
        return NULL;
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return NULL;
    zone = mem_alloc(sizeof *zone);
    memcpy(zone->name, name.p, name.n);
    bytes = mem_alloc(FILE_MAX);
    size_t n = fread(bytes, 1, FILE_MAX, file);
    if (ferror(file) || n == FILE_MAX || parse((struct reader){bytes, n}, zone) != 0)
        zone_destroy(&zone);
    fclose(file);
    free(bytes);
    return zone;
}

const struct zone *zone_find(struct str name)
{
    if (str_is(name, utc_zone.name))
        return &utc_zone;
    if (str_is(name, kolkata_zone.name))
        return &kolkata_zone;
    for (const struct zone *zone = kept; zone != NULL; zone = zone->next)
        if (str_is(name, zone->name))
            return zone;
    struct zone *zone = zone_read(ZONE_FOLDER, name);
    if (zone != NULL) {
        zone->next = kept;
        kept = zone;
    }
    return zone;
}

/* ---- answering ---- */

static int64_t seconds_of(usec_t t)
{
    return t >= 0 ? t / USEC_PER_S : -((-t + USEC_PER_S - 1) / USEC_PER_S);
}

static int64_t offset_at(const struct zone *zone, int64_t second)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->changes[middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->count && zone->has_rule)
        return zone_rule_offset(&zone->rule, second);
    return low == 0 ? zone->first_offset : zone->offsets[low - 1];
}

int64_t zone_offset(const struct zone *zone, usec_t utc)
{
    return offset_at(zone, seconds_of(utc));
}

usec_t zone_wall(const struct zone *zone, usec_t utc)
{
    return utc + zone_offset(zone, utc) * USEC_PER_S;
}

/* The second from `low` (exclusive) to `high` at which the offset becomes what it is at high. */
static int64_t find_change(const struct zone *zone, int64_t low, int64_t high)
{
    int64_t after = offset_at(zone, high);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_at(zone, middle) == after)
            high = middle;
        else
            low = middle;
    }
    return high;
}

usec_t zone_utc_of(const struct zone *zone, usec_t wall)
{
    int64_t second = seconds_of(wall);
    int64_t before = offset_at(zone, second - DAY_SECONDS);
    int64_t after = offset_at(zone, second + DAY_SECONDS);
    int64_t east = before > after ? before : after, west = before > after ? after : before;

    if (offset_at(zone, second - east) == east)
        return wall - east * USEC_PER_S;
    if (offset_at(zone, second - west) == west)
        return wall - west * USEC_PER_S;
    return find_change(zone, second - east, second - west) * USEC_PER_S;
}

int64_t zone_day(const struct zone *zone, usec_t utc)
{
    int64_t second = seconds_of(zone_wall(zone, utc));
    return second >= 0 ? second / DAY_SECONDS : -((-second + DAY_SECONDS - 1) / DAY_SECONDS);
}

usec_t zone_day_start(const struct zone *zone, int64_t day)
{
    return zone_utc_of(zone, day * DAY_SECONDS * USEC_PER_S);
}
