/*
 * admin_suppress.c - `suppress import|export|add|remove|list`: numbers that must not be called.
 */
#include "daemon/csv_file.h"
#include "lib/rules/phone.h"
#include "sql/suppressed_numbers.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PAGE 1000
/* How many rows are sorted before they are written, 40 bytes each: in the order in which they are
 * stored they go in many times faster, once there are more than the database keeps in memory. */
#define WINDOW ((size_t)1 << 20)

static int read_source(const struct admin *a, enum suppression_source *source_r, struct err *err)
{
    struct str text = admin_value(a, "source");

    *source_r = SUPPRESSION_MANUAL;
    return text.p == NULL ? 0 : suppression_source_parse(text, "--source", source_r, err);
}

static int read_given(const struct admin *a, struct id *workspace_id, struct suppression *s_r,
                      struct err *err)
{
    const struct id *given;

    return admin_workspace_id(a, workspace_id, &given, err) == 0 &&
                   read_source(a, &s_r->source, err) == 0 &&
                   admin_text(a, "note", SUPPRESSION_NOTE_MAX, STR(""), &s_r->note, err) == 0
               ? 0
               : -1;
}

static void add_row(struct table *t, const struct suppressed_number *row)
{
    table_row(t);
    table_text(t, "contact_number", row->set.contact_number);
    table_text(t, "source", str_of(suppression_source_text(row->set.source)));
    table_text(t, "note", row->set.note);
    table_time(t, "created_at", row->created_at);
}

/* ---- import ---- */

struct import {
    struct db *db;
    struct id workspace_id;
    struct suppression fallback; /* what a row that says nothing gets */
    struct suppression_columns columns;
    struct csv_file file;
    struct suppression *waiting; /* WINDOW of them */
    size_t count;
    uint64_t added, known;
};

static int by_number(const void *a, const void *b)
{
    struct str x = ((const struct suppression *)a)->contact_number;
    struct str y = ((const struct suppression *)b)->contact_number;

    return memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
}

static int write_waiting(struct import *in, struct err *err)
{
    qsort(in->waiting, in->count, sizeof(*in->waiting), by_number);
    for (size_t done = 0; done < in->count;) {
        size_t made = 0, n = in->count - done;
        n = n < SUPPRESSED_MANY_MAX ? n : SUPPRESSED_MANY_MAX;
        if (suppressed_numbers_put_many(in->db, &in->workspace_id, in->waiting + done, n, &made,
                                        err) != 0)
            return -1;
        in->added += made;
        in->known += n - made;
        done += n;
        csv_file_show(&in->file, (double)done / (double)in->count);
    }
    in->count = 0;
    csv_file_forget(&in->file);
    return 0;
}

static int import_rows(struct import *in, struct err *err)
{
    struct csv_row row;
    struct err fault;

    if (suppression_columns_read(&in->file.csv, &in->columns, err) != 0)
        return err_prefix(err, "%s", in->file.path);
    while (csv_file_next(&in->file, &row)) {
        struct suppression *s = &in->waiting[in->count];
        *s = in->fallback;
        if (suppression_row_read(&in->columns, &row, s, &fault) != 0) {
            csv_file_refuse(&in->file, row.line, fault.message);
            continue;
        }
        if (++in->count == WINDOW && write_waiting(in, err) != 0)
            return -1;
    }
    return write_waiting(in, err);
}

static int run_import(struct admin *a, struct err *err)
{
    struct import *in = pool_new(a->pool, struct import, 1);
    struct err fault;

    in->db = a->db;
    if (read_given(a, &in->workspace_id, &in->fallback, err) != 0)
        return -1;
    in->waiting = mem_alloc(WINDOW * sizeof(*in->waiting));
    int failed = csv_file_open(&in->file, a, err) != 0 || import_rows(in, err) != 0 ? -1 : 0;
    free(in->waiting);
    if (csv_file_close(&in->file, &fault) != 0 && !failed) {
        *err = fault;
        return -1;
    }
    if (failed)
        return -1;
    if (in->added > 0)
        admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_number(t, "rows", (int64_t)in->file.taken);
    table_number(t, "added", (int64_t)in->added);
    table_number(t, "known", (int64_t)in->known);
    table_number(t, "refused", (int64_t)in->file.refused);
    table_print_object(t, a->json);
    a->exit_status = in->file.refused > 0 ? EX_DATAERR : 0;
    return 0;
}

/* ---- export ---- */

static void put_field(struct str s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++)
        quoted = quoted || memchr(",\"\r\n", s.p[i], 4) != NULL;
    if (!quoted) {
        fwrite(s.p, 1, s.n, stdout);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            putchar('"');
        putchar(s.p[i]);
    }
    putchar('"');
}

