/*
 * carriers.h - carriers of workspaces: where calls are placed, how many at once, and the secret
 * that both sides sign with.
 *
 * workspace_id NULL stands for the operator, who may see and change all. ERR_NOT_FOUND: there is no
 * such carrier.
 */
#ifndef HV_CARRIERS_H
#define HV_CARRIERS_H

#include "lib/rules/cursor.h"
#include "sql/db.h"
#include "sql/secrets.h"

#define CARRIER_NAME_MAX 200
#define CARRIER_CONCURRENT_CALLS_MAX 100000
#define CARRIER_CALLS_PER_SECOND_MAX 1000

struct carrier_row {
    struct id carrier_id, workspace_id;
    enum carrier_kind kind;
    struct str name, url;                       /* url empty: the simulator */
    int64_t concurrent_calls, calls_per_second; /* 0: no limit of its own */
    usec_t created_at, updated_at;
};

/* Makes a carrier of what row has (carrier_id and times are filled in) with the secret, or one that
 * is made; *secret_r is the only clear copy, STR_NULL for the simulator, whose secret is nobody's
 * business. ERR_NOT_FOUND: no such workspace. */
int carriers_create(struct db *db, struct pool *pool, const struct keyring *ring,
                    struct carrier_row *row, struct str secret, struct str *secret_r,
                    struct err *err) MUST_CHECK;
int carriers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct carrier_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
/* Newest first. */
int carriers_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                  const struct page *page, struct carrier_row **rows_r, size_t *count_r,
                  struct page_end *end_r, struct err *err) MUST_CHECK;
int carriers_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct id *carrier_id, struct carrier_row *row_r,
                 struct err *err) MUST_CHECK;

/* Changes the row under its lock; may be called more than once. */
typedef int carrier_edit_fn(struct carrier_row *row, void *ctx, struct err *err);
int carriers_change(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct id *carrier_id, carrier_edit_fn *edit, void *ctx,
                    struct err *err) MUST_CHECK;
/* Another secret, the given or a made one, at once. ERR_CONFLICT: the simulator has none. */
int carriers_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                           const struct id *workspace_id, const struct id *carrier_id,
                           struct str secret, struct str *secret_r, struct err *err) MUST_CHECK;
/* Calls under way stay known to it. ERR_CONFLICT: an agent uses it. */
int carriers_delete(struct db *db, const struct id *workspace_id, const struct id *carrier_id,
                    struct err *err) MUST_CHECK;

#endif
