/*
 * http.h - outgoing HTTP: many requests at once in one thread. The only face of libcurl.
 *
 * It never follows a redirect, never uses a proxy of the environment, reads at most what the
 * request allows of an answer, bounds the whole request by one deadline, and asks the caller's
 * guard about every address before it connects. It is also the process's event loop: http_wait()
 * sleeps until a transfer, one of the caller's descriptors or the time-out has something.
 */
#ifndef HV_HTTP_H
#define HV_HTTP_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include <sys/socket.h>

struct http_client;
struct http_transfer;

/* How a transfer ended. What the caller must know: did the request leave or not. */
#define HTTP_OUTCOMES(X)                                                                           \
    X(HTTP_ANSWERED, "answered") /* a status line and the body (perhaps cut) arrived */            \
    X(HTTP_NAME_FAILED, "name_not_resolved") /* from here ... */                                   \
    X(HTTP_ADDRESS_REFUSED, "address_not_allowed")                                                 \
    X(HTTP_CONNECT_FAILED, "connection_failed")                                                    \
    X(HTTP_TLS_FAILED, "tls_failed")                                                               \
    X(HTTP_NOT_SENT, "not_sent") /* ... to here no byte of the request left */                     \
    X(HTTP_TIMEOUT, "timeout")   /* the request may have been taken */                             \
    X(HTTP_RESET, "connection_reset")                                                              \
    X(HTTP_BAD_ANSWER, "invalid_response")
enum http_outcome {
#define X(name, text) name,
    HTTP_OUTCOMES(X)
#undef X
        HTTP_OUTCOME_COUNT
};
const char *http_outcome_text(enum http_outcome o);
bool http_outcome_left(enum http_outcome o); /* may the peer have seen the request? */

struct http_request {
    const char *method; /* "POST" */
    const char *url;
    struct str body; /* sent as it is; STR_NULL: none. Must live until the transfer is done. */
    const struct str *headers; /* "Name: value" lines; copied */
    size_t header_count;
    usec_t timeout;      /* for all of it: name, connect, TLS, request, answer with body */
    size_t response_max; /* read at most this much of the body; what is over ends the transfer as
                            answered */
    /* A connection of its own, closed afterwards. On a reused connection that the peer has just
     * closed, libcurl sends the request a second time by itself; not on a fresh one. For requests
     * that must reach the peer at most once. */
    bool fresh_connection;
    /* Monotonic: a connection is opened until then, and after it the request does not leave
     * (HTTP_NOT_SENT), however long this process slept meanwhile. 0: whenever. With
     * fresh_connection only. */
    usec_t connect_by;
    /* One of our own servers: the guard is not asked. Its connection is never used for another
     * request, so that nobody else's passes the guard on it. */
    bool unguarded;
};

struct http_answer {
    enum http_outcome outcome;
    int status;              /* 0 unless answered */
    struct str body;         /* as far as read; dies when the callback returns */
    struct str retry_after;  /* header value, or STR_NULL */
    struct str content_type; /* header value, printable ASCII, or STR_NULL */
    usec_t duration;         /* from http_start() to the end */
    char detail[200];        /* for the log: what libcurl says, without the URL */
    char address[64];        /* the peer's address as text, or empty */
};

typedef void http_done_fn(void *ctx, const struct http_answer *answer);

/* Says whether the host may connect to this address for this URL scheme; called for each
 * connection with the address that is really dialled, so that DNS rebinding gains nothing. */
typedef bool http_guard_fn(void *ctx, bool https, const struct sockaddr *address);

struct http_client_conf {
    http_guard_fn *guard;
    void *guard_ctx;
    const char *user_agent;
    size_t connections_max; /* kept open for reuse; 0: libcurl's default */
    const char *hosts_file; /* names looked up here first; NULL or "": none */
    const char *ca_file;    /* NULL: the system's */
};

int http_client_create(struct http_client **client_r, const struct http_client_conf *conf,
                       struct err *err) MUST_CHECK;
/* Transfers still under way end without a callback. */
void http_client_destroy(struct http_client **client);

/* Starts a transfer; done runs later, from http_run() or http_once(), exactly once, and may start
 * further ones. -1 only for what is wrong with the request itself (a URL that http_url_split()
 * refuses, a line break in a header), and then done never runs. */
int http_start(struct http_client *client, const struct http_request *request, http_done_fn *done,
               void *ctx, struct err *err) MUST_CHECK;
size_t http_in_flight(const struct http_client *client);

struct http_watch {
    int fd;
    short events, revents; /* as poll(2) */
};
/* Sleeps at most timeout; fills revents. An interrupting signal ends it early. */
void http_wait(struct http_client *client, struct http_watch *watches, size_t count,
               usec_t timeout);
/* Moves every transfer on as far as it goes without waiting, and runs the callbacks of the ended.
 */
void http_run(struct http_client *client);

/* One request, waited for; the answer's body is put into the pool. For voice and admin. */
int http_once(struct http_client *client, const struct http_request *request, struct pool *pool,
              struct http_answer *answer_r, struct err *err) MUST_CHECK;

/* Cuts a URL into parts without a network call. Strict: http or https, ASCII without blanks, a host
 * that is a name of letters, digits, '-', '.' and '_', a spelling of an IPv4 address (left as it
 * is, 0x7f.1 too) or an IPv6 address without a zone. */
struct url_parts {
    struct str scheme, host, path; /* host in lower case, without brackets; path without query */
    bool has_user, has_fragment;
    unsigned port; /* the scheme's default when none was given */
};
int http_url_split(struct pool *pool, struct str url, struct url_parts *parts_r,
                   struct err *err) MUST_CHECK;

#endif
