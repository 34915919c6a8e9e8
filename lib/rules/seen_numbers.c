/*
 * seen_numbers.c - a table of numbers with open addressing, at most half full.
 */
#include "lib/rules/seen_numbers.h"
#include "lib/base/pool.h"

#include <stdlib.h>

#define ROOM_FIRST 1024 /* a power of two, and so are its doubles */

struct place {
    uint64_t number, line; /* line 0: free */
};

struct seen_numbers {
    struct place *places;
    size_t room, count;
};

void seen_numbers_create(struct seen_numbers **seen_r)
{
    struct seen_numbers *s = mem_alloc(sizeof *s);

    s->room = ROOM_FIRST;
    s->places = mem_alloc(s->room * sizeof *s->places);
    *seen_r = s;
}

void seen_numbers_destroy(struct seen_numbers **seen)
{
    if (*seen == NULL)
        return;
    free((*seen)->places);
    free(*seen);
    *seen = NULL;
}

/* Where the number stands, or the free place that is its. Neighbours in a file are often neighbours
 * as numbers, too: the multiplier (2^64 by the golden ratio) scatters them. */
static struct place *place_of(const struct seen_numbers *s, uint64_t number)
{
    size_t at = (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (s->room - 1);

    while (s->places[at].line != 0 && s->places[at].number != number)
        at = (at + 1) & (s->room - 1);
    return &s->places[at];
}

static void grow(struct seen_numbers *s)
{
    struct seen_numbers more = {.room = 2 * s->room, .count = s->count};

    more.places = mem_alloc(more.room * sizeof *more.places);
    for (size_t i = 0; i < s->room; i++) {
        if (s->places[i].line != 0)
            *place_of(&more, s->places[i].number) = s->places[i];
    }
    free(s->places);
    *s = more;
}

uint64_t seen_numbers_add(struct seen_numbers *seen, struct str number, uint64_t line)
{
    uint64_t digits;

    if (number.n == 0 || str_u64((struct str){number.p + 1, number.n - 1}, INT64_MAX, &digits) != 0)
        die("a contact number that is none");
    if (2 * seen->count >= seen->room)
        grow(seen);
    struct place *place = place_of(seen, digits);
    if (place->line != 0)
        return place->line;
    *place = (struct place){digits, line};
    seen->count++;
    return 0;
}
