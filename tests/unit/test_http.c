/*
 * test_http.c - transfers against a peer that behaves as the path says: answers, stalls, resets,
 * floods. The peer is a child process with one more child per connection.
 */
#include "lib/base/http.h"
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the peer saw; shared with its processes. */
struct seen {
    int connections, requests;
};

static struct seen *seen;
static pid_t peer;
static unsigned peer_port;
static struct pool *pool;
static struct http_client *client;
static struct http_client_conf settings;
static struct err err;
static char hosts_path[64];

/* --- the peer --- */

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0) {
        _exit(0);
    }
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
    _exit(0);
}

static void flood(int fd, const char *head, const char *line)
{
    say(fd, head);
    for (;;) {
        say(fd, line);
    }
}

static void echo(int fd, const char *request, size_t n)
{
    char head[100];
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    say(fd, head);
    if (write(fd, request, n) < 0) {
        _exit(0);
    }
}

/* Does what the path asks for; `nth` is the request's number on its connection. */
static void behave(int fd, const char *path, const char *request, size_t n, int nth)
{
#define IS(p) (strncmp(path, p, sizeof(p) - 1) == 0)
    if (IS("/ok")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    } else if (IS("/echo")) {
        echo(fd, request, n);
    } else if (IS("/stall-body")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        pause();
    } else if (IS("/stall")) {
        pause();
    } else if (IS("/reset")) {
        reset(fd);
    } else if (IS("/close")) {
        _exit(0);
    } else if (IS("/short")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        _exit(0);
    } else if (IS("/flood-body")) {
        flood(fd, "HTTP/1.1 201 Created\r\nContent-Length: 10485760\r\n\r\n", "0123456789abcdef");
    } else if (IS("/flood-head")) {
        flood(fd, "HTTP/1.1 200 OK\r\n", "X-Header: 0123456789abcdef\r\n");
    } else if (IS("/garbage")) {
        say(fd, "hello, this is no HTTP\r\n\r\n");
        _exit(0);
    } else if (IS("/redirect")) {
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
    } else if (IS("/retry-later")) {
        say(fd, "HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\n"
                "HTTP/1.1 503 Busy\r\nretry-after:  17 \r\nContent-Length: 0\r\n\r\n");
    } else if (IS("/once")) { /* keeps the connection, but not its promise */
        if (nth > 1) {
            _exit(0);
        }
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
#undef IS
}

static size_t body_length(const char *request)
{
    const char *at = strcasestr(request, "\r\ncontent-length:");
    return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

static void serve_connection(int fd)
{
    static char request[200000];
    for (int nth = 1;; nth++) {
        size_t have = 0;
        const char *end = NULL;
        while (end == NULL || have < (size_t)(end + 4 - request) + body_length(request)) {
            ssize_t n = read(fd, request + have, sizeof(request) - 1 - have);
            if (n <= 0) {
                _exit(0);
            }
            have += (size_t)n;
            request[have] = '\0';
            end = strstr(request, "\r\n\r\n");
        }
        __atomic_fetch_add(&seen->requests, 1, __ATOMIC_SEQ_CST);
        char *path = strchr(request, ' ');
        behave(fd, path == NULL ? "" : path + 1, request, have, nth);
    }
}

static void serve(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        __atomic_fetch_add(&seen->connections, 1, __ATOMIC_SEQ_CST);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve_connection(fd);
        }
        close(fd);
    }
}

/* A socket that listens on a free port of 127.0.0.1. */
static int listen_somewhere(int backlog, unsigned *port_r)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *port_r = ntohs(address.sin_port);
    return fd;
}

/* --- fixture --- */

static void setup(void)
{
    pool_create(&pool);
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(seen, MAP_FAILED);
    strcpy(hosts_path, "/tmp/huskyvoice-test-hosts-XXXXXX");
    close(mkstemp(hosts_path));
    int listener = listen_somewhere(100, &peer_port);
    peer = fork();
    ck_assert_int_ge(peer, 0);
    if (peer == 0) {
        serve(listener);
    }
    close(listener);
    settings = (struct http_client_conf){.user_agent = "test/1"};
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
}

static void teardown(void)
{
    http_client_destroy(&client);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    unlink(hosts_path);
    pool_destroy(&pool);
}

