/*
 * deliver_private.h - what deliver.c (drawing), send.c (sending) and finish.c (writing) share.
 */
#ifndef HV_DELIVER_PRIVATE_H
#define HV_DELIVER_PRIVATE_H

#include "daemon/deliver.h"
#include "daemon/destination.h"
#include "lib/rules/function_run.h"
#include "lib/rules/schedule.h"

/* One delivery under way, from its claim until its result is written. */
struct sending {
    struct sending *next;          /* in its destination's queue, then in that of the finished */
    struct sending *newer, *older; /* among those under way */
    struct deliverer *deliverer;
    struct destination *destination;
    struct drawn_delivery row;
    usec_t started_at; /* database's clock */
    struct finished_delivery result;
    struct workflow *workflow;       /* to a function: what is run, */
    struct pool *pool;               /* for what is made for it, */
    struct function_request request; /* and its request; NULL, NULL and empty for endpoints */
    bool gone;                       /* 410: the endpoint wants no more */
    bool stripped;                   /* its result, of what others have said */
    char *response;                  /* kept part of the answer; ours */
    char body[];
};

struct deliverer {
    struct dispatcher *dispatcher;
    struct lane *draw_lane, *finish_lane;
    struct destinations *destinations;
    struct health_policy policy;
    struct schedule schedule;
    usec_t clock_offset;       /* database's clock minus the monotonic one */
    usec_t scanned_at;         /* monotonic; TIME_NONE: never */
    bool rescan;               /* a look for work is wanted before its time */
    bool replays;              /* replays may be due */
    bool drawn_out;            /* the last look found nothing that could be drawn */
    size_t cursor;             /* where the next draw starts among the destinations */
    size_t in_flight;          /* requests under way, */
    struct sending *under_way; /* and these are they, the newest first */
    size_t queued;             /* claimed, to be sent as windows open */
    struct pool *scratch;      /* headers of the request being started */
    struct sending *finished, **finished_end;
    size_t finished_count;
    size_t apart; /* so many of them are written one by one: the database refused one */
};

usec_t deliverer_now(const struct deliverer *deliverer);

/* send.c: a claimed delivery joins its destination's queue; sending_pump() starts what the window
 * has room for, or, when the destination is held, disabled or all is stopping, gives it back. */
struct post_calls; /* daemon/post_call.h */
void sending_add(struct deliverer *deliverer, struct destination *destination,
                 const struct drawn_delivery *row, const struct post_calls *calls);
void sending_pump(struct deliverer *deliverer, struct destination *destination);
void sending_free(struct sending *sending);
/* For the end: those under way, of which nothing more will be heard, and those not sent. */
void sending_free_all(struct deliverer *deliverer);

/* finish.c: the lane that writes. */
void finish_lane_run(struct lane *lane, void *ctx);
/* Queues a result and wakes the lane. */
void finish_add(struct deliverer *deliverer, struct sending *sending);

#endif
