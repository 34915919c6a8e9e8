/*
 * receiver.c - huskyvoice-receiver: a webhook endpoint for trying things out. It listens on
 * 127.0.0.1, checks the signature of what is posted, and prints one line per event.
 *
 * One request at a time, a connection each; a sample of verifying, no server for production. It
 * needs no configuration and no database.
 */
#include "lib/base/json.h"
#include "lib/rules/signature.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define BODY_MAX 1048576
#define SECONDS_TO_WAIT 10

struct receiver {
    struct str secret;
    int listener;
    struct pool *pool; /* of one request */
    struct buf in;
};

struct posted {
    struct str method, head; /* head: the header lines, CRLF after each */
    size_t body_length;
    struct str body;
};

static void help(FILE *to)
{
    fputs("Usage: huskyvoice-receiver [--port N] [--secret SECRET | --secret-file FILE]\n"
          "Receives webhooks on 127.0.0.1, checks their signatures, prints a line per event.\n"
          "\n"
          "  --port N            listen on this port (default 8081; 0: any that is free)\n"
          "  --secret SECRET     the endpoint's signing secret, whsec_...; others can see it in\n"
          "                      the list of processes\n"
          "  --secret-file FILE  the secret is the first line of this file\n"
          "  --version           print the version and end\n"
          "  --help              print this and end\n",
          to);
}

/* The value of a header line, or STR_NULL; the first one counts. */
static struct str header(struct str head, const char *name)
{
    struct str line;
    while (str_split(&head, '\n', &line)) {
        struct str key;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (str_split(&line, ':', &key) && str_is_nocase(key, name))
            return line.p == NULL ? STR("") : str_trim(line);
    }
    return STR_NULL;
}

/* Reads on until `wanted` bytes are there; false: the peer stopped before. */
static bool read_up_to(struct receiver *rv, int fd, size_t wanted)
{
    while (rv->in.len < wanted) {
        size_t n = wanted - rv->in.len;
        char *room = buf_room(&rv->in, n);
        ssize_t got = room == NULL ? -1 : read(fd, room, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        rv->in.len += (size_t)got;
    }
    return true;
}

/* Length of the head with its empty line, byte by byte: nothing of the body is taken. */
static size_t read_head(struct receiver *rv, int fd)
{
    while (rv->in.len < HEAD_MAX && read_up_to(rv, fd, rv->in.len + 1))
        if (rv->in.len >= 4 && memcmp(rv->in.data + rv->in.len - 4, "\r\n\r\n", 4) == 0)
            return rv->in.len;
    return 0;
}

static const char *read_posted(struct receiver *rv, int fd, struct posted *p)
{
    size_t head_length = read_head(rv, fd);
    if (head_length == 0)
        return "400 Bad Request";
    struct str rest = {rv->in.data, head_length};
    struct str line;
    if (!str_split(&rest, '\n', &line) || !str_split(&line, ' ', &p->method))
        return "400 Bad Request";
    size_t head_at = (size_t)(rest.p - rv->in.data);
    uint64_t length = 0;
    struct str given = header(rest, "content-length");
    if (given.p != NULL && str_u64(given, BODY_MAX, &length) != 0)
        return "413 Content Too Large";
    if (given.p == NULL && str_is(p->method, "POST"))
        return "411 Length Required";
    p->method = pool_str(rv->pool, p->method); /* the buffer may move now */
    if (!read_up_to(rv, fd, head_length + (size_t)length))
        return "400 Bad Request";
    p->head = (struct str){rv->in.data + head_at, head_length - head_at};
    p->body = (struct str){rv->in.data + head_length, (size_t)length};
    return NULL;
}

static void print_text(const char *name, const struct json *value)
{
    struct str s = json_str(value);
    if (s.p == NULL)
        return;
    printf(" %s=", name);
    for (size_t i = 0; i < s.n; i++)
        putchar(s.p[i] > ' ' && s.p[i] <= '~' ? s.p[i] : '?');
}

/* time, type, then key=value; a body that is no event shows as "-". */
static void print_event(struct receiver *rv, struct str body, const char *verdict)
{
    char at[TIME_TEXT_SIZE];
    struct json *event = NULL;
    struct err err;
    time_format(clock_wall(), at);
    if (json_parse(rv->pool, body, &event, &err) != 0)
        event = NULL;
    struct str type = json_str(json_get(event, "event_type"));
    struct json *data = json_get(event, "data");
    fputs(at, stdout);
    putchar(' ');
    if (type.p == NULL)
        putchar('-');
    for (size_t i = 0; i < type.n; i++)
        putchar(type.p[i] > ' ' && type.p[i] <= '~' ? type.p[i] : '?');
    print_text("event_id", json_get(event, "event_id"));
    print_text("call_id", json_get(data, "call_id"));
    print_text("outcome", json_get(data, "outcome"));
    print_text("error", json_get(json_get(data, "error"), "code"));
    printf(" signature=%s\n", verdict);
    fflush(stdout);
}

static const char *take(struct receiver *rv, const struct posted *p)
{
    struct signature_input in = {
        .x_webhook_signature = header(p->head, "x-webhook-signature"),
        .webhook_id = header(p->head, "webhook-id"),
        .webhook_timestamp = header(p->head, "webhook-timestamp"),
        .webhook_signature = header(p->head, "webhook-signature"),
    };
    struct err err;
    if (!str_is(p->method, "POST"))
        return "200 OK";
    if (rv->secret.p == NULL) {
        print_event(rv, p->body, "unchecked");
        return "204 No Content";
    }
    if (signature_check(&rv->secret, 1, &in, clock_wall(), p->body, &err) != 0) {
        fprintf(stderr, "huskyvoice-receiver: %s\n", err.message);
        print_event(rv, p->body, "BAD");
        return "401 Unauthorized";
    }
    print_event(rv, p->body, "ok");
    return "204 No Content";
}

static void serve(struct receiver *rv, int fd)
{
    struct timeval wait = {.tv_sec = SECONDS_TO_WAIT};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    struct posted posted = {.body_length = 0};
    const char *status = read_posted(rv, fd, &posted);
    if (status == NULL)
        status = take(rv, &posted);
    char *answer = pool_printf(rv->pool, "HTTP/1.1 %s\r\n%sConnection: close\r\n\r\n", status,
                               strncmp(status, "204", 3) == 0 ? "" : "Content-Length: 0\r\n");
    if (write(fd, answer, strlen(answer)) < 0)
        fprintf(stderr, "huskyvoice-receiver: the sender is gone: %s\n", strerror(errno));
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "huskyvoice-receiver: port %u: %s\n", (unsigned)port, strerror(errno));
        return -1;
    }
    fprintf(stderr, "huskyvoice-receiver: listens on http://127.0.0.1:%u/\n",
            (unsigned)ntohs(address.sin_port));
    return fd;
}

