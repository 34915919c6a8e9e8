/*
 * shared.c - the file is made under a lock on its folder, in the place of what was there, and
 * mapped.
 */
#include "lib/base/shared.h"
#include "lib/base/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The existing file, if it is ours and of this shape. */
static int open_existing(int folder, const char *name, const struct shared_shape *shape,
                         size_t size)
{
    struct shared_shape header;
    struct stat st;
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) != 0 || (size_t)st.st_size != size ||
        pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        memcmp(&header, shape, sizeof(header)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A new file, put in the place of whatever is there: who has that mapped keeps the old one. */
static int open_new(int folder, const char *name, const struct shared_shape *shape, size_t size)
{
    char *fresh = mem_alloc(strlen(name) + sizeof(".new"));
    sprintf(fresh, "%s.new", name);
    (void)unlinkat(folder, fresh, 0);
    int fd = openat(folder, fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    /* Blocks are taken now: a full disk later would be a SIGBUS. */
    if (fd >= 0 && (fchmod(fd, 0660) != 0 || posix_fallocate(fd, 0, (off_t)size) != 0 ||
                    pwrite(fd, shape, sizeof(*shape), 0) != (ssize_t)sizeof(*shape) ||
                    renameat(folder, fresh, folder, name) != 0)) {
        close(fd);
        (void)unlinkat(folder, fresh, 0);
        fd = -1;
    }
    free(fresh);
    return fd;
}

static int open_file(const char *runtime_dir, const char *name, const struct shared_shape *shape,
                     size_t size)
{
    int folder = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return -1;
    }
    int fd = -1;
    if (flock(folder, LOCK_EX) == 0) {
        fd = open_existing(folder, name, shape, size);
        if (fd < 0) {
            fd = open_new(folder, name, shape, size);
        }
    }
    close(folder); /* unlocks */
    return fd;
}

void *shared_map(const char *runtime_dir, const char *name, const struct shared_shape *shape,
                 size_t size, bool *shared_r)
{
    void *map = MAP_FAILED;
    int fd = runtime_dir == NULL ? -1 : open_file(runtime_dir, name, shape, size);
    if (fd >= 0) {
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    *shared_r = map != MAP_FAILED;
    if (!*shared_r) {
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED) {
            die("out of memory (%zu bytes to share)", size);
        }
    }
    return map;
}

void shared_unmap(void *map, size_t size)
{
    munmap(map, size);
}
