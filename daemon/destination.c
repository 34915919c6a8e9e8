/*
 * destination.c - the table of destinations: a growing array, and a hash of it by id.
 */
#include "daemon/destination.h"
#include "daemon/loop.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/custom_headers.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_MIN 256

struct destinations {
    struct destination **all; /* in the order they came */
    size_t count, room;
    size_t *slots; /* index + 1 into all; 0: free; slot_count is a power of two */
    size_t slot_count;
};

void destinations_create(struct destinations **table_r)
{
    struct destinations *t = mem_alloc(sizeof *t);
    t->slot_count = 64;
    t->slots = mem_alloc(t->slot_count * sizeof *t->slots);
    *table_r = t;
}

static void destination_destroy(struct destination **d)
{
    workflow_release(&(*d)->workflow);
    pool_destroy(&(*d)->pool);
    free(*d);
    *d = NULL;
}

void destinations_destroy(struct destinations **table)
{
    struct destinations *t = *table;
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        destination_destroy(&t->all[i]);
    free(t->all);
    free(t->slots);
    free(t);
    *table = NULL;
}

/* The last bytes of an id are random already. */
static size_t slot_of(const struct destinations *t, const struct id *id)
{
    uint64_t hash;
    memcpy(&hash, id->b + 8, sizeof hash);
    size_t slot = (size_t)hash & (t->slot_count - 1);
    while (t->slots[slot] != 0 && !id_eq(&t->all[t->slots[slot] - 1]->id, id))
        slot = (slot + 1) & (t->slot_count - 1);
    return slot;
}

static void grow(struct destinations *t)
{
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 32;
        t->all = mem_realloc(t->all, t->room * sizeof(struct destination *));
    }
    if ((t->count + 1) * 2 <= t->slot_count)
        return;
    t->slot_count *= 2;
    free(t->slots);
    t->slots = mem_alloc(t->slot_count * sizeof *t->slots);
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_of(t, &t->all[i]->id)] = i + 1;
}

struct destination *destinations_get(struct destinations *t, const struct id *id)
{
    size_t slot = slot_of(t, id);
    if (t->slots[slot] != 0)
        return t->all[t->slots[slot] - 1];
    grow(t);
    struct destination *d = mem_alloc(sizeof *d);
    d->id = *id;
    d->ready_at = TIME_NEVER;
    d->health.held_until = TIME_NONE;
    d->queue_end = &d->queue;
    pool_create(&d->pool);
    t->all[t->count] = d;
    t->slots[slot_of(t, id)] = ++t->count;
    return d;
}

static bool is_needed(const struct destination *d)
{
    return d->ready_at != TIME_NEVER || d->references > 0 || d->health_changed || d->probe_ours;
}

void destinations_sweep(struct destinations *t)
{
    size_t needed = 0;
    for (size_t i = 0; i < t->count; i++)
        needed += is_needed(t->all[i]);
    if (t->count < SWEEP_MIN || needed * 2 > t->count)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (is_needed(t->all[i]))
            t->all[kept++] = t->all[i];
        else
            destination_destroy(&t->all[i]);
    }
    t->count = kept;
    memset(t->slots, 0, t->slot_count * sizeof *t->slots);
    for (size_t i = 0; i < kept; i++)
        t->slots[slot_of(t, &t->all[i]->id)] = i + 1;
}

size_t destinations_count(const struct destinations *t)
{
    return t->count;
}

struct destination *destinations_at(struct destinations *t, size_t i)
{
    return t->all[i];
}

unsigned destination_window(const struct destination *d)
{
    return d->health.window < d->max_in_flight ? d->health.window : d->max_in_flight;
}

static usec_t pace_from(const struct destination *d, usec_t monotonic)
{
    return d->paced_to > monotonic - PACE_SLACK ? d->paced_to : monotonic - PACE_SLACK;
}

