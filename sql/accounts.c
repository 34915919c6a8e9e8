/*
 * accounts.c - workspaces and their API keys.
 */
#include "sql/accounts.h"
#include "lib/base/crypto.h"
#include "sql/ids.h"
#include "sql/list.h"

#include <string.h>

static const char *const status_texts[] = {
#define X(name, text) text,
    WORKSPACE_STATUSES(X)
#undef X
};
_Static_assert(sizeof(status_texts) / sizeof(status_texts[0]) == WORKSPACE_STATUS_COUNT,
               "a text per status");

const char *workspace_status_text(enum workspace_status s)
{
    return (size_t)s < WORKSPACE_STATUS_COUNT ? status_texts[s] : "?";
}

/* ---- workspaces ---- */

int workspaces_create(struct db *db, struct str name, struct workspace_row *row_r, struct err *err)
{
    struct id id = id_new();
    struct query *q = db_use(db, STMT_WORKSPACE_INSERT);

    query_bind_id(q, &id);
    query_bind_str(q, name);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "a new workspace gave no row");
    *row_r = (struct workspace_row){.workspace_id = id,
                                    .name = name,
                                    .time_zone = STR("Asia/Kolkata"),
                                    .status = WORKSPACE_ACTIVE,
                                    .created_at = query_time(q)};
    return 0;
}

static void read_workspace(struct query *q, struct pool *pool, struct workspace_row *row)
{
    query_id(q, &row->workspace_id);
    row->name = query_str(q, pool);
    row->time_zone = query_str(q, pool);
    row->status = (enum workspace_status)(query_i64(q) - 1);
    row->rates.subject = rates_column(q);
    row->rates.workspace = rates_column(q);
    row->created_at = query_time(q);
}

int workspaces_list(struct db *db, struct pool *pool, struct workspace_row **rows_r,
                    size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_LIST);
    size_t room = 0;

    *count_r = 0;
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_workspace(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

int workspaces_set_status(struct db *db, const struct id *workspace_id,
                          enum workspace_status status, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_SET_STATUS);

    query_bind_str(q, str_of(workspace_status_text(status)));
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    return 0;
}

int workspaces_set_rates(struct db *db, const struct id *workspace_id, const int64_t *key_rate,
                         const int64_t *rate, struct rates *rates_r, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_SET_RATES);

    query_bind_i64(q, key_rate != NULL);
    rates_bind(q, key_rate != NULL ? *key_rate : RATE_DEFAULT);
    query_bind_i64(q, rate != NULL);
    rates_bind(q, rate != NULL ? *rate : RATE_DEFAULT);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    q = db_use(db, STMT_WORKSPACE_RATES);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    rates_r->subject = rates_column(q);
    rates_r->workspace = rates_column(q);
    return 0;
}

int workspaces_exists(struct db *db, const struct id *workspace_id, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_EXISTS);

    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_next(q) ? 1 : 0;
}

/* ---- scopes ---- */

static const struct {
    unsigned bit;
    const char *text;
} scope_texts[] = {{SCOPE_CALLS, "calls"}, {SCOPE_MANAGE, "manage"}};
#define SCOPE_COUNT (sizeof(scope_texts) / sizeof(scope_texts[0]))

int scopes_parse(struct str text, unsigned *scopes_r, struct err *err)
{
    struct str part;

    *scopes_r = 0;
    while (str_split(&text, ',', &part)) {
        size_t i = 0;
        part = str_trim(part);
        while (i < SCOPE_COUNT && !str_is(part, scope_texts[i].text))
            i++;
        if (i == SCOPE_COUNT)
            return err_set(err, ERR_INVALID, "'%.*s' is no scope; there are calls and manage",
                           STR_ARG(part));
        *scopes_r |= scope_texts[i].bit;
    }
    if (*scopes_r == 0)
        return err_set(err, ERR_INVALID, "at least one of calls and manage is needed");
    return 0;
}

void scopes_format(unsigned scopes, char out[SCOPES_TEXT_SIZE])
{
    out[0] = '\0';
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (!(scopes & scope_texts[i].bit))
            continue;
        if (out[0] != '\0')
            strcat(out, ",");
        strcat(out, scope_texts[i].text);
    }
}

/* ---- API keys ---- */

static void make_key(bool test, char key_r[API_KEY_TEXT_SIZE])
{
    unsigned char random[API_KEY_RANDOM];

    crypto_random(random, sizeof(random));
    memcpy(key_r, test ? "sk_test_" : "sk_live_", 8);
    base32_encode(random, sizeof(random), key_r + 8);
    crypto_wipe(random, sizeof(random));
}

int api_keys_create(struct db *db, const struct api_key_new *key, struct id *key_id_r,
                    char key_r[API_KEY_TEXT_SIZE], struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    struct query *q = db_use(db, STMT_API_KEY_INSERT);

    *key_id_r = id_new();
    make_key(key->test, key_r);
    crypto_sha256(str_of(key_r), hash);
    query_bind_id(q, key_id_r);
    query_bind_bytes(q, hash, sizeof(hash));
    query_bind_str(q, (struct str){key_r, API_KEY_PREFIX});
    query_bind_str(q, key->name);
    query_bind_i64(q, key->test);
    query_bind_i64(q, key->scopes);
    query_bind_id(q, &key->workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    return 0;
}

static void read_key(struct query *q, struct pool *pool, struct api_key_row *row)
{
    query_id(q, &row->key_id);
    query_id(q, &row->workspace_id);
    row->prefix = query_str(q, pool);
    row->name = query_str(q, pool);
    row->test = query_i64(q) != 0;
    row->scopes = (unsigned)query_i64(q);
    row->created_at = query_time(q);
    row->last_used_at = query_time(q);
    row->revoked_at = query_time(q);
    row->rate_per_minute = rates_column(q);
}

int api_keys_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct api_key_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_key(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

int api_keys_set_rate(struct db *db, const struct id *key_id, int64_t rate, struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_SET_RATE);

    rates_bind(q, rate);
    query_bind_id(q, key_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such key");
    return 0;
}

int api_keys_revoke(struct db *db, const struct id *key_id, struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_REVOKE);

    query_bind_id(q, key_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such key");
    return 0;
}

/* ---- a workspace's own keys ---- */

int api_keys_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct id *key_id, struct api_key_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_GET);

    query_bind_id(q, key_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such key");
    read_key(q, pool, row_r);
    return 0;
}

int api_keys_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                  const struct api_key_filter *filter, struct api_key_row **rows_r, size_t *count_r,
                  struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_PAGE);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    list_bind_page(q, &filter->page);
    query_bind_i64(q, filter->revoked);
    query_bind_i64(q, filter->revoked);
    query_bind_i64(q, filter->page.limit + 1);
    if (query_run_again(q, err) < 0)
        return -1;
    while (list_page_next(q, &filter->page, *count_r, end_r)) {
        struct api_key_row *row = LIST_NEXT(pool, rows_r, count_r, &room);
        read_key(q, pool, row);
        end_r->cursor = (struct cursor){row->created_at, row->key_id};
    }
    return 0;
}

int api_keys_revoke_own(struct db *db, const struct id *workspace_id, const struct id *key_id,
                        struct err *err)
{
    struct query *q = db_use(db, STMT_API_KEY_REVOKE_OWN);

    query_bind_id(q, key_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such key");
    return 0;
}