static const char *url_of(const char *host, const char *path)
{
    return pool_printf(pool, "http://%s:%u%s", host, peer_port, path);
}

static struct http_request request_to(const char *url)
{
    return (struct http_request){.method = "POST",
                                 .url = url,
                                 .body = STR("{\"a\":1}"),
                                 .timeout = 10 * USEC_PER_S,
                                 .response_max = 65536};
}

/* One transfer with the settings as they are, waited for. */
static struct http_answer fetch(const struct http_request *request)
{
    struct http_answer answer = {0};
    if (client == NULL) {
        ck_assert_ok(http_client_create(&client, &settings, &err), err);
    }
    ck_assert_ok(http_once(client, request, pool, &answer, &err), err);
    ck_assert_uint_eq(http_in_flight(client), 0);
    return answer;
}

#define ck_assert_outcome(answer, expected)                                                        \
    ck_assert_msg((answer).outcome == (expected), "%s (%s), not %s",                               \
                  http_outcome_text((answer).outcome), (answer).detail,                            \
                  http_outcome_text(expected))

/* --- tests --- */

START_TEST(an_answer)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/ok"));
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_ANSWERED);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_is(answer.body, "ok");
    ck_assert_str_is(answer.content_type, "text/plain");
    ck_assert_str_is(answer.retry_after, NULL);
    ck_assert_str_eq(answer.address, "127.0.0.1");
    ck_assert_str_eq(answer.detail, "");
    ck_assert_int_gt(answer.duration, 0);
}
END_TEST

static const struct {
    const char *name, *method;
    struct str body;
    const char *head; /* how the request begins */
    const char *tail; /* how it ends */
} methods[] = {
    {"POST", "POST", {"x=1", 3}, "POST /echo HTTP/1.1\r\n", "\r\n\r\nx=1"},
    {"POST of nothing", "POST", {NULL, 0}, "POST /echo HTTP/1.1\r\n", "Content-Length: 0\r\n\r\n"},
    {"GET", "GET", {NULL, 0}, "GET /echo HTTP/1.1\r\n", "\r\n\r\n"},
    {"DELETE", "DELETE", {NULL, 0}, "DELETE /echo HTTP/1.1\r\n", "\r\n\r\n"},
    {"PUT", "PUT", {"x", 1}, "PUT /echo HTTP/1.1\r\n", "\r\n\r\nx"},
    {"PATCH of nothing",
     "PATCH",
     {NULL, 0},
     "PATCH /echo HTTP/1.1\r\n",
     "Content-Length: 0\r\n\r\n"},
};

static bool ends_with(struct str s, const char *tail)
{
    size_t n = strlen(tail);
    return s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}

START_TEST(what_is_sent)
{
    struct str headers[] = {STR("X-One: 1"), STR("X-Empty:"), STR("content-type:application/x")};
    struct http_request request = request_to(url_of("127.0.0.1", "/echo"));
    request.method = methods[_i].method;
    request.body = methods[_i].body;
    request.headers = headers;
    request.header_count = _i == 0 ? 3 : 0;
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_ANSWERED);
    ck_assert(str_starts(answer.body, methods[_i].head));
    ck_assert(ends_with(answer.body, methods[_i].tail));
    const char *text = answer.body.p;
    ck_assert_ptr_nonnull(strstr(text, "\r\nUser-Agent: test/1\r\n"));
    ck_assert_ptr_null(strcasestr(text, "\r\nexpect:"));
    ck_assert_ptr_null(strcasestr(text, "urlencoded"));
    ck_assert_int_eq(strstr(text, "\r\nX-One: 1\r\n") != NULL, _i == 0);
    ck_assert_int_eq(strstr(text, "\r\nX-Empty:\r\n") != NULL, _i == 0);
    ck_assert_int_eq(strcasestr(text, "\r\ncontent-type: application/x\r\n") != NULL, _i == 0);
}
END_TEST

START_TEST(a_handle_forgets_the_last_request)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/echo"));
    struct str header = STR("X-One: 1");
    request.headers = &header;
    request.header_count = 1;
    request.method = "PUT";
    (void)fetch(&request);
    request = request_to(url_of("127.0.0.1", "/echo"));
    request.method = "GET";
    request.body = STR_NULL;
    struct http_answer answer = fetch(&request);
    ck_assert(str_starts(answer.body, "GET "));
    ck_assert_ptr_null(strstr(answer.body.p, "X-One"));
    ck_assert_ptr_null(strstr(answer.body.p, "Content-Length"));
    ck_assert_int_eq(seen->connections, 1);
}
END_TEST

