/*
 * pattern_match.c - runs the program of a pattern: all steps that could be at the present character
 * of the text, side by side.
 */
#include "lib/rules/pattern_private.h"

#include <string.h>

uint32_t pattern_character(struct str text, size_t *at)
{
    unsigned char c = (unsigned char)text.p[(*at)++];
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t character = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;

    for (; more > 0 && *at < text.n; more--)
        character = character << 6 | ((unsigned char)text.p[(*at)++] & 63u);
    return character;
}

#define ATOM_WORK 8 /* of reading one, against looking at a step */

/* The steps that are at a character at the same time. */
struct states {
    unsigned short at[STEPS_MAX];
    unsigned count;
    unsigned seen[STEPS_MAX]; /* the round in which a step was added */
    unsigned round;
};

struct place_in_text {
    bool begin, end;
};

/* Returns its work. */
static unsigned add_state(const struct program *program, struct states *s, unsigned step,
                          struct place_in_text place)
{
    unsigned waiting[STEPS_MAX + 1], count = 0, work = 1;

    if (s->seen[step] != s->round) {
        s->seen[step] = s->round;
        waiting[count++] = step;
    }
    while (count > 0) {
        work++;
        unsigned now = waiting[--count], next[2], next_count = 0;
        const struct step *at = &program->steps[now];
        switch (at->kind) {
        case STEP_SET:
        case STEP_MATCH:
            s->at[s->count++] = (unsigned short)now;
            break;
        case STEP_SPLIT:
            next[next_count++] = at->last;
            next[next_count++] = at->first;
            break;
        case STEP_JUMP:
            next[next_count++] = at->first;
            break;
        case STEP_BEGIN:
            if (place.begin)
                next[next_count++] = now + 1;
            break;
        case STEP_END:
            if (place.end)
                next[next_count++] = now + 1;
            break;
        }
        for (unsigned i = 0; i < next_count; i++) {
            if (s->seen[next[i]] != s->round) {
                s->seen[next[i]] = s->round;
                waiting[count++] = next[i];
            }
        }
    }
    return work;
}

static bool set_has(const struct program *program, const struct step *set, uint32_t character)
{
    for (unsigned i = set->first; i < set->last; i++) {
        if (character >= program->ranges[i].low && character <= program->ranges[i].high)
            return !set->negated;
    }
    return set->negated;
}

static void forget(struct states *s)
{
    s->count = 0;
    s->round++;
}

static bool has_match(const struct program *program, const struct states *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (program->steps[s->at[i]].kind == STEP_MATCH)
            return true;
    }
    return false;
}

static bool spend(uint64_t *work, uint64_t spent)
{
    *work = spent < *work ? *work - spent : 0;
    return *work > 0;
}

/* From the states before a character to those behind it. Returns the work. */
static unsigned move_on(const struct program *program, const struct states *now,
                        struct states *next, uint32_t character, bool at_end)
{
    unsigned work = 1;

    forget(next);
    for (unsigned i = 0; i < now->count; i++) {
        const struct step *step = &program->steps[now->at[i]];
        work += 1 + step->last - step->first;
        if (set_has(program, step, character))
            work +=
                add_state(program, next, now->at[i] + 1u, (struct place_in_text){false, at_end});
    }
    return work;
}

bool pattern_run(const struct program *program, struct str text, uint64_t *work)
{
    struct states states[2], *now = &states[0], *next = &states[1], *other;
    size_t at = 0;

    if (!spend(work, text.n / 8 + program->count / 8) || str_utf8_count(text) > PATTERN_TEXT_MAX)
        return false;
    for (int i = 0; i < 2; i++) {
        states[i].round = 1;
        states[i].count = 0;
        memset(states[i].seen, 0, program->count * sizeof(states[i].seen[0]));
    }
    for (;;) {
        unsigned spent = add_state(program, now, 0, (struct place_in_text){at == 0, at >= text.n});
        if (has_match(program, now))
            return true;
        if (at >= text.n)
            return false;
        uint32_t character = pattern_character(text, &at);
        if (!spend(work, spent + move_on(program, now, next, character, at >= text.n)))
            return false;
        other = now;
        now = next;
        next = other;
    }
}

const struct program *pattern_make(struct pool *pool, struct str pattern, uint64_t *work)
{
    struct program_room room;
    struct program program;
    struct err ignored;

    int result = pattern_compile(pattern, &room, &program, &ignored);
    (void)spend(work, ATOM_WORK * (uint64_t)program.atoms + program.count);
    if (result != 0)
        return NULL;
    struct program *made = pool_new(pool, struct program, 1);
    *made = program;
    made->steps = memcpy(pool_new(pool, struct step, program.count), room.steps,
                         program.count * sizeof(struct step));
    made->ranges = memcpy(pool_new(pool, struct range, program.range_count + 1), room.ranges,
                          program.range_count * sizeof(struct range));
    return made;
}

bool pattern_matches(struct str pattern, struct str text)
{
    uint64_t work = UINT64_MAX;
    struct program_room room;
    struct program program;
    struct err ignored;

    return pattern_compile(pattern, &room, &program, &ignored) == 0 &&
           pattern_run(&program, text, &work);
}
