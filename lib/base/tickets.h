/*
 * tickets.h - so many at once, on one host: a ticket is taken by a process before it does what may
 * take long, and given back after; who dies gives back by dying. Each subject has a share of its
 * own, too, so that one never holds all.
 *
 * A ticket is a locked byte of a file in the runtime folder: the kernel keeps count. One ticket per
 * process at a time. Without a usable folder nothing is bounded.
 */
#ifndef HV_TICKETS_H
#define HV_TICKETS_H

#include <stdbool.h>
#include <stddef.h>

struct tickets {
    int fd; /* -1: nothing is bounded */
    bool taken;
    size_t place, own_place; /* the bytes that are locked */
};

void tickets_open(struct tickets *tickets, const char *runtime_dir, const char *name);
void tickets_close(struct tickets *tickets);

/* Takes one of `most` for all, and of `share` for the subject, if both have one left. Two subjects
 * may, rarely, have one share together. */
bool tickets_take(struct tickets *tickets, const void *subject, size_t size, size_t most,
                  size_t share);
void tickets_give_back(struct tickets *tickets);

#endif
