/*
 * responder.h - what a responder program is: it takes requests one after another through the steps
 * of responder.c, and hands those that pass to the handler of their route. It keeps nothing
 * between two requests that matters: any of them can be answered by any process on any host.
 */
#ifndef HV_RESPONDER_H
#define HV_RESPONDER_H

#include "fcgi/answer.h"
#include "fcgi/known.h"
#include "fcgi/limits.h"
#include "fcgi/remote.h"
#include "fcgi/request.h"
#include "lib/base/counters.h"
#include "lib/base/crypto.h"
#include "lib/base/wake.h"

struct responder;
struct function_caller; /* fcgi/function_call.c */
struct url_guard;

/* Answers a request: fills the answer, or fails with err, from which the answer is made then. What
 * it allocates comes from rq->pool. */
typedef int handler_fn(struct responder *rs, struct request *rq, struct answer *an,
                       struct err *err);

#define X(name, method, path, handler, scope, role, body, program) handler_fn handler;
#include "fcgi/routes.def"
#undef X

struct program {
    const char *name; /* "huskyvoice-api.fcgi" */
    const char *purpose;
    enum program_bit bit;
    bool needs_keys;             /* opens stored secrets: loads the key file */
    handler_fn *const *handlers; /* ROUTE_COUNT of them; NULL for other programs' routes */
};

struct responder {
    const struct program *program;
    const struct conf *conf;
    struct keyring *ring;                /* NULL unless program->needs_keys */
    unsigned char csrf_key[SHA256_SIZE]; /* with ring */
    struct proxies proxies;              /* trusted_proxies */
    struct db *db;
    struct counters *counters; /* a row per route and one for no route; a column per status */
    struct counters *runs;     /* of functions (sql/function_counters.h) */
    struct wake_sender *wake;
    struct known *known;
    struct limits *limits;

    /* of function_call.c, from the first request that this process sends: in the voice program
     * alone, so that the others do without libcurl */
    struct function_caller *caller;
    void (*close_caller)(struct function_caller **caller);

    /* of the request under way; their memory is kept for the next */
    struct pool *pool;
    struct buf body;
    struct answer answer;
    bool schema_known;    /* the schema that was seen ... */
    unsigned schema_seen; /* ... on the connection of this generation is the one of this build */
};

/* conf and its texts must outlive it. */
int responder_init(struct responder *rs, const struct program *program, const struct conf *conf,
                   struct err *err) MUST_CHECK;
void responder_deinit(struct responder *rs);

/* Is the schema the one of this build? Looked at after each new connection: it may have been
 * migrated meanwhile. Errors as of migrate_check(). */
int responder_check_schema(struct responder *rs, struct err *err) MUST_CHECK;

/* Takes one request through all steps, answers and finishes it. */
void responder_serve(struct responder *rs, struct io *io, char *const *environ_);

/* Tells the dispatchers of this host that calls of the agent (NULL: none) are due, and which
 * destinations got deliveries. */
void responder_wake(struct responder *rs, const struct id *agent_id, const struct id *destinations,
                    size_t count);
/* The agent has calls of a batch that are due. */
void responder_wake_batch(struct responder *rs, const struct id *agent_id);
/* A call of this workspace is over. */
void responder_wake_line(struct responder *rs, const struct id *workspace_id);
/* The owner changed the destination, or it has something due at once. */
void responder_wake_changed(struct responder *rs, const struct id *destination_id);

/* 201, and where what was made is read: Location is public_url/v1/COLLECTION/ID. */
void responder_created(const struct responder *rs, struct request *rq, struct answer *an,
                       const char *collection, enum id_kind kind, const struct id *id);
/* The same of what has no id: .../COLLECTION/NAME. */
void responder_created_at(const struct responder *rs, struct request *rq, struct answer *an,
                          const char *collection, struct str name);

#endif
