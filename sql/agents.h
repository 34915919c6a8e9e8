/*
 * agents.h - agents: who calls, with which words, through which carrier, and when. A deleted agent
 * keeps its row, for the calls that it made, and is not found any more.
 */
#ifndef HV_AGENTS_H
#define HV_AGENTS_H

#include "lib/rules/agent.h"
#include "lib/rules/cursor.h"
#include "sql/db.h"

struct agent_row {
    struct id agent_id, workspace_id;
    struct agent_settings set;
    usec_t created_at, updated_at;
};

/* Makes an agent of what row has (agent_id and the times are filled in). ERR_NOT_FOUND: no such
 * workspace, or the carrier is not the workspace's. */
int agents_create(struct db *db, struct agent_row *row, struct err *err) MUST_CHECK;
/* workspace_id NULL: all workspaces'. */
int agents_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                struct agent_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
/* For the operator. ERR_NOT_FOUND. Calls of a disabled agent become `disallowed`. */
int agents_set_enabled(struct db *db, const struct id *agent_id, bool enabled,
                       struct err *err) MUST_CHECK;

/* ---- a workspace's own: ERR_NOT_FOUND for what is another's ---- */

int agents_get(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct id *agent_id, struct agent_row *row_r, struct err *err) MUST_CHECK;
struct agent_filter {
    int enabled; /* -1: either */
    struct page page;
};
int agents_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct agent_filter *filter, struct agent_row **rows_r, size_t *count_r,
                struct page_end *end_r, struct err *err) MUST_CHECK;
/* Writes the settings whose bits (enum agent_setting) are given, and no other: what somebody else
 * changes at the same time is kept. With ERR_NOT_FOUND *no_carrier_r says that the agent is there,
 * but not the carrier that it should get. */
int agents_change(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                  const struct agent_settings *set, uint64_t given, bool *no_carrier_r,
                  struct err *err) MUST_CHECK;
/* Its calls that wait become `disallowed` when their time comes. */
int agents_delete(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                  struct err *err) MUST_CHECK;

/* What making a call must know of its agent. */
struct agent_facts {
    struct id agent_id, workspace_id;
    bool enabled;
    unsigned start_delay_seconds;
    unsigned number_types; /* the workspace's: a bit per enum phone_kind that it calls */
    bool suppresses;       /* the workspace has numbers that must not be called */
};
/* ERR_NOT_FOUND: there is none, of any workspace. */
int agents_facts(struct db *db, const struct id *agent_id, struct agent_facts *facts_r,
                 struct err *err) MUST_CHECK;

#endif
