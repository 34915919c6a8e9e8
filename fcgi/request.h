/*
 * request.h - what a caller sent: method, path, query, headers and body, taken from the
 * parameters that CGI and FastCGI share (RFC 3875 section 4.1).
 *
 * Everything in a request dies when it is finished. The parameters are gone through once and those
 * of PARAMS kept; nothing else of the environment is ever looked at.
 */
#ifndef HV_REQUEST_H
#define HV_REQUEST_H

#include "fcgi/io.h"
#include "fcgi/router.h"
#include "lib/base/json.h"
#include "lib/rules/signature.h"
#include "sql/sessions.h"

#define PARAMS(X)                                                                                  \
    X(PARAM_METHOD, "REQUEST_METHOD")                                                              \
    X(PARAM_SCRIPT_NAME, "SCRIPT_NAME")                                                            \
    X(PARAM_PATH_INFO, "PATH_INFO")                                                                \
    X(PARAM_QUERY, "QUERY_STRING")                                                                 \
    X(PARAM_CONTENT_LENGTH, "CONTENT_LENGTH")                                                      \
    X(PARAM_CONTENT_TYPE, "CONTENT_TYPE")                                                          \
    X(PARAM_CONTENT_ENCODING, "HTTP_CONTENT_ENCODING")                                             \
    X(PARAM_AUTHORIZATION, "HTTP_AUTHORIZATION")                                                   \
    X(PARAM_REDIRECT_AUTHORIZATION, "REDIRECT_HTTP_AUTHORIZATION") /* Apache, after a rewrite */   \
    X(PARAM_IDEMPOTENCY_KEY, "HTTP_IDEMPOTENCY_KEY")                                               \
    X(PARAM_COOKIE, "HTTP_COOKIE")                                                                 \
    X(PARAM_CSRF_TOKEN, "HTTP_X_CSRF_TOKEN")                                                       \
    X(PARAM_REMOTE_ADDR, "REMOTE_ADDR")                                                            \
    X(PARAM_FORWARDED, "HTTP_FORWARDED")                                                           \
    X(PARAM_X_FORWARDED_FOR, "HTTP_X_FORWARDED_FOR")                                               \
    X(PARAM_X_REAL_IP, "HTTP_X_REAL_IP")                                                           \
    X(PARAM_X_WEBHOOK_SIGNATURE, "HTTP_X_WEBHOOK_SIGNATURE")                                       \
    X(PARAM_WEBHOOK_ID, "HTTP_WEBHOOK_ID")                                                         \
    X(PARAM_WEBHOOK_TIMESTAMP, "HTTP_WEBHOOK_TIMESTAMP")                                           \
    X(PARAM_WEBHOOK_SIGNATURE, "HTTP_WEBHOOK_SIGNATURE")
enum param {
#define X(name, text) name,
    PARAMS(X)
#undef X
        PARAM_COUNT
};

#define REQUEST_ID_SIZE 21 /* "req_", 16 digits of base32, NUL */

struct hook_facts;

struct request {
    struct io *io;
    struct pool *pool;
    struct str param[PARAM_COUNT]; /* STR_NULL: not sent */
    char id[REQUEST_ID_SIZE];
    enum method method;
    struct str path; /* below base_path; STR_NULL: not below it */
    struct route_match match;
    bool routed; /* match is good */

    const struct principal *who;       /* NULL: the route asks for nobody */
    const struct session_row *session; /* of a person; else NULL */
    unsigned char session_hash[32];    /* with session: of its token */
    const struct hook_facts *hook;     /* whose token is in the path, of routes that ask for one */
    struct rate_verdict rate;          /* what its limits say; count 0: it has none */

    uint64_t body_length; /* what CONTENT_LENGTH says; UINT64_MAX: nothing */
    struct str body;
    struct json *json; /* what was parsed of it; NULL: no body came */
};

/* random: 10 bytes from crypto_random(), for the request's id. base_path as in the settings.
 * ERR_INVALID: a CONTENT_LENGTH that is no number; the request can be answered even so. */
int request_init(struct request *rq, struct io *io, struct pool *pool, char *const *environ_,
                 const unsigned char random[10], struct str base_path, struct err *err) MUST_CHECK;

/*
 * The path that is routed. SCRIPT_NAME and PATH_INFO together are the decoded path in whatever way
 * the program is mounted, and REQUEST_URI is not. From their front comes off: base_path; or, where
 * the program is reached by its own file name, everything up to and including the first segment
 * that ends in .fcgi or .cgi. STR_NULL: not below base_path.
 */
struct str request_path(struct pool *pool, struct str script_name, struct str path_info,
                        struct str base_path);

/* Cuts the next name and value off the query, percent-decoded, '+' being a blank: 1, 0 at its end,
 * -1 with ERR_INVALID (a broken %XX, invalid UTF-8, a NUL byte). A name without '=' has an empty
 * value. Start with *rest = the query. */
int query_next_pair(struct pool *pool, struct str *rest, struct str *name_r, struct str *value_r,
                    struct err *err) MUST_CHECK;

/* Is the Content-Type application/json, in UTF-8 if it names a charset, and nothing encoded? */
int request_check_json_type(const struct request *rq, struct err *err) MUST_CHECK;

/* The same for what may be text/csv, too. */
int request_check_batch_type(const struct request *rq, bool *csv_r, struct err *err) MUST_CHECK;

/* Reads the body to its end into b (cleared here) and sets rq->body. ERR_TOO_LARGE: over cap, and
 * as far as CONTENT_LENGTH says so nothing is read. ERR_INVALID: it broke off or is shorter than
 * CONTENT_LENGTH. */
int request_read_body(struct request *rq, struct buf *b, size_t cap, struct err *err) MUST_CHECK;

/* How much JSON a body of at most so many bytes may be: JSON_VALUES_MAX for each 64 KiB. */
size_t request_values_max(size_t bytes_max);
/* Sets rq->json from the body, which must be an object. */
int request_parse_json(struct request *rq, size_t values_max, struct err *err) MUST_CHECK;

/* Reads and forgets what is left of the body, REQUEST_DRAIN_MAX at most. A web server that is still
 * passing the request on when we hang up reports that to the caller instead of our answer; and even
 * of a GET, Apache sends the end of the (empty) body by itself. */
#define REQUEST_DRAIN_MAX 16777216
void request_drain(struct request *rq);

/* The headers that a signature needs. */
struct signature_input request_signature(const struct request *rq);

#endif
