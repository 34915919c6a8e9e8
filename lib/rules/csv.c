/*
 * csv.c - one pass over the text, a field at a time; nothing is looked at twice, so that no text
 * takes more than linear time.
 */
#include "lib/rules/csv.h"

#include <string.h>

/* What stands behind a field. */
enum stop { STOP_COMMA, STOP_LINE, STOP_TEXT_END, STOP_FAULT };

static void advance(struct csv *csv, size_t n)
{
    csv->rest.p += n;
    csv->rest.n -= n;
}

static enum stop fault(struct err *err, const char *sentence)
{
    err_set(err, ERR_INVALID, "%s", sentence);
    return STOP_FAULT;
}

/* Takes what separates this field from the next. */
static enum stop take_stop(struct csv *csv, struct err *err)
{
    if (csv->rest.n == 0)
        return STOP_TEXT_END;
    char c = csv->rest.p[0];
    if (c == ',') {
        advance(csv, 1);
        return STOP_COMMA;
    }
    if (c == '\n' || (c == '\r' && csv->rest.n > 1 && csv->rest.p[1] == '\n')) {
        advance(csv, c == '\n' ? 1 : 2);
        csv->line++;
        return STOP_LINE;
    }
    if (c == '\r')
        return fault(err, "A line ends in CR alone; it must be CRLF or LF.");
    if (c == '"')
        return fault(err, "A quote stands inside a field that does not begin with one.");
    return fault(err, "Something stands between a field's closing quote and the next comma.");
}

static enum stop plain_field(struct csv *csv, struct str *field_r, struct err *err)
{
    size_t n = 0;

    while (n < csv->rest.n && memchr(",\n\r\"", csv->rest.p[n], 4) == NULL)
        n++;
    *field_r = n > 0 ? (struct str){csv->rest.p, n} : STR("");
    advance(csv, n);
    return take_stop(csv, err);
}

/* Each doubled quote once. */
static struct str undouble(struct pool *pool, struct str s)
{
    char *copy = pool_dup(pool, s.p, s.n);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        copy[n++] = s.p[i];
        if (s.p[i] == '"')
            i++;
    }
    return (struct str){copy, n};
}

static enum stop quoted_field(struct csv *csv, struct pool *pool, struct str *field_r,
                              struct err *err)
{
    const char *begin = csv->rest.p + 1;
    bool doubled = false;

    advance(csv, 1);
    for (;;) {
        const char *quote = csv->rest.n > 0 ? memchr(csv->rest.p, '"', csv->rest.n) : NULL;
        size_t before = quote != NULL ? (size_t)(quote - csv->rest.p) : csv->rest.n;
        for (size_t i = 0; i < before; i++)
            csv->line += csv->rest.p[i] == '\n';
        advance(csv, before);
        if (quote == NULL)
            return fault(err, "A quoted field begins here and nothing closes it.");
        advance(csv, 1);
        if (csv->rest.n == 0 || csv->rest.p[0] != '"')
            break;
        doubled = true;
        advance(csv, 1);
    }
    struct str field = {begin, (size_t)(csv->rest.p - 1 - begin)};
    *field_r = doubled ? undouble(pool, field) : field.n > 0 ? field : STR("");
    if (csv->rest.n > 0 && csv->rest.p[0] == '"')
        die("a doubled quote was taken for a closing one");
    return take_stop(csv, err);
}

/* After a fault: to where the next line begins. */
static void skip_line(struct csv *csv)
{
    const char *end = csv->rest.n > 0 ? memchr(csv->rest.p, '\n', csv->rest.n) : NULL;

    if (end == NULL) {
        advance(csv, csv->rest.n);
        return;
    }
    advance(csv, (size_t)(end - csv->rest.p) + 1);
    csv->line++;
}

/* The fields of a row, with as many as there are room for kept. */
static enum stop read_fields(struct csv *csv, struct pool *pool, struct csv_row *row,
                             size_t *count_r, struct err *err)
{
    enum stop stop = STOP_COMMA;
    bool text = true;
    size_t count = 0;

    while (stop == STOP_COMMA) {
        struct str field = STR("");
        stop = csv->rest.n > 0 && csv->rest.p[0] == '"' ? quoted_field(csv, pool, &field, err)
                                                        : plain_field(csv, &field, err);
        if (stop == STOP_FAULT)
            break;
        text = text && str_utf8_valid(field) && memchr(field.p, '\0', field.n) == NULL;
        if (count < CSV_COLUMNS_MAX)
            row->fields[count] = field;
        count++;
    }
    *count_r = count;
    if (stop == STOP_FAULT)
        skip_line(csv);
    return stop == STOP_FAULT || text ? stop : fault(err, "It is not UTF-8 text without NUL.");
}

static void pass_empty_lines(struct csv *csv)
{
    while (csv->rest.n > 0) {
        bool crlf = csv->rest.n > 1 && csv->rest.p[0] == '\r' && csv->rest.p[1] == '\n';
        if (!crlf && csv->rest.p[0] != '\n')
            return;
        advance(csv, crlf ? 2 : 1);
        csv->line++;
    }
}

static enum csv_next read_row(struct csv *csv, struct pool *pool, struct csv_row *row_r,
                              size_t *count_r, struct err *err)
{
    pass_empty_lines(csv);
    row_r->line = csv->line;
    if (csv->rest.n == 0)
        return CSV_END;
    return read_fields(csv, pool, row_r, count_r, err) == STOP_FAULT ? CSV_FAULT : CSV_ROW;
}

enum csv_next csv_next(struct csv *csv, struct pool *pool, struct csv_row *row_r, struct err *err)
{
    size_t count = 0;
    enum csv_next next = read_row(csv, pool, row_r, &count, err);

    if (next != CSV_ROW || count == csv->column_count)
        return next;
    err_set(err, ERR_INVALID, "It has %zu field%s where the header has %zu.", count,
            count == 1 ? "" : "s", csv->column_count);
    return CSV_FAULT;
}

static int check_columns(struct csv *csv, struct err *err)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        csv->columns[i] = str_trim(csv->columns[i]);
        if (csv->columns[i].n == 0)
            return err_set(err, ERR_INVALID, "Column %zu has no name.", i + 1);
        for (size_t k = 0; k < i; k++)
            if (str_eq(csv->columns[i], csv->columns[k]))
                return err_set(err, ERR_INVALID, "Columns %zu and %zu have the same name.", k + 1,
                               i + 1);
    }
    return 0;
}

int csv_open(struct csv *csv, struct pool *pool, struct str text, struct err *err)
{
    struct csv_row names;
    size_t count = 0;

    *csv = (struct csv){.rest = text, .line = 1};
    if (str_starts(text, "\xef\xbb\xbf"))
        advance(csv, 3);
    switch (read_row(csv, pool, &names, &count, err)) {
    case CSV_END:
        return err_set(err, ERR_INVALID, "There is no header row.");
    case CSV_FAULT:
        return err_prefix(err, "line %llu", (unsigned long long)names.line);
    case CSV_ROW:
        break;
    }
    if (count > CSV_COLUMNS_MAX)
        return err_set(err, ERR_INVALID, "There are %zu columns; %d is the most.", count,
                       CSV_COLUMNS_MAX);
    csv->column_count = count;
    memcpy(csv->columns, names.fields, count * sizeof(*names.fields));
    return check_columns(csv, err);
}

int csv_column(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->column_count; i++)
        if (str_is(csv->columns[i], name))
            return (int)i;
    return -1;
}
