/*
 * caller_private.h - what caller.c (finding work), ask.c (requests) and record.c (writing) share.
 */
#ifndef HV_CALLER_PRIVATE_H
#define HV_CALLER_PRIVATE_H

#include "daemon/caller.h"
#include "daemon/turns.h"
#include "lib/voice/carrier.h"
#include "sql/fence.h"
#include "sql/steps.h"
#include "sql/watch.h"

/* Lanes that write: reports on different calls don't wait for each other. */
#define RECORD_LANES 3

/* One matter with a carrier, from its start until what came of it is written. */
enum matter_kind {
    MATTER_PLACE,    /* a carrier was asked to place a call */
    MATTER_SIMULATE, /* the simulator was: its timeline is to be written */
    MATTER_FIND,     /* a carrier was asked what became of an attempt */
    MATTER_STEP      /* a callback of the simulator was posted */
};

struct matter {
    struct matter *next;          /* in the queue of the finished */
    struct matter *newer, *older; /* among those under way */
    struct caller *caller;
    enum matter_kind kind;
    struct pool *pool; /* its own; holds it, too */
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    struct id call_id;
    enum carrier_kind carrier;
    struct carrier_report report;   /* PLACE, SIMULATE, FIND */
    struct watched_attempt watched; /* FIND */
    struct simulated_step *steps;   /* SIMULATE */
    size_t step_count;
    struct id step_id; /* STEP */
    bool step_taken;
    usec_t started_at; /* monotonic */
    usec_t ask_by;     /* PLACE: monotonic, the latest moment to dial */
};

struct caller {
    struct dispatcher *dispatcher;
    struct lane *look_lane, *record_lanes[RECORD_LANES];
    struct turns turns;  /* who has due calls, as far as known */
    usec_t looked_at;    /* monotonic; TIME_NONE: never */
    usec_t next_step_at; /* monotonic */
    bool look_wanted;
    bool drawn_out;
    bool asking, just_asked;  /* a carrier was asked in this round of the loop, in the one before */
    size_t in_flight;         /* requests under way, */
    struct matter *under_way; /* and these are they, the newest first */
    struct matter *finished, **finished_end;
    size_t finished_count; /* queued or being written */
};

/* ask.c: these start what they are named after; what comes of it is queued. The row's texts are
 * copied. ask_by (monotonic): later than that the carrier is not asked, because others may have
 * given up the attempt by then, and dialled anew. */
void ask_place(struct caller *caller, const struct fenced_call *call, usec_t ask_by);
void ask_find(struct caller *caller, const struct watched_attempt *attempt);
void ask_step(struct caller *caller, const struct step_row *step);
/* The attempt was fenced by a dispatcher that said nothing more: from now on it is unknown. */
void ask_left_behind(struct caller *caller, const struct watched_attempt *attempt);

/* record.c */
void record_add(struct caller *caller, struct matter *matter);
void record_lane_run(struct lane *lane, void *ctx);
void matter_free(struct matter *matter);

#endif
