/*
 * wake.c - the wake datagrams: one UNIX datagram socket per listener in <runtime_dir>/wake.
 *
 * Sending is best effort throughout: never waits, never fails. What a listener does with an item,
 * and what it finds when none comes, is the dispatcher's business.
 */
#include "lib/base/wake.h"
#include "lib/base/clock.h"
#include "lib/base/pool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static_assert(sizeof(struct wake_item) == 17, "an item is what travels");

/* A folder's mtime moves in steps of the kernel's tick: a listing that is this young may have
 * missed a change of the same tick, and is read again. */
#define LISTING_SETTLED (2 * USEC_PER_S)
#define LISTENERS_MAX 1024
/* The folder is looked at this often: a listener that came since is found by its own poll. */
#define LOOK_GAP (10 * USEC_PER_MS)

struct wake_sender {
    int fd;
    char *folder;
    struct timespec mtime; /* of the folder when it was listed */
    bool settled;
    usec_t looked_at; /* monotonic */
    struct sockaddr_un *listeners;
    size_t count, cap;
};

struct wake_listener {
    int fd;
    struct sockaddr_un address;
    struct wake_item items[WAKE_IDS_MAX]; /* the rest of the last datagram */
    size_t count, taken;
};

static char *wake_folder(const char *runtime_dir)
{
    size_t n = strlen(runtime_dir) + sizeof("/wake");
    char *folder = mem_alloc(n);
    snprintf(folder, n, "%s/wake", runtime_dir);
    return folder;
}

/* -1: longer than a socket's address can be. */
static int address_of(struct sockaddr_un *address, const char *folder, const char *name)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    int n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof(address->sun_path) ? 0 : -1;
}

void wake_sender_create(struct wake_sender **sender_r, const char *runtime_dir)
{
    struct wake_sender *sender = mem_alloc(sizeof(*sender));
    sender->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sender->folder = wake_folder(runtime_dir);
    *sender_r = sender;
}

void wake_sender_destroy(struct wake_sender **sender)
{
    if (*sender == NULL) {
        return;
    }
    if ((*sender)->fd >= 0) {
        close((*sender)->fd);
    }
    free((*sender)->listeners);
    free((*sender)->folder);
    free(*sender);
    *sender = NULL;
}

static void add_listener(struct wake_sender *sender, const char *name)
{
    size_t n = strlen(name);
    struct sockaddr_un address;
    if (n < 6 || strcmp(name + n - 5, ".sock") != 0 || sender->count == LISTENERS_MAX ||
        address_of(&address, sender->folder, name) != 0) {
        return;
    }
    if (sender->count == sender->cap) {
        sender->cap = sender->cap == 0 ? 8 : sender->cap * 2;
        sender->listeners = mem_realloc(sender->listeners, sender->cap * sizeof(address));
    }
    sender->listeners[sender->count++] = address;
}

static void list_folder(struct wake_sender *sender)
{
    struct stat st;
    usec_t now = clock_monotonic();
    if (now - sender->looked_at < LOOK_GAP) {
        return;
    }
    sender->looked_at = now;
    if (stat(sender->folder, &st) != 0) {
        sender->count = 0;
        sender->settled = false;
        return;
    }
    if (sender->settled && st.st_mtim.tv_sec == sender->mtime.tv_sec &&
        st.st_mtim.tv_nsec == sender->mtime.tv_nsec) {
        return;
    }
    usec_t changed = (usec_t)st.st_mtim.tv_sec * USEC_PER_S + st.st_mtim.tv_nsec / 1000;
    sender->count = 0;
    sender->mtime = st.st_mtim;
    sender->settled = clock_wall() - changed > LISTING_SETTLED;
    DIR *folder = opendir(sender->folder);
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        add_listener(sender, entry->d_name);
    }
    closedir(folder);
}

