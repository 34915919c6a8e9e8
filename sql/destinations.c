/*
 * destinations.c - webhook endpoints: made, listed, changed, switched, given a new secret.
 */
#include "sql/destinations.h"
#include "sql/events.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/transaction.h"

#define SWITCH_TRIES 4

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

static void bind_headers(struct query *q, struct pool *pool, const struct keyring *ring,
                         const struct endpoint_row *row)
{
    query_bind_blob(q, secret_seal(ring, &row->endpoint_id, row->headers, pool));
}

static int insert(struct db *db, struct pool *pool, const struct keyring *ring,
                  const struct endpoint_row *row, struct str sealed, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_INSERT);
    query_bind_id(q, &row->endpoint_id);
    query_bind_str(q, row->url);
    query_bind_str(q, row->description);
    query_bind_i64(q, row->events);
    query_bind_blob(q, sealed);
    query_bind_i64(q, row->timeout_seconds);
    query_bind_i64(q, row->max_in_flight);
    query_bind_i64_if(q, row->rate_per_second > 0, row->rate_per_second);
    bind_headers(q, pool, ring, row);
    query_bind_id(q, &row->workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    return query_affected(q) > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "there is no such workspace");
}

static int not_found(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "There is no such webhook endpoint.");
}

/* ENDPOINT_COLUMNS */
static void read_endpoint(struct query *q, struct pool *pool, struct endpoint_row *row)
{
    query_id(q, &row->endpoint_id);
    query_id(q, &row->workspace_id);
    row->url = query_str(q, pool);
    row->description = query_str(q, pool);
    row->events = (unsigned)query_i64(q);
    row->timeout_seconds = query_i64(q);
    row->max_in_flight = query_i64(q);
    row->rate_per_second = query_i64(q);
    row->headers = STR_NULL;
    row->headers_sealed = query_str(q, pool);
    row->status = (enum destination_status)(query_i64(q) - 1);
    row->status_reason = query_str(q, pool);
    row->failures = query_i64(q);
    row->good_since = query_time(q);
    row->held_until = query_time(q);
    row->previous_until = query_time(q);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
}

static int open_headers(const struct keyring *ring, struct pool *pool, struct endpoint_row *row,
                        struct err *err)
{
    if (row->headers_sealed.p == NULL)
        return 0;
    return secret_open(ring, &row->endpoint_id, row->headers_sealed, pool, &row->headers, err);
}

static int find(struct db *db, struct pool *pool, enum stmt stmt, const struct id *workspace_id,
                const struct id *endpoint_id, struct endpoint_row *row_r, struct err *err)
{
    struct query *q = db_use(db, stmt);
    query_bind_id(q, endpoint_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    read_endpoint(q, pool, row_r);
    return 0;
}

int endpoints_create(struct db *db, struct pool *pool, const struct keyring *ring,
                     struct endpoint_row *row, struct str secret, struct str *secret_r,
                     struct err *err)
{
    row->endpoint_id = id_new();
    *secret_r = secret.p != NULL ? secret : secret_new(pool);
    struct str sealed = secret_seal(ring, &row->endpoint_id, *secret_r, pool);
    int failed = insert(db, pool, ring, row, sealed, err);
    if (failed && err->code == ERR_UNCERTAIN) {
        failed = insert(db, pool, ring, row, sealed, err);
        if (failed && err->code == ERR_CONFLICT)
            failed = 0; /* the first one did happen */
    }
    if (failed)
        return -1;
    return endpoints_get(db, pool, ring, NULL, &row->endpoint_id, row, err);
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

int endpoints_page(struct db *db, struct pool *pool, const struct keyring *ring,
                   const struct id *workspace_id, const struct page *page,
                   struct endpoint_row **rows_r, size_t *count_r, struct page_end *end_r,
                   struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_PAGE);
    struct endpoint_row *rows = pool_new(pool, struct endpoint_row, page->limit);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    list_bind_page(q, page);
    query_bind_i64(q, (int64_t)page->limit + 1);
    if (query_run_again(q, err) != 0)
        return -1;
    while (list_page_next(q, page, count, end_r))
        read_endpoint(q, pool, &rows[count++]);
    for (size_t i = 0; i < count; i++) {
        if (open_headers(ring, pool, &rows[i], err) != 0)
            return -1;
    }
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].endpoint_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

int endpoints_get(struct db *db, struct pool *pool, const struct keyring *ring,
                  const struct id *workspace_id, const struct id *endpoint_id,
                  struct endpoint_row *row_r, struct err *err)
{
    if (find(db, pool, STMT_ENDPOINT_GET, workspace_id, endpoint_id, row_r, err) != 0)
        return -1;
    return open_headers(ring, pool, row_r, err);
}

int endpoints_waiting(struct db *db, const struct id *endpoint_id, int64_t *count_r,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_WAITING);
    query_bind_id(q, endpoint_id);
    query_bind_i64(q, ENDPOINT_WAITING_MAX);
    if (query_run_again(q, err) != 0)
        return -1;
    *count_r = query_next(q) ? query_i64(q) : 0;
    return 0;
}

