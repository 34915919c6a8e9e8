/*
 * dispatch.c - the program huskyvoice-dispatch: options, set-up, one run of the loop, and the word
 * about it. Placing calls is caller.c's, delivering is deliver.c's.
 */
#include "daemon/caller.h"
#include "daemon/deliver.h"
#include "daemon/dispatcher.h"
#include "daemon/housekeep.h"
#include "daemon/mailer.h"
#include "daemon/prepare.h"
#include "daemon/status.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "lib/rules/url_guard.h"
#include "sql/function_counters.h"
#include "sql/migrate.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef HV_VERSION
#define HV_VERSION "unknown"
#endif

#define PROGRAM "huskyvoice-dispatch"
#define DATABASE_PAUSE (500 * USEC_PER_MS)
#define MAX_SECONDS 55

struct options {
    const char *config;
    bool once, status, json, check;
    uint64_t max_seconds;
};

static const char help[] =
    "Usage: " PROGRAM " [OPTION]...\n"
    "Places due calls and delivers events, resident or once per run from cron.\n"
    "\n"
    "  -c, --config FILE     configuration file\n"
    "      --once            end when nothing is due\n"
    "      --max-seconds N   with --once: end after N seconds at the latest (default 55)\n"
    "      --status          print what waits, and end\n"
    "      --json            with --status: as JSON\n"
    "      --check           check configuration, key file and schema, and end\n"
    "      --help            this text\n"
    "      --version         the version\n"
    "\n"
    "TERM ends it: what is under way is finished first. Exit status 0, 64 for wrong usage,\n"
    "75 when the database is away (with --once, --status and --check), 78 for a configuration\n"
    "or schema that has to be mended first.\n";

enum {
    OPTION_ONCE = 256,
    OPTION_MAX,
    OPTION_STATUS,
    OPTION_JSON,
    OPTION_CHECK,
    OPTION_HELP,
    OPTION_VERSION
};

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"config", required_argument, NULL, 'c'},
        {"once", no_argument, NULL, OPTION_ONCE},
        {"max-seconds", required_argument, NULL, OPTION_MAX},
        {"status", no_argument, NULL, OPTION_STATUS},
        {"json", no_argument, NULL, OPTION_JSON},
        {"check", no_argument, NULL, OPTION_CHECK},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    int c;
    *o = (struct options){.max_seconds = MAX_SECONDS};
    while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case OPTION_ONCE:
            o->once = true;
            break;
        case OPTION_MAX:
            if (str_u64(str_of(optarg), 86400, &o->max_seconds)) {
                fprintf(stderr,
                        PROGRAM ": --max-seconds must be a number of seconds, 0 to 86400\n");
                return -1;
            }
            break;
        case OPTION_STATUS:
            o->status = true;
            break;
        case OPTION_JSON:
            o->json = true;
            break;
        case OPTION_CHECK:
            o->check = true;
            break;
        case OPTION_HELP:
            fputs(help, stdout);
            exit(0);
        case OPTION_VERSION:
            puts(PROGRAM " " HV_VERSION);
            exit(0);
        default:
            return -1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, PROGRAM ": unknown argument %s\n", argv[optind]);
        return -1;
    }
    return 0;
}

/* ---- one run ---- */

struct run {
    struct dispatcher *dispatcher;
    usec_t stop_at;    /* monotonic: with --once, when to begin to stop */
    usec_t give_up_at; /* monotonic: while stopping, when to leave the rest to the leases */
    bool gave_up;
};

static void woken(void *ctx, const struct wake_item *items, size_t count)
{
    struct dispatcher *d = ctx;
    for (size_t i = 0; i < count; i++) {
        struct id id;
        memcpy(id.b, items[i].id, sizeof id.b);
        switch ((enum wake_kind)items[i].kind) {
        case WAKE_CALL:
            caller_wake(d->caller, &(struct calls_of){id, false});
            break;
        case WAKE_BATCH:
            caller_wake(d->caller, &(struct calls_of){id, true});
            break;
        case WAKE_DELIVERY:
            deliverer_wake(d->deliverer, &id, 1);
            break;
        case WAKE_CHANGED:
            deliverer_reload(d->deliverer, &id);
            break;
        case WAKE_LINE:
            caller_line_free(d->caller, &id);
            break;
        case WAKE_STEP:
            caller_look(d->caller);
            break;
        }
    }
}

