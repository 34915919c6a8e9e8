/*
 * fence_private.h - what fence.c (the transaction), fence_draw.c (what it reads), fence_counts.c
 * (what is counted, under lock), fence_judge.c (what becomes of a call) and fence_write.c (writing
 * that) share.
 */
#ifndef HV_FENCE_PRIVATE_H
#define HV_FENCE_PRIVATE_H

#include "lib/rules/policy.h"
#include "sql/batches.h"
#include "sql/fence.h"
#include "sql/refusals.h"

#define NO_LIMIT INT64_MAX

/* An agent with all that placing needs of it, of its workspace and of its carrier. Limits of 0:
 * none. */
struct placing_agent {
    struct fenced_call common; /* what all its calls share */
    bool enabled, workspace_active, redial_on_unknown;
    bool prepares, offers; /* has functions to run before a call, during it */
    const struct zone *zone;
    struct policy real, simulated; /* for calls through a carrier, and for others */
    int64_t lines, calls_per_day;  /* its own */
    int64_t workspace_lines, workspace_calls_per_day;
    int64_t carrier_lines, carrier_per_second;
};

/* Must the workspace be locked? Where calls are counted, or held. */
bool fence_is_counted(const struct placing_agent *a);

/* What is left, at a moment; taken from as calls are let through. NO_LIMIT for what has none. */
struct fence_room {
    usec_t now;
    int64_t agent_lines, workspace_lines, carrier_lines;
    int64_t agent_day, workspace_day;
    /* A call that was made by itself waits: for a line of the workspace; of this very agent. */
    bool singles_first, own_singles_first;
    size_t pace; /* dials that the carrier's pace lets go now */
    usec_t paced_until;
};

enum fate {
    FATE_LEFT,
    FATE_WAIT, /* for a line, or its carrier's pace */
    FATE_PLACE,
    FATE_PREPARE,
    FATE_HOLD,
    FATE_REFUSE,
    FATE_PAUSED,   /* it came back to wait, a retry or prepared, when its batch was paused ... */
    FATE_CANCELLED /* ... or cancelled */
};

struct drawn_call {
    struct fenced_call call;
    bool simulated;
    bool dialled;           /* call.initiated was told */
    bool prepared;          /* for the attempt that is next */
    struct str hold_reason; /* as it stands */
    unsigned prepare_fence;
    enum batch_status batch; /* running, too, when it is of none */
    struct policy_call facts;
    enum fate fate;
    struct policy_verdict verdict; /* with FATE_WAIT, FATE_HOLD and FATE_REFUSE */
};

/* fence_draw.c. */
int fence_read_agent(struct db *db, struct pool *pool, const struct id *agent_id,
                     struct placing_agent *a, struct err *err) MUST_CHECK;
/* Up to limit due calls, locked; *now_r is left alone when there are none. tests: only test calls,
 * among those in front. */
int fence_draw(struct db *db, struct pool *pool, const struct placing_agent *a,
               const struct calls_of *of, bool tests, size_t limit, struct drawn_call **drawn_r,
               size_t *count_r, usec_t *now_r, struct err *err) MUST_CHECK;

/* fence_judge.c: sets the fate, takes what it needs of the room, and tells the result. */
void fence_judge(const struct placing_agent *a, struct drawn_call *d, struct fence_room *room,
                 const struct fence_ask *ask, struct fence_result *result);

/* fence_counts.c. The workspace's row is locked first, so that what is counted stays true. */
int fence_lock(struct db *db, const struct placing_agent *a, struct err *err) MUST_CHECK;
int fence_read_room(struct db *db, const struct placing_agent *a, const struct fence_ask *ask,
                    struct fence_room *room_r, struct err *err) MUST_CHECK;
/* Fills the facts of the drawn calls' numbers. */
int fence_read_numbers(struct db *db, struct pool *pool, const struct placing_agent *a, usec_t now,
                       struct drawn_call *calls, size_t count, struct err *err) MUST_CHECK;

/* fence_offer.c: the agent's during-call functions, as JSON. */
int fence_read_offer(struct db *db, struct pool *pool, const struct id *agent_id,
                     struct str *offer_r, struct err *err) MUST_CHECK;

/* fence_write.c. Each writes the calls of one fate. */
int fence_write_attempts(struct db *db, const struct conf *conf, const struct placing_agent *a,
                         usec_t now, const struct fenced_call *calls, size_t count,
                         struct err *err) MUST_CHECK;
/* Those, against the caps of the day and the carrier's pace. */
int fence_count_dials(struct db *db, const struct placing_agent *a, const struct fence_room *room,
                      const struct fenced_call *calls, size_t count, struct err *err) MUST_CHECK;
int fence_write_preparing(struct db *db, const struct conf *conf,
                          const struct call_to_prepare *calls, size_t count,
                          struct err *err) MUST_CHECK;
int fence_write_holds(struct db *db, const struct drawn_call *calls, size_t count,
                      struct err *err) MUST_CHECK;
/* Those of batches that are paused or cancelled. */
int fence_write_batched(struct db *db, const struct drawn_call *calls, size_t count,
                        struct err *err) MUST_CHECK;
int fence_write_waiting(struct db *db, const struct drawn_call *calls, size_t count,
                        struct err *err) MUST_CHECK;

#endif
