/*
 * pattern_private.h - the program of a pattern, which pattern.c compiles and pattern_match.c runs.
 */
#ifndef HV_PATTERN_PRIVATE_H
#define HV_PATTERN_PRIVATE_H

#include "lib/rules/pattern.h"

#define STEPS_MAX 1000
#define RANGES_MAX 1000

enum step_kind { STEP_SET, STEP_SPLIT, STEP_JUMP, STEP_BEGIN, STEP_END, STEP_MATCH };
struct step {
    enum step_kind kind;
    bool negated;         /* SET */
    unsigned first, last; /* SET: its ranges; SPLIT and JUMP: where to */
};
struct range {
    uint32_t low, high;
};

struct program {
    struct step *steps;
    struct range *ranges;
    unsigned count, range_count;
    unsigned atoms; /* that were read for it */
};
/* Where one is compiled. */
struct program_room {
    struct step steps[STEPS_MAX];
    struct range ranges[RANGES_MAX];
};

/* The program points into the room. */
int pattern_compile(struct str pattern, struct program_room *room, struct program *program,
                    struct err *err) MUST_CHECK;

/* The character at *at, which moves behind it; the text is valid UTF-8. */
uint32_t pattern_character(struct str text, size_t *at);

#endif