START_TEST(a_large_body_is_sent_whole)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/echo"));
    size_t n = 150000;
    char *body = pool_alloc(pool, n);
    memset(body, 'b', n);
    request.body = (struct str){body, n};
    request.response_max = 200000;
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_ANSWERED);
    ck_assert_uint_gt(answer.body.n, n);
    ck_assert_mem_eq(answer.body.p + answer.body.n - n, body, n);
}
END_TEST

static const struct {
    const char *path;
    enum http_outcome outcome;
    int status;
} endings[] = {
    {"/ok", HTTP_ANSWERED, 200},
    {"/redirect", HTTP_ANSWERED, 302},
    {"/retry-later", HTTP_ANSWERED, 503},
    {"/stall", HTTP_TIMEOUT, 0},
    {"/stall-body", HTTP_TIMEOUT, 0},
    {"/reset", HTTP_RESET, 0},
    {"/close", HTTP_RESET, 0},
    {"/short", HTTP_RESET, 0},
    {"/garbage", HTTP_BAD_ANSWER, 0},
    {"/flood-head", HTTP_BAD_ANSWER, 0},
    {"/flood-body", HTTP_ANSWERED, 201},
};

/* In all of these the peer has seen the request: exactly once, on a connection of its own. */
START_TEST(how_requests_that_left_end)
{
    struct http_request request = request_to(url_of("127.0.0.1", endings[_i].path));
    request.fresh_connection = true;
    if (endings[_i].outcome == HTTP_TIMEOUT) {
        request.timeout = 300 * USEC_PER_MS;
    }
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, endings[_i].outcome);
    ck_assert_int_eq(answer.status, endings[_i].status);
    ck_assert(http_outcome_left(answer.outcome));
    ck_assert_int_eq(seen->requests, 1);
    ck_assert_int_lt(answer.duration, 8 * USEC_PER_S);
    if (endings[_i].outcome != HTTP_ANSWERED) {
        ck_assert_str_ne(answer.detail, "");
        ck_assert_uint_eq(answer.body.n, 0);
    }
}
END_TEST

static const size_t caps[] = {0, 1, 1000, 100000};

START_TEST(a_long_body_is_cut_at_the_maximum)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/flood-body"));
    request.response_max = caps[_i];
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_ANSWERED);
    ck_assert_int_eq(answer.status, 201);
    ck_assert_uint_eq(answer.body.n, caps[_i]);
}
END_TEST

START_TEST(a_body_of_just_the_maximum_is_whole)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/ok"));
    request.response_max = 2;
    ck_assert_str_is(fetch(&request).body, "ok");
    ck_assert_str_is(fetch(&request).body, "ok");
    ck_assert_int_eq(seen->connections, 1);
}
END_TEST

START_TEST(retry_after_is_the_final_answers)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/retry-later"));
    ck_assert_str_is(fetch(&request).retry_after, "17");
    request.url = url_of("127.0.0.1", "/ok");
    ck_assert_str_is(fetch(&request).retry_after, NULL);
}
END_TEST

START_TEST(a_closed_port_is_connection_failed)
{
    unsigned port;
    close(listen_somewhere(1, &port));
    struct http_request request = request_to(pool_printf(pool, "http://127.0.0.1:%u/", port));
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_CONNECT_FAILED);
    ck_assert(!http_outcome_left(answer.outcome));
}
END_TEST

/* The backlog is full and nobody accepts: further connections hang. */
START_TEST(a_connection_that_hangs_is_connection_failed)
{
    unsigned port;
    int listener = listen_somewhere(0, &port);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons((uint16_t)port)};
    int fillers[4];
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&to, sizeof(to));
    }
    struct http_request request = request_to(pool_printf(pool, "http://127.0.0.1:%u/", port));
    request.timeout = 300 * USEC_PER_MS;
    ck_assert_outcome(fetch(&request), HTTP_CONNECT_FAILED);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(listener);
}
END_TEST

