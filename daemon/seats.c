/*
 * seats.c - a list: workspaces whose calls are prepared at one time are few.
 */
#include "daemon/seats.h"
#include "lib/base/pool.h"

#include <stdlib.h>
#include <string.h>

void seats_init(struct seats *seats)
{
    memset(seats, 0, sizeof *seats);
}

void seats_deinit(struct seats *seats)
{
    free(seats->all);
    seats_init(seats);
}

static struct seat *seat_of(const struct seats *seats, const struct id *workspace_id)
{
    for (size_t i = 0; i < seats->count; i++) {
        if (id_eq(&seats->all[i].workspace_id, workspace_id))
            return &seats->all[i];
    }
    return NULL;
}

size_t seats_free_for(const struct seats *seats, const struct id *workspace_id, size_t most,
                      size_t share)
{
    const struct seat *seat = seat_of(seats, workspace_id);
    size_t taken = seat ? seat->taken : 0;
    size_t room = seats->taken < most ? most - seats->taken : 0;
    size_t left = taken < share ? share - taken : 0;

    return room < left ? room : left;
}

static struct seat *add_seat(struct seats *seats, const struct id *workspace_id)
{
    if (seats->count == seats->room) {
        seats->room = seats->room ? seats->room * 2 : 32;
        seats->all = mem_realloc(seats->all, seats->room * sizeof *seats->all);
    }
    struct seat *seat = &seats->all[seats->count++];
    *seat = (struct seat){.workspace_id = *workspace_id};
    return seat;
}

void seats_take(struct seats *seats, const struct id *workspace_id)
{
    struct seat *seat = seat_of(seats, workspace_id);

    if (!seat)
        seat = add_seat(seats, workspace_id);
    seat->taken++;
    seats->taken++;
}

void seats_give_back(struct seats *seats, const struct id *workspace_id)
{
    struct seat *seat = seat_of(seats, workspace_id);

    if (!seat)
        die("a seat that was not taken is given back");
    seats->taken--;
    if (--seat->taken == 0)
        *seat = seats->all[--seats->count];
}
