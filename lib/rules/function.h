/*
 * function.h - a function of an agent's workflow, one HTTP call, and what of it may be set how.
 *
 * How it is run: function_run.h.
 */
#ifndef HV_FUNCTION_H
#define HV_FUNCTION_H

#include "lib/base/buf.h"
#include "lib/base/pool.h"
#include "lib/rules/fields.h"
#include "lib/rules/url_guard.h"

/* The orders are those of the ENUM columns; a test compares. */
#define FUNCTION_PHASES(X)                                                                         \
    X(PHASE_PRE_CALL, "pre_call")                                                                  \
    X(PHASE_DURING_CALL, "during_call")                                                            \
    X(PHASE_POST_CALL, "post_call")
enum function_phase {
#define X(name, text) name,
    FUNCTION_PHASES(X)
#undef X
        FUNCTION_PHASE_COUNT
};
const char *function_phase_text(enum function_phase p);

#define FUNCTION_METHODS(X)                                                                        \
    X(FUNCTION_GET, "GET")                                                                         \
    X(FUNCTION_POST, "POST")                                                                       \
    X(FUNCTION_PUT, "PUT")                                                                         \
    X(FUNCTION_PATCH, "PATCH")                                                                     \
    X(FUNCTION_DELETE, "DELETE")
enum function_method {
#define X(name, text) name,
    FUNCTION_METHODS(X)
#undef X
        FUNCTION_METHOD_COUNT
};

/* What follows when it has failed for good. continue: the next function, the call goes on. abort:
 * no further function of this phase; before a call, that fails. disallow (pre_call only): the call
 * ends as disallowed, pre_call_rejected. */
#define FUNCTION_ON_ERRORS(X)                                                                      \
    X(ON_ERROR_CONTINUE, "continue")                                                               \
    X(ON_ERROR_ABORT, "abort")                                                                     \
    X(ON_ERROR_DISALLOW, "disallow")
enum function_on_error {
#define X(name, text) name,
    FUNCTION_ON_ERRORS(X)
#undef X
        FUNCTION_ON_ERROR_COUNT
};

/* Which ends of a call start a post_call function. */
#define FUNCTION_WHENS(X)                                                                          \
    X(WHEN_COMPLETED, "completed")                                                                 \
    X(WHEN_FAILED, "failed")                                                                       \
    X(WHEN_ALWAYS, "always")
enum function_when {
#define X(name, text) name,
    FUNCTION_WHENS(X)
#undef X
        FUNCTION_WHEN_COUNT
};

extern const char *const function_phase_texts[]; /* each ends with NULL */
extern const char *const function_method_texts[];
extern const char *const function_on_error_texts[];
extern const char *const function_on_missing_texts[]; /* empty, error */
extern const char *const function_when_texts[];

#define FUNCTION_NAME_MAX 64
#define FUNCTION_BODY_MAX 524288 /* bytes of a request's body, rendered */
/* Of one that describes a call after its end: a callback's MiB twice (the transcript and its
 * text), and what the call was made with. */
#define FUNCTION_EVENT_MAX (4 * 1024 * 1024)
#define FUNCTION_URL_MAX 8192 /* of a URL, rendered */
#define FUNCTION_RETRIES_MAX 3

/* JSON members are texts; STR_NULL: not set. */
struct function {
    struct id function_id, workspace_id, agent_id;
    int phase; /* enum function_phase */
    int64_t position;
    struct str name, description;
    int method; /* enum function_method */
    struct str url;
    struct str headers; /* in clear, lib/rules/custom_headers.h */
    bool headers_lost;  /* what is there cannot be opened: who sets other headers clears this */
    struct str query;   /* an object of strings, numbers and booleans */
    struct str body;    /* any value */
    struct str parameters, static_parameters;
    int64_t timeout_ms, retries;
    int on_error;       /* enum function_on_error */
    bool missing_fails; /* on_missing: error */
    struct str save;    /* {"variable": "$.path"} */
    int when;           /* enum function_when */
    struct str say_while_running, say_on_error;
    bool enabled;
    usec_t created_at, updated_at;
};

/* Each is a bit of what a request gave. agent_id and phase can't be changed. */
enum function_setting {
    FUNCTION_AGENT,
    FUNCTION_PHASE,
    FUNCTION_NAME,
    FUNCTION_DESCRIPTION,
    FUNCTION_METHOD,
    FUNCTION_URL,
    FUNCTION_HEADERS,
    FUNCTION_QUERY,
    FUNCTION_BODY,
    FUNCTION_PARAMETERS,
    FUNCTION_STATIC_PARAMETERS,
    FUNCTION_TIMEOUT,
    FUNCTION_RETRIES,
    FUNCTION_ON_ERROR,
    FUNCTION_ON_MISSING,
    FUNCTION_SAVE,
    FUNCTION_WHEN,
    FUNCTION_SAY_WHILE_RUNNING,
    FUNCTION_SAY_ON_ERROR,
    FUNCTION_ENABLED,
    FUNCTION_POSITION,
    FUNCTION_SETTING_COUNT
};

/* Fills *function, which holds the row that is changed (changing), or nothing yet; then checks the
 * whole: templates, schema, URL, what goes with the phase. ERR_INVALID names the field, with path
 * and position in it. ERR_NOT_FOUND: an agent_id without the form of one. */
int function_settings_read(struct pool *pool, const struct json *body, bool changing,
                           const struct url_guard *guard, struct function *function,
                           uint64_t *given_r, struct err *err) MUST_CHECK;

/* Its URL with nothing in place of its templates: what is shown of a destination. In ASCII. */
struct str function_plain_url(struct pool *pool, const struct function *function);

/* Has the path of a URL a segment "." or ".."? Values in a URL must not lead to another path. */
bool function_url_dotted(struct str url);

/* The bits of event types (lib/rules/event.h) that start a post_call function. */
unsigned function_event_mask(int when);

/* What a voice engine offers its model, of an agent's enabled during_call functions:
 * [{"name", "description", "parameters", "say_while_running"}], the last for the engine itself. */
void functions_offer(struct buf *b, const struct function *functions, size_t count);

#endif
