/*
 * agents.h - agents, for the operator: who calls, with which words, through which carrier.
 */
#ifndef HV_AGENTS_H
#define HV_AGENTS_H

#include "sql/db.h"

struct agent_row {
    struct id agent_id, workspace_id;
    struct id carrier_id; /* zero: the simulator */
    struct str name, prompt, greeting, from_number;
    bool enabled, redial_on_unknown;
    int64_t start_delay_seconds, ring_timeout_seconds, max_duration_seconds;
    usec_t created_at;
};

/* Makes an enabled agent of what row has (agent_id, enabled and created_at are filled in).
 * ERR_NOT_FOUND: no such workspace, or the carrier is not the workspace's. */
int agents_create(struct db *db, struct agent_row *row, struct err *err) MUST_CHECK;
/* workspace_id NULL: all workspaces'. */
int agents_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                struct agent_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND. Calls of a disabled agent become `disallowed`. */
int agents_set_enabled(struct db *db, const struct id *agent_id, bool enabled,
                       struct err *err) MUST_CHECK;

/* What making a call must know of its agent. */
struct agent_facts {
    struct id agent_id, workspace_id;
    bool enabled;
    unsigned start_delay_seconds;
};
/* ERR_NOT_FOUND: there is none, of any workspace. */
int agents_facts(struct db *db, const struct id *agent_id, struct agent_facts *facts_r,
                 struct err *err) MUST_CHECK;

#endif
