/*
 * seats.h - how many calls of each workspace are being prepared here, and how many more may be: a
 * bound for all, and a share for each, so that one never has all seats.
 */
#ifndef HV_SEATS_H
#define HV_SEATS_H

#include "lib/rules/id.h"

struct seat {
    struct id workspace_id;
    size_t taken;
};

struct seats {
    struct seat *all; /* of workspaces that have some */
    size_t count, room;
    size_t taken; /* of all */
};

void seats_init(struct seats *seats);
void seats_deinit(struct seats *seats);

/* How many more a workspace may have: of `most` for all, and of its own `share`. */
size_t seats_free_for(const struct seats *seats, const struct id *workspace_id, size_t most,
                      size_t share);

void seats_take(struct seats *seats, const struct id *workspace_id);
void seats_give_back(struct seats *seats, const struct id *workspace_id);

#endif
