/*
 * rate.c - windows, slices, leases packed into words, and the words for callers.
 */
#include "lib/rules/rate.h"

#include <string.h>

static const struct {
    const char *text, *what;
} kinds[] = {
#define X(name, text, what) {text, what},
    RATE_KINDS(X)
#undef X
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == RATE_KIND_COUNT, "texts per kind");

static const char *kind_text(enum rate_kind kind)
{
    return kinds[kind].text;
}

uint64_t rate_quota(int64_t rate, int64_t setting, unsigned window_seconds)
{
    int64_t per_minute = rate == RATE_DEFAULT ? setting : rate;
    if (per_minute <= 0)
        return 0;
    uint64_t quota = (uint64_t)per_minute * window_seconds / 60;
    return quota > 0 ? quota : 1;
}

/* ---- the database's clock ---- */

usec_t rate_clock(bool known, usec_t old, usec_t database, usec_t before, usec_t after)
{
    usec_t least = database - after, most = database - before;
    return known && old >= least && old <= most ? old : least;
}

uint64_t rate_window(usec_t now, unsigned window_seconds)
{
    return (uint64_t)(now / (window_seconds * USEC_PER_S));
}

usec_t rate_window_left(usec_t now, unsigned window_seconds)
{
    usec_t window = window_seconds * USEC_PER_S;
    return window - now % window;
}

/* ---- leases ----
 * A lease: 15 bits of check, a bit for "spent", 24 of the window's number, 24 of requests.
 * A note: 16 bits of check and window, 24 of the slice, 24 of what is left. */

#define COUNT_BITS 24
#define COUNT_MAX ((UINT64_C(1) << COUNT_BITS) - 1)
#define WINDOW_SHIFT COUNT_BITS
#define SPENT_BIT (UINT64_C(1) << 48)
#define CHECK_SHIFT 49
#define CHECK_BITS 15
_Static_assert(RATE_PER_MINUTE_MAX <= COUNT_MAX, "a quota fits");

/* The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t rate_tag(const struct id *subject)
{
    uint64_t half[2];
    memcpy(half, subject->b, sizeof(half));
    uint64_t tag = mix(mix(half[0]) + half[1]);
    return tag != 0 ? tag : 1;
}

struct rate_place rate_place(uint64_t tag, uint64_t quota, uint64_t window)
{
    return (struct rate_place){.check = (unsigned)(mix(tag + mix(quota)) >> (64 - CHECK_BITS)),
                               .window = window & COUNT_MAX};
}

static uint64_t lease_of(struct rate_place place)
{
    return (uint64_t)place.check << CHECK_SHIFT | place.window << WINDOW_SHIFT;
}

bool rate_is_here(uint64_t word, struct rate_place place)
{
    return (word & ~(SPENT_BIT | COUNT_MAX)) == lease_of(place);
}

uint64_t rate_held(uint64_t word, struct rate_place place)
{
    return rate_is_here(word, place) ? word & COUNT_MAX : 0;
}

bool rate_is_of(uint64_t word, uint64_t window)
{
    return (word >> WINDOW_SHIFT & COUNT_MAX) == (window & COUNT_MAX);
}

enum rate_outcome rate_take(uint64_t word, struct rate_place place, uint64_t *word_r)
{
    if (rate_held(word, place) > 0) {
        *word_r = word - 1;
        return RATE_TAKEN;
    }
    return rate_is_here(word, place) && (word & SPENT_BIT) != 0 ? RATE_SPENT : RATE_UNLEASED;
}

uint64_t rate_give(uint64_t word, struct rate_place place, uint64_t requests, bool spent)
{
    uint64_t held = rate_held(word, place) + requests;
    uint64_t flag = spent ? SPENT_BIT : rate_is_here(word, place) ? word & SPENT_BIT : 0;
    return lease_of(place) | flag | (held < COUNT_MAX ? held : COUNT_MAX);
}

static uint64_t note_of(struct rate_place place)
{
    return (place.check ^ place.window * UINT64_C(0x9e37)) & 0xffff;
}

uint64_t rate_note(struct rate_place place, uint64_t slice, uint64_t left)
{
    return note_of(place) << 2 * COUNT_BITS | (slice & COUNT_MAX) << COUNT_BITS |
           (left & COUNT_MAX);
}

bool rate_read_note(uint64_t word, struct rate_place place, uint64_t *slice_r, uint64_t *left_r)
{
    *slice_r = word >> COUNT_BITS & COUNT_MAX;
    *left_r = word & COUNT_MAX;
    return word >> 2 * COUNT_BITS == note_of(place);
}

/* ---- slices ---- */

#define SLICE_PART 200 /* of the quota: what a host may hold, and so lose */
#define FIRST_PART 8   /* of that: the first slice of a window */
#define LEFT_PART 16   /* of what is left: so slices shrink */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t rate_slice(uint64_t quota, uint64_t last, uint64_t left)
{
    uint64_t most = quota / SLICE_PART;
    uint64_t slice = last == 0 ? most / FIRST_PART : least(least(most, 2 * last), left / LEFT_PART);
    return slice > 0 ? slice : 1;
}

uint64_t rate_granted(uint64_t quota, uint64_t wanted, uint64_t taken)
{
    uint64_t before = taken - wanted;
    return before >= quota ? 0 : least(wanted, quota - before);
}

/* ---- what callers are told ---- */

int64_t rate_retry_after(const struct rate_verdict *verdict)
{
    return (verdict->left + USEC_PER_S - 1) / USEC_PER_S;
}

void rate_policy_header(const struct rate_verdict *verdict, struct buf *b)
{
    for (size_t i = 0; i < verdict->count; i++)
        buf_printf(b, "%s\"%s\";q=%llu;w=%u", i > 0 ? ", " : "",
                   kind_text(verdict->figures[i].kind),
                   (unsigned long long)verdict->figures[i].quota, verdict->window_seconds);
}

void rate_header(const struct rate_verdict *verdict, struct buf *b)
{
    for (size_t i = 0; i < verdict->count; i++)
        buf_printf(b, "%s\"%s\";r=%llu;t=%lld", i > 0 ? ", " : "",
                   kind_text(verdict->figures[i].kind),
                   (unsigned long long)verdict->figures[i].remaining,
                   (long long)rate_retry_after(verdict));
}

int rate_refuse(const struct rate_verdict *verdict, struct err *err)
{
    const struct rate_figure *by = verdict->refused_by;
    return err_set(err, ERR_RATE_LIMITED,
                   "Too many requests: the limit of %s is %llu in %u s. Try again in %lld s.",
                   kinds[by->kind].what, (unsigned long long)by->quota, verdict->window_seconds,
                   (long long)rate_retry_after(verdict));
}
