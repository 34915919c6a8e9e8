/*
 * http_poll.c - the descriptors of all transfers in one epoll set, so that a round costs what is
 * ready and not what is open; the caller's own descriptors stand beside that set in a ppoll().
 */
#include "lib/base/http_private.h"
#include "lib/base/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READY_MAX 256

struct http_poll {
    int epoll;
    struct pollfd *fds; /* the epoll set, then the caller's */
    size_t cap;
};

void http_poll_create(struct http_poll **set_r)
{
    struct http_poll *set = mem_alloc(sizeof(*set));
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0) {
        die("epoll_create1 failed");
    }
    *set_r = set;
}

void http_poll_destroy(struct http_poll **set)
{
    if (*set != NULL) {
        close((*set)->epoll);
        free((*set)->fds);
        free(*set);
        *set = NULL;
    }
}

void http_poll_set(struct http_poll *set, int fd, short events)
{
    struct epoll_event event = {.data.fd = fd};
    event.events =
        ((events & POLLIN) != 0 ? EPOLLIN : 0u) | ((events & POLLOUT) != 0 ? EPOLLOUT : 0u);
    if (events == 0) {
        (void)epoll_ctl(set->epoll, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
        return;
    }
    /* A closed descriptor left the set by itself, so what we remember could be wrong: ask. */
    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) != 0 &&
        (errno != EEXIST || epoll_ctl(set->epoll, EPOLL_CTL_MOD, fd, &event) != 0)) {
        die("epoll_ctl failed (errno %d)", errno);
    }
}

void http_poll_wait(struct http_poll *set, struct http_watch *watches, size_t count, usec_t timeout)
{
    if (set->cap < count + 1) {
        set->cap = count + 1;
        set->fds = mem_realloc(set->fds, set->cap * sizeof(set->fds[0]));
    }
    set->fds[0] = (struct pollfd){.fd = set->epoll, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        set->fds[i + 1] = (struct pollfd){.fd = watches[i].fd, .events = watches[i].events};
    }
    if (timeout < 0) {
        timeout = 0;
    }
    struct timespec wait = {.tv_sec = timeout / USEC_PER_S, .tv_nsec = timeout % USEC_PER_S * 1000};
    int n = ppoll(set->fds, count + 1, &wait, NULL);
    for (size_t i = 0; i < count; i++) {
        watches[i].revents = n > 0 ? set->fds[i + 1].revents : 0;
    }
}

size_t http_poll_ready(struct http_poll *set, struct http_watch *ready, size_t max)
{
    struct epoll_event events[READY_MAX];
    int n = epoll_wait(set->epoll, events, max < READY_MAX ? (int)max : READY_MAX, 0);
    for (int i = 0; i < n; i++) {
        unsigned e = events[i].events;
        ready[i].fd = events[i].data.fd;
        ready[i].events = 0;
        ready[i].revents =
            (short)(((e & EPOLLIN) != 0 ? POLLIN : 0) | ((e & EPOLLOUT) != 0 ? POLLOUT : 0) |
                    ((e & (EPOLLERR | EPOLLHUP)) != 0 ? POLLERR : 0));
    }
    return n > 0 ? (size_t)n : 0;
}
