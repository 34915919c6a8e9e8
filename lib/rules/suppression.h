/*
 * suppression.h - a number that must not be called: who said so, and what is noted of it. Read from
 * a request's JSON and from rows of CSV by the same rules.
 */
#ifndef HV_SUPPRESSION_H
#define HV_SUPPRESSION_H

#include "lib/base/json.h"
#include "lib/rules/csv.h"

#define SUPPRESSION_NOTE_MAX 200 /* code points */

/* How it came onto the list. The order is the column's. */
#define SUPPRESSION_SOURCES(X)                                                                     \
    X(SUPPRESSION_MANUAL, "manual")       /* somebody of the workspace put it there */             \
    X(SUPPRESSION_CONTACT, "contact")     /* the person asked for it */                            \
    X(SUPPRESSION_COMPLAINT, "complaint") /* the person complained */                              \
    X(SUPPRESSION_REGISTRY, "registry")   /* a registry of people who want no calls */
enum suppression_source {
#define X(name, text) name,
    SUPPRESSION_SOURCES(X)
#undef X
        SUPPRESSION_SOURCE_COUNT
};
const char *suppression_source_text(enum suppression_source source);
/* ERR_INVALID names `field` and the sources that there are. */
int suppression_source_parse(struct str text, const char *field, enum suppression_source *source_r,
                             struct err *err) MUST_CHECK;

struct suppression {
    struct str contact_number;
    enum suppression_source source;
    struct str note; /* never STR_NULL */
};

/* contact_number, and if given source (manual) and note. Texts point into the JSON. */
int suppression_read(const struct json *body, struct suppression *suppression_r,
                     struct err *err) MUST_CHECK;

/* Which columns of a CSV file hold what: -1 for none. contact_number must be there; others than
 * contact_number, source, note and created_at (which a list that was written has) are refused. */
struct suppression_columns {
    int contact_number, source, note;
};
int suppression_columns_read(const struct csv *csv, struct suppression_columns *columns_r,
                             struct err *err) MUST_CHECK;
/* suppression_r comes with what holds where the row says nothing. Texts point into the row. */
int suppression_row_read(const struct suppression_columns *columns, const struct csv_row *row,
                         struct suppression *suppression_r, struct err *err) MUST_CHECK;

#endif
