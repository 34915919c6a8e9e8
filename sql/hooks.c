/*
 * hooks.c - rows of hooks and of their tokens. Whatever writes to both does so in one transaction,
 * which begins with the hook's row, locked.
 */
#include "sql/hooks.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/transaction.h"

#include <string.h>

/* Later than any row; DATETIME's own end is 9999. */
#define TIME_FAR ((usec_t)253370764800 * USEC_PER_S)

static const char *const status_texts[] = {
#define X(name, text) text,
    HOOK_STATUSES(X)
#undef X
};
_Static_assert(sizeof status_texts / sizeof *status_texts == HOOK_STATUS_COUNT,
               "a text per status");

const char *hook_status_text(enum hook_status s)
{
    return (size_t)s < HOOK_STATUS_COUNT ? status_texts[s] : "?";
}

int hooks_not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such inbound hook.");
}

/* ---- tokens ---- */

struct token {
    char text[HOOK_TOKEN_TEXT_SIZE];
    unsigned char hash[SHA256_SIZE];
};

static struct token make_token(void)
{
    unsigned char random[HOOK_TOKEN_RANDOM];
    struct token token;
    crypto_random(random, sizeof random);
    memcpy(token.text, "tok_", 4);
    base32_encode(random, sizeof random, token.text + 4);
    crypto_wipe(random, sizeof random);
    crypto_sha256(str_of(token.text), token.hash);
    return token;
}

static int insert_token(struct db *db, const struct id *hook_id, const struct token *token,
                        struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_TOKEN_INSERT);
    query_bind_bytes(q, token->hash, sizeof token->hash);
    query_bind_id(q, hook_id);
    query_bind_bytes(q, token->text, HOOK_HINT);
    return query_run(q, err);
}

static int token_exists(struct db *db, const struct token *token, bool *exists_r, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_TOKEN_EXISTS);
    query_bind_bytes(q, token->hash, sizeof token->hash);
    if (query_run(q, err))
        return -1;
    *exists_r = query_next(q);
    return 0;
}

/* ---- transactions ---- */

struct work {
    const struct id *workspace_id, *hook_id;
    const struct token *token; /* what is written, if a token is */
    struct str name, sealed;
    usec_t grace;
    unsigned tries;
};

static int lock_hook(struct db *db, const struct work *work, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_LOCK);
    query_bind_id(q, work->hook_id);
    query_bind_id(q, work->workspace_id);
    query_bind_id(q, work->workspace_id);
    if (query_run(q, err))
        return -1;
    return query_next(q) ? 0 : hooks_not_found(err);
}

/* ---- made and read ---- */

static int write_new(struct db *db, void *ctx, struct err *err)
{
    const struct work *work = ctx;
    bool written;
    if (token_exists(db, work->token, &written, err))
        return -1;
    if (written)
        return 0;
    struct query *q = db_use(db, STMT_HOOK_INSERT);
    query_bind_id(q, work->hook_id);
    query_bind_str(q, work->name);
    query_bind_blob(q, work->sealed);
    query_bind_id(q, work->workspace_id);
    if (query_run(q, err))
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    return insert_token(db, work->hook_id, work->token, err);
}

int hooks_create(struct db *db, struct pool *pool, const struct keyring *ring,
                 const struct hook_change *hook, struct hook_row *row,
                 char token_r[HOOK_TOKEN_TEXT_SIZE], struct err *err)
{
    struct token token = make_token();
    struct id hook_id = id_new(), workspace_id = row->workspace_id;
    struct work work = {.workspace_id = &workspace_id,
                        .hook_id = &hook_id,
                        .token = &token,
                        .name = hook->set_name ? hook->name : STR(""),
                        .sealed = secret_seal(ring, &hook_id, hook->secret, pool)};
    int status = transaction_run(db, write_new, &work, err);
    if (status == 0) {
        memcpy(token_r, token.text, sizeof token.text);
        status = hooks_get(db, pool, &workspace_id, &hook_id, row, err);
    }
    crypto_wipe(&token, sizeof token);
    return status;
}

static void read_row(struct query *q, struct pool *pool, struct hook_row *row)
{
    query_id(q, &row->hook_id);
    query_id(q, &row->workspace_id);
    row->name = query_str(q, pool);
    row->is_signed = query_i64(q) != 0;
    row->status = (enum hook_status)(query_i64(q) - 1);
    row->hint = query_str(q, pool);
    row->previous_until = query_time(q);
    row->last_used_at = query_time(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
}

int hooks_get(struct db *db, struct pool *pool, const struct id *workspace_id,
              const struct id *hook_id, struct hook_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_GET);
    query_bind_id(q, hook_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return hooks_not_found(err);
    read_row(q, pool, row_r);
    return 0;
}

int hooks_list(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct page *page, struct hook_row **rows_r, size_t *count_r,
               struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_LIST);
    usec_t from = page->from_cursor ? page->cursor.created_at : TIME_FAR;
    query_bind_id(q, workspace_id);
    query_bind_time(q, from);
    query_bind_time(q, from);
    query_bind_id(q, &page->cursor.id);
    query_bind_i64(q, page->limit + 1);
    if (query_run_again(q, err))
        return -1;
    struct hook_row *rows = pool_new(pool, struct hook_row, page->limit);
    size_t count = 0;
    end_r->more = false;
    while (query_next(q)) {
        if (count == page->limit) {
            end_r->more = true;
            break;
        }
        read_row(q, pool, &rows[count++]);
    }
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].hook_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

