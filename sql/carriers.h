/*
 * carriers.h - carriers of workspaces, for the operator: where calls are placed, and the secret
 * that both sides sign with.
 */
#ifndef HV_CARRIERS_H
#define HV_CARRIERS_H

#include "sql/db.h"
#include "sql/secrets.h"

struct carrier_row {
    struct id carrier_id, workspace_id;
    enum carrier_kind kind;
    struct str name, url; /* url empty: the simulator */
    usec_t created_at;
};

/* Makes a carrier of what row has (carrier_id and created_at are filled in) with a secret made
 * here; *secret_r is the only clear copy, STR_NULL for the simulator, whose secret is nobody's
 * business. ERR_NOT_FOUND: no such workspace. */
int carriers_create(struct db *db, struct pool *pool, const struct keyring *ring,
                    struct carrier_row *row, struct str *secret_r, struct err *err) MUST_CHECK;
/* workspace_id NULL: all workspaces'. */
int carriers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct carrier_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;

#endif
