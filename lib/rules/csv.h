/*
 * csv.h - reads CSV, row by row, as RFC 4180 has it: fields between commas, a field that holds a
 * comma, a quote or a line break stands in quotes, a quote in it is doubled.
 *
 * What is taken beyond the RFC: lines that end in LF alone, a byte order mark in front, no line
 * break at the end. Lines with nothing in them are passed over. The first row names the columns.
 * Blanks are part of a field, but for those around a column's name.
 */
#ifndef HV_CSV_H
#define HV_CSV_H

#include "lib/base/pool.h"

#define CSV_COLUMNS_MAX 64

struct csv {
    struct str rest;
    uint64_t line; /* of what comes next; physical lines, from 1 */
    size_t column_count;
    struct str columns[CSV_COLUMNS_MAX];
};

struct csv_row {
    uint64_t line;                      /* where it begins */
    struct str fields[CSV_COLUMNS_MAX]; /* as many as there are columns; never STR_NULL */
};

/* Reads the row of names. text must live as long as what is read. ERR_INVALID: a fault of form, no
 * row at all, a name that is empty or stands there twice. */
int csv_open(struct csv *csv, struct pool *pool, struct str text, struct err *err) MUST_CHECK;

/* Which column has this name; -1: none. */
int csv_column(const struct csv *csv, const char *name);

/* The next row. Fields point into the text, or into the pool where a doubled quote was undone.
 * CSV_FAULT: this row is none, err says why, row_r->line where it begins; the next call goes on
 * with the line after the fault. After a quote that nothing closes there is nothing to go on with:
 * CSV_END comes next. */
enum csv_next { CSV_ROW, CSV_END, CSV_FAULT };
enum csv_next csv_next(struct csv *csv, struct pool *pool, struct csv_row *row_r,
                       struct err *err) MUST_CHECK;

#endif