static void begin_stop(struct run *run, usec_t now)
{
    run->dispatcher->stopping = true;
    run->give_up_at = now + run->dispatcher->conf->stop_timeout;
    caller_look(run->dispatcher->caller);
    deliverer_look(run->dispatcher->deliverer);
    preparer_look(run->dispatcher->preparer);
    mailer_look(run->dispatcher->mailer);
    housekeeper_look(run->dispatcher->housekeeper);
}

static bool all_settled(const struct dispatcher *d)
{
    return caller_settled(d->caller) && preparer_settled(d->preparer) &&
           deliverer_settled(d->deliverer) && mailer_settled(d->mailer) &&
           housekeeper_settled(d->housekeeper);
}

static bool all_idle(const struct dispatcher *d)
{
    return caller_idle(d->caller) && preparer_settled(d->preparer) &&
           deliverer_idle(d->deliverer) && mailer_idle(d->mailer) &&
           housekeeper_idle(d->housekeeper);
}

static bool is_done(void *ctx)
{
    struct run *run = ctx;
    struct dispatcher *d = run->dispatcher;
    usec_t now = clock_monotonic();
    caller_round(d->caller);
    if (loop_stop_signals() > 1)
        return true;
    if (!d->stopping && (loop_stop_signals() > 0 || now >= run->stop_at))
        begin_stop(run, now);
    if (d->stopping) {
        run->gave_up = now >= run->give_up_at;
        return run->gave_up || all_settled(d);
    }
    if (!d->once)
        return false;
    return d->database_away || all_idle(d);
}

static void tell(const struct dispatcher *d, usec_t took)
{
    const struct dispatch_counts *c = &d->counts;
    printf(PROGRAM ": %llu calls placed, %llu disallowed, %llu unknown; %llu simulated callbacks; "
                   "%llu deliveries succeeded, %llu failed; %.1f s%s\n",
           (unsigned long long)c->calls_placed, (unsigned long long)c->calls_disallowed,
           (unsigned long long)c->calls_unknown, (unsigned long long)c->callbacks_simulated,
           (unsigned long long)c->deliveries_succeeded, (unsigned long long)c->deliveries_failed,
           (double)took / (double)USEC_PER_S, d->database_away ? "; database away" : "");
    fflush(stdout);
}

static int run_loop(struct dispatcher *d, const struct options *o, struct err *err)
{
    struct wake_listener *listener = NULL;
    usec_t started = clock_monotonic();
    struct run run = {.dispatcher = d, .stop_at = TIME_NEVER};
    if (o->once)
        run.stop_at = started + (usec_t)o->max_seconds * USEC_PER_S;
    else if (wake_listener_create(&listener, d->conf->runtime_dir, err))
        return -1;
    loop_create(&d->loop, d->conf, d->client);
    deliverer_create(&d->deliverer, d);
    caller_create(&d->caller, d);
    preparer_create(&d->preparer, d);
    mailer_create(&d->mailer, d);
    housekeeper_create(&d->housekeeper, d);
    loop_listen(d->loop, listener, woken, d);
    if (!o->once)
        log_write(LOG_INFO, "started", "version=%s", HV_VERSION);
    loop_run(d->loop, is_done, &run);
    d->stopping = true;
    d->quit = true;
    loop_finish(d->loop);
    if (run.gave_up)
        log_write(LOG_WARNING, "stopped with work under way; its leases will free it", "%s", "");
    if (o->once)
        tell(d, clock_monotonic() - started);
    else
        log_write(LOG_INFO, "stopped", "%s", "");
    wake_listener_destroy(&listener);
    loop_destroy(&d->loop);
    deliverer_destroy(&d->deliverer);
    caller_destroy(&d->caller);
    preparer_destroy(&d->preparer);
    mailer_destroy(&d->mailer);
    housekeeper_destroy(&d->housekeeper);
    return 0;
}

