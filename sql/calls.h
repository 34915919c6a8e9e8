/*
 * calls.h - calls as rows: made, read, listed, cancelled, each for the workspace of who asks. One
 * round trip each on the happy path; only when nothing came back, or what came back was a
 * duplicate, a second statement finds out why.
 */
#ifndef HV_CALLS_H
#define HV_CALLS_H

#include "lib/rules/call.h"
#include "lib/rules/call_request.h"
#include "lib/rules/cursor.h"
#include "sql/agents.h"
#include "sql/credentials.h"

/* Errors all of these share: ERR_NOT_FOUND, ERR_UNAVAILABLE. ERR_UNCERTAIN never leaves here: what
 * was uncertain was found out or repeated by its key before. */

/* One attempt to place a call, as its customer sees it; TIME_NONE: it did not come to that. */
struct call_dial {
    unsigned n;
    enum attempt_state state;
    struct str reason; /* how it ended, or STR_NULL */
    usec_t fenced_at, placed_at, ringing_at, answered_at, ended_at;
};

struct call_row {
    struct id call_id, agent_id, workspace_id;
    enum call_status status;
    bool test;
    struct str contact_number, contact_name, contact_email, additional_info;
    usec_t scheduled_at, created_at, updated_at;
    usec_t completed_at, cancelled_at; /* TIME_NONE: not yet, never */
    struct str hold_reason;
    int64_t duration_seconds; /* -1: none */
    struct str outcome, summary;
    struct str error_code, error_message;
    usec_t expires_at;       /* TIME_NONE: never */
    struct id batch_id;      /* zero: made by itself */
    struct str variables;    /* JSON object: what pre-call functions saved; STR_NULL */
    struct call_dial *dials; /* by calls_get(), in their order */
    size_t dial_count;
};

struct call_new {
    const struct principal *who;
    const struct agent_facts *agent; /* NULL: there is none of this id */
    struct id call_id;               /* made by the caller: what makes the insert repeatable */
    const struct call_request *request;
    struct str idempotency_key; /* STR_NULL: none */
    usec_t idempotency_retention;
};

struct call_made {
    struct id call_id;       /* of the stored call: an earlier one's when replayed */
    enum call_status status; /* scheduled, or disallowed; a replay gives the first answer again */
    enum call_error error;   /* with disallowed */
    bool replayed;
    bool due_now; /* a dispatcher should be woken */
    struct id agent_id;
    struct id *destinations; /* with a disallowed call's event: whom to wake for */
    size_t destination_count;
};

/* ERR_NOT_FOUND: there is no such agent, or it is another workspace's. ERR_KEY_REUSED: same key,
 * other request. A suspended workspace, a disabled agent, a number of a type that may not be called
 * or that is suppressed makes the call with status disallowed, and its event, in one commit. */
int calls_create(struct db *db, struct pool *pool, const struct call_new *call,
                 struct call_made *made_r, struct err *err) MUST_CHECK;

/* For a request that is refused for what it says, before that is told: has it been answered before,
 * under this Idempotency-Key, when it was still right? Then *found_r and the first answer again.
 * Only who asks, the key and the request's fingerprint are looked at. */
int calls_replay(struct db *db, struct pool *pool, const struct call_new *call,
                 struct call_made *made_r, bool *found_r, struct err *err) MUST_CHECK;

int calls_get(struct db *db, struct pool *pool, const struct id *workspace_id,
              const struct id *call_id, struct call_row *row_r, struct err *err) MUST_CHECK;

/* ERR_NOT_CANCELLABLE once it has started or is over; a second cancel gives the same moment. */
int calls_cancel(struct db *db, const struct id *workspace_id, const struct id *call_id,
                 usec_t *cancelled_at_r, struct err *err) MUST_CHECK;

struct call_filter {
    bool by_status, by_agent, by_batch;
    enum call_status status;
    struct id agent_id, batch_id;
    struct str contact_number;            /* STR_NULL: any */
    usec_t created_after, created_before; /* exclusive; TIME_NONE: open */
    struct page page;
};
/* Newest first. */
int calls_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct call_filter *filter, struct call_row **rows_r, size_t *count_r,
               struct page_end *end_r, struct err *err) MUST_CHECK;

/* The same of all workspaces, for the operator: workspace_id NULL lists all workspaces'. */
int calls_list_operator(struct db *db, struct pool *pool, const struct id *workspace_id,
                        unsigned limit, struct call_row **rows_r, size_t *count_r,
                        struct err *err) MUST_CHECK;
int calls_get_operator(struct db *db, struct pool *pool, const struct id *call_id,
                       struct call_row *row_r, struct err *err) MUST_CHECK;

#endif
