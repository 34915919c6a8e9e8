/*
 * counters.c - counters in memory that processes share, added to with atomic operations. What the
 * rows and columns mean is the callers' business.
 */
#include "lib/base/counters.h"
#include "lib/base/pool.h"
#include "lib/base/shared.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC UINT64_C(0x314352544e435648) /* "HVCNTRC1" */
#define CELLS_MAX ((size_t)1 << 22)

struct counters_file {
    struct shared_shape shape;
    uint64_t cells[];
};

struct counters {
    struct counters_file *file;
    size_t size, rows, columns;
    bool shared;
};

static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "counters must be lock-free");

int counters_open(struct counters **counters_r, const char *runtime_dir, const char *name,
                  size_t rows, size_t columns, struct err *err)
{
    size_t cells;
    if (name[0] == '\0' || strchr(name, '/') != NULL) {
        return err_set(err, ERR_INTERNAL, "\"%s\" is no name for counters", name);
    }
    if (__builtin_mul_overflow(rows, columns, &cells) || cells == 0 || cells > CELLS_MAX) {
        return err_set(err, ERR_INTERNAL, "%zu by %zu counters", rows, columns);
    }
    struct counters *counters = mem_alloc(sizeof(*counters));
    counters->rows = rows;
    counters->columns = columns;
    counters->size = sizeof(struct counters_file) + cells * sizeof(uint64_t);
    struct shared_shape shape = {MAGIC, rows, columns};
    counters->file = shared_map(runtime_dir, name, &shape, counters->size, &counters->shared);
    *counters_r = counters;
    return 0;
}

void counters_close(struct counters **counters)
{
    if (*counters != NULL) {
        shared_unmap((*counters)->file, (*counters)->size);
        free(*counters);
        *counters = NULL;
    }
}

bool counters_shared(const struct counters *counters)
{
    return counters->shared;
}

static uint64_t *cell(const struct counters *counters, size_t row, size_t column)
{
    if (row >= counters->rows || column >= counters->columns) {
        die("counter %zu, %zu of %zu by %zu", row, column, counters->rows, counters->columns);
    }
    return &counters->file->cells[row * counters->columns + column];
}

void counters_add(struct counters *counters, size_t row, size_t column, uint64_t n)
{
    __atomic_fetch_add(cell(counters, row, column), n, __ATOMIC_RELAXED);
}

uint64_t counters_read(const struct counters *counters, size_t row, size_t column)
{
    return __atomic_load_n(cell(counters, row, column), __ATOMIC_RELAXED);
}
