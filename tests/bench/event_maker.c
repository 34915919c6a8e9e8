/*
 * event_maker.c - makes events at an even pace as the product does (events_write() and its wake
 * datagram), one commit each, and says when each commit had answered.
 *
 *   bench-events --config FILE --rate N --count N WORKSPACE...
 *
 * The workspaces take turns. One line "event-id microseconds" per event goes to standard output at
 * the end; the first of all lines, "started", when the first event is about to be made.
 */
#include "lib/base/crypto.h"
#include "lib/base/wake.h"
#include "sql/events.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct made {
    struct id event_id;
    usec_t committed_at;
};

struct maker {
    const struct conf *conf;
    struct db *db;
    struct pool *pool; /* of one event */
    struct wake_sender *wakes;
    struct id *workspaces;
    size_t workspace_count;
    struct made *made;
};

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "bench-events: %s\n", err->message);
    exit(1);
}

static void wake(struct maker *m, const struct wakes *to)
{
    struct wake_item items[WAKE_IDS_MAX];
    size_t n = to->count < WAKE_IDS_MAX ? to->count : WAKE_IDS_MAX;
    for (size_t i = 0; i < n; i++) {
        items[i].kind = WAKE_DELIVERY;
        memcpy(items[i].id, to->ids[i].b, sizeof items[i].id);
    }
    if (n > 0)
        wake_send(m->wakes, items, n);
}

static int make(struct maker *m, size_t i, struct err *err)
{
    struct wakes to = {0};
    struct event_data event = {
        .type = EVENT_CALL_COMPLETED,
        .created_at = clock_wall(),
        .agent_id = m->workspaces[0],
        .phone_number = STR("+919876543210"),
        .duration_seconds = 61,
        .outcome = STR("interested"),
        .summary = STR("The contact asked for a quotation by mail and agreed to a second call."),
    };
    crypto_random(event.call_id.b, sizeof event.call_id.b);
    pool_clear(m->pool);
    if (db_begin(m->db, err))
        return -1;
    if (events_write(m->db, m->pool, &m->workspaces[i % m->workspace_count], &event, 0, &to, err)) {
        db_rollback(m->db);
        return -1;
    }
    if (db_commit(m->db, err))
        return -1;
    m->made[i].committed_at = clock_wall();
    m->made[i].event_id = event.event_id;
    wake(m, &to);
    return 0;
}

static void run(struct maker *m, size_t count, uint64_t rate)
{
    struct timespec next;
    struct err err;
    puts("started");
    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (size_t i = 0; i < count; i++) {
        if (make(m, i, &err))
            give_up(&err);
        next.tv_nsec += (long)(1000000000 / rate);
        if (next.tv_nsec >= 1000000000) {
            next.tv_sec++;
            next.tv_nsec -= 1000000000;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}

static void tell(const struct maker *m, size_t count)
{
    char id[ID_TEXT_SIZE];
    for (size_t i = 0; i < count; i++) {
        id_format(ID_EVENT, &m->made[i].event_id, id);
        printf("%s %lld\n", id, (long long)m->made[i].committed_at);
    }
}

static _Noreturn void usage(void)
{
    fputs("usage: bench-events --config FILE --rate N --count N WORKSPACE...\n", stderr);
    exit(64);
}

static const char *read_options(int argc, char **argv, uint64_t *rate_r, uint64_t *count_r)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"count", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    const char *config = NULL;
    int c;
    *rate_r = *count_r = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c')
            config = optarg;
        else if (c == '?' || str_u64(str_of(optarg), 1000000, c == 'r' ? rate_r : count_r))
            usage();
    }
    if (!config || *rate_r < 2 || *count_r == 0 || optind == argc)
        usage();
    return config;
}

int main(int argc, char **argv)
{
    struct maker m = {0};
    struct pool *pool;
    struct err err;
    uint64_t rate, count;
    const char *config = read_options(argc, argv, &rate, &count);
    pool_create(&pool);
    pool_create(&m.pool);
    if (conf_load(pool, config, &m.conf, &err))
        give_up(&err);
    m.workspace_count = (size_t)(argc - optind);
    m.workspaces = pool_new(pool, struct id, m.workspace_count);
    for (size_t i = 0; i < m.workspace_count; i++) {
        if (id_parse(ID_WORKSPACE, str_of(argv[optind + (int)i]), &m.workspaces[i]))
            usage();
    }
    m.made = pool_new(pool, struct made, count);
    db_create(&m.db, m.conf);
    wake_sender_create(&m.wakes, m.conf->runtime_dir);
    if (db_ping(m.db, &err))
        give_up(&err);
    run(&m, count, rate);
    tell(&m, count);
    wake_sender_destroy(&m.wakes);
    db_destroy(&m.db);
    pool_destroy(&m.pool);
    pool_destroy(&pool);
    return 0;
}
