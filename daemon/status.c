/*
 * status.c - prints the figures.
 */
#include "daemon/status.h"
#include "sql/figures.h"
#include <stdio.h>
#include <sysexits.h>

static double seconds(usec_t t)
{
    return (double)t / (double)USEC_PER_S;
}

static void print_json(const struct figures *f)
{
    printf("{\"data\":{\"calls_due\":%lld,\"calls_active\":%lld,"
           "\"oldest_due_call_age_seconds\":%.3f,\"deliveries_waiting\":%lld,"
           "\"deliveries_in_flight\":%lld,\"deliveries_failed\":%lld,"
           "\"oldest_waiting_delivery_age_seconds\":%.3f,\"endpoints_held\":%lld,"
           "\"endpoints_disabled\":%lld}}\n",
           (long long)f->calls_due, (long long)f->calls_active, seconds(f->oldest_due_call_age),
           (long long)f->deliveries_waiting, (long long)f->deliveries_in_flight,
           (long long)f->deliveries_failed, seconds(f->oldest_waiting_delivery_age),
           (long long)f->endpoints_held, (long long)f->endpoints_disabled);
}

static void print_line(const struct figures *f)
{
    printf(
        "calls: %lld due (oldest %.1f s), %lld active; deliveries: %lld waiting (oldest %.1f s), "
        "%lld in flight, %lld failed; endpoints: %lld held, %lld disabled\n",
        (long long)f->calls_due, seconds(f->oldest_due_call_age), (long long)f->calls_active,
        (long long)f->deliveries_waiting, seconds(f->oldest_waiting_delivery_age),
        (long long)f->deliveries_in_flight, (long long)f->deliveries_failed,
        (long long)f->endpoints_held, (long long)f->endpoints_disabled);
}

int status_print(const struct conf *conf, bool json)
{
    struct db *db;
    struct figures figures;
    struct err err;
    db_create(&db, conf);
    int failed = figures_read(db, FIGURES_MOST, conf->lease_grace, &figures, &err);
    db_destroy(&db);
    if (failed) {
        fprintf(stderr, "huskyvoice-dispatch: %s\n", err.message);
        return err.code == ERR_UNAVAILABLE ? EX_TEMPFAIL : EX_SOFTWARE;
    }
    if (json)
        print_json(&figures);
    else
        print_line(&figures);
    return 0;
}
