/*
 * pattern.c - a pattern becomes a program of at most STEPS_MAX steps (Thompson's construction),
 * which pattern_match.c runs. A repetition is compiled by reading its atom anew for each copy.
 */
#include "lib/rules/pattern_private.h"

#include <string.h>

#define DEPTH_MAX 8
/* Read in all, with the members of sets, copies too: even those that become no step. */
#define ATOMS_MAX 4000
#define REPEAT_MAX 255
#define NO_LIMIT (REPEAT_MAX + 1)

struct reader {
    struct str text;
    size_t at;
    unsigned depth, atoms;
    struct program *program;
    struct err *err;
};

static int fail(const struct reader *r, const char *what)
{
    size_t at = str_utf8_count((struct str){r->text.p, r->at}) + 1;
    return err_set(r->err, ERR_INVALID, "at character %zu: %s", at, what);
}

static bool at_end(const struct reader *r)
{
    return r->at >= r->text.n;
}

static bool at_sign(const struct reader *r, char sign)
{
    return !at_end(r) && r->text.p[r->at] == sign;
}

static int emit(struct reader *r, enum step_kind kind, unsigned *place_r)
{
    if (r->program->count == STEPS_MAX)
        return fail(r, "the pattern is too large.");
    *place_r = r->program->count++;
    r->program->steps[*place_r] = (struct step){.kind = kind, .first = r->program->range_count};
    return 0;
}

static int add_range(struct reader *r, uint32_t low, uint32_t high)
{
    if (r->program->range_count == RANGES_MAX)
        return fail(r, "the pattern is too large.");
    r->program->ranges[r->program->range_count++] = (struct range){low, high};
    return 0;
}

static const struct range digits[] = {{'0', '9'}};
static const struct range not_digits[] = {{0, '0' - 1}, {'9' + 1, 0x10ffff}};
static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct range not_words[] = {
    {0, '0' - 1}, {'9' + 1, 'A' - 1}, {'Z' + 1, '_' - 1}, {'_' + 1, 'a' - 1}, {'z' + 1, 0x10ffff}};
static const struct range blanks[] = {
    {9, 13}, {' ', ' '}, {0xa0, 0xa0}, {0x2000, 0x200a}, {0x2028, 0x2029}};
static const struct range not_blanks[] = {{0, 8},         {14, 31},         {33, 0x9f},
                                          {0xa1, 0x1fff}, {0x200b, 0x2027}, {0x202a, 0x10ffff}};

static const struct {
    char letter;
    const struct range *ranges;
    size_t count;
} classes[] = {
    {'d', digits, sizeof(digits) / sizeof(digits[0])},
    {'D', not_digits, sizeof(not_digits) / sizeof(not_digits[0])},
    {'w', words, sizeof(words) / sizeof(words[0])},
    {'W', not_words, sizeof(not_words) / sizeof(not_words[0])},
    {'s', blanks, sizeof(blanks) / sizeof(blanks[0])},
    {'S', not_blanks, sizeof(not_blanks) / sizeof(not_blanks[0])},
};

/* Behind a backslash. *single_r: it is one character, else its ranges were added. */
static int read_escape(struct reader *r, bool *single_r, uint32_t *character_r)
{
    static const char letters[] = "nrtfv", meant[] = "\n\r\t\f\v";

    if (at_end(r))
        return fail(r, "a backslash stands at the end.");
    char c = r->text.p[r->at];
    const char *letter = c == '\0' ? NULL : strchr(letters, c);
    *single_r = true;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].letter != c)
            continue;
        *single_r = false;
        r->at++;
        for (size_t k = 0; k < classes[i].count; k++) {
            if (add_range(r, classes[i].ranges[k].low, classes[i].ranges[k].high) != 0)
                return -1;
        }
        return 0;
    }
    if (letter != NULL) {
        r->at++;
        *character_r = (unsigned char)meant[letter - letters];
        return 0;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return fail(r, "this escape is not known here; \\d \\w \\s \\n \\r \\t and escaped signs "
                       "are.");
    *character_r = pattern_character(r->text, &r->at);
    return 0;
}

