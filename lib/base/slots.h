/*
 * slots.h - a table of small records that all processes of this host share (shared.h), found by a
 * number of 64 bits. It has room for so many; when a newcomer finds its places taken, one of those
 * that are there is forgotten.
 *
 * What the words mean is the callers' business. They are read and written with the atomic
 * operations below, each for itself: two words of a slot may be of two times, and after a newcomer
 * took a slot its words are still those of the one before. So a word says itself whose it is.
 */
#ifndef HV_SLOTS_H
#define HV_SLOTS_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_WORDS 3
struct slot {
    uint64_t tag; /* 0: free */
    uint64_t word[SLOT_WORDS];
};

struct slots;

/* count: a power of two, at least SLOTS_TOGETHER. */
#define SLOTS_TOGETHER 8
int slots_open(struct slots **slots_r, const char *runtime_dir, const char *name, size_t count,
               struct err *err) MUST_CHECK;
void slots_close(struct slots **slots);
bool slots_shared(const struct slots *slots);

/* Words of the table itself; zero at first. */
#define SLOTS_COMMON 5
uint64_t *slots_common(struct slots *slots, size_t i);

/* The slot of this tag (not 0), taken for it if it has none. idle: may this one be forgotten
 * without harm? */
typedef bool slot_idle_fn(const struct slot *slot, void *ctx);
struct slot *slots_find(struct slots *slots, uint64_t tag, slot_idle_fn *idle, void *ctx);

static inline uint64_t word_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void word_write(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Writes value if the word still is *was; else false, and *was is what it is now. */
static inline bool word_change(uint64_t *word, uint64_t *was, uint64_t value)
{
    return __atomic_compare_exchange_n(word, was, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

#endif
