/*
 * json_scan.c - the strict scanner: says whether a text is exactly one JSON value (RFC 8259) within
 * our limits, and if not, where and why. It builds nothing; json.c does, with json-c.
 *
 * Members are compared by their decoded names, pairwise in small objects and by sorting in large
 * ones: no hash, so there are no collisions that a sender could provoke.
 */
#include "lib/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17
#define NUMBER_MAX 400     /* bytes of a number; more can't be within our limits in any sane form */
#define PAIRWISE_MAX 12    /* members that are compared each with each */
#define PATH_MAX_BYTES 200 /* of the path in a message */
#define NAME_MAX_BYTES 64  /* of one member's name in it */

/* Where in the document we are: one per open object or array, on the stack. */
struct place {
    const struct place *outer;
    struct str name; /* of the current member, as spelled; STR_NULL in an array */
    size_t index;
};

struct scanner {
    const char *p, *end;
    const struct place *place;
    unsigned depth, depth_max;
    size_t values_left; /* weighed */
    struct str *names;  /* of the members of all open objects, innermost last */
    size_t name_count, name_cap;
    struct err *err;
};

/* What a value costs json.c, in the unit of a number or a string, which is some 80 bytes: an object
 * is made with room for WEIGHT_ROOM members, each more costs its share of tables that double. */
#define WEIGHT_OBJECT 10
#define WEIGHT_ARRAY 2
#define WEIGHT_ROOM 10
#define WEIGHT_MEMBER 1
#define WEIGHT_MEMBER_MORE 2

static int scan_value(struct scanner *s);

static void add_name(struct buf *path, struct str name)
{
    bool plain = name.n > 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-');
    }
    size_t n = str_utf8_cut(name, NAME_MAX_BYTES).n;
    if (plain) {
        buf_text(path, path->len > 0 ? "." : "");
        buf_add(path, name.p, n);
    } else {
        buf_lit(path, "[\"");
        buf_add(path, name.p, n);
    }
    buf_text(path, n < name.n ? "..." : "");
    buf_text(path, plain ? "" : "\"]");
}

static void add_place(struct buf *path, const struct place *place)
{
    if (place == NULL) {
        return;
    }
    add_place(path, place->outer);
    if (place->name.p != NULL) {
        add_name(path, place->name);
    } else {
        buf_text(path, path->len == 0 ? "body" : "");
        buf_printf(path, "[%zu]", place->index);
    }
}

/* The fault is in the value at `place`. */
static int fault(struct scanner *s, const struct place *place, const char *reason)
{
    struct buf path;
    buf_init(&path, 65536);
    add_place(&path, place);
    struct str text = path.len == 0 ? STR("body") : buf_as_str(&path);
    bool cut = text.n > PATH_MAX_BYTES;
    text = str_utf8_cut(text, PATH_MAX_BYTES);
    err_set(s->err, ERR_INVALID, "%.*s%s: %s", STR_ARG(text), cut ? "..." : "", reason);
    buf_deinit(&path);
    return -1;
}

static int fault_here(struct scanner *s, const char *reason)
{
    return fault(s, s->place, reason);
}

static int weigh(struct scanner *s, size_t weight)
{
    if (weight > s->values_left) {
        return fault(s, NULL, "has too many values");
    }
    s->values_left -= weight;
    return 0;
}

static void skip_blanks(struct scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r')) {
        s->p++;
    }
}

static bool take(struct scanner *s, char c)
{
    if (s->p < s->end && *s->p == c) {
        s->p++;
        return true;
    }
    return false;
}

/* Four hex digits after \u, or -1. */
static int hex4(const char *p, const char *end)
{
    unsigned char bytes[2];
    if (end - p < 4 || hex_decode((struct str){p, 4}, bytes, 2) != 0) {
        return -1;
    }
    return bytes[0] << 8 | bytes[1];
}

