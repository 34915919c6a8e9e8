/*
 * limits.c - spends leases that are words of a shared table of slots (lib/base/slots.h), and leases
 * anew. Each word is changed by one atomic operation: a process that dies loses what it had just
 * leased, and nothing else can go wrong.
 *
 * While one process leases a slice, others of its host wait a moment for it: a claim in the slot
 * says until when. A claim that its owner left behind ends by itself.
 */
#include "fcgi/limits.h"

#include "lib/base/pool.h"
#include "lib/base/slots.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECTS 65536 /* that a host knows at once; 2 MiB */
#define CLAIM_TIME (20 * USEC_PER_MS)
#define CLAIM_PAUSE (USEC_PER_MS / 2)
#define WAIT_MAX (60 * USEC_PER_MS)

enum { WORD_LEASE, WORD_NOTE, WORD_CLAIM };
enum { COMMON_CLOCK, COMMON_PRUNED }; /* the estimate of rate_clock(), 0: none; a window */

struct limits {
    struct slots *slots;
    const struct conf *conf;
    unsigned window_seconds;
};

int limits_create(struct limits **limits_r, const struct conf *conf, struct err *err)
{
    struct slots *slots;
    if (slots_open(&slots, conf->runtime_dir, "rates", SUBJECTS, err) != 0)
        return -1;
    struct limits *limits = mem_alloc(sizeof(*limits));
    limits->slots = slots;
    limits->conf = conf;
    limits->window_seconds = (unsigned)(conf->rate_window / USEC_PER_S);
    *limits_r = limits;
    return 0;
}

void limits_destroy(struct limits **limits)
{
    if (*limits != NULL) {
        slots_close(&(*limits)->slots);
        free(*limits);
        *limits = NULL;
    }
}

bool limits_shared(const struct limits *limits)
{
    return slots_shared(limits->slots);
}

/* ---- time ---- */

/* The database's; false: not known yet. */
static bool database_now(const struct limits *limits, usec_t *now_r)
{
    usec_t clock = (usec_t)word_read(slots_common(limits->slots, COMMON_CLOCK));
    *now_r = clock_monotonic() + clock;
    return clock != 0;
}

static void learn_clock(struct limits *limits, usec_t database, usec_t before)
{
    uint64_t *word = slots_common(limits->slots, COMMON_CLOCK);
    usec_t old = (usec_t)word_read(word);
    usec_t clock = rate_clock(old != 0, old, database, before, clock_monotonic());
    if (clock != old)
        word_write(word, (uint64_t)clock);
}

/* ---- what a request spends ---- */

struct spending {
    struct rate_figure *figure;
    const struct id *subject;
    uint64_t tag;
    struct slot *slot;
    struct rate_place place;
    enum rate_outcome outcome;
    bool claimed;
    uint64_t wanted;
};

static bool is_idle(const struct slot *slot, void *ctx)
{
    return !rate_is_of(word_read(&slot->word[WORD_LEASE]), *(const uint64_t *)ctx);
}

/* false: the database's time is not known, and so no lease either. */
static bool find(struct limits *limits, struct spending *s)
{
    usec_t now;
    bool known = database_now(limits, &now);
    uint64_t window = rate_window(now, limits->window_seconds);
    s->slot = slots_find(limits->slots, s->tag, is_idle, &window);
    s->place = rate_place(s->tag, s->figure->quota, window);
    return known;
}

static void take(struct limits *limits, struct spending *s)
{
    s->outcome = RATE_UNLEASED;
    if (!find(limits, s))
        return;
    uint64_t *lease = &s->slot->word[WORD_LEASE];
    uint64_t was = word_read(lease), word;
    do {
        s->outcome = rate_take(was, s->place, &word);
    } while (s->outcome == RATE_TAKEN && !word_change(lease, &was, word));
}

static void give(const struct spending *s, uint64_t requests, bool spent)
{
    uint64_t *lease = &s->slot->word[WORD_LEASE];
    uint64_t was = word_read(lease);
    while (!word_change(lease, &was, rate_give(was, s->place, requests, spent)))
        continue;
}

/* What was taken, when the request is refused after all; not into a later window. */
static void give_back(const struct spending *s)
{
    uint64_t *lease = &s->slot->word[WORD_LEASE];
    uint64_t was = word_read(lease);
    while (rate_is_here(was, s->place) &&
           !word_change(lease, &was, rate_give(was, s->place, 1, false)))
        continue;
}

static void plan_slice(const struct limits *limits, struct spending *s)
{
    uint64_t last, left;
    s->wanted = 1;
    if (!slots_shared(limits->slots))
        return; /* what a process does not spend itself would be lost */
    if (!rate_read_note(word_read(&s->slot->word[WORD_NOTE]), s->place, &last, &left))
        last = 0;
    s->wanted = rate_slice(s->figure->quota, last, left);
}

/* May this process lease now? A slice of one is not worth waiting for. */
static bool claim(struct spending *s)
{
    if (s->wanted == 1)
        return true;
    usec_t now = clock_monotonic();
    uint64_t *word = &s->slot->word[WORD_CLAIM];
    uint64_t was = word_read(word);
    if ((usec_t)was > now && (usec_t)was <= now + CLAIM_TIME)
        return false;
    s->claimed = word_change(word, &was, (uint64_t)(now + CLAIM_TIME));
    return s->claimed;
}

/* Takes from the lease, or says that it is spent, or that this process shall lease. */
static void take_or_claim(struct limits *limits, struct spending *s)
{
    usec_t deadline = clock_monotonic() + WAIT_MAX;
    for (;;) {
        take(limits, s);
        if (s->outcome != RATE_UNLEASED)
            return;
        plan_slice(limits, s);
        if (claim(s) || clock_monotonic() >= deadline)
            return;
        clock_sleep(CLAIM_PAUSE);
    }
}