unsigned destination_pace(const struct destination *d, usec_t monotonic)
{
    if (d->rate_per_second == 0)
        return UINT_MAX;
    usec_t from = pace_from(d, monotonic);
    return from > monotonic ? 0
                            : 1 + (unsigned)((monotonic - from) * d->rate_per_second / USEC_PER_S);
}

void destination_outpaced(struct destination *d, usec_t monotonic)
{
    d->paced_to = monotonic + PACE_SLACK;
}

void destination_paced(struct destination *d, usec_t monotonic)
{
    if (d->rate_per_second > 0)
        d->paced_to = pace_from(d, monotonic) + USEC_PER_S / d->rate_per_second;
}

/* Once for each time that it comes to that: what is sent there fails with secret_unreadable. */
static void tell_unreadable(const struct destination *d, const char *what, const struct err *why)
{
    char id[ID_TEXT_SIZE], quoted[2 * sizeof why->message];

    id_format(ID_ENDPOINT, &d->id, id);
    log_write(LOG_ERROR, "a stored secret cannot be opened", "endpoint=%s what=%s error=%s", id,
              what, log_quote(str_of(why->message), quoted, sizeof quoted));
}

static void add_headers(struct destination *d, const struct keyring *keys, struct str sealed,
                        struct err *why)
{
    struct str bound = {(const char *)d->id.b, sizeof d->id.b}, text;
    d->header_count = 0;
    d->headers_unreadable =
        sealed.p && (keyring_open(keys, bound, sealed, d->pool, &text, why) ||
                     custom_headers_lines(d->pool, text, &d->headers, &d->header_count, why));
}

static int add_secret(struct destination *d, const struct keyring *keys, struct str sealed,
                      struct err *why)
{
    struct str bound = {(const char *)d->id.b, sizeof d->id.b};
    struct str *secret = &d->secrets[d->secret_count];
    if (!sealed.p)
        return 0;
    if (keyring_open(keys, bound, sealed, d->pool, secret, why) != 0)
        return -1;
    d->secret_count++;
    return 0;
}

static void open_secrets(struct destination *d, const struct destination_row *row,
                         const struct keyring *keys, usec_t now)
{
    struct err why;
    const char *unreadable = NULL;
    add_headers(d, keys, row->headers_sealed, &why);
    if (d->headers_unreadable)
        unreadable = "headers";
    d->secret_count = 0;
    if (add_secret(d, keys, row->secret_sealed, &why) != 0)
        unreadable = "secret";
    if (row->previous_until != TIME_NONE && row->previous_until > now &&
        add_secret(d, keys, row->previous_secret_sealed, &why) != 0)
        unreadable = "previous secret";
    if (unreadable && !d->told_unreadable)
        tell_unreadable(d, unreadable, &why);
    d->told_unreadable = unreadable != NULL;
}

void destination_load(struct destination *d, const struct destination_row *row,
                      const struct keyring *keys, const struct health_policy *policy, usec_t now,
                      usec_t monotonic)
{
    bool first = !d->known;
    bool switched = d->switches != row->switches;
    pool_clear(d->pool);
    d->known = true;
    d->loaded_at = monotonic;
    d->workspace_id = row->workspace_id;
    d->kind = row->kind;
    d->status = row->status;
    d->url = pool_dup(d->pool, row->url.p, row->url.n);
    d->timeout = (usec_t)row->timeout_seconds * USEC_PER_S;
    d->max_in_flight = row->max_in_flight;
    d->rate_per_second = row->rate_per_second;
    open_secrets(d, row, keys, now);
    if (first)
        health_init(&d->health, policy, row->health.good_since);
    if ((d->health_changed || d->probe_ours) && !switched)
        return;
    d->switches = row->switches;
    d->health_changed = false;
    d->disable_reason = NULL;
    unsigned window = d->health.window;
    d->health = row->health;
    d->health.window = window;
    d->good_written = row->health.good_since;
}