/* The escape at s->p, which is behind the backslash. */
static int scan_escape(struct scanner *s)
{
    if (s->p == s->end || memchr("\"\\/bfnrtu", *s->p, 9) == NULL) {
        return fault_here(s,
                          "a backslash must begin one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r "
                          "\\t \\uXXXX");
    }
    if (*s->p++ != 'u') {
        return 0;
    }
    int unit = hex4(s->p, s->end);
    if (unit < 0) {
        return fault_here(s, "\\u must be followed by four hex digits");
    }
    s->p += 4;
    if (unit == 0) {
        return fault_here(s, "\\u0000 is not allowed");
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        return 0;
    }
    bool paired = unit < 0xDC00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u';
    int low = paired ? hex4(s->p + 2, s->end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) {
        return fault_here(s, "a surrogate escape must be one of a pair");
    }
    s->p += 6;
    return 0;
}

/* s->p is behind the opening quote; *raw_r is what stands between the quotes. */
static int scan_string(struct scanner *s, struct str *raw_r)
{
    const char *start = s->p;
    for (;;) {
        const char *run = s->p;
        while (s->p < s->end && (unsigned char)*s->p >= 0x20 && *s->p != '"' && *s->p != '\\') {
            s->p++;
        }
        /* A quote or a backslash never is inside a UTF-8 sequence, so runs can be checked singly.
         */
        if (!str_utf8_valid((struct str){run, (size_t)(s->p - run)})) {
            return fault_here(s, "must be valid UTF-8");
        }
        if (s->p == s->end) {
            return fault_here(s, "a string is not closed");
        }
        char c = *s->p;
        if ((unsigned char)c < 0x20) {
            return fault_here(s, c == '\0' ? "a NUL byte is not allowed"
                                           : "control characters in a string must be escaped");
        }
        s->p++;
        if (c == '"') {
            *raw_r = (struct str){start, (size_t)(s->p - 1 - start)};
            return 0;
        }
        if (scan_escape(s) != 0) {
            return -1;
        }
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct scanner *s)
{
    const char *start = s->p;
    while (s->p < s->end && is_digit(*s->p)) {
        s->p++;
    }
    return (size_t)(s->p - start);
}

/* Digits of the mantissa without the zeros at its ends. */
static size_t significant_digits(struct str mantissa)
{
    size_t count = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < mantissa.n; i++) {
        char c = mantissa.p[i];
        if (c == '0' && count > 0) {
            zeros++;
        } else if (c >= '1' && c <= '9') {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

static int check_integer(struct scanner *s, struct str text)
{
    bool negative = text.p[0] == '-';
    uint64_t max = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value;
    struct str digits = {text.p + negative, text.n - negative};
    return str_u64(digits, max, &value) == 0 ? 0 : fault_here(s, "an integer must fit 64 bits");
}

static int check_double(struct scanner *s, struct str text, struct str mantissa)
{
    char copy[NUMBER_MAX + 1];
    if (significant_digits(mantissa) > DIGITS_MAX) {
        return fault_here(s, "a number may have at most 17 significant digits");
    }
    if (text.n > NUMBER_MAX) {
        return fault_here(s, "a number may have at most 400 characters");
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    /* Programs never call setlocale(), so the decimal point is a point. */
    return isfinite(strtod(copy, NULL)) ? 0 : fault_here(s, "a number is too large");
}

static int scan_number(struct scanner *s)
{
    const char *start = s->p;
    bool whole = true;
    (void)take(s, '-');
    if (take(s, '0')) {
        if (s->p < s->end && is_digit(*s->p)) {
            return fault_here(s, "a number must not begin with a zero");
        }
    } else if (skip_digits(s) == 0) {
        return fault_here(s, "a minus must be followed by a digit");
    }
    if (take(s, '.')) {
        whole = false;
        if (skip_digits(s) == 0) {
            return fault_here(s, "a decimal point must be followed by a digit");
        }
    }
    struct str mantissa = {start, (size_t)(s->p - start)};
    if (take(s, 'e') || take(s, 'E')) {
        whole = false;
        if (!take(s, '+')) {
            (void)take(s, '-');
        }
        if (skip_digits(s) == 0) {
            return fault_here(s, "an exponent must have a digit");
        }
    }
    struct str text = {start, (size_t)(s->p - start)};
    return whole ? check_integer(s, text) : check_double(s, text, mantissa);
}

/* Walks the bytes of a name that may have escapes; the scanner has found it valid. */
struct name_reader {
    const char *p, *end;
    unsigned char ahead[4];
    unsigned ahead_n, ahead_at;
};

static void read_unicode_escape(struct name_reader *r)
{
    unsigned c = (unsigned)hex4(r->p, r->end);
    r->p += 4;
    if (c >= 0xD800 && c <= 0xDBFF) {
        c = 0x10000 + ((c - 0xD800) << 10) + ((unsigned)hex4(r->p + 2, r->end) - 0xDC00);
        r->p += 6;
    }
    r->ahead_at = 0;
    r->ahead_n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = r->ahead_n; i-- > 1;) {
        r->ahead[i] = (unsigned char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    r->ahead[0] = (unsigned char)(lead[r->ahead_n] | c);
}

/* The next byte of the decoded name, or -1 at its end. */
static int next_byte(struct name_reader *r)
{
    if (r->ahead_at < r->ahead_n) {
        return r->ahead[r->ahead_at++];
    }
    if (r->p == r->end) {
        return -1;
    }
    char c = *r->p++;
    if (c != '\\') {
        return (unsigned char)c;
    }
    static const char spelled[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    c = *r->p++;
    if (c == 'u') {
        read_unicode_escape(r);
        return r->ahead[r->ahead_at++];
    }
    const char *at = strchr(spelled, c);
    return at == NULL ? c : meant[at - spelled];
}

static int compare_names(const void *a, const void *b)
{
    const struct str *x = a;
    const struct str *y = b;
    struct name_reader left = {.p = x->p, .end = x->p + x->n};
    struct name_reader right = {.p = y->p, .end = y->p + y->n};
    for (;;) {
        int l = next_byte(&left);
        int r = next_byte(&right);
        if (l != r) {
            return l < r ? -1 : 1;
        }
        if (l < 0) {
            return 0;
        }
    }
}

static int refuse_twin(struct scanner *s, struct str name)
{
    struct place twin = {.outer = s->place->outer, .name = name};
    return fault(s, &twin, "is given twice");
}

/* Looks for two equal ones among the names of the object that ends now. */
static int check_names(struct scanner *s, struct str *names, size_t count)
{
    if (count <= PAIRWISE_MAX) {
        for (size_t i = 1; i < count; i++) {
            for (size_t k = 0; k < i; k++) {
                if (compare_names(&names[i], &names[k]) == 0) {
                    return refuse_twin(s, names[i]);
                }
            }
        }
        return 0;
    }
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 1; i < count; i++) {
        if (compare_names(&names[i], &names[i - 1]) == 0) {
            return refuse_twin(s, names[i]);
        }
    }
    return 0;
}

static void push_name(struct scanner *s, struct str name)
{
    if (s->name_count == s->name_cap) {
        s->name_cap = s->name_cap == 0 ? 32 : s->name_cap * 2;
        s->names = mem_realloc(s->names, s->name_cap * sizeof(s->names[0]));
    }
    s->names[s->name_count++] = name;
}

static int scan_member(struct scanner *s, struct place *place)
{
    struct str name;
    skip_blanks(s);
    /* Until the name is known, faults are the object's. */
    s->place = place->outer;
    if (!take(s, '"')) {
        return fault_here(s, "a member's name in double quotes is missing");
    }
    if (scan_string(s, &name) != 0) {
        return -1;
    }
    place->name = name;
    s->place = place;
    push_name(s, name);
    skip_blanks(s);
    if (!take(s, ':')) {
        return fault_here(s, "a colon must follow the name");
    }
    skip_blanks(s);
    return scan_value(s);
}

static int scan_object(struct scanner *s)
{
    struct place place = {.outer = s->place};
    size_t first = s->name_count;
    skip_blanks(s);
    if (take(s, '}')) {
        return 0;
    }
    do {
        bool roomy = s->name_count - first < WEIGHT_ROOM;
        if (weigh(s, roomy ? WEIGHT_MEMBER : WEIGHT_MEMBER_MORE) != 0 ||
            scan_member(s, &place) != 0) {
            return -1;
        }
        skip_blanks(s);
    } while (take(s, ','));
    if (!take(s, '}')) {
        return fault(s, place.outer, "a comma or } must follow a member");
    }
    if (check_names(s, s->names + first, s->name_count - first) != 0) {
        return -1;
    }
    s->name_count = first;
    s->place = place.outer;
    return 0;
}

static int scan_array(struct scanner *s)
{
    struct place place = {.outer = s->place};
    skip_blanks(s);
    if (take(s, ']')) {
        return 0;
    }
    s->place = &place;
    for (;;) {
        skip_blanks(s);
        if (scan_value(s) != 0) {
            return -1;
        }
        skip_blanks(s);
        if (!take(s, ',')) {
            break;
        }
        place.index++;
    }
    if (!take(s, ']')) {
        return fault(s, place.outer, "a comma or ] must follow an element");
    }
    s->place = place.outer;
    return 0;
}

static int scan_word(struct scanner *s, struct str word)
{
    if ((size_t)(s->end - s->p) < word.n || memcmp(s->p, word.p, word.n) != 0) {
        return fault_here(s, "must be a JSON value");
    }
    s->p += word.n;
    return 0;
}

static int scan_value(struct scanner *s)
{
    if (s->p == s->end) {
        return fault_here(s, "a JSON value is missing");
    }
    char c = *s->p;
    if (weigh(s, c == '{' ? WEIGHT_OBJECT : c == '[' ? WEIGHT_ARRAY : 1) != 0) {
        return -1;
    }
    if (c == '{' || c == '[') {
        if (s->depth == s->depth_max) {
            return fault_here(s, "is nested too deeply");
        }
        s->p++;
        s->depth++;
        int result = c == '{' ? scan_object(s) : scan_array(s);
        s->depth--;
        return result;
    }
    if (c == '"') {
        struct str ignored;
        s->p++;
        return scan_string(s, &ignored);
    }
    if (c == '-' || is_digit(c)) {
        return scan_number(s);
    }
    return scan_word(s, c == 't' ? STR("true") : c == 'f' ? STR("false") : STR("null"));
}

static int scan_document(struct scanner *s)
{
    if (s->end - s->p >= 3 && memcmp(s->p, "\xEF\xBB\xBF", 3) == 0) {
        return fault_here(s, "must not begin with a byte order mark");
    }
    skip_blanks(s);
    if (s->p == s->end) {
        return fault_here(s, "is empty");
    }
    if (scan_value(s) != 0) {
        return -1;
    }
    skip_blanks(s);
    return s->p == s->end ? 0 : fault_here(s, "has something after the JSON value");
}

int json_scan_values(struct str text, unsigned depth_max, size_t values_max, struct err *err)
{
    if (text.n == 0) {
        return err_set(err, ERR_INVALID, "body: is empty");
    }
    struct scanner s = {.p = text.p,
                        .end = text.p + text.n,
                        .depth_max = depth_max,
                        .values_left = values_max,
                        .err = err};
    int result = scan_document(&s);
    free(s.names);
    return result;
}

int json_scan(struct str text, unsigned depth_max, struct err *err)
{
    return json_scan_values(text, depth_max, JSON_VALUES_ANY, err);
}
