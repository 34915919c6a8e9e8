/*
 * function_run.h - running a function, all but the sending: the request of a function for a call,
 * what its answer means, and whether it is tried again. The dispatcher (before and after a call)
 * and the voice responder (during it, and to try one out) share this.
 *
 *     function_scope()         the names that templates see
 *     function_request_make()  what to send; -1: it can't be made, which is a run with an error
 *     function_answer_read()   what came of it
 *     function_retry_wait()    again?
 */
#ifndef HV_FUNCTION_RUN_H
#define HV_FUNCTION_RUN_H

#include "lib/base/http.h"
#include "lib/rules/function.h"
#include "lib/rules/template.h"

/* What a run needs to know of its call. Texts may be STR_NULL. */
struct function_context {
    struct id call_id, agent_id;
    unsigned attempt; /* the call's: the one that is made or under way */
    bool test;
    struct str contact_number, contact_name, contact_email, from_number;
    struct str agent_name, agent_language;
    struct str additional_info, variables; /* JSON objects */
    struct str arguments;                  /* during_call: a JSON object that passed the schema */
    usec_t created_at, scheduled_at;       /* TIME_NONE: none */
    struct {                               /* post_call */
        bool known;
        struct str status; /* "completed" or "failed" */
        struct str outcome, summary;
        struct str transcript;    /* JSON array of {role, text, at} */
        int64_t duration_seconds; /* negative: none */
        struct str error_code, error_message;
    } result;
    usec_t now;
    int offset_minutes; /* of the workspace's zone, at now */
    usec_t signed_at;   /* when it is sent: verifiers refuse what was signed long ago */
};

/* The scope points into the pool. ERR_INTERNAL: a text is no JSON, though we stored it. For prompts
 * and greetings too: template_fill(). */
int function_scope(struct pool *pool, const struct function_context *context,
                   struct template_scope *scope_r, struct err *err) MUST_CHECK;

/* How a run ended: the text is function_runs.error. */
#define RUN_ERRORS(X)                                                                              \
    X(RUN_GOOD, "")                                                                                \
    X(RUN_TEMPLATE_FAILED, "template_failed")     /* not sent: a name is missing, too long */      \
    X(RUN_SECRET_UNREADABLE, "secret_unreadable") /* not sent: its headers can't be opened */      \
    X(RUN_NO_TIME, "no_time_left")                /* not sent: the phase's time was used up */     \
    X(RUN_NAME_FAILED, "name_not_resolved")                                                        \
    X(RUN_ADDRESS_REFUSED, "address_not_allowed")                                                  \
    X(RUN_CONNECT_FAILED, "connection_failed")                                                     \
    X(RUN_TLS_FAILED, "tls_failed")                                                                \
    X(RUN_NOT_SENT, "not_sent")                                                                    \
    X(RUN_TIMEOUT, "timeout")                                                                      \
    X(RUN_RESET, "connection_reset")                                                               \
    X(RUN_BAD_ANSWER, "invalid_response")                                                          \
    X(RUN_REDIRECT, "redirect")         /* 3xx: never followed */                                  \
    X(RUN_CLIENT_ERROR, "client_error") /* 4xx */                                                  \
    X(RUN_SERVER_ERROR, "server_error") /* 5xx, and what is no status */                           \
    X(RUN_TOO_LARGE, "response_too_large")                                                         \
    X(RUN_CONTENT_TYPE, "unexpected_content_type")                                                 \
    X(RUN_NOT_JSON, "not_json")                                                                    \
    X(RUN_SAVE_MISSED, "save_path_missed") /* on_missing: error */                                 \
    X(RUN_SAVE_TOO_LARGE, "saved_too_large")                                                       \
    X(RUN_INTERRUPTED, "interrupted") /* sent; how it ended was not recorded, or not yet */
enum run_error {
#define X(name, text) name,
    RUN_ERRORS(X)
#undef X
        RUN_ERROR_COUNT
};
const char *run_error_text(enum run_error e); /* "" when good */