/* ---- set-up ---- */

/* A resident dispatcher waits for a database that is away, until it is told to stop; a wrong schema
 * ends it. */
static int check_schema(const struct conf *conf, bool wait, struct err *err)
{
    struct db *db;
    if (wait)
        loop_catch_signals();
    db_create(&db, conf);
    int failed = migrate_check(db, err);
    bool told = false;
    while (failed && wait && err->code == ERR_UNAVAILABLE && loop_stop_signals() == 0) {
        if (!told)
            log_write(LOG_ERROR, "database is away; waiting", "message=\"%s\"", err->message);
        told = true;
        usleep((useconds_t)DATABASE_PAUSE);
        failed = migrate_check(db, err);
    }
    db_destroy(&db);
    return failed;
}

static int make_client(struct dispatcher *d, struct pool *pool, struct err *err)
{
    struct url_guard *guard;
    if (url_guard_parse(pool, str_of(d->conf->deliver_allow_cidrs), &guard, err))
        return err_prefix(err, "deliver_allow_cidrs");
    struct http_client_conf http = {
        .guard = url_guard_address,
        .guard_ctx = guard,
        .user_agent = "HuskyVoice/" HV_VERSION,
        .connections_max = (size_t)d->conf->deliveries_in_flight_max * 2,
        .hosts_file = d->conf->hosts_file,
    };
    return http_client_create(&d->client, &http, err);
}

static uint64_t make_owner(void)
{
    uint64_t owner = 0;
    while (owner == 0) {
        crypto_random(&owner, sizeof owner);
        owner >>= 1;
    }
    return owner;
}

static int exit_status(const struct err *err)
{
    fprintf(stderr, PROGRAM ": %s\n", err->message);
    if (err->code == ERR_UNAVAILABLE)
        return EX_TEMPFAIL;
    return err->code == ERR_INTERNAL ? EX_SOFTWARE : EX_CONFIG;
}

static int run(const struct conf *conf, struct pool *pool, const struct options *o)
{
    struct dispatcher d = {.conf = conf, .once = o->once, .owner = make_owner()};
    struct keyring *keys = NULL;
    struct err err;
    int status = 0;
    if (keyring_load(&keys, conf->key_file, &err) ||
        check_schema(conf, !o->once && !o->check, &err)) {
        bool stopped = err.code == ERR_UNAVAILABLE && loop_stop_signals() > 0;
        if (stopped)
            log_write(LOG_INFO, "stopped", "%s", "");
        else
            status = exit_status(&err);
    } else if (o->check) {
        puts("configuration, key file and schema are in order");
    } else {
        d.keys = keys;
        if (function_counters_open(&d.runs, conf->runtime_dir, &err) ||
            make_client(&d, pool, &err) || run_loop(&d, o, &err))
            status = exit_status(&err);
        else if (o->once && d.database_away)
            status = EX_TEMPFAIL;
        http_client_destroy(&d.client);
        counters_close(&d.runs);
    }
    keyring_destroy(&keys);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct pool *pool;
    const struct conf *conf;
    enum log_level level;
    struct err err;
    if (read_options(argc, argv, &o)) {
        fputs("Try '" PROGRAM " --help'.\n", stderr);
        return EX_USAGE;
    }
    pool_create(&pool);
    int status = EX_CONFIG;
    if (conf_load(pool, o.config, &conf, &err)) {
        fprintf(stderr, PROGRAM ": %s\n", err.message);
    } else if (log_level_parse(str_of(conf->log_level), &level)) {
        fprintf(stderr, PROGRAM ": log_level must be error, warning, info or debug\n");
    } else {
        log_init(PROGRAM, level);
        status = o.status ? status_print(conf, o.json) : run(conf, pool, &o);
    }
    pool_destroy(&pool);
    return status;
}
