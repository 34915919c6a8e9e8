/*
 * call_contexts.h - what functions of a workflow need to know of calls (lib/rules/function_run.h),
 * read by the calls' ids.
 */
#ifndef HV_CALL_CONTEXTS_H
#define HV_CALL_CONTEXTS_H

#include "lib/rules/call.h"
#include "lib/rules/function_run.h"
#include "sql/db.h"

struct call_context {
    struct id workspace_id;
    enum call_status status;
    struct str prompt, greeting, time_zone;
    /* arguments are left out; now is the database's; result.known: the call is over */
    struct function_context function;
};

/* Those of the ids that there are, in no order; count at most DB_MANY_MAX. */
int call_contexts_read(struct db *db, struct pool *pool, const struct id *ids, size_t count,
                       struct call_context **contexts_r, size_t *count_r,
                       struct err *err) MUST_CHECK;
/* One of the workspace's. ERR_NOT_FOUND: it has no such call. */
int call_context_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                     const struct id *call_id, struct call_context *context_r,
                     struct err *err) MUST_CHECK;

/* Sets the moment that the functions' `now` is, and the zone's distance from UTC at it. A zone that
 * this host does not know counts as UTC. */
void call_context_at(struct call_context *context, usec_t now);

#endif