static void receive_for_ever(struct receiver *rv)
{
    pool_create(&rv->pool);
    buf_init(&rv->in, HEAD_MAX + BODY_MAX);
    for (;;) {
        int fd = accept(rv->listener, NULL, NULL);
        if (fd < 0)
            continue;
        serve(rv, fd);
        close(fd);
        buf_clear(&rv->in);
        pool_clear(rv->pool);
    }
}

/* The first line of a file, in memory that stays. */
static struct str read_secret(const char *path)
{
    static char line[SECRET_TEXT_SIZE + 2];
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL) {
        fprintf(stderr, "huskyvoice-receiver: %s cannot be read\n", path);
        exit(EX_NOINPUT);
    }
    fclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    return str_of(line);
}

static int usage_error(const char *message)
{
    fprintf(stderr, "huskyvoice-receiver: %s\n", message);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"secret", required_argument, NULL, 's'},
        {"secret-file", required_argument, NULL, 'f'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct receiver rv = {.secret = STR_NULL};
    uint64_t port = 8081;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p' && str_u64(str_of(optarg), UINT16_MAX, &port) != 0)
            return usage_error("--port must be a number up to 65535");
        if (option == 's')
            rv.secret = str_of(optarg);
        else if (option == 'f')
            rv.secret = read_secret(optarg);
        else if (option == 'v')
            return printf("huskyvoice-receiver %s\n", HV_VERSION) > 0 ? EX_OK : EX_IOERR;
        else if (option == 'h')
            return help(stdout), EX_OK;
        else if (option == '?')
            return EX_USAGE;
    }
    if (optind < argc)
        return help(stderr), EX_USAGE;
    struct err err;
    if (rv.secret.p != NULL && secret_check(rv.secret, "secret", &err) != 0)
        return usage_error(err.message);
    (void)signal(SIGPIPE, SIG_IGN);
    rv.listener = listen_on((uint16_t)port);
    if (rv.listener < 0)
        return EX_OSERR;
    receive_for_ever(&rv);
    return EX_OK;
}
