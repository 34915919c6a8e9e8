/*
 * sink.c - where measured deliveries go: an HTTP/1.1 server that answers at once and notes when
 * each request's first byte was there. One thread, connections kept.
 *
 * What it does is in the path: /hang/... is never answered, /delay/MS/... is answered 200 after MS
 * milliseconds, all else 204 at once. /control/reset forgets what was noted, /control/stats gives
 * counts and times as JSON (?nth=N: also when request N came), /control/times one line "webhook-id
 * microseconds" per request. Prints its port on standard output when it listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX (1u << 20)
#define EVENTS_MAX 256
#define ID_SIZE 40
#define USEC_PER_MS 1000
#define NEVER INT64_MAX

struct connection {
    int fd;
    char *in;
    size_t len, cap;
    int64_t first_byte; /* of the request that is being read; 0: none of it came yet */
    int64_t answer_at;  /* 0: not put off */
    struct connection *before, *after; /* among those put off, sorted by answer_at */
};

struct arrival {
    int64_t at;
    char id[ID_SIZE];
};

static int poller;
static struct arrival *arrivals;
static size_t arrival_count, arrival_room;
static struct connection *put_off_first, *put_off_last;
static size_t waiting, waiting_peak; /* requests not answered yet */

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *grown(void *p, size_t count, size_t size)
{
    p = reallocarray(p, count, size);
    if (!p)
        fail("memory");
    return p;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- requests that wait for their answer ---- */

static void put_off(struct connection *c, int64_t until)
{
    struct connection *before = put_off_last;
    while (before && before->answer_at > until)
        before = before->before;
    c->answer_at = until;
    c->before = before;
    c->after = before ? before->after : put_off_first;
    *(before ? &before->after : &put_off_first) = c;
    *(c->after ? &c->after->before : &put_off_last) = c;
    if (++waiting > waiting_peak)
        waiting_peak = waiting;
}

static void take_off(struct connection *c)
{
    *(c->before ? &c->before->after : &put_off_first) = c->after;
    *(c->after ? &c->after->before : &put_off_last) = c->before;
    c->answer_at = 0;
    waiting--;
}

static void close_connection(struct connection *c)
{
    if (c->answer_at)
        take_off(c);
    close(c->fd);
    free(c->in);
    free(c);
}

static bool send_all(struct connection *c, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = send(c->fd, p, n, MSG_NOSIGNAL);
        if (put < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = c->fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
            continue;
        }
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

static bool answer_empty(struct connection *c, const char *status)
{
    char text[96];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s\r\n", status,
                     *status == '2' && status[2] == '4' ? "" : "Content-Length: 0\r\n");
    return send_all(c, text, (size_t)n);
}

static void answer_due(int64_t now)
{
    while (put_off_first && put_off_first->answer_at <= now) {
        struct connection *c = put_off_first;
        take_off(c);
        if (!answer_empty(c, "200 OK"))
            close_connection(c);
    }
}

/* ---- what the bench asks ---- */

static bool answer_text(struct connection *c, const char *type, const char *body, size_t n)
{
    char head[128];
    int head_n =
        snprintf(head, sizeof head,
                 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, n);
    return send_all(c, head, (size_t)head_n) && send_all(c, body, n);
}

static bool answer_stats(struct connection *c, const char *target)
{
    char text[256];
    const char *wanted = strstr(target, "nth=");
    size_t nth = wanted ? strtoull(wanted + 4, NULL, 10) : 0;
    int64_t first = arrival_count > 0 ? arrivals[0].at : 0;
    int64_t last = arrival_count > 0 ? arrivals[arrival_count - 1].at : 0;
    int64_t nth_at = nth > 0 && nth <= arrival_count ? arrivals[nth - 1].at : 0;
    int n = snprintf(text, sizeof text,
                     "{\"requests\":%zu,\"first\":%lld,\"last\":%lld,\"nth\":%lld,"
                     "\"waiting\":%zu,\"waiting_peak\":%zu}",
                     arrival_count, (long long)first, (long long)last, (long long)nth_at, waiting,
                     waiting_peak);
    return answer_text(c, "application/json", text, (size_t)n);
}

static bool answer_times(struct connection *c)
{
    size_t room = arrival_count * (ID_SIZE + 24) + 1, n = 0;
    char *text = grown(NULL, room, 1);
    for (size_t i = 0; i < arrival_count; i++)
        n += (size_t)snprintf(text + n, room - n, "%s %lld\n", arrivals[i].id,
                              (long long)arrivals[i].at);
    bool sent = answer_text(c, "text/plain", text, n);
    free(text);
    return sent;
}

static bool control(struct connection *c, const char *target)
{
    if (strncmp(target, "reset", 5) == 0) {
        arrival_count = 0;
        waiting_peak = waiting;
        return answer_empty(c, "204 No Content");
    }
    if (strncmp(target, "stats", 5) == 0)
        return answer_stats(c, target);
    if (strncmp(target, "times", 5) == 0)
        return answer_times(c);
    return answer_empty(c, "404 Not Found");
}

/* ---- requests ---- */

/* The value of a header of the request head at p, cut to fit; "" when it has none. */
static void header(const char *p, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    *out = '\0';
    for (const char *line = strstr(p, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        line += n + 1;
        line += strspn(line, " \t");
        size_t length = strcspn(line, "\r\n");
        if (length >= size)
            length = size - 1;
        memcpy(out, line, length);
        out[length] = '\0';
        return;
    }
}

static void note(const char *head, int64_t at)
{
    if (arrival_count == arrival_room) {
        arrival_room = arrival_room ? arrival_room * 2 : 65536;
        arrivals = grown(arrivals, arrival_room, sizeof *arrivals);
    }
    struct arrival *a = &arrivals[arrival_count++];
    a->at = at;
    header(head, "webhook-id", a->id, sizeof a->id);
}

static bool serve(struct connection *c, const char *head)
{
    const char *target = strchr(head, ' ');
    if (!target)
        return false;
    target++;
    if (strncmp(target, "/control/", 9) == 0)
        return control(c, target + 9);
    note(head, c->first_byte);
    if (strncmp(target, "/hang/", 6) == 0)
        put_off(c, NEVER);
    else if (strncmp(target, "/delay/", 7) == 0)
        put_off(c, now_us() + strtoll(target + 7, NULL, 10) * USEC_PER_MS);
    else
        return answer_empty(c, "204 No Content");
    return true;
}

/* Serves what is complete in the buffer; false: the connection is to be closed. */
static bool serve_complete(struct connection *c, int64_t now)
{
    while (c->len > 0 && !c->answer_at) {
        char *end = memmem(c->in, c->len, "\r\n\r\n", 4);
        if (!end)
            return c->len < REQUEST_MAX;
        char length[24];
        *end = '\0'; /* the head as a string, without its last line's end */
        header(c->in, "content-length", length, sizeof length);
        size_t whole = (size_t)(end - c->in) + 4 + strtoull(length, NULL, 10);
        if (whole > REQUEST_MAX)
            return false;
        if (whole > c->len) {
            *end = '\r';
            return true;
        }
        bool goes_on = serve(c, c->in);
        c->len -= whole;
        memmove(c->in, c->in + whole, c->len);
        c->first_byte = c->len > 0 ? now : 0;
        if (!goes_on)
            return false;
    }
    return true;
}

/* now: when the bytes were known to be there. */
static bool read_some(struct connection *c, int64_t now)
{
    if (c->cap - c->len < 4096) {
        c->cap = c->cap ? c->cap * 2 : 8192;
        if (c->cap > 2 * REQUEST_MAX)
            return false;
        c->in = grown(c->in, c->cap, 1);
    }
    ssize_t got = recv(c->fd, c->in + c->len, c->cap - c->len, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0)
        return false;
    if (c->first_byte == 0)
        c->first_byte = now;
    c->len += (size_t)got;
    return serve_complete(c, now);
}

static void accept_all(int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
            fail("memory");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
            fail("epoll_ctl");
    }
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        fail("listen");
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static int until_next_answer(void)
{
    if (!put_off_first || put_off_first->answer_at == NEVER)
        return -1;
    int64_t left = put_off_first->answer_at - now_us();
    return left <= 0 ? 0 : (int)(left / USEC_PER_MS) + 1;
}

int main(void)
{
    struct epoll_event events[EVENTS_MAX];
    int listener = listen_somewhere();
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event))
        fail("epoll");
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS_MAX, until_next_answer());
        int64_t now = now_us();
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                accept_all(listener);
            else if (!read_some(c, now))
                close_connection(c);
        }
        answer_due(now);
    }
}
