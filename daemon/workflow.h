/*
 * workflow.h - functions as the dispatcher runs them: read with their secrets, and kept by whoever
 * has one of them under way, whatever its owner changes meanwhile.
 */
#ifndef HV_WORKFLOW_H
#define HV_WORKFLOW_H

#include "daemon/dispatcher.h"
#include "lib/rules/function.h"

struct workflow {
    struct pool *pool; /* its own; holds it, too */
    unsigned references;
    struct id workspace_id;
    struct function *functions;
    size_t function_count;
    struct str *secrets; /* that requests are signed with, the newest first */
    size_t secret_count;
};

/* An agent's functions of a phase, in their order; there may be none. */
int workflow_of_agent(const struct dispatcher *d, struct db *db, const struct id *workspace_id,
                      const struct id *agent_id, enum function_phase phase,
                      struct workflow **workflow_r, struct err *err) MUST_CHECK;
/* One function. ERR_NOT_FOUND: it was deleted. */
int workflow_of_function(const struct dispatcher *d, struct db *db, const struct id *workspace_id,
                         const struct id *function_id, struct workflow **workflow_r,
                         struct err *err) MUST_CHECK;

/* Whoever read it has one reference. */
struct workflow *workflow_keep(struct workflow *workflow);
void workflow_release(struct workflow **workflow); /* NULL stays NULL */

#endif
