/*
 * functions.h - the functions of agents' workflows: made, listed, changed, ordered, deleted.
 *
 * A post_call function is a destination of the same id, too (kind function), so that the outbox
 * delivers to it; both rows are written in one transaction.
 */
#ifndef HV_FUNCTIONS_H
#define HV_FUNCTIONS_H

#include "lib/rules/cursor.h"
#include "lib/rules/function.h"
#include "sql/db.h"
#include "sql/secrets.h"

#define FUNCTIONS_PER_AGENT_MAX 20

/* workspace_id below: whose it must be. ERR_NOT_FOUND: unknown, deleted or another's. */

/* Fills in function_id, position (the last of its phase) and created_at. ERR_NOT_FOUND: no such
 * agent; ERR_CONFLICT: the agent has one of this name, or as many as it may have. */
int functions_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct function *function, struct err *err) MUST_CHECK;
int functions_get(struct db *db, struct pool *pool, const struct keyring *ring,
                  const struct id *workspace_id, const struct id *function_id,
                  struct function *function_r, struct err *err) MUST_CHECK;
/* Of a workspace, the newest first. */
int functions_page(struct db *db, struct pool *pool, const struct keyring *ring,
                   const struct id *workspace_id, const struct page *page,
                   struct function **functions_r, size_t *count_r, struct page_end *end_r,
                   struct err *err) MUST_CHECK;
/* All of an agent's, by phase and in their order; none of one that is not the workspace's. */
int functions_of_agent(struct db *db, struct pool *pool, const struct keyring *ring,
                       const struct id *workspace_id, const struct id *agent_id,
                       struct function **functions_r, size_t *count_r, struct err *err) MUST_CHECK;
/* What is run: headers in clear, or lost (function.headers_lost).
 * The enabled ones of an agent in a phase, in their order. */
int functions_to_run(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *agent_id, enum function_phase phase,
                     struct function **functions_r, size_t *count_r, struct err *err) MUST_CHECK;

/* A post-call function, that also runs for what was under way when its agent was deleted. */
int functions_to_finish(struct db *db, struct pool *pool, const struct keyring *ring,
                        const struct id *workspace_id, const struct id *function_id,
                        struct function *function_r, struct err *err) MUST_CHECK;

/* Makes of the row, as it is now and locked, what it shall be. May be called more than once. */
typedef int function_edit_fn(struct function *function, void *ctx, struct err *err);
/* A changed position is where it is moved to among those of its agent and phase, 0 the first, the
 * end at most. ERR_CONFLICT: the name is taken. */
int functions_change(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *workspace_id, const struct id *function_id,
                     function_edit_fn *edit, void *ctx, struct err *err) MUST_CHECK;
/* Its runs stay; its name is free again. */
int functions_delete(struct db *db, const struct id *workspace_id, const struct id *function_id,
                     struct err *err) MUST_CHECK;

#endif