/* ---- what is read and written under the row's lock ---- */

struct locked_work {
    struct pool *pool;
    const struct keyring *ring;
    const struct id *workspace_id, *endpoint_id;
    endpoint_edit_fn *edit;
    void *edit_ctx;
    /* a rotation's */
    struct str secret, sealed;
    usec_t grace, previous_until;
};

static int change(struct db *db, void *ctx, struct err *err)
{
    struct locked_work *w = ctx;
    struct endpoint_row row;
    struct err why;
    if (find(db, w->pool, STMT_ENDPOINT_LOCK, w->workspace_id, w->endpoint_id, &row, err) != 0)
        return -1;
    row.headers_lost = open_headers(w->ring, w->pool, &row, &why) != 0;
    if (w->edit(&row, w->edit_ctx, err) != 0)
        return -1;
    if (row.headers_lost) {
        *err = why;
        return -1;
    }
    struct query *q = db_use(db, STMT_ENDPOINT_CHANGE);
    for (int i = 0; i < 5; i++)
        query_bind_str(q, row.url);
    query_bind_str(q, row.url);
    query_bind_str(q, row.description);
    query_bind_i64(q, row.events);
    query_bind_i64(q, row.timeout_seconds);
    query_bind_i64(q, row.max_in_flight);
    query_bind_i64_if(q, row.rate_per_second > 0, row.rate_per_second);
    bind_headers(q, w->pool, w->ring, &row);
    query_bind_id(q, w->endpoint_id);
    return query_run(q, err);
}

int endpoints_change(struct db *db, struct pool *pool, const struct keyring *ring,
                     const struct id *workspace_id, const struct id *endpoint_id,
                     endpoint_edit_fn *edit, void *ctx, struct err *err)
{
    struct locked_work w = {.pool = pool,
                            .ring = ring,
                            .workspace_id = workspace_id,
                            .endpoint_id = endpoint_id,
                            .edit = edit,
                            .edit_ctx = ctx};
    return transaction_run(db, change, &w, err);
}

/* The secret that is there already is this one: the rotation has happened, and its answer was
 * lost. Compared in clear: it may have been sealed anew meanwhile. */
static bool is_there(const struct locked_work *w, struct str sealed)
{
    struct str secret;
    struct err unreadable;
    return secret_open(w->ring, w->endpoint_id, sealed, w->pool, &secret, &unreadable) == 0 &&
           secret.n == w->secret.n && crypto_equal(secret.p, w->secret.p, secret.n);
}

