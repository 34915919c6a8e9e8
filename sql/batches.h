/*
 * batches.h - calls that were made in one act: made, watched, paused, resumed, cancelled.
 */
#ifndef HV_BATCHES_H
#define HV_BATCHES_H

#include "lib/rules/batch_request.h"
#include "lib/rules/cursor.h"
#include "sql/agents.h"
#include "sql/credentials.h"
#include "sql/events.h"

/* What its owner wants of it. The order is the column's. */
#define BATCH_STATUSES(X)                                                                          \
    X(BATCH_RUNNING, "running")                                                                    \
    X(BATCH_PAUSED, "paused")                                                                      \
    X(BATCH_CANCELLED, "cancelled")
enum batch_status {
#define X(name, text) name,
    BATCH_STATUSES(X)
#undef X
        BATCH_STATUS_COUNT
};

struct batch_row {
    struct id batch_id, workspace_id, agent_id;
    struct str name;
    bool test;
    enum batch_status status;
    int64_t total;      /* calls that it made */
    int64_t disallowed; /* of them, those that policy refused at once */
    int64_t refused;    /* contacts that made none */
    usec_t scheduled_at, expires_at, created_at, updated_at;
    bool open; /* a call of it is not over */
};
/* "done" when it is neither cancelled nor open. */
const char *batch_status_shown(const struct batch_row *row);

/* ---- making: sql/batches_make.c ---- */

struct batch_new {
    const struct principal *who;
    const struct agent_facts *agent; /* NULL: there is none of this id */
    const struct batch_request *request;
    struct id batch_id;         /* made by the caller: what makes the act repeatable */
    struct str idempotency_key; /* STR_NULL: none */
    usec_t idempotency_retention;
};

struct batch_made {
    struct batch_row row; /* as it was made: running, or done when all its calls are disallowed */
    bool replayed;
    bool due_now; /* a dispatcher should be woken */
    struct wakes wakes;
};

/* Makes the batch, its calls, its refusals and the events of calls that policy refuses, in one
 * transaction: all of it or nothing is there. ERR_NOT_FOUND: the agent is none of the workspace's.
 * ERR_KEY_REUSED: same key, other request. */
int batches_create(struct db *db, struct pool *pool, const struct batch_new *batch,
                   struct batch_made *made_r, struct err *err) MUST_CHECK;
/* As calls_replay(): the first answer to this key, for a request that is wrong by now. */
int batches_replay(struct db *db, struct pool *pool, const struct batch_new *batch,
                   struct batch_made *made_r, bool *found_r, struct err *err) MUST_CHECK;

/* ---- looking, switching: sql/batches.c. workspace_id NULL: any, for the operator ---- */

/* Of these, ERR_NOT_FOUND: "No such batch." */
int batches_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct id *batch_id, struct batch_row *row_r, struct err *err) MUST_CHECK;

/* How many of its calls there are in each state, as long as they are kept. */
struct batch_counts {
    int64_t scheduled, under_way, completed, failed, cancelled, disallowed;
};
int batches_count(struct db *db, const struct id *batch_id, struct batch_counts *counts_r,
                  struct err *err) MUST_CHECK;

struct batch_filter {
    bool by_agent;
    struct id agent_id;
    struct page page;
};
/* Newest first. */
int batches_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct batch_filter *filter, struct batch_row **rows_r, size_t *count_r,
                 struct page_end *end_r, struct err *err) MUST_CHECK;

/* Up to limit refusals after that of line `after` (0: from the first). */
int batches_refusals(struct db *db, struct pool *pool, const struct id *batch_id, uint64_t after,
                     unsigned limit, struct batch_refusal **rows_r, size_t *count_r, bool *more_r,
                     struct err *err) MUST_CHECK;

/*
 * Pausing holds all of its calls that wait: none of them is dialled once this returned; what was
 * fenced before goes on, and waits too if it is to be dialled again. Running lets them go on, when
 * their time has come. Cancelling cancels those that wait, for ever. What it is already is no
 * fault. ERR_CONFLICT: it is cancelled.
 */
int batches_switch(struct db *db, const struct id *workspace_id, const struct id *batch_id,
                   enum batch_status status, struct err *err) MUST_CHECK;

/* Deletes batches older than so many days that have no calls any more, with their refusals; at most
 * `limit`. *count_r: how many. */
int batches_expire(struct db *db, const struct id *workspace_id, int64_t days, unsigned limit,
                   size_t *count_r, struct err *err) MUST_CHECK;

#endif
