/*
 * counters.c - the shared file of counters: made under a lock on its folder, mapped, and added to
 * with atomic operations. What the rows and columns mean is the callers' business.
 */
#include "lib/base/counters.h"
#include "lib/base/pool.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x314352544e435648) /* "HVCNTRC1" */
#define CELLS_MAX ((size_t)1 << 22)

struct counters_file {
    uint64_t magic, rows, columns;
    uint64_t cells[];
};

struct counters {
    struct counters_file *file;
    size_t size, rows, columns;
    bool shared;
};

static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "counters must be lock-free");

/* The existing file, if it is ours and of this shape. */
static int open_existing(int folder, const char *name, const struct counters *counters)
{
    struct counters_file header;
    struct stat st;
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) != 0 || (size_t)st.st_size != counters->size ||
        pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) || header.magic != MAGIC ||
        header.rows != counters->rows || header.columns != counters->columns) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A new file, put in the place of whatever is there: who has that mapped keeps the old one. */
static int open_new(int folder, const char *name, const struct counters *counters)
{
    struct counters_file header = {
        .magic = MAGIC, .rows = counters->rows, .columns = counters->columns};
    char *fresh = mem_alloc(strlen(name) + sizeof(".new"));
    sprintf(fresh, "%s.new", name);
    (void)unlinkat(folder, fresh, 0);
    int fd = openat(folder, fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    /* Blocks are taken now: a full disk later would be a SIGBUS. */
    if (fd >= 0 && (fchmod(fd, 0660) != 0 || posix_fallocate(fd, 0, (off_t)counters->size) != 0 ||
                    pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
                    renameat(folder, fresh, folder, name) != 0)) {
        close(fd);
        (void)unlinkat(folder, fresh, 0);
        fd = -1;
    }
    free(fresh);
    return fd;
}

static int open_file(const char *runtime_dir, const char *name, const struct counters *counters)
{
    int folder = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return -1;
    }
    int fd = -1;
    if (flock(folder, LOCK_EX) == 0) {
        fd = open_existing(folder, name, counters);
        if (fd < 0) {
            fd = open_new(folder, name, counters);
        }
    }
    close(folder); /* unlocks */
    return fd;
}

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
    void *map = MAP_FAILED;
    int fd = runtime_dir == NULL ? -1 : open_file(runtime_dir, name, counters);
    if (fd >= 0) {
        map = mmap(NULL, counters->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    counters->shared = map != MAP_FAILED;
    if (!counters->shared) {
        map =
            mmap(NULL, counters->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED) {
            die("out of memory (%zu bytes of counters)", counters->size);
        }
    }
    counters->file = map;
    *counters_r = counters;
    return 0;
}

void counters_close(struct counters **counters)
{
    if (*counters != NULL) {
        munmap((*counters)->file, (*counters)->size);
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
