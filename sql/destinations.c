/*
 * destinations.c - webhook endpoints: made, listed, switched, given a new secret.
 */
#include "sql/destinations.h"
#include "lib/rules/signature.h"
#include "sql/ids.h"
#include "sql/list.h"

static const char *const status_texts[] = {
#define X(name, text) text,
    DESTINATION_STATUSES(X)
#undef X
};
_Static_assert(sizeof(status_texts) / sizeof(status_texts[0]) == DESTINATION_STATUS_COUNT,
               "a text per status");

const char *destination_status_text(enum destination_status s)
{
    return (size_t)s < DESTINATION_STATUS_COUNT ? status_texts[s] : "?";
}

static struct str given_or_made(struct str secret, struct pool *pool)
{
    if (secret.p != NULL)
        return secret;
    unsigned char random[32];
    char *text = pool_alloc(pool, SECRET_TEXT_SIZE);
    crypto_random(random, sizeof(random));
    secret_make(random, text);
    crypto_wipe(random, sizeof(random));
    return str_of(text);
}

int endpoints_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct endpoint_row *row, struct str secret, struct str *secret_r,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_INSERT);

    row->endpoint_id = id_new();
    row->status = DESTINATION_ENABLED;
    *secret_r = given_or_made(secret, pool);
    struct str sealed = secret_seal(ring, &row->endpoint_id, *secret_r, pool);
    query_bind_id(q, &row->endpoint_id);
    query_bind_str(q, row->url);
    query_bind_str(q, row->description);
    query_bind_i64(q, row->events);
    query_bind_bytes(q, sealed.p, sealed.n);
    query_bind_i64(q, row->timeout_seconds);
    query_bind_i64(q, row->max_in_flight);
    query_bind_id(q, &row->workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    row->created_at = query_time(q);
    return 0;
}

static void read_endpoint(struct query *q, struct pool *pool, struct endpoint_row *row)
{
    query_id(q, &row->endpoint_id);
    query_id(q, &row->workspace_id);
    row->url = query_str(q, pool);
    row->description = query_str(q, pool);
    row->events = (unsigned)query_i64(q);
    row->timeout_seconds = query_i64(q);
    row->max_in_flight = query_i64(q);
    row->status = (enum destination_status)(query_i64(q) - 1);
    row->status_reason = query_str(q, pool);
    row->failures = query_i64(q);
    row->held_until = query_time(q);
    row->created_at = query_time(q);
}

int endpoints_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct endpoint_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_endpoint(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

static int not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such webhook endpoint");
}

int endpoints_enable(struct db *db, const struct id *endpoint_id, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_ENABLE);

    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : not_found(err);
}

int endpoints_disable(struct db *db, const struct id *endpoint_id, struct str reason,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_DISABLE);

    query_bind_str(q, reason);
    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : not_found(err);
}

/* Nothing was switched: is it unknown, or in a state that pausing has nothing to do with? */
static int why_not_switched(struct db *db, const struct id *endpoint_id, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_STATUS);

    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    return err_set(err, ERR_CONFLICT, "the webhook endpoint is disabled: enable it");
}

static int switch_status(struct db *db, const struct id *endpoint_id, enum destination_status to,
                         struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_SWITCH);

    query_bind_str(q, str_of(destination_status_text(to)));
    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : why_not_switched(db, endpoint_id, err);
}

int endpoints_pause(struct db *db, const struct id *endpoint_id, struct err *err)
{
    return switch_status(db, endpoint_id, DESTINATION_PAUSED, err);
}

int endpoints_resume(struct db *db, const struct id *endpoint_id, struct err *err)
{
    return switch_status(db, endpoint_id, DESTINATION_ENABLED, err);
}

int endpoints_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                            const struct id *endpoint_id, struct str secret, usec_t grace,
                            struct str *secret_r, usec_t *previous_until_r, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_ROTATE);

    *secret_r = given_or_made(secret, pool);
    struct str sealed = secret_seal(ring, endpoint_id, *secret_r, pool);
    query_bind_i64(q, grace);
    query_bind_i64(q, grace);
    query_bind_i64(q, grace);
    query_bind_bytes(q, sealed.p, sealed.n);
    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return not_found(err);
    q = db_use(db, STMT_ENDPOINT_STATUS);
    query_bind_id(q, endpoint_id);
    if (query_run_again(q, err) < 0)
        return -1;
    *previous_until_r = TIME_NONE;
    if (query_next(q)) {
        query_skip(q, 1);
        *previous_until_r = query_time(q);
    }
    return 0;
}
