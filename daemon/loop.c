/*
 * loop.c - one round: sleep until something has happened, let the network run, resume the lanes
 * whose wait is over.
 */
#include "daemon/loop.h"
#include "lib/base/fiber.h"
#include "lib/base/pool.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LANES_MAX 16
#define WAKE_ROUNDS_MAX 64

struct lane {
    const char *name;
    struct fiber *fiber;
    struct db *db;
    lane_fn *fn;
    void *ctx;
    bool asleep; /* in lane_sleep(), not waiting for the database */
    bool poked;
    int fd; /* -1: waits for no descriptor */
    short events, revents;
    usec_t until;
};

struct loop {
    const struct conf *conf;
    struct http_client *client;
    struct lane *lanes[LANES_MAX];
    size_t lane_count;
    struct wake_listener *listener;
    loop_woken_fn *woken;
    void *woken_ctx;
};

static volatile sig_atomic_t stop_signals;
static int signal_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    (void)number;
    if (stop_signals < 2)
        stop_signals++;
    ssize_t ignored = write(signal_pipe[1], "", 1); /* full: the loop is being woken already */
    (void)ignored;
}

void loop_catch_signals(void)
{
    if (signal_pipe[0] >= 0)
        return;
    if (pipe2(signal_pipe, O_NONBLOCK | O_CLOEXEC))
        die("no pipe for signals");
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

int loop_stop_signals(void)
{
    return stop_signals;
}

void loop_create(struct loop **loop_r, const struct conf *conf, struct http_client *client)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->conf = conf;
    loop->client = client;
    loop_catch_signals();
    *loop_r = loop;
}

void loop_destroy(struct loop **loop)
{
    if (!*loop)
        return;
    for (size_t i = 0; i < (*loop)->lane_count; i++) {
        struct lane *lane = (*loop)->lanes[i];
        fiber_destroy(&lane->fiber);
        db_destroy(&lane->db);
        free(lane);
    }
    free(*loop);
    *loop = NULL;
}

static void lane_main(void *ctx)
{
    struct lane *lane = ctx;
    lane->fn(lane, lane->ctx);
}

/* How the lane's connection waits: by letting everything else run. */
static short wait_for_database(void *ctx, int fd, short events, usec_t deadline)
{
    struct lane *lane = ctx;
    lane->fd = fd;
    lane->events = events;
    lane->revents = 0;
    lane->until = deadline;
    lane->asleep = false;
    fiber_yield();
    lane->fd = -1;
    return lane->revents;
}

struct lane *loop_add_lane(struct loop *loop, const char *name, lane_fn *fn, void *ctx)
{
    if (loop->lane_count == LANES_MAX)
        die("over %d lanes", LANES_MAX);
    struct lane *lane = mem_alloc(sizeof *lane);
    lane->name = name;
    lane->fn = fn;
    lane->ctx = ctx;
    lane->fd = -1;
    lane->asleep = true;
    lane->poked = true;
    lane->until = TIME_NEVER;
    db_create(&lane->db, loop->conf);
    db_set_wait(lane->db, wait_for_database, lane);
    fiber_create(&lane->fiber, lane_main, lane);
    loop->lanes[loop->lane_count++] = lane;
    return lane;
}

void loop_listen(struct loop *loop, struct wake_listener *listener, loop_woken_fn *woken, void *ctx)
{
    loop->listener = listener;
    loop->woken = woken;
    loop->woken_ctx = ctx;
}

struct db *lane_db(struct lane *lane)
{
    return lane->db;
}

const char *lane_name(const struct lane *lane)
{
    return lane->name;
}

void lane_sleep(struct lane *lane, usec_t until)
{
    if (lane->poked) {
        lane->poked = false;
        return;
    }
    lane->asleep = true;
    lane->revents = 0;
    lane->until = until;
    fiber_yield();
    lane->asleep = false;
    lane->poked = false;
}

void lane_poke(struct lane *lane)
{
    lane->poked = true;
}

bool lane_sleeps(const struct lane *lane)
{
    return fiber_ended(lane->fiber) || (lane->asleep && !lane->poked);
}

static bool lane_ready(const struct lane *lane, usec_t now)
{
    if (fiber_ended(lane->fiber))
        return false;
    if (lane->asleep && lane->poked)
        return true;
    return lane->revents != 0 || now >= lane->until;
}

static usec_t round_timeout(const struct loop *loop, usec_t now)
{
    usec_t timeout = loop->conf->poll_interval;
    for (size_t i = 0; i < loop->lane_count; i++) {
        const struct lane *lane = loop->lanes[i];
        if (fiber_ended(lane->fiber))
            continue;
        if (lane_ready(lane, now))
            return 0;
        if (lane->until - now < timeout)
            timeout = lane->until - now;
    }
    return timeout;
}

/* Waits for the network, the lanes' connections, wake datagrams and signals, all at once. */
static void sleep_round(struct loop *loop)
{
    struct http_watch watches[LANES_MAX + 2];
    struct lane *owners[LANES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < loop->lane_count; i++) {
        struct lane *lane = loop->lanes[i];
        if (lane->fd < 0 || lane->asleep || fiber_ended(lane->fiber))
            continue;
        owners[count] = lane;
        watches[count++] = (struct http_watch){.fd = lane->fd, .events = lane->events};
    }
    size_t lanes = count;
    watches[count++] = (struct http_watch){.fd = signal_pipe[0], .events = POLLIN};
    if (loop->listener)
        watches[count++] =
            (struct http_watch){.fd = wake_listener_fd(loop->listener), .events = POLLIN};
    http_wait(loop->client, watches, count, round_timeout(loop, clock_monotonic()));
    for (size_t i = 0; i < lanes; i++)
        owners[i]->revents = watches[i].revents;
}

static void read_wakes(struct loop *loop)
{
    struct wake_item items[WAKE_IDS_MAX];
    for (int i = 0; loop->listener && i < WAKE_ROUNDS_MAX; i++) {
        size_t count = wake_listener_read(loop->listener, items, WAKE_IDS_MAX);
        if (count == 0)
            break;
        loop->woken(loop->woken_ctx, items, count);
    }
    char bytes[16];
    while (read(signal_pipe[0], bytes, sizeof bytes) > 0)
        ;
}

static void resume_lanes(struct loop *loop)
{
    usec_t now = clock_monotonic();
    for (size_t i = 0; i < loop->lane_count; i++) {
        if (lane_ready(loop->lanes[i], now))
            fiber_resume(loop->lanes[i]->fiber);
    }
}

void loop_run(struct loop *loop, loop_done_fn *done, void *ctx)
{
    do {
        sleep_round(loop);
        http_run(loop->client);
        read_wakes(loop);
        resume_lanes(loop);
    } while (!done(ctx));
}

static bool all_ended(const struct loop *loop)
{
    for (size_t i = 0; i < loop->lane_count; i++) {
        if (!fiber_ended(loop->lanes[i]->fiber))
            return false;
    }
    return true;
}

void loop_finish(struct loop *loop)
{
    while (!all_ended(loop)) {
        for (size_t i = 0; i < loop->lane_count; i++)
            lane_poke(loop->lanes[i]);
        resume_lanes(loop);
        if (!all_ended(loop))
            sleep_round(loop);
    }
}
