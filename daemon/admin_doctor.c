/*
 * admin_doctor.c - `doctor`: looks for what is wrong with an installation and says how to mend it.
 * What is looked at: the database's side in daemon/admin_doctor_database.c, this host's in
 * daemon/admin_doctor_host.c.
 */
#include "daemon/admin_doctor.h"

#include <stdarg.h>
#include <stdio.h>

struct doctor {
    struct pool *pool;
    struct table *table; /* for JSON */
    bool json;
    unsigned counts[FINDING_COUNT];
};

static const struct {
    const char *text, *shown;
} findings[] = {
#define X(name, text, shown) {text, shown},
    FINDINGS(X)
#undef X
};
_Static_assert(sizeof(findings) / sizeof(findings[0]) == FINDING_COUNT, "a text per finding");

void doctor_found(struct doctor *d, enum finding finding, const char *what, const char *mend,
                  const char *found, ...)
{
    char text[700];
    va_list args;

    va_start(args, found);
    vsnprintf(text, sizeof(text), found, args);
    va_end(args);
    d->counts[finding]++;
    table_row(d->table);
    table_text(d->table, "check", str_of(what));
    table_text(d->table, "finding", str_of(findings[finding].text));
    table_text(d->table, "message", str_of(text));
    table_text(d->table, "mend", str_of(mend));
    if (d->json)
        return;
    printf("%-5s %-22s %s\n", findings[finding].shown, what, text);
    if (mend != NULL)
        printf("%-5s %-22s -> %s\n", "", "", mend);
}

static int run_doctor(struct admin *a, struct err *err)
{
    struct doctor d = {.pool = a->pool, .table = table_new(a->pool), .json = a->json};
    struct err bad;

    (void)err; /* whatever is wrong is a finding */
    if (conf_load(a->pool, a->config_path, &a->conf, &bad) < 0) {
        doctor_found(&d, FINDING_FAIL, "configuration",
                     "correct the file; huskyvoice.conf(5) has every setting", "%s", bad.message);
    } else {
        doctor_found(&d, FINDING_OK, "configuration", NULL, "read");
        doctor_database(&d, a);
        doctor_host(&d, a);
    }
    if (a->json)
        table_print_list(d.table, true);
    else
        printf("%u ok, %u to look at, %u to mend\n", d.counts[FINDING_OK], d.counts[FINDING_WARN],
               d.counts[FINDING_FAIL]);
    a->exit_status = d.counts[FINDING_FAIL] > 0 ? 1 : 0;
    return 0;
}

const struct admin_command admin_doctor[] = {
    {NULL, NULL, 0,
     "Checks configuration, database, key file and runtime folder; exit status 1 when anything "
     "has to be mended",
     NULL, run_doctor},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