/* Of an answer's JSON, weighed (lib/base/json.h); 3 MB. */
#define FUNCTION_RESPONSE_VALUES_MAX 40000
#define FUNCTION_RESPONSE_MAX 262144 /* what may be answered; http_request.response_max is +1 */
#define FUNCTION_RESPONSE_KEPT 16384 /* what a run keeps of it */
#define FUNCTION_REQUEST_KEPT 16384  /* and of the request's body */
#define FUNCTION_SAVED_MAX 16384     /* bytes of the variables that one run saves */

/* All in the pool. */
struct function_request {
    const char *method, *url;
    struct str body;     /* STR_NULL: none */
    struct str *headers; /* complete lines, ours and the owner's; secrets in them */
    size_t header_count;
    struct str key; /* of Idempotency-Key; and the webhook-id that it is signed under, with %2E for
                       each '.' */
    struct str record; /* function_runs.request: {"method", "url", "headers", "body"} as JSON, the
                          owner's header values hidden, the signature left out, a body that is
                          longer than is kept as the text of its beginning */
};

/*
 * key: the rest of Idempotency-Key behind "<call_id>:<name>", that makes it one per intended
 * effect: the attempt for pre_call, the run's id for during_call (all tries of a run have one),
 * STR_NULL for post_call. secrets: the workspace's signing secrets, the newest first; 0: it is sent
 * unsigned.
 *
 * Without a body of its own a POST, PUT or PATCH carries: during_call the arguments with the static
 * parameters over them; else {"call", "contact", "info", "vars"} and, post_call, "result". GET and
 * DELETE without a body carry the arguments, if any, in the query string. The static parameters are
 * laid over the top level of the body last, of whatever form it is; without a body, of the query.
 *
 * ERR_INVALID or ERR_TOO_LARGE: a template; ERR_INTERNAL: the row is broken, or its headers are
 * lost. Record it as function_request_failure() says, with this message.
 */
int function_request_make(struct pool *pool, const struct function *function,
                          const struct function_context *context, struct str key,
                          const struct str *secrets, size_t secret_count,
                          struct function_request *request_r, struct err *err) MUST_CHECK;
/* As what a run failed whose request could not be made. */
enum run_error function_request_failure(const struct function *function);

struct function_outcome {
    enum run_error error;
    struct str detail;   /* a sentence for the owner; STR_NULL when good */
    int status;          /* 0: none */
    struct str response; /* at most FUNCTION_RESPONSE_KEPT bytes; STR_NULL: none */
    struct str saved;    /* JSON object of variables; STR_NULL: none */
    struct str result;   /* JSON text of the answer (text/plain: a JSON string; empty: null);
                            STR_NULL unless good */
    bool rejected;       /* the variable `eligible` was saved and is false */
    bool retry;          /* it is worth another try: the network, 408, 425, 429, 5xx */
    usec_t duration;
};

/* Reads what http.h brought (with response_max FUNCTION_RESPONSE_MAX + 1). Success is 2xx; with
 * `save`, and during_call, the answer must be JSON (application/json or +json), or text during_call
 * without save. */
void function_answer_read(struct pool *pool, const struct function *function,
                          const struct http_answer *answer, struct function_outcome *outcome_r);
/* An answer as people may see it: what it repeats of the function's own headers is hidden. The
 * outcome's response is so already. */
struct str function_hide_secrets(struct pool *pool, const struct function *function,
                                 struct str text);
/* A run that was not sent. */
void function_not_sent(struct pool *pool, enum run_error error, const char *detail,
                       struct function_outcome *outcome_r);

/* How long to wait before try number `tries` + 1 of a pre_call or during_call function, with
 * time_left of the phase; TIME_NONE: it has failed for good. post_call functions have the schedule
 * of webhooks instead. */
usec_t function_retry_wait(const struct function *function, const struct function_outcome *outcome,
                           unsigned tries, usec_t time_left);

/* The variables after a run: `saved` over `now`, by name. Either may be STR_NULL. ERR_TOO_LARGE:
 * over VARIABLES_MAX. */
#define VARIABLES_MAX 65536
int variables_merge(struct pool *pool, struct str now, struct str saved, struct str *merged_r,
                    struct err *err) MUST_CHECK;

#endif