static void put_row(const struct suppressed_number *row)
{
    char created_at[TIME_TEXT_SIZE];

    time_format(row->created_at, created_at);
    put_field(row->set.contact_number);
    printf(",%s,", suppression_source_text(row->set.source));
    put_field(row->set.note);
    printf(",%s\r\n", created_at);
}

static int export_rows(struct admin *a, const struct id *workspace_id, struct progress *progress,
                       struct err *err)
{
    struct pool *pool;
    char last[32] = "";
    bool more = true;
    double done = 0;
    int failed = 0;

    pool_create(&pool);
    while (more && failed == 0) {
        struct suppressed_number *rows;
        size_t count = 0;
        pool_clear(pool);
        failed = suppressed_numbers_list(a->db, pool, workspace_id, str_of(last), PAGE, &rows,
                                         &count, &more, err);
        for (size_t i = 0; failed == 0 && i < count; i++)
            put_row(&rows[i]);
        if (failed == 0 && count > 0)
            snprintf(last, sizeof(last), "%.*s", STR_ARG(rows[count - 1].set.contact_number));
        done += (double)count;
        if (progress_due(progress))
            progress_show(progress, PROGRESS_UNKNOWN, done, "");
    }
    progress_show(progress, PROGRESS_UNKNOWN, done, "");
    progress_end(progress);
    pool_destroy(&pool);
    return failed;
}

static int run_export(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct progress progress;

    if (admin_workspace_id(a, &workspace_id, &given, err) != 0)
        return -1;
    progress_init(&progress);
    /* The rows themselves are seen there. */
    progress.on_terminal = progress.on_terminal && isatty(STDOUT_FILENO) == 0;
    fputs("contact_number,source,note,created_at\r\n", stdout);
    return export_rows(a, &workspace_id, &progress, err);
}

/* ---- one number, and a look at some ---- */

static int read_number(const struct admin *a, struct str *number_r, struct err *err)
{
    enum phone_kind kind;

    *number_r = str_of(a->operand);
    return phone_check(*number_r, "The number", &kind, err);
}

static int run_add(struct admin *a, struct err *err)
{
    struct suppressed_number row;
    struct suppression s;
    struct id workspace_id;
    bool made;

    if (read_number(a, &s.contact_number, err) != 0 || read_given(a, &workspace_id, &s, err) != 0 ||
        suppressed_numbers_put(a->db, a->pool, &workspace_id, &s, &row, &made, err) != 0)
        return -1;
    if (made)
        admin_settle(a);
    struct table *t = table_new(a->pool);
    add_row(t, &row);
    table_print_object(t, a->json);
    return 0;
}

static int run_remove(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct str number;

    if (read_number(a, &number, err) != 0 ||
        admin_workspace_id(a, &workspace_id, &given, err) != 0 ||
        suppressed_numbers_delete(a->db, &workspace_id, number, err) != 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_text(t, "contact_number", number);
    table_bool(t, "deleted", true);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct suppressed_number *rows;
    int64_t limit;
    size_t count;
    bool more;

    if (admin_number(a, "limit", 1, PAGE, 20, &limit, err) != 0 ||
        admin_workspace_id(a, &workspace_id, &given, err) != 0 ||
        suppressed_numbers_list(a->db, a->pool, &workspace_id, admin_value(a, "after"),
                                (unsigned)limit, &rows, &count, &more, err) != 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

#define WORKSPACE                                                                                  \
    {                                                                                              \
        "workspace", "ID", true, "Whose calls it stops"                                            \
    }
#define SOURCE                                                                                     \
    {"source", "SOURCE", false, "manual (default), contact, complaint or registry"},               \
    {                                                                                              \
        "note", "TEXT", false, "What is noted of it"                                               \
    }

static const struct admin_option import_options[] = {
    WORKSPACE,
    SOURCE,
    {"refused", "FILE", false, "Writes the rows that are refused there, with line and reason"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option add_options[] = {WORKSPACE, SOURCE, {NULL, NULL, false, NULL}};

static const struct admin_option one_options[] = {WORKSPACE, {NULL, NULL, false, NULL}};

static const struct admin_option list_options[] = {
    WORKSPACE,
    {"limit", "N", false, "How many, in the order of the numbers (20)"},
    {"after", "NUMBER", false, "Only those after it"},
    {NULL, NULL, false, NULL},
};

#define DATABASE (NEEDS_CONF | NEEDS_DATABASE)
const struct admin_command admin_suppress[] = {
    {"import", "FILE", DATABASE, "Puts the numbers of a CSV file onto the list", import_options,
     run_import},
    {"export", NULL, DATABASE, "Writes the list as CSV", one_options, run_export},
    {"add", "NUMBER", DATABASE, "Puts a number onto the list", add_options, run_add},
    {"remove", "NUMBER", DATABASE, "Takes a number off the list", one_options, run_remove},
    {"list", NULL, DATABASE, "Lists numbers", list_options, run_list},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
