/*
 * rate.h - the rules of rate limits. Pure: no clock, no memory of its own.
 *
 * Requests are counted in fixed windows of the database's clock. A window of a subject (a key, a
 * session, a hook, a workspace) has a quota of requests. Hosts lease slices of it: the database
 * counts up by what a host wants and gives the new count back, so that each slice is a range of
 * numbers that nobody else has, and of it is granted what lies within the quota. So the sum of all
 * grants never exceeds the quota. What a host has leased and does not spend until the window's end
 * is lost, so slices are small (a host holds 1/200 of the quota at most), grow with what a host
 * spends, and shrink as the quota comes to its end.
 */
#ifndef HV_RATE_H
#define HV_RATE_H

#include "lib/base/buf.h"
#include "lib/rules/id.h"

#define RATE_KINDS(X)                                                                              \
    X(RATE_KEY, "key", "this API key")                                                             \
    X(RATE_SESSION, "session", "this session")                                                     \
    X(RATE_HOOK, "hook", "this hook")                                                              \
    X(RATE_WORKSPACE, "workspace", "this workspace")
enum rate_kind {
#define X(name, text, what) name,
    RATE_KINDS(X)
#undef X
        RATE_KIND_COUNT
};

/* Requests per minute, as an operator set them. */
#define RATE_DEFAULT 0 /* as the settings say */
#define RATE_NONE (-1) /* no limit */
#define RATE_PER_MINUTE_MAX 10000000
struct rates {
    int64_t subject, workspace;
};

/* Of a rate, or the setting in its place (0: no limit): requests in a window of so many seconds, at
 * least 1; 0: no limit. */
uint64_t rate_quota(int64_t rate, int64_t setting, unsigned window_seconds);

/* ---- the database's clock, as a host knows it ---- */

/* The database's time less this host's monotonic one, from an answer that said `database` and was
 * asked for and had between `before` and `after`: it lies within [database - after, database -
 * before]. Gives the new estimate: the old one, when it lies there too; else the lower end, by
 * which a window ends a little late and never early. known: there is an old one. */
usec_t rate_clock(bool known, usec_t old, usec_t database, usec_t before, usec_t after);
/* The window of a time of the database, and what is left of it. */
uint64_t rate_window(usec_t now, unsigned window_seconds);
usec_t rate_window_left(usec_t now, unsigned window_seconds);

/* ---- a lease, as one word: who has it, of which window, how much is left ---- */

/* Whose slot a subject has; never 0. */
uint64_t rate_tag(const struct id *subject);

/* Of a subject with this quota (another quota makes another lease) in this window. */
struct rate_place {
    unsigned check;
    uint64_t window;
};
struct rate_place rate_place(uint64_t tag, uint64_t quota, uint64_t window);

enum rate_outcome {
    RATE_TAKEN,
    RATE_UNLEASED, /* nothing is left of what was leased, or nothing was */
    RATE_SPENT     /* and nothing more is to be had in this window */
};
/* Takes one request from a lease. *word_r: the lease after it, when taken. */
enum rate_outcome rate_take(uint64_t word, struct rate_place place, uint64_t *word_r);
/* Adds to a lease, or begins a new one. spent: there is nothing more to be had. */
uint64_t rate_give(uint64_t word, struct rate_place place, uint64_t requests, bool spent);
/* What is left of a lease; 0 if it is another's. */
uint64_t rate_held(uint64_t word, struct rate_place place);
bool rate_is_here(uint64_t word, struct rate_place place);
bool rate_is_of(uint64_t word, uint64_t window); /* of whomever */

/* What was known when it was leased, as a word too: the size of the last slice, and what the window
 * had left after it. Not exact, for it is not changed together with the lease. */
uint64_t rate_note(struct rate_place place, uint64_t slice, uint64_t left);
bool rate_read_note(uint64_t word, struct rate_place place, uint64_t *slice_r, uint64_t *left_r);

/* ---- slices ---- */

/* How much to lease. last: the last slice of this window, 0: none yet. left: what the window had
 * left after it. At least 1, at most a 200th of the quota. */
uint64_t rate_slice(uint64_t quota, uint64_t last, uint64_t left);
/* Of a lease of `wanted` after which the database counts `taken`. */
uint64_t rate_granted(uint64_t quota, uint64_t wanted, uint64_t taken);

/* ---- what callers are told ---- */

struct rate_figure {
    enum rate_kind kind;
    uint64_t quota, remaining;
};
struct rate_verdict {
    struct rate_figure figures[2];
    size_t count; /* 0: there are no limits */
    unsigned window_seconds;
    bool known;  /* remaining and left are; else the database could not be asked */
    usec_t left; /* of the window */
    const struct rate_figure *refused_by; /* NULL: not refused */
};
/* Values of the headers RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11,
 * sections 3 and 4). */
void rate_policy_header(const struct rate_verdict *verdict, struct buf *b);
void rate_header(const struct rate_verdict *verdict, struct buf *b);
/* Seconds until the window is over, rounded up: for RateLimit and Retry-After. */
int64_t rate_retry_after(const struct rate_verdict *verdict);
/* ERR_RATE_LIMITED that says which limit. Always -1. */
int rate_refuse(const struct rate_verdict *verdict, struct err *err);

#endif
