/*
 * function_runs.h - what was sent for functions and what came back, and the variables that came of
 * it.
 */
#ifndef HV_FUNCTION_RUNS_H
#define HV_FUNCTION_RUNS_H

#include "lib/rules/cursor.h"
#include "lib/rules/function_run.h"
#include "sql/db.h"

struct function_run {
    struct id run_id;                             /* zero: made when it is written */
    struct id workspace_id, call_id, function_id; /* call_id zero: a trial with a sample */
    enum function_phase phase;
    int64_t attempt; /* the call's; of post_call the delivery's */
    int64_t tried;   /* 1: the first request of this run */
    bool trial;
    usec_t started_at;
    int64_t duration_ms;
    struct str request;                        /* JSON object without secrets */
    int64_t status;                            /* 0: none */
    struct str error, detail, response, saved; /* STR_NULL: none; error: run_error_text() */
    struct str function_name;                  /* read only */
};

/* A run's fields that its request (NULL: there was none) and its outcome say. */
void function_run_take(struct function_run *run, const struct function_request *request,
                       const struct function_outcome *outcome);

/* Leaves only what we say ourselves: for a run that the database refuses. */
void function_run_strip(struct function_run *run);

/* In the caller's transaction, or alone. A run_id that is there already is left as it is, but one
 * that was told as `interrupted` before it was sent now gets its end. */
int function_runs_insert(struct db *db, struct function_run *runs, size_t count,
                         struct err *err) MUST_CHECK;

/* The newest first. call_id or function_id (the other NULL); ERR_NOT_FOUND: not the workspace's. */
int function_runs_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                       const struct id *call_id, const struct id *function_id,
                       const struct page *page, struct function_run **runs_r, size_t *count_r,
                       struct page_end *end_r, struct err *err) MUST_CHECK;

/* Lays saved variables (a JSON object) over those of a call that is not over, so that two runs at a
 * time lose nothing. ERR_TOO_LARGE: they would be over VARIABLES_MAX; nothing is saved. */
int call_variables_save(struct db *db, const struct id *call_id, struct str saved,
                        struct err *err) MUST_CHECK;

#endif
