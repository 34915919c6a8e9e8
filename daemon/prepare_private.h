/*
 * prepare_private.h - what prepare.c (running functions) and prepared.c (writing what came of it)
 * share.
 */
#ifndef HV_PREPARE_PRIVATE_H
#define HV_PREPARE_PRIVATE_H

#include "daemon/prepare.h"
#include "daemon/seats.h"
#include "daemon/workflow.h"
#include "sql/call_contexts.h"
#include "sql/function_runs.h"

/* Lanes that write: one call's does not wait for another's. */
#define PREPARED_LANES 2

/* One call's way through its functions. */
struct preparation {
    struct preparation *next;          /* among those that wait, or in the queue of the finished */
    struct preparation *newer, *older; /* among those with a request under way */
    struct preparer *preparer;
    struct workflow *workflow;
    struct pool *pool; /* its own; holds it, too */
    struct function_context context;
    unsigned prepare_fence;
    size_t at;                 /* the function whose turn it is */
    unsigned tries;            /* of it */
    usec_t deadline, again_at; /* monotonic */
    usec_t clock_offset;       /* the database's clock minus the monotonic one */
    struct function_request request;
    usec_t started_at; /* monotonic */
    struct function_run *runs;
    size_t run_count, run_room;
    bool stripped;           /* the runs, of what others have said */
    enum call_error refusal; /* CALL_ERROR_NONE: it may be placed */
    struct str message;
};

struct preparer {
    struct dispatcher *dispatcher;
    struct lane *go_on_lane, *prepared_lanes[PREPARED_LANES];
    struct seats seats;            /* calls from their claim until what came of it is written */
    struct preparation *under_way; /* requests, the newest first */
    struct preparation *waiting;   /* to begin, or for another try; the newest first */
    struct preparation *finished, **finished_end;
};

/* prepared.c */
void prepared_lane_run(struct lane *lane, void *ctx);
/* Queues what came of it and wakes a lane. */
void prepared_add(struct preparer *preparer, struct preparation *preparation);

/* prepare.c: gives up its seat. */
void preparation_free(struct preparation *preparation);

#endif