START_TEST(a_tls_handshake_that_hangs_is_tls_failed)
{
    struct http_request request = request_to(pool_printf(pool, "https://127.0.0.1:%u/", peer_port));
    request.timeout = 300 * USEC_PER_MS;
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_TLS_FAILED);
    ck_assert(!http_outcome_left(answer.outcome));
    ck_assert_int_eq(seen->requests, 0);
}
END_TEST

/* Dials a name of the reserved domain; whether its look-up fails or hangs, it is the name. */
START_TEST(an_unknown_name_is_name_not_resolved)
{
    struct http_request request = request_to("http://nowhere.invalid/");
    request.timeout = USEC_PER_S;
    struct http_answer answer = fetch(&request);
    ck_assert_outcome(answer, HTTP_NAME_FAILED);
    ck_assert_int_lt(answer.duration, 3 * USEC_PER_S);
}
END_TEST

struct guarded {
    int asked;
    bool https;
    in_addr_t refused; /* in network order; 0: everything */
};

static bool guard(void *ctx, bool https, const struct sockaddr *address)
{
    struct guarded *g = ctx;
    g->asked++;
    g->https = https;
    if (address->sa_family != AF_INET || g->refused == 0) {
        return false;
    }
    return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr != g->refused;
}

START_TEST(the_guard_can_refuse)
{
    struct guarded g = {0};
    settings.guard = guard;
    settings.guard_ctx = &g;
    struct http_request request = request_to(url_of("127.0.0.1", "/ok"));
    ck_assert_outcome(fetch(&request), HTTP_ADDRESS_REFUSED);
    ck_assert_int_ge(g.asked, 1);
    ck_assert(!g.https);
    request.url = "https://127.0.0.1/";
    ck_assert_outcome(fetch(&request), HTTP_ADDRESS_REFUSED);
    ck_assert(g.https);
    request.url = url_of("localhost", "/ok");
    ck_assert_outcome(fetch(&request), HTTP_ADDRESS_REFUSED);
    ck_assert_int_eq(seen->connections, 0);
}
END_TEST

/* Its connection must not serve a request that the guard would have stopped. */
START_TEST(an_unguarded_request_opens_no_door)
{
    struct guarded g = {0};
    settings.guard = guard;
    settings.guard_ctx = &g;
    struct http_request request = request_to(url_of("127.0.0.1", "/ok"));
    request.unguarded = true;
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_int_eq(g.asked, 0);
    request.unguarded = false;
    ck_assert_outcome(fetch(&request), HTTP_ADDRESS_REFUSED);
}
END_TEST

static void write_hosts(const char *text)
{
    FILE *f = fopen(hosts_path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static const struct {
    const char *name, *text;
    bool found;
} hosts_files[] = {
    {"plain", "127.0.0.1 hook.invalid\n", true},
    {"among others", "# none\n127.0.0.9\tother.invalid\n127.0.0.1\ta.invalid HOOK.invalid # b\n",
     true},
    {"no line break, carriage return", "127.0.0.9 x\r\n127.0.0.1 hook.invalid\r", true},
    {"two addresses", "::1 hook.invalid\n127.0.0.1 hook.invalid\n", true},
    {"another name", "127.0.0.1 ahook.invalid hook.invalid.b\n", false},
    {"commented out", "#127.0.0.1 hook.invalid\n127.0.0.1 # hook.invalid\n", false},
    {"no address", "localhost hook.invalid\n", false},
    {"empty", "", false},
};

START_TEST(names_in_the_hosts_file)
{
    settings.hosts_file = hosts_path;
    write_hosts(hosts_files[_i].text);
    struct http_request request = request_to(url_of("hook.invalid", "/ok"));
    request.timeout = hosts_files[_i].found ? 10 * USEC_PER_S : USEC_PER_S;
    ck_assert_outcome(fetch(&request), hosts_files[_i].found ? HTTP_ANSWERED : HTTP_NAME_FAILED);
}
END_TEST

START_TEST(a_change_of_the_hosts_file_counts_for_new_connections)
{
    struct guarded g = {.refused = inet_addr("127.0.0.2")};
    settings.guard = guard;
    settings.guard_ctx = &g;
    settings.hosts_file = hosts_path;
    write_hosts("127.0.0.1 hook.invalid\n");
    struct http_request request = request_to(url_of("hook.invalid", "/ok"));
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    write_hosts("127.0.0.2 hook.invalid\n");
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED); /* over the connection that is open */
    request.fresh_connection = true;
    ck_assert_outcome(fetch(&request), HTTP_ADDRESS_REFUSED);
    write_hosts("127.0.0.1 hook.invalid\n");
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    write_hosts("");
    request.timeout = USEC_PER_S;
    ck_assert_outcome(fetch(&request), HTTP_NAME_FAILED);
    ck_assert_int_eq(seen->connections, 2);
}
END_TEST

START_TEST(connections_are_kept)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/ok"));
    for (int i = 0; i < 5; i++) {
        ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    }
    ck_assert_int_eq(seen->requests, 5);
    ck_assert_int_eq(seen->connections, 1);
}
END_TEST

