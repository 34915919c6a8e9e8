/*
 * carriers.c - carriers as the operator makes them.
 */
#include "sql/carriers.h"
#include "lib/rules/signature.h"
#include "sql/ids.h"
#include "sql/list.h"

static struct str make_secret(struct pool *pool)
{
    unsigned char random[32];
    char *text = pool_alloc(pool, SECRET_TEXT_SIZE);

    crypto_random(random, sizeof(random));
    secret_make(random, text);
    crypto_wipe(random, sizeof(random));
    return str_of(text);
}

int carriers_create(struct db *db, struct pool *pool, const struct keyring *ring,
                    struct carrier_row *row, struct str *secret_r, struct err *err)
{
    struct str sealed = STR("");

    row->carrier_id = id_new();
    *secret_r = STR_NULL;
    if (row->kind != CARRIER_SIMULATOR) {
        *secret_r = make_secret(pool);
        sealed = secret_seal(ring, &row->carrier_id, *secret_r, pool);
    }
    struct query *q = db_use(db, STMT_CARRIER_INSERT);
    query_bind_id(q, &row->carrier_id);
    query_bind_str(q, str_of(carrier_kind_text(row->kind)));
    query_bind_str(q, row->name);
    query_bind_str(q, row->url);
    query_bind_bytes(q, sealed.p, sealed.n);
    query_bind_id(q, &row->workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    row->created_at = query_time(q);
    return 0;
}

static void read_carrier(struct query *q, struct pool *pool, struct carrier_row *row)
{
    query_id(q, &row->carrier_id);
    query_id(q, &row->workspace_id);
    row->kind = (enum carrier_kind)(query_i64(q) - 1);
    row->name = query_str(q, pool);
    row->url = query_str(q, pool);
    row->created_at = query_time(q);
}

int carriers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct carrier_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CARRIER_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_carrier(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}
