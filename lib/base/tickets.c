/*
 * tickets.c - see tickets.h. The first bytes are everybody's tickets; behind them each subject has
 * a range, found by its hash. Nothing is ever written to the file.
 */
#include "lib/base/tickets.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define MOST_MAX 1024 /* of everybody's tickets, and of a subject's */
#define SUBJECTS (1u << 20)

void tickets_open(struct tickets *t, const char *runtime_dir, const char *name)
{
    char path[4096];

    *t = (struct tickets){.fd = -1};
    if (snprintf(path, sizeof path, "%s/%s", runtime_dir, name) < (int)sizeof path)
        t->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
}

void tickets_close(struct tickets *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static bool lock(int fd, short kind, size_t place)
{
    struct flock l = {.l_type = kind, .l_whence = SEEK_SET, .l_start = (off_t)place, .l_len = 1};
    return fcntl(fd, F_SETLK, &l) == 0;
}

static bool take_one(int fd, size_t first, size_t count, size_t *place_r)
{
    for (size_t i = 0; i < count && i < MOST_MAX; i++) {
        if (lock(fd, F_WRLCK, first + i)) {
            *place_r = first + i;
            return true;
        }
    }
    return false;
}

/* FNV-1a (draft-eastlake-fnv). */
static size_t range_of(const unsigned char *p, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return MOST_MAX + (size_t)(hash % SUBJECTS) * MOST_MAX;
}

bool tickets_take(struct tickets *t, const void *subject, size_t size, size_t most, size_t share)
{
    if (t->fd < 0)
        return true;
    if (!take_one(t->fd, range_of(subject, size), share, &t->own_place))
        return false;
    t->taken = take_one(t->fd, 0, most, &t->place);
    if (!t->taken)
        lock(t->fd, F_UNLCK, t->own_place);
    return t->taken;
}

void tickets_give_back(struct tickets *t)
{
    if (!t->taken)
        return;
    lock(t->fd, F_UNLCK, t->place);
    lock(t->fd, F_UNLCK, t->own_place);
    t->taken = false;
}
