/*
 * turns.c - two lists: short, because each agent is in them twice at most.
 */
#include "daemon/turns.h"
#include "lib/base/pool.h"

#include <stdlib.h>
#include <string.h>

#define SINGLES_IN_ROW_MAX 8

void turns_init(struct turns *t)
{
    memset(t, 0, sizeof *t);
}

void turns_deinit(struct turns *t)
{
    free(t->ready);
    free(t->waiting);
    turns_init(t);
}

static void append(struct turn **list, size_t *count, size_t *room, const struct turn *turn)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 32;
        *list = mem_realloc(*list, *room * sizeof **list);
    }
    (*list)[(*count)++] = *turn;
}

static void remove_at(struct turn *list, size_t *count, size_t at)
{
    --*count;
    memmove(list + at, list + at + 1, (*count - at) * sizeof *list);
}

static size_t find(const struct turn *list, size_t count, const struct calls_of *of)
{
    size_t i = 0;
    while (i < count &&
           !(id_eq(&list[i].of.agent_id, &of->agent_id) && list[i].of.batched == of->batched))
        i++;
    return i;
}

static void add_ready(struct turns *t, const struct turn *turn)
{
    if (find(t->ready, t->ready_count, &turn->of) < t->ready_count)
        return;
    append(&t->ready, &t->ready_count, &t->ready_room, turn);
    t->ready[t->ready_count - 1].for_room = false;
}

void turns_add(struct turns *t, const struct calls_of *of)
{
    struct turn turn = {.of = *of, .told_at = TIME_NONE};
    size_t at = find(t->waiting, t->waiting_count, of);
    if (at < t->waiting_count) {
        turn = t->waiting[at];
        remove_at(t->waiting, &t->waiting_count, at);
    }
    add_ready(t, &turn);
}

static size_t find_kind(const struct turns *t, bool batched)
{
    size_t i = 0;
    while (i < t->ready_count && t->ready[i].of.batched != batched)
        i++;
    return i;
}

bool turns_take(struct turns *t, struct turn *turn_r)
{
    size_t single = find_kind(t, false), batch = find_kind(t, true);
    bool has_single = single < t->ready_count, has_batch = batch < t->ready_count;
    if (!has_single && !has_batch)
        return false;
    bool take_single = has_single && !(has_batch && t->singles_in_row >= SINGLES_IN_ROW_MAX);
    size_t at = take_single ? single : batch;
    t->singles_in_row = take_single && has_batch ? t->singles_in_row + 1 : 0;
    *turn_r = t->ready[at];
    remove_at(t->ready, &t->ready_count, at);
    return true;
}

void turns_again(struct turns *t, const struct turn *turn)
{
    add_ready(t, turn);
}

void turns_wait(struct turns *t, const struct turn *turn)
{
    /* It was made ready while it was looked at: what it waits for may have come since. */
    if (find(t->ready, t->ready_count, &turn->of) < t->ready_count)
        return;
    append(&t->waiting, &t->waiting_count, &t->waiting_room, turn);
}

static void wake_at(struct turns *t, size_t at)
{
    struct turn turn = t->waiting[at];
    remove_at(t->waiting, &t->waiting_count, at);
    add_ready(t, &turn);
}

void turns_line_free(struct turns *t, const struct id *workspace_id)
{
    for (size_t i = 0; i < t->waiting_count;) {
        if (id_eq(&t->waiting[i].workspace_id, workspace_id))
            wake_at(t, i);
        else
            i++;
    }
}

void turns_room_free(struct turns *t)
{
    for (size_t i = 0; i < t->waiting_count;) {
        if (t->waiting[i].for_room)
            wake_at(t, i);
        else
            i++;
    }
}

void turns_time(struct turns *t, usec_t now)
{
    for (size_t i = 0; i < t->waiting_count;) {
        if (t->waiting[i].until <= now)
            wake_at(t, i);
        else
            i++;
    }
}

usec_t turns_next(const struct turns *t)
{
    usec_t next = INT64_MAX;
    for (size_t i = 0; i < t->waiting_count; i++) {
        if (t->waiting[i].until < next)
            next = t->waiting[i].until;
    }
    return next;
}