/* On a kept connection that breaks, libcurl sends again; fresh_connection is there against that. */
START_TEST(a_fresh_connection_is_never_a_kept_one)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/once"));
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_int_eq(seen->requests, 3);
    request.fresh_connection = true;
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_int_eq(seen->requests, 5);
    ck_assert_int_eq(seen->connections, 4);
}
END_TEST

/* However long the process slept between its decision and the dial. */
START_TEST(a_request_that_comes_too_late_does_not_leave)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/once"));
    request.fresh_connection = true;
    request.connect_by = clock_monotonic() - 1;
    ck_assert_outcome(fetch(&request), HTTP_NOT_SENT);
    ck_assert_int_eq(seen->requests, 0);
    request.connect_by = clock_monotonic() + 10 * USEC_PER_S;
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
    ck_assert_int_eq(seen->requests, 1);
}
END_TEST

struct chain {
    struct http_request request;
    int left, answered;
};

static void start_next(void *ctx, const struct http_answer *answer)
{
    struct chain *chain = ctx;
    chain->answered += answer->outcome == HTTP_ANSWERED && str_is(answer->body, "ok");
    if (--chain->left > 0) {
        ck_assert_ok(http_start(client, &chain->request, start_next, chain, &err), err);
    }
}

/* Runs the loop until nothing is under way, with a deadline. */
static void run_all(void)
{
    usec_t deadline = clock_monotonic() + 20 * USEC_PER_S;
    while (http_in_flight(client) > 0) {
        ck_assert_int_lt(clock_monotonic(), deadline);
        http_wait(client, NULL, 0, USEC_PER_S);
        http_run(client);
    }
}

START_TEST(many_at_once_and_one_that_hangs)
{
    struct chain chains[20],
        hanging = {.request = request_to(url_of("127.0.0.1", "/stall")), .left = 1};
    hanging.request.timeout = 2 * USEC_PER_S;
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    ck_assert_ok(http_start(client, &hanging.request, start_next, &hanging, &err), err);
    for (int i = 0; i < 20; i++) {
        chains[i] = (struct chain){.request = request_to(url_of("127.0.0.1", "/ok")), .left = 20};
        ck_assert_ok(http_start(client, &chains[i].request, start_next, &chains[i], &err), err);
    }
    ck_assert_uint_eq(http_in_flight(client), 21);
    run_all();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(chains[i].answered, 20);
    }
    ck_assert_int_eq(hanging.answered, 0);
    ck_assert_int_eq(hanging.left, 0);
    ck_assert_int_le(seen->connections, 21);
}
END_TEST

START_TEST(waiting_watches_other_descriptors_too)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct http_watch watches[] = {{.fd = ends[0], .events = POLLIN},
                                   {.fd = ends[1], .events = POLLOUT}};
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    http_wait(client, watches, 1, 0);
    ck_assert_int_eq(watches[0].revents, 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    usec_t before = clock_monotonic();
    http_wait(client, watches, 2, 20 * USEC_PER_S);
    ck_assert_int_lt(clock_monotonic() - before, 10 * USEC_PER_S);
    ck_assert_int_eq(watches[0].revents, POLLIN);
    ck_assert_int_eq(watches[1].revents, POLLOUT);
    close(ends[1]);
    char c;
    ck_assert_int_eq(read(ends[0], &c, 1), 1);
    http_wait(client, watches, 1, 20 * USEC_PER_S);
    ck_assert_int_ne(watches[0].revents & POLLHUP, 0);
    close(ends[0]);
}
END_TEST

