/*
 * slots.c - a hash table of fixed size: a tag has SLOTS_TOGETHER places, which follow one another.
 */
#include "lib/base/slots.h"
#include "lib/base/pool.h"
#include "lib/base/shared.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT64_C(0x3153544f4c535648) /* "HVSLOTS1" */
#define SLOTS_MAX ((size_t)1 << 22)

struct slots_file {
    struct shared_shape shape;
    uint64_t common[SLOTS_COMMON];
    struct slot slots[];
};
static_assert(sizeof(struct slots_file) == 64, "slots begin with a cache line");
static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "words must be lock-free");

struct slots {
    struct slots_file *file;
    size_t size, count;
    bool shared;
};

int slots_open(struct slots **slots_r, const char *runtime_dir, const char *name, size_t count,
               struct err *err)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || count < SLOTS_TOGETHER ||
        count > SLOTS_MAX || (count & (count - 1)) != 0)
        return err_set(err, ERR_INTERNAL, "%zu slots in \"%s\"", count, name);
    struct slots *slots = mem_alloc(sizeof(*slots));
    struct shared_shape shape = {MAGIC, count, 1 + SLOT_WORDS};
    slots->count = count;
    slots->size = sizeof(struct slots_file) + count * sizeof(struct slot);
    slots->file = shared_map(runtime_dir, name, &shape, slots->size, &slots->shared);
    *slots_r = slots;
    return 0;
}

void slots_close(struct slots **slots)
{
    if (*slots != NULL) {
        shared_unmap((*slots)->file, (*slots)->size);
        free(*slots);
        *slots = NULL;
    }
}

bool slots_shared(const struct slots *slots)
{
    return slots->shared;
}

uint64_t *slots_common(struct slots *slots, size_t i)
{
    if (i >= SLOTS_COMMON)
        die("common word %zu of %d", i, SLOTS_COMMON);
    return &slots->file->common[i];
}

struct slot *slots_find(struct slots *slots, uint64_t tag, slot_idle_fn *idle, void *ctx)
{
    size_t sets = slots->count / SLOTS_TOGETHER;
    struct slot *set = &slots->file->slots[(tag & (sets - 1)) * SLOTS_TOGETHER];
    for (;;) {
        struct slot *place = NULL;
        for (size_t i = 0; i < SLOTS_TOGETHER; i++) {
            uint64_t has = word_read(&set[i].tag);
            if (has == tag)
                return &set[i];
            if (place == NULL && (has == 0 || idle(&set[i], ctx)))
                place = &set[i];
        }
        if (place == NULL)
            place = &set[(tag >> 32) % SLOTS_TOGETHER];
        uint64_t was = word_read(&place->tag);
        if (was == tag || word_change(&place->tag, &was, tag))
            return place;
        /* another took it meanwhile, perhaps for the same tag */
    }
}
