/*
 * workspaces.h - a workspace as its members see and change it, and what it used, day by day.
 */
#ifndef HV_WORKSPACES_H
#define HV_WORKSPACES_H

#include "lib/rules/workspace.h"
#include "sql/accounts.h"

struct workspace_view {
    struct id workspace_id;
    struct workspace_settings set;
    enum workspace_status status;
    bool has_signing_secret;
    struct rates rates; /* subject: of each of its keys */
    usec_t created_at, updated_at;
};
/* ERR_NOT_FOUND. */
int workspaces_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct workspace_view *view_r, struct err *err) MUST_CHECK;
/* Writes the settings whose bits (enum workspace_setting) are given, and no other. */
int workspaces_change(struct db *db, const struct id *workspace_id,
                      const struct workspace_settings *set, uint64_t given,
                      struct err *err) MUST_CHECK;

/* Inside a transaction: until its end nobody fences a call that its policy or limits could stop,
 * and nobody changes that. ERR_NOT_FOUND. */
int workspaces_lock(struct db *db, const struct id *workspace_id, struct err *err) MUST_CHECK;

#endif