static int count_atom(struct reader *r)
{
    return ++r->atoms > ATOMS_MAX ? fail(r, "the pattern is too large.") : 0;
}

static int read_member(struct reader *r, bool *single_r, uint32_t *character_r)
{
    if (count_atom(r) != 0)
        return -1;
    if (at_sign(r, '\\')) {
        r->at++;
        return read_escape(r, single_r, character_r);
    }
    *single_r = true;
    *character_r = pattern_character(r->text, &r->at);
    return 0;
}

static int read_set(struct reader *r)
{
    unsigned place = 0;
    bool single;
    uint32_t low, high;

    if (emit(r, STEP_SET, &place) != 0)
        return -1;
    r->at++;
    if (at_sign(r, '^')) {
        r->program->steps[place].negated = true;
        r->at++;
    }
    while (!at_sign(r, ']')) {
        if (at_end(r))
            return fail(r, "a set is not closed by ].");
        if (read_member(r, &single, &low) != 0)
            return -1;
        if (!single)
            continue;
        high = low;
        if (at_sign(r, '-') && r->at + 1 < r->text.n && r->text.p[r->at + 1] != ']') {
            r->at++;
            if (read_member(r, &single, &high) != 0)
                return -1;
            if (!single || high < low)
                return fail(r, "a range in a set goes from a lower to a higher character.");
        }
        if (add_range(r, low, high) != 0)
            return -1;
    }
    r->at++;
    r->program->steps[place].last = r->program->range_count;
    return 0;
}

static int read_choices(struct reader *r);

static int read_group(struct reader *r)
{
    r->at++;
    if (at_sign(r, '?')) {
        if (r->at + 1 >= r->text.n || r->text.p[r->at + 1] != ':')
            return fail(r, "of groups that begin with (? only (?: is known here.");
        r->at += 2;
    }
    if (++r->depth > DEPTH_MAX)
        return fail(r, "the groups are too deep.");
    if (read_choices(r) != 0)
        return -1;
    r->depth--;
    if (!at_sign(r, ')'))
        return fail(r, "a group is not closed by ).");
    r->at++;
    return 0;
}

static int read_single(struct reader *r)
{
    unsigned place = 0;
    bool single, any = at_sign(r, '.');
    uint32_t character;

    if (emit(r, STEP_SET, &place) != 0 || read_member(r, &single, &character) != 0)
        return -1;
    if (any) {
        r->program->steps[place].negated = true;
        if (add_range(r, '\n', '\n') != 0 || add_range(r, '\r', '\r') != 0)
            return -1;
    } else if (single && add_range(r, character, character) != 0) {
        return -1;
    }
    r->program->steps[place].last = r->program->range_count;
    return 0;
}

static int read_atom(struct reader *r)
{
    unsigned place = 0;

    if (count_atom(r) != 0)
        return -1;
    switch (r->text.p[r->at]) {
    case '[':
        return read_set(r);
    case '(':
        return read_group(r);
    case '^':
        r->at++;
        return emit(r, STEP_BEGIN, &place);
    case '$':
        r->at++;
        return emit(r, STEP_END, &place);
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(r, "there is nothing to repeat.");
    default:
        return read_single(r);
    }
}