void wake_send(struct wake_sender *sender, const struct wake_item *items, size_t count)
{
    if (count == 0 || sender->fd < 0) {
        return;
    }
    list_folder(sender);
    for (size_t i = 0; i < sender->count; i++) {
        const struct sockaddr_un *to = &sender->listeners[i];
        for (size_t done = 0; done < count;) {
            size_t n = count - done < WAKE_IDS_MAX ? count - done : WAKE_IDS_MAX;
            if (sendto(sender->fd, items + done, n * sizeof(items[0]), MSG_DONTWAIT | MSG_NOSIGNAL,
                       (const struct sockaddr *)to, sizeof(*to)) < 0) {
                if (errno == ECONNREFUSED) {
                    (void)unlink(to->sun_path); /* its process is gone */
                }
                break;
            }
            done += n;
        }
    }
}

/* Senders of the same group must be able to remove dead sockets, whatever our umask says. */
static int make_folder(const char *folder)
{
    if (mkdir(folder, 0770) == 0) {
        return chmod(folder, 0770);
    }
    return errno == EEXIST ? 0 : -1;
}

int wake_listener_create(struct wake_listener **listener_r, const char *runtime_dir,
                         struct err *err)
{
    struct wake_listener *listener = mem_alloc(sizeof(*listener));
    char name[32];
    char *folder = wake_folder(runtime_dir);
    snprintf(name, sizeof(name), "%ld.sock", (long)getpid());
    int fitted = address_of(&listener->address, folder, name);
    const char *path = listener->address.sun_path;
    listener->fd = -1;
    if (fitted != 0) {
        err_set(err, ERR_INVALID, "%s/%s: the path is too long for a socket", folder, name);
    } else if (make_folder(folder) != 0) {
        err_set(err, ERR_UNAVAILABLE, "%s cannot be made: %s", folder, strerror(errno));
    } else if ((listener->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
        err_set(err, ERR_UNAVAILABLE, "no socket: %s", strerror(errno));
    } else if (unlink(path) != 0 && errno != ENOENT) {
        err_set(err, ERR_UNAVAILABLE, "%s cannot be removed: %s", path, strerror(errno));
    } else if (bind(listener->fd, (struct sockaddr *)&listener->address,
                    sizeof(listener->address)) != 0 ||
               chmod(path, 0660) != 0) {
        err_set(err, ERR_UNAVAILABLE, "%s cannot be bound: %s", path, strerror(errno));
    } else {
        free(folder);
        *listener_r = listener;
        return 0;
    }
    free(folder);
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    free(listener);
    return -1;
}

void wake_listener_destroy(struct wake_listener **listener)
{
    if (*listener != NULL) {
        (void)unlink((*listener)->address.sun_path);
        close((*listener)->fd);
        free(*listener);
        *listener = NULL;
    }
}

int wake_listener_fd(const struct wake_listener *listener)
{
    return listener->fd;
}

/* The next datagram that has the right form; false when none is left. */
static bool receive(struct wake_listener *listener)
{
    for (;;) {
        ssize_t n =
            recv(listener->fd, listener->items, sizeof(listener->items), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        if ((size_t)n <= sizeof(listener->items) && (size_t)n % sizeof(listener->items[0]) == 0) {
            listener->count = (size_t)n / sizeof(listener->items[0]);
            listener->taken = 0;
            return true;
        }
    }
}

static bool is_kind(unsigned char kind)
{
    return kind == WAKE_CALL || kind == WAKE_BATCH || kind == WAKE_LINE || kind == WAKE_DELIVERY ||
           kind == WAKE_CHANGED || kind == WAKE_STEP;
}

size_t wake_listener_read(struct wake_listener *listener, struct wake_item *items, size_t max)
{
    size_t n = 0;
    while (n < max) {
        if (listener->taken == listener->count && !receive(listener)) {
            break;
        }
        if (listener->taken < listener->count) {
            items[n] = listener->items[listener->taken++];
            n += is_kind(items[n].kind);
        }
    }
    return n;
}
