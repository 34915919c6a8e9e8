/*
 * fields.h - reads the members of a request's JSON object by a table: types, bounds, messages that
 * name the field. What the table does not know is refused by name: a typo must not be swallowed.
 */
#ifndef HV_FIELDS_H
#define HV_FIELDS_H

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/rules/id.h"

#include <stddef.h>

enum field_type {
    FIELD_TEXT,   /* struct str; one line, without control characters; min and max: code points */
    FIELD_LINES,  /* the same with line breaks and tabs */
    FIELD_INT,    /* int64_t; min to max */
    FIELD_BOOL,   /* bool */
    FIELD_CHOICE, /* int: the index in choices */
    FIELD_SET,    /* unsigned: an array of choices without repetition, a bit each; min: at least */
    FIELD_ID,     /* struct id of `kind`; what has not its form is no id of ours */
    FIELD_TIME,   /* usec_t; RFC 3339 */
    FIELD_JSON    /* const struct json *: any value; the caller looks into it */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset; /* of its place in the struct that is filled */
    bool required; /* must be given when something is made; never when it is changed */
    bool nullable; /* a JSON null is a value: the bit in nulls_r, and the place is left alone */
    int64_t min, max;
    const char *const *choices; /* ends with NULL */
    enum id_kind kind;
};

/* A row of a table: FIELD(TEXT, struct thing, name), .required = true, .min = 1, .max = 200. The
 * member of the struct has the field's name. */
#define FIELD(kind_of_value, into, member)                                                         \
    .name = #member, .type = FIELD_##kind_of_value, .offset = offsetof(into, member)

/* A bit per field of the table, at most 64. */
struct fields_seen {
    uint64_t given; /* it came, as a value or as null */
    uint64_t nulls; /* it came as null */
};

/* Is this field, or setting, one of the set? */
static inline bool field_in(uint64_t set, size_t field)
{
    return (set >> field & 1) != 0;
}

/* Fills the places of what was given; the rest keeps what it has, so that defaults, or the row that
 * is changed, go in first. changing: nothing is required, but something must be given. */
int fields_read(const struct json *body, const struct field *fields, size_t count, bool changing,
                void *into, struct fields_seen *seen_r, struct err *err) MUST_CHECK;

/* For a body that must have no members, or be absent (NULL). */
int fields_none(const struct json *body, struct err *err) MUST_CHECK;

/* At most 60 bytes of a caller's text, whole characters: what a message may repeat. */
struct str field_echo(struct str s);
/* C0, DEL, or C1 in its UTF-8 form; lines: but line breaks and tabs are no fault. */
bool field_has_control(struct str s, bool lines);

#endif