static int rotate(struct db *db, void *ctx, struct err *err)
{
    struct locked_work *w = ctx;
    struct query *q = db_use(db, STMT_ENDPOINT_LOCK_SECRET);
    query_bind_id(q, w->endpoint_id);
    query_bind_id(q, w->workspace_id);
    query_bind_id(q, w->workspace_id);
    if (query_run(q, err) != 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    bool done = is_there(w, query_str(q, w->pool));
    w->previous_until = query_time(q);
    if (done)
        return 0;
    usec_t now = query_time(q);
    w->previous_until = w->grace > 0 ? now + w->grace : TIME_NONE;
    q = db_use(db, STMT_ENDPOINT_ROTATE);
    query_bind_time(q, w->previous_until);
    query_bind_time(q, w->previous_until);
    query_bind_blob(q, w->sealed);
    query_bind_id(q, w->endpoint_id);
    return query_run(q, err);
}

int endpoints_rotate_secret(struct db *db, struct pool *pool, const struct keyring *ring,
                            const struct id *workspace_id, const struct id *endpoint_id,
                            struct str secret, usec_t grace, struct str *secret_r,
                            usec_t *previous_until_r, struct err *err)
{
    *secret_r = secret.p != NULL ? secret : secret_new(pool);
    struct locked_work w = {.pool = pool,
                            .ring = ring,
                            .workspace_id = workspace_id,
                            .endpoint_id = endpoint_id,
                            .secret = *secret_r,
                            .sealed = secret_seal(ring, endpoint_id, *secret_r, pool),
                            .grace = grace};
    if (transaction_run(db, rotate, &w, err) != 0)
        return -1;
    *previous_until_r = w.previous_until;
    return 0;
}

/* ---- switches: one statement each, which may be repeated ---- */

/* text: the statement's first value; NULL: it has none. What was perhaps switched before, and is
 * not found to be any more, was. */
static int run_switch(struct db *db, enum stmt stmt, const struct str *text,
                      const struct id *workspace_id, const struct id *endpoint_id, bool *switched_r,
                      struct err *err)
{
    bool perhaps = false;
    for (unsigned n = 0; n < SWITCH_TRIES; n++) {
        struct query *q = db_use(db, stmt);
        if (text != NULL)
            query_bind_str(q, *text);
        query_bind_id(q, endpoint_id);
        query_bind_id(q, workspace_id);
        query_bind_id(q, workspace_id);
        if (query_run_again(q, err) == 0) {
            *switched_r = perhaps || query_affected(q) > 0;
            return 0;
        }
        bool deadlock = err->code == ERR_UNAVAILABLE && db_connected(db);
        perhaps = perhaps || err->code == ERR_UNCERTAIN;
        if (!deadlock && err->code != ERR_UNCERTAIN)
            break;
    }
    return -1;
}

static int must_switch(struct db *db, enum stmt stmt, const struct str *text,
                       const struct id *workspace_id, const struct id *endpoint_id, struct err *err)
{
    bool switched;
    if (run_switch(db, stmt, text, workspace_id, endpoint_id, &switched, err) != 0)
        return -1;
    return switched ? 0 : not_found(err);
}

int endpoints_delete(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err)
{
    return must_switch(db, STMT_ENDPOINT_DELETE, NULL, workspace_id, endpoint_id, err);
}

int endpoints_enable(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err)
{
    return must_switch(db, STMT_ENDPOINT_ENABLE, NULL, workspace_id, endpoint_id, err);
}

int endpoints_disable(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                      struct str reason, struct err *err)
{
    return must_switch(db, STMT_ENDPOINT_DISABLE, &reason, workspace_id, endpoint_id, err);
}

static int status_of(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     enum destination_status *status_r, struct err *err)
{
    struct query *q = db_use(db, STMT_ENDPOINT_STATUS);
    query_bind_id(q, endpoint_id);
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return not_found(err);
    *status_r = (enum destination_status)(query_i64(q) - 1);
    return 0;
}

static int disabled(struct err *err)
{
    return err_set(err, ERR_CONFLICT, "The webhook endpoint is disabled: enable it.");
}

/* Nothing was switched: is it unknown, or in a state that pausing has nothing to do with? */
static int switch_status(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                         enum destination_status to, struct err *err)
{
    struct str text = str_of(destination_status_text(to));
    enum destination_status status;
    bool switched;
    if (run_switch(db, STMT_ENDPOINT_SWITCH, &text, workspace_id, endpoint_id, &switched, err) != 0)
        return -1;
    if (switched)
        return 0;
    return status_of(db, workspace_id, endpoint_id, &status, err) != 0 ? -1 : disabled(err);
}

int endpoints_pause(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                    struct err *err)
{
    return switch_status(db, workspace_id, endpoint_id, DESTINATION_PAUSED, err);
}

int endpoints_resume(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                     struct err *err)
{
    return switch_status(db, workspace_id, endpoint_id, DESTINATION_ENABLED, err);
}

/* ---- a sample event ---- */

struct test_work {
    struct pool *pool;
    const struct id *workspace_id, *endpoint_id;
    struct event_data event;
    struct id delivery_id;
};

static int write_test(struct db *db, void *ctx, struct err *err)
{
    struct test_work *w = ctx;
    struct endpoint_row row;
    if (find(db, w->pool, STMT_ENDPOINT_LOCK, w->workspace_id, w->endpoint_id, &row, err) != 0)
        return -1;
    if (row.status == DESTINATION_DISABLED)
        return disabled(err);
    if (row.status == DESTINATION_PAUSED)
        return err_set(err, ERR_CONFLICT, "The webhook endpoint is paused: resume it.");
    return events_write_sample(db, w->workspace_id, w->endpoint_id, &w->event, &w->delivery_id,
                               err);
}

int endpoints_test(struct db *db, struct pool *pool, const struct id *workspace_id,
                   const struct id *endpoint_id, enum event_type type, struct id *event_id_r,
                   struct id *delivery_id_r, struct err *err)
{
    struct test_work w = {
        .pool = pool,
        .workspace_id = workspace_id,
        .endpoint_id = endpoint_id,
        .event = {.type = type,
                  .call_id = id_new(),
                  .agent_id = id_new(),
                  .phone_number = STR("+919876543210"),
                  .attempt = 1,
                  .duration_seconds = 42,
                  .outcome = STR("test"),
                  .summary = STR("This is a sample event. Nobody was called."),
                  .error = type == EVENT_CALL_FAILED ? CALL_ERROR_NO_ANSWER
                                                     : CALL_ERROR_OUTSIDE_CALLING_HOURS,
                  .error_message = STR_NULL,
                  .test = true},
    };
    if (transaction_run(db, write_test, &w, err) != 0)
        return -1;
    *event_id_r = w.event.event_id;
    *delivery_id_r = w.delivery_id;
    return 0;
}
