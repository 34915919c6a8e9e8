/*
 * seats.c - a list: agents with functions before their calls are few.
 */
#include "daemon/seats.h"
#include "lib/base/pool.h"

#include <stdlib.h>
#include <string.h>

#define KEPT 1024

void seats_init(struct seats *seats)
{
    memset(seats, 0, sizeof *seats);
}

void seats_deinit(struct seats *seats)
{
    free(seats->all);
    seats_init(seats);
}

static struct seat *seat_of(const struct seats *seats, const struct id *agent_id)
{
    for (size_t i = 0; i < seats->count; i++) {
        if (id_eq(&seats->all[i].agent_id, agent_id))
            return &seats->all[i];
    }
    return NULL;
}

static size_t taken_by(const struct seats *seats, const struct id *workspace_id)
{
    size_t taken = 0;
    for (size_t i = 0; i < seats->count; i++) {
        if (id_eq(&seats->all[i].workspace_id, workspace_id))
            taken += seats->all[i].taken;
    }
    return taken;
}

size_t seats_free_for(const struct seats *seats, const struct id *agent_id, size_t most,
                      size_t share)
{
    const struct seat *seat = seat_of(seats, agent_id);
    size_t taken = seat ? taken_by(seats, &seat->workspace_id) : 0;
    size_t room = seats->taken < most ? most - seats->taken : 0;
    size_t left = taken < share ? share - taken : 0;

    return room < left ? room : left;
}

static void forget_empty(struct seats *seats)
{
    size_t kept = 0;
    for (size_t i = 0; i < seats->count; i++) {
        if (seats->all[i].taken > 0)
            seats->all[kept++] = seats->all[i];
    }
    seats->count = kept;
}

static struct seat *add_seat(struct seats *seats)
{
    if (seats->count >= KEPT)
        forget_empty(seats);
    if (seats->count == seats->room) {
        seats->room = seats->room ? seats->room * 2 : 32;
        seats->all = mem_realloc(seats->all, seats->room * sizeof *seats->all);
    }
    return &seats->all[seats->count++];
}

void seats_take(struct seats *seats, const struct id *agent_id, const struct id *workspace_id)
{
    struct seat *seat = seat_of(seats, agent_id);

    if (!seat) {
        seat = add_seat(seats);
        *seat = (struct seat){.agent_id = *agent_id, .workspace_id = *workspace_id};
    }
    seat->taken++;
    seats->taken++;
}

void seats_give_back(struct seats *seats, const struct id *agent_id)
{
    struct seat *seat = seat_of(seats, agent_id);

    if (seat)
        seat->taken--;
    seats->taken--;
}