START_TEST(waiting_ends_in_time)
{
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    usec_t before = clock_monotonic();
    http_wait(client, NULL, 0, 20 * USEC_PER_MS);
    ck_assert_int_ge(clock_monotonic() - before, 20 * USEC_PER_MS);
}
END_TEST

static void must_not_run(void *ctx, const struct http_answer *answer)
{
    (void)ctx;
    ck_abort_msg("ran with %s", http_outcome_text(answer->outcome));
}

START_TEST(destroying_the_client_drops_what_is_under_way)
{
    struct http_request request = request_to(url_of("127.0.0.1", "/stall"));
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    for (int i = 0; i < 3; i++) {
        ck_assert_ok(http_start(client, &request, must_not_run, NULL, &err), err);
    }
    http_run(client);
    http_client_destroy(&client);
    ck_assert_ptr_null(client);
}
END_TEST

static const struct {
    const char *name, *url, *header;
} wrong[] = {
    {"no URL", "nonsense", NULL},
    {"another scheme", "ftp://127.0.0.1/", NULL},
    {"line break in the URL", "http://127.0.0.1/\r\nX: y", NULL},
    {"line break in a header", "http://127.0.0.1/", "X: a\r\nY: b"},
    {"header without a colon", "http://127.0.0.1/", "X"},
    {"header without a name", "http://127.0.0.1/", ": x"},
};

START_TEST(wrong_requests_never_start)
{
    struct http_request request = request_to(wrong[_i].url);
    struct str header = str_of(wrong[_i].header);
    request.headers = &header;
    request.header_count = header.p != NULL;
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    ck_assert_int_eq(http_start(client, &request, must_not_run, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_uint_eq(http_in_flight(client), 0);
    request = request_to(url_of("127.0.0.1", "/ok"));
    ck_assert_outcome(fetch(&request), HTTP_ANSWERED);
}
END_TEST

START_TEST(which_outcomes_left)
{
    ck_assert_int_eq(http_outcome_left((enum http_outcome)_i),
                     _i == HTTP_ANSWERED || _i == HTTP_TIMEOUT || _i == HTTP_RESET ||
                         _i == HTTP_BAD_ANSWER);
    ck_assert_str_ne(http_outcome_text((enum http_outcome)_i), "");
}
END_TEST

static Suite *http_suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tc = tcase_create("http");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_answer);
    tcase_add_loop_test(tc, what_is_sent, 0, CASES(methods));
    tcase_add_test(tc, a_handle_forgets_the_last_request);
    tcase_add_test(tc, a_large_body_is_sent_whole);
    tcase_add_loop_test(tc, how_requests_that_left_end, 0, CASES(endings));
    tcase_add_loop_test(tc, a_long_body_is_cut_at_the_maximum, 0, CASES(caps));
    tcase_add_test(tc, a_body_of_just_the_maximum_is_whole);
    tcase_add_test(tc, retry_after_is_the_final_answers);
    tcase_add_test(tc, a_closed_port_is_connection_failed);
    tcase_add_test(tc, a_connection_that_hangs_is_connection_failed);
    tcase_add_test(tc, a_tls_handshake_that_hangs_is_tls_failed);
    tcase_add_test(tc, an_unknown_name_is_name_not_resolved);
    tcase_add_test(tc, the_guard_can_refuse);
    tcase_add_test(tc, an_unguarded_request_opens_no_door);
    tcase_add_loop_test(tc, names_in_the_hosts_file, 0, CASES(hosts_files));
    tcase_add_test(tc, a_change_of_the_hosts_file_counts_for_new_connections);
    tcase_add_test(tc, connections_are_kept);
    tcase_add_test(tc, a_fresh_connection_is_never_a_kept_one);
    tcase_add_test(tc, a_request_that_comes_too_late_does_not_leave);
    tcase_add_test(tc, many_at_once_and_one_that_hangs);
    tcase_add_test(tc, waiting_watches_other_descriptors_too);
    tcase_add_test(tc, waiting_ends_in_time);
    tcase_add_test(tc, destroying_the_client_drops_what_is_under_way);
    tcase_add_loop_test(tc, wrong_requests_never_start, 0, CASES(wrong));
    tcase_add_loop_test(tc, which_outcomes_left, 0, HTTP_OUTCOME_COUNT);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(http_suite)