static int read_count(struct reader *r, unsigned *count_r)
{
    size_t begin = r->at;
    uint64_t count;

    while (!at_end(r) && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9')
        r->at++;
    if (r->at == begin ||
        str_u64((struct str){r->text.p + begin, r->at - begin}, REPEAT_MAX, &count) != 0)
        return fail(r, "a repetition is {n}, {n,} or {n,m} of numbers up to 255.");
    *count_r = (unsigned)count;
    return 0;
}

static int read_braces(struct reader *r, unsigned *least_r, unsigned *most_r)
{
    r->at++;
    if (read_count(r, least_r) != 0)
        return -1;
    *most_r = *least_r;
    if (at_sign(r, ',')) {
        r->at++;
        *most_r = NO_LIMIT;
        if (!at_sign(r, '}') && read_count(r, most_r) != 0)
            return -1;
    }
    if (!at_sign(r, '}') || *most_r < *least_r)
        return fail(r, "a repetition is {n}, {n,} or {n,m} of numbers up to 255.");
    r->at++;
    return 0;
}

static int read_quantifier(struct reader *r, unsigned *least_r, unsigned *most_r)
{
    char sign = at_end(r) ? '\0' : r->text.p[r->at];

    *least_r = *most_r = 1;
    if (sign == '{') {
        if (read_braces(r, least_r, most_r) != 0)
            return -1;
    } else if (sign != '\0' && strchr("*+?", sign) != NULL) {
        *least_r = sign == '+' ? 1 : 0;
        *most_r = sign == '?' ? 1 : NO_LIMIT;
        r->at++;
    } else {
        return 0;
    }
    if (at_sign(r, '?')) /* lazy: whether a text matches is the same */
        r->at++;
    return 0;
}

static int copy_atom(struct reader *r, size_t begin)
{
    r->at = begin;
    return read_atom(r);
}

static int emit_repeated(struct reader *r, size_t begin, unsigned least, unsigned most)
{
    unsigned split = 0, jump = 0;

    for (unsigned i = 0; i < least; i++) {
        if (copy_atom(r, begin) != 0)
            return -1;
    }
    if (most == NO_LIMIT) {
        if (emit(r, STEP_SPLIT, &split) != 0 || copy_atom(r, begin) != 0 ||
            emit(r, STEP_JUMP, &jump) != 0)
            return -1;
        r->program->steps[jump].first = split;
        r->program->steps[split].first = split + 1;
        r->program->steps[split].last = r->program->count;
        return 0;
    }
    for (unsigned i = least; i < most; i++) {
        if (emit(r, STEP_SPLIT, &split) != 0 || copy_atom(r, begin) != 0)
            return -1;
        r->program->steps[split].first = split + 1;
        r->program->steps[split].last = r->program->count;
    }
    return 0;
}

static int read_repeated(struct reader *r)
{
    unsigned count = r->program->count, ranges = r->program->range_count, least, most;
    size_t begin = r->at;

    if (read_atom(r) != 0 || read_quantifier(r, &least, &most) != 0)
        return -1;
    if (least == 1 && most == 1)
        return 0;
    size_t end = r->at;
    r->program->count = count;
    r->program->range_count = ranges;
    if (emit_repeated(r, begin, least, most) != 0)
        return -1;
    r->at = end;
    return 0;
}

static int read_sequence(struct reader *r)
{
    while (!at_end(r) && !at_sign(r, '|') && !at_sign(r, ')')) {
        if (read_repeated(r) != 0)
            return -1;
    }
    return 0;
}

/* A split before each alternative but the last, and a jump to the end behind it. */
static int read_choices(struct reader *r)
{
    unsigned split = 0, jump = 0;
    size_t begin = r->at;
    unsigned count = r->program->count, ranges = r->program->range_count;

    if (read_sequence(r) != 0)
        return -1;
    if (!at_sign(r, '|'))
        return 0;
    r->at = begin;
    r->program->count = count;
    r->program->range_count = ranges;
    if (emit(r, STEP_SPLIT, &split) != 0 || read_sequence(r) != 0 || emit(r, STEP_JUMP, &jump) != 0)
        return -1;
    r->at++;
    r->program->steps[split].first = split + 1;
    r->program->steps[split].last = r->program->count;
    if (read_choices(r) != 0)
        return -1;
    r->program->steps[jump].first = r->program->count;
    return 0;
}

int pattern_compile(struct str pattern, struct program_room *room, struct program *program,
                    struct err *err)
{
    struct reader r = {.text = pattern, .program = program, .err = err};
    unsigned place = 0;

    *program = (struct program){.steps = room->steps, .ranges = room->ranges};
    if (pattern.n > PATTERN_LENGTH_MAX)
        return fail(&r, "a pattern has at most 500 bytes.");
    int result = read_choices(&r);
    program->atoms = r.atoms;
    if (result != 0)
        return -1;
    if (!at_end(&r))
        return fail(&r, "this ) closes nothing.");
    return emit(&r, STEP_MATCH, &place);
}

int pattern_check(struct str pattern, struct err *err)
{
    struct program_room room;
    struct program program;
    return pattern_compile(pattern, &room, &program, err);
}
