/*
 * csv_file.h - a CSV file that is read for an import: its rows, a line on the terminal that says
 * how far it has come, and what is told of the rows that are refused.
 */
#ifndef HV_CSV_FILE_H
#define HV_CSV_FILE_H

#include "daemon/admin.h"
#include "daemon/progress.h"
#include "lib/rules/csv.h"

#include <stdio.h>

struct csv_file {
    const char *path;
    struct csv csv;
    struct pool *pool; /* of the rows read since the last csv_file_forget() */
    struct str text;
    bool mapped;
    FILE *refused_file; /* NULL: the first few are told on stderr */
    uint64_t taken, refused;
    size_t settled_bytes; /* of the text: what was there at the last csv_file_forget() */
    uint64_t settled;
    struct progress progress;
};

/* The file that the command's operand names ("-": standard input), and --refused FILE. */
int csv_file_open(struct csv_file *file, const struct admin *a, struct err *err) MUST_CHECK;
/* The next row that has the form of one; those that have not are refused here. */
bool csv_file_next(struct csv_file *file, struct csv_row *row_r);
void csv_file_refuse(struct csv_file *file, uint64_t line, const char *message);
/* Shows how far it is: `part` (0 to 1) of the rows read since the last csv_file_forget() are
 * written. */
void csv_file_show(struct csv_file *file, double part);
/* All rows that were read are written: frees them. */
void csv_file_forget(struct csv_file *file);
/* Ends the line on the terminal, tells of refusals that were not told, closes. ERR_INTERNAL: the
 * refused rows could not be written. */
int csv_file_close(struct csv_file *file, struct err *err) MUST_CHECK;

#endif