static void end_claims(struct spending *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].claimed)
            word_write(&all[i].slot->word[WORD_CLAIM], 0);
        all[i].claimed = false;
    }
}

/* ---- leasing ---- */

/* Once in a window. What is left lying now is found the next time. */
static void prune(struct limits *limits, struct db *db, uint64_t window)
{
    struct err ignored;
    uint64_t *word = slots_common(limits->slots, COMMON_PRUNED);
    uint64_t was = word_read(word);
    if (was != window && word_change(word, &was, window) && rates_prune(db, &ignored) != 0)
        err_clear(&ignored);
}

static void take_of_slice(struct limits *limits, struct spending *s,
                          const struct rate_lease *leased, uint64_t window)
{
    uint64_t quota = s->figure->quota;
    uint64_t granted = rate_granted(quota, leased->wanted, leased->taken_r);
    uint64_t left = quota > leased->taken_r ? quota - leased->taken_r : 0;
    s->place = rate_place(s->tag, quota, window);
    s->slot = slots_find(limits->slots, s->tag, is_idle, &window);
    word_write(&s->slot->word[WORD_NOTE], rate_note(s->place, leased->wanted, left));
    give(s, granted > 0 ? granted - 1 : 0, left == 0);
    s->outcome = granted > 0 ? RATE_TAKEN : RATE_SPENT;
}

/* For all that have nothing leased, in one statement. */
static int lease(struct limits *limits, struct db *db, struct spending *all, size_t count,
                 struct err *failed)
{
    struct rate_lease leases[RATE_LEASES_MAX];
    size_t n = 0;
    usec_t now, before = clock_monotonic();
    for (size_t i = 0; i < count; i++) {
        if (all[i].outcome == RATE_UNLEASED)
            leases[n++] = (struct rate_lease){.subject = *all[i].subject, .wanted = all[i].wanted};
    }
    if (n == 0)
        return 0;
    if (rates_lease(db, limits->window_seconds, leases, n, &now, failed) != 0)
        return -1;
    learn_clock(limits, now, before);
    uint64_t window = rate_window(now, limits->window_seconds);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (all[i].outcome == RATE_UNLEASED)
            take_of_slice(limits, &all[i], &leases[n++], window);
    }
    prune(limits, db, window);
    return 0;
}

/* ---- a request ---- */

static void add_figure(struct rate_verdict *verdict, struct spending *all, enum rate_kind kind,
                       const struct id *subject, uint64_t quota)
{
    if (quota == 0 || id_is_zero(subject))
        return;
    struct rate_figure *figure = &verdict->figures[verdict->count];
    *figure = (struct rate_figure){.kind = kind, .quota = quota, .remaining = quota};
    all[verdict->count++] = (struct spending){
        .figure = figure, .subject = subject, .tag = rate_tag(subject), .outcome = RATE_UNLEASED};
}

/* What is left, as far as this host knows. */
static void fill_figures(struct limits *limits, struct rate_verdict *verdict, struct spending *all)
{
    usec_t now;
    verdict->known = database_now(limits, &now);
    verdict->left = rate_window_left(now, limits->window_seconds);
    for (size_t i = 0; i < verdict->count; i++) {
        struct spending *s = &all[i];
        uint64_t slice, left;
        if (s->slot == NULL)
            (void)find(limits, s);
        if (s->outcome == RATE_SPENT) {
            s->figure->remaining = 0;
        } else if (rate_read_note(word_read(&s->slot->word[WORD_NOTE]), s->place, &slice, &left)) {
            left += rate_held(word_read(&s->slot->word[WORD_LEASE]), s->place);
            s->figure->remaining = left < s->figure->quota ? left : s->figure->quota;
        }
    }
}

static int refuse(struct rate_verdict *verdict, struct spending *all, struct err *err)
{
    for (size_t i = 0; i < verdict->count; i++) {
        if (all[i].outcome == RATE_TAKEN)
            give_back(&all[i]);
        if (all[i].outcome == RATE_SPENT)
            verdict->refused_by = all[i].figure;
    }
    return verdict->refused_by != NULL ? rate_refuse(verdict, err) : 0;
}

int limits_spend(struct limits *limits, struct db *db, const struct limits_ask *ask,
                 struct rate_verdict *verdict_r, struct err *failed_r, struct err *err)
{
    const struct conf *conf = limits->conf;
    unsigned seconds = limits->window_seconds;
    struct spending all[RATE_LEASES_MAX];
    bool spent = false;

    err_clear(failed_r);
    *verdict_r = (struct rate_verdict){.window_seconds = seconds};
    add_figure(verdict_r, all, ask->kind, &ask->subject,
               rate_quota(ask->rates.subject, conf->key_rate_per_minute, seconds));
    add_figure(verdict_r, all, RATE_WORKSPACE, &ask->workspace_id,
               rate_quota(ask->rates.workspace, conf->workspace_rate_per_minute, seconds));
    if (verdict_r->count == 0)
        return 0;
    for (size_t i = 0; i < verdict_r->count && !spent; i++) {
        take_or_claim(limits, &all[i]);
        spent = all[i].outcome == RATE_SPENT;
    }
    bool failed = !spent && lease(limits, db, all, verdict_r->count, failed_r) != 0;
    end_claims(all, verdict_r->count);
    fill_figures(limits, verdict_r, all);
    if (failed) {
        verdict_r->known = false;
        return 0;
    }
    for (size_t i = 0; i < verdict_r->count; i++)
        spent = spent || all[i].outcome == RATE_SPENT;
    return spent ? refuse(verdict_r, all, err) : 0;
}
