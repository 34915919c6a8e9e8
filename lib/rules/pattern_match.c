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

/* The steps that are at a character at the same time. */
struct states {
    unsigned short at[STEPS_MAX];
    unsigned count;
    bool in[STEPS_MAX];
};

struct place_in_text {
    bool begin, end;
};

static void add_state(const struct program *program, struct states *s, unsigned step,
                      struct place_in_text place)
{
    unsigned waiting[STEPS_MAX + 1], count = 0;

    if (!s->in[step]) {
        s->in[step] = true;
        waiting[count++] = step;
    }
    while (count > 0) {
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
            if (!s->in[next[i]]) {
                s->in[next[i]] = true;
                waiting[count++] = next[i];
            }
        }
    }
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
    memset(s->in, 0, sizeof(s->in));
}

bool pattern_matches(struct str pattern, struct str text)
{
    struct program program;
    struct states now, next;
    struct err ignored;
    size_t at = 0;

    if (pattern_compile(pattern, &program, &ignored) != 0 ||
        str_utf8_count(text) > PATTERN_TEXT_MAX)
        return false;
    forget(&now);
    for (;;) {
        add_state(&program, &now, 0, (struct place_in_text){at == 0, at >= text.n});
        for (unsigned i = 0; i < now.count; i++) {
            if (program.steps[now.at[i]].kind == STEP_MATCH)
                return true;
        }
        if (at >= text.n)
            return false;
        uint32_t character = pattern_character(text, &at);
        forget(&next);
        for (unsigned i = 0; i < now.count; i++) {
            const struct step *step = &program.steps[now.at[i]];
            if (set_has(&program, step, character))
                add_state(&program, &next, now.at[i] + 1u,
                          (struct place_in_text){false, at >= text.n});
        }
        now = next;
    }
}