int hooks_list_operator(struct db *db, struct pool *pool, const struct id *workspace_id,
                        struct hook_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_LIST_OPERATOR);
    size_t room = 0;
    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    while (query_next(q))
        read_row(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

/* ---- changed ---- */

int hooks_change(struct db *db, struct pool *pool, const struct keyring *ring,
                 const struct id *workspace_id, const struct id *hook_id,
                 const struct hook_change *change, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_CHANGE);
    query_bind_i64(q, change->set_name);
    query_bind_str(q, change->set_name ? change->name : STR_NULL);
    query_bind_i64(q, change->set_secret);
    query_bind_blob(q, change->set_secret ? secret_seal(ring, hook_id, change->secret, pool)
                                          : STR_NULL);
    query_bind_id(q, hook_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    return query_affected(q) > 0 ? 0 : hooks_not_found(err);
}

int hooks_switch(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 enum hook_status status, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_SWITCH);
    query_bind_str(q, str_of(hook_status_text(status)));
    query_bind_id(q, hook_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err))
        return -1;
    return query_affected(q) > 0 ? 0 : hooks_not_found(err);
}

static int write_deleted(struct db *db, void *ctx, struct err *err)
{
    struct work *work = ctx;
    bool again = work->tries++ > 0;
    if (lock_hook(db, work, err)) /* a try of which no answer came may have deleted it */
        return again && err->code == ERR_NOT_FOUND ? 0 : -1;
    struct query *q = db_use(db, STMT_HOOK_DELETE);
    query_bind_id(q, work->hook_id);
    if (query_run(q, err))
        return -1;
    q = db_use(db, STMT_HOOK_TOKENS_DELETE);
    query_bind_id(q, work->hook_id);
    return query_run(q, err);
}

int hooks_delete(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 struct err *err)
{
    struct work work = {.workspace_id = workspace_id, .hook_id = hook_id};
    return transaction_run(db, write_deleted, &work, err);
}

static int write_rotated(struct db *db, void *ctx, struct err *err)
{
    const struct work *work = ctx;
    bool written;
    if (lock_hook(db, work, err) || token_exists(db, work->token, &written, err))
        return -1;
    if (written)
        return 0;
    struct query *q = db_use(db, STMT_HOOK_TOKENS_END);
    query_bind_i64(q, work->grace);
    query_bind_i64(q, work->grace);
    query_bind_id(q, work->hook_id);
    if (query_run(q, err))
        return -1;
    q = db_use(db, STMT_HOOK_TOKENS_PURGE);
    query_bind_id(q, work->hook_id);
    if (query_run(q, err) || insert_token(db, work->hook_id, work->token, err))
        return -1;
    q = db_use(db, STMT_HOOK_TOUCH);
    query_bind_id(q, work->hook_id);
    return query_run(q, err);
}

int hooks_rotate(struct db *db, const struct id *workspace_id, const struct id *hook_id,
                 usec_t grace, char token_r[HOOK_TOKEN_TEXT_SIZE], struct err *err)
{
    struct token token = make_token();
    struct work work = {
        .workspace_id = workspace_id, .hook_id = hook_id, .token = &token, .grace = grace};
    int status = transaction_run(db, write_rotated, &work, err);
    if (status == 0)
        memcpy(token_r, token.text, sizeof token.text);
    crypto_wipe(&token, sizeof token);
    return status;
}

/* ---- read by a token ---- */

static int mark_used(struct db *db, const struct id *hook_id, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_USED);
    query_bind_id(q, hook_id);
    return query_run_again(q, err);
}

int hooks_facts(struct db *db, struct pool *pool, const unsigned char token_hash[SHA256_SIZE],
                struct hook_facts *facts_r, struct err *err)
{
    struct query *q = db_use(db, STMT_HOOK_FACTS);
    query_bind_bytes(q, token_hash, SHA256_SIZE);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return hooks_not_found(err);
    *facts_r = (struct hook_facts){.who = {.scopes = SCOPE_CALLS, .role = ROLE_NONE}};
    query_id(q, &facts_r->who.hook_id);
    query_id(q, &facts_r->who.workspace_id);
    facts_r->who.active = query_i64(q) != 0;
    facts_r->who.rates.workspace = rates_column(q);
    struct str sealed = query_str(q, pool);
    if (sealed.n > sizeof facts_r->secret)
        return err_set(err, ERR_INTERNAL, "an inbound hook's secret is too long");
    if (sealed.n > 0)
        memcpy(facts_r->secret, sealed.p, sealed.n);
    facts_r->secret_length = sealed.n;
    facts_r->ends_in = query_i64_or(q, TIME_NONE);
    facts_r->who.rates.subject = rates_column(q);
    facts_r->who.rates.workspace = rates_column(q);
    bool use_is_old = query_i64(q) != 0;
    return use_is_old ? mark_used(db, &facts_r->who.hook_id, err) : 0;
}

int hooks_secret(const struct keyring *ring, const struct hook_facts *facts, struct pool *pool,
                 struct str *secret_r, struct err *err)
{
    struct str sealed = {(const char *)facts->secret, facts->secret_length};
    return secret_open(ring, &facts->who.hook_id, sealed, pool, secret_r, err);
}
