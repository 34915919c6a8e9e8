/*
 * wake.h - datagrams that tell resident dispatchers of this host that there is work now.
 *
 * Each dispatcher binds <runtime_dir>/wake/<pid>.sock; a sender sends to every socket there and
 * removes those that nobody listens to. Losing one costs a poll interval, so nothing here is an
 * error for a sender. A datagram is up to WAKE_IDS_MAX records of {kind, 16-byte id}.
 */
#ifndef HV_WAKE_H
#define HV_WAKE_H

#include "lib/base/err.h"
#include <stddef.h>

enum wake_kind {
    WAKE_CALL = 'c' /* id: the agent with a due call, made by itself */,
    WAKE_BATCH = 'b' /* id: the agent with due calls of a batch */,
    WAKE_DELIVERY = 'd' /* id: the destination */,
    WAKE_CHANGED = 'e' /* id: a destination whose owner changed it; it may have work, too */,
    WAKE_LINE = 'l' /* id: a workspace of which a call is over: a line is free */,
    WAKE_STEP = 's' /* id: ignored; the simulator has something due */
};

struct wake_item {
    unsigned char kind;
    unsigned char id[16];
};
#define WAKE_IDS_MAX 256

struct wake_sender;
void wake_sender_create(struct wake_sender **sender_r, const char *runtime_dir);
void wake_sender_destroy(struct wake_sender **sender);
void wake_send(struct wake_sender *sender, const struct wake_item *items, size_t count);

struct wake_listener;
int wake_listener_create(struct wake_listener **listener_r, const char *runtime_dir,
                         struct err *err) MUST_CHECK;
void wake_listener_destroy(struct wake_listener **listener); /* removes its socket */
int wake_listener_fd(const struct wake_listener *listener);
/* Takes what has arrived, at most max items; returns how many (0: nothing more). */
size_t wake_listener_read(struct wake_listener *listener, struct wake_item *items, size_t max);

#endif
