/*
 * answer.h - what goes back: status, header lines, body. The envelope of every answer is
 * {"data": ...} or {"error": {"code", "message"}}; lists add "next_cursor".
 *
 * No input can forge a header line: what is not printable ASCII becomes '?' in a header's value.
 */
#ifndef HV_ANSWER_H
#define HV_ANSWER_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Every status that this server sends; also the columns of the request counters. */
#define ANSWER_STATUSES(X)                                                                         \
    X(200, "OK")                                                                                   \
    X(201, "Created")                                                                              \
    X(202, "Accepted")                                                                             \
    X(204, "No Content")                                                                           \
    X(400, "Bad Request")                                                                          \
    X(401, "Unauthorized")                                                                         \
    X(403, "Forbidden")                                                                            \
    X(404, "Not Found")                                                                            \
    X(405, "Method Not Allowed")                                                                   \
    X(409, "Conflict")                                                                             \
    X(413, "Content Too Large")                                                                    \
    X(415, "Unsupported Media Type")                                                               \
    X(422, "Unprocessable Content")                                                                \
    X(429, "Too Many Requests")                                                                    \
    X(500, "Internal Server Error")                                                                \
    X(503, "Service Unavailable")
enum answer_status {
#define X(code, reason) STATUS_##code,
    ANSWER_STATUSES(X)
#undef X
        STATUS_COUNT
};
int answer_status_code(enum answer_status s); /* 404 */

#define ANSWER_BODY_MAX 67108864

struct answer {
    enum answer_status status;
    const char *content_type; /* a literal; JSON at first */
    int64_t retry_after;      /* seconds; what answer_error() says with 429; 0: 1 */
    struct buf headers;       /* complete lines */
    struct buf body;
    struct buf wire; /* all of it, as it goes out */
};

void answer_init(struct answer *an);
void answer_deinit(struct answer *an);
/* For the next request: 200, no headers, no body. Keeps the memory. */
void answer_clear(struct answer *an);

/* name is a literal. */
void answer_header(struct answer *an, const char *name, struct str value);

/*
 * Replaces what was in the answer by the error: its status, its envelope, and the headers that go
 * with the status (401 WWW-Authenticate, 429 and 503 Retry-After; Allow of a 405 is the router's).
 * What went wrong inside (ERR_INTERNAL, ERR_UNAVAILABLE, ERR_UNCERTAIN) is not told: the message is
 * for the log.
 */
void answer_error(struct answer *an, const struct err *err);

/* The bytes of the whole answer in the form of CGI (RFC 3875 section 6), valid until the next
 * answer_clear(). without_body: for HEAD. */
struct str answer_wire(struct answer *an, const char *request_id, bool without_body);

#endif
