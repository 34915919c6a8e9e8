/*
 * suppression.c - the fields of a number that must not be called, and their limits.
 */
#include "lib/rules/suppression.h"

#include "lib/rules/fields.h"
#include "lib/rules/phone.h"

static const char *const source_texts[] = {
#define X(name, text) text,
    SUPPRESSION_SOURCES(X)
#undef X
        NULL,
};
_Static_assert(sizeof(source_texts) / sizeof(*source_texts) == SUPPRESSION_SOURCE_COUNT + 1,
               "a text per source, and the end");

const char *suppression_source_text(enum suppression_source source)
{
    return source_texts[source];
}

int suppression_source_parse(struct str text, const char *field, enum suppression_source *source_r,
                             struct err *err)
{
    for (unsigned s = 0; s < SUPPRESSION_SOURCE_COUNT; s++)
        if (str_is(text, source_texts[s])) {
            *source_r = (enum suppression_source)s;
            return 0;
        }
    return err_set(err, ERR_INVALID, "%s must be manual, contact, complaint or registry.", field);
}

static int check_number(struct str number, struct err *err)
{
    enum phone_kind kind;

    return phone_check(number, "contact_number", &kind, err);
}

struct given {
    struct str contact_number, note;
    int source;
};
static const struct field table[] = {
    {FIELD(TEXT, struct given, contact_number), .required = true, .min = 0, .max = 1000},
    {FIELD(CHOICE, struct given, source), .choices = source_texts},
    {FIELD(TEXT, struct given, note), .min = 0, .max = SUPPRESSION_NOTE_MAX},
};

int suppression_read(const struct json *body, struct suppression *suppression_r, struct err *err)
{
    struct given given = {.note = STR(""), .source = SUPPRESSION_MANUAL};
    struct fields_seen seen;

    if (fields_read(body, table, sizeof(table) / sizeof(*table), false, &given, &seen, err) != 0 ||
        check_number(given.contact_number, err) != 0)
        return -1;
    *suppression_r = (struct suppression){given.contact_number,
                                          (enum suppression_source)given.source, given.note};
    return 0;
}

int suppression_columns_read(const struct csv *csv, struct suppression_columns *columns_r,
                             struct err *err)
{
    static const char *const known[] = {"contact_number", "source", "note", "created_at"};

    for (size_t i = 0; i < csv->column_count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
            found = found || str_is(csv->columns[i], known[k]);
        if (found)
            continue;
        struct str name = field_echo(csv->columns[i]);
        return err_set(err, ERR_INVALID,
                       "There is no such column as \"%.*s\"; contact_number, source and note are "
                       "known.",
                       STR_ARG(name));
    }
    columns_r->contact_number = csv_column(csv, "contact_number");
    columns_r->source = csv_column(csv, "source");
    columns_r->note = csv_column(csv, "note");
    if (columns_r->contact_number < 0)
        return err_set(err, ERR_INVALID, "The header has no column contact_number.");
    return 0;
}

int suppression_row_read(const struct suppression_columns *columns, const struct csv_row *row,
                         struct suppression *suppression_r, struct err *err)
{
    struct suppression *s = suppression_r;

    s->contact_number = row->fields[columns->contact_number];
    if (check_number(s->contact_number, err) != 0)
        return -1;
    if (columns->source >= 0 && row->fields[columns->source].n > 0 &&
        suppression_source_parse(row->fields[columns->source], "source", &s->source, err) != 0)
        return -1;
    if (columns->note < 0 || row->fields[columns->note].n == 0)
        return 0;
    s->note = row->fields[columns->note];
    if (str_utf8_count(s->note) > SUPPRESSION_NOTE_MAX)
        return err_set(err, ERR_INVALID, "note must have at most %d characters.",
                       SUPPRESSION_NOTE_MAX);
    if (field_has_control(s->note, false))
        return err_set(err, ERR_INVALID, "note must not contain control characters.");
    return 0;
}
