/*
 * err.h - how a function says why it failed.
 *
 * A function that can fail returns 0, or -1 after it filled a struct err. Its value goes out
 * through a last parameter that ends in _r. Not-found is a code of its own (ERR_NOT_FOUND),
 * no reason for a log line. lib/ and sql/ return errors and never log them.
 */
#ifndef HV_ERR_H
#define HV_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))

/* What kind of failure: enough for the edge to choose an answer or a retry. The name of each,
 * as it stands in answers and logs, is err_code_text(). */
#define ERR_CODES(X)                                                                               \
    X(ERR_NONE, "ok")                                                                              \
    X(ERR_INVALID, "invalid_request")   /* the caller's input; message names the field */          \
    X(ERR_UNAUTHORIZED, "unauthorized") /* no or unknown credential */                             \
    X(ERR_FORBIDDEN, "forbidden")       /* known, but its scope or role is too small */            \
    X(ERR_NOT_FOUND, "not_found")       /* not there, or another workspace's */                    \
    X(ERR_METHOD, "method_not_allowed")                                                            \
    X(ERR_NOT_CANCELLABLE, "call_not_cancellable")                                                 \
    X(ERR_CONFLICT, "conflict")                                                                    \
    X(ERR_TOO_LARGE, "payload_too_large")                                                          \
    X(ERR_MEDIA_TYPE, "unsupported_media_type")                                                    \
    X(ERR_KEY_REUSED, "idempotency_key_reused")                                                    \
    X(ERR_RATE_LIMITED, "rate_limited")                                                            \
    X(ERR_INTERNAL, "internal_error") /* our own bug or an impossible state */                     \
    X(ERR_UNAVAILABLE, "unavailable") /* the world's fault: try again; nothing was done */         \
    X(ERR_UNCERTAIN, "uncertain")     /* a commit was sent and its answer was lost */

enum err_code {
#define X(name, text) name,
    ERR_CODES(X)
#undef X
        ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    char message[480]; /* one sentence for a person; never a secret, never a full phone number */
};

/* Fills *e (cut to fit) and returns -1, so that a failing function ends in `return err_set(...)`.
 */
int err_set(struct err *e, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the message that *e already has, and returns -1. */
int err_prefix(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *e);
const char *err_code_text(enum err_code code);

/* Our own bug, or memory is gone: says so on stderr and aborts. */
_Noreturn void die(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
