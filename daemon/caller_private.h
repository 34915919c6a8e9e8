/*
 * caller_private.h - what caller.c (finding work), room.c (how much of it at once), ask.c
 * (requests), record.c (writing) and held.c (calls that wait) share.
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
    struct matter *newer, *older; /* among all there are */
    struct caller *caller;
    enum matter_kind kind;
    struct pool *pool; /* its own; holds it, too */
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    struct id call_id, workspace_id; /* zero with STEP */
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
    struct lane *look_lane, *held_lane, *record_lanes[RECORD_LANES];
    struct turns turns;  /* who has due calls, as far as known */
    usec_t looked_at;    /* monotonic; TIME_NONE: never */
    bool attended;       /* the held lane was through with all that there was */
    usec_t next_step_at; /* monotonic */
    bool look_wanted;
    bool drawn_out;
    bool asking, just_asked; /* a carrier was asked in this round of the loop, in the one before */
    struct matter *matters;  /* all that were begun and are not written yet, the newest first */
    struct matter *finished, **finished_end; /* of those, what is to be written */
};

/*
 * room.c: how many requests may be begun. Placing, looking up and the simulator's steps have
 * budgets of their own, so that none of them waits for another; and a workspace has at most as many
 * requests of a kind under way as are left for others, so that one whose carrier hangs leaves room
 * to all.
 */
enum budget { BUDGET_PLACE, BUDGET_LOOK_UP, BUDGET_STEP };
/* workspace_id NULL: of any. */
size_t room_for(const struct caller *caller, enum budget budget, const struct id *workspace_id);
/* The same as fence_ask.place_room. */
size_t room_to_place(void *caller, const struct id *workspace_id);
/* For so many that it is worth drawing them. */
bool room_for_steps(const struct caller *caller);

/* ask.c: these start what they are named after; what comes of it is queued. The row's texts are
 * copied. ask_by (monotonic): later than that the carrier is not asked, because others may have
 * given up the attempt by then, and dialled anew. */
void ask_place(struct caller *caller, const struct fenced_call *call, usec_t ask_by);
void ask_find(struct caller *caller, const struct watched_attempt *attempt);
void ask_step(struct caller *caller, const struct step_row *step);
/* The attempt was fenced by a dispatcher that said nothing more: from now on it is unknown. */
void ask_left_behind(struct caller *caller, const struct watched_attempt *attempt);

/* held.c: the lane that looks after calls that wait, of which there may be very many. */
void held_lane_run(struct lane *lane, void *ctx);

/* record.c */
void record_add(struct caller *caller, struct matter *matter);
void record_lane_run(struct lane *lane, void *ctx);
void matter_free(struct matter *matter);

#endif
