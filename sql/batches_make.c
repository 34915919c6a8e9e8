/*
 * batches_make.c - one transaction makes a batch: its row first, whose Idempotency-Key lets nobody
 * else in, then its calls, many to a statement.
 *
 * All ids are made before the transaction begins, so that it can be repeated whole; that it is done
 * already is seen by the batch's own row.
 */
#include "sql/batches_private.h"
#include "sql/suppressed_numbers.h"
#include "sql/transaction.h"

#include "lib/base/crypto.h"
#include "lib/rules/call.h"
#include "lib/rules/policy.h"

#include <string.h>

#define TRIES 4
#define CALLS_AT_ONCE                                                                              \
    64 /* what a statement is prepared for is kept for good; more is no faster                     \
        */

struct making {
    struct pool *pool;
    const struct batch_new *batch;
    struct batch_made *made;
    struct id *call_ids;
    enum call_error *refusals; /* per contact; CALL_ERROR_NONE: it is scheduled */
    bool done;
    usec_t now;
};

/* ---- what was made before ---- */

static int read_own(struct db *db, struct making *m, struct err *err)
{
    struct batch_row *row = &m->made->row;

    m->done =
        batches_get(db, m->pool, &m->batch->who->workspace_id, &m->batch->batch_id, row, err) == 0;
    return m->done || err->code == ERR_NOT_FOUND ? 0 : -1;
}

/* As it was when it was made. */
static void as_made(struct batch_row *row)
{
    row->status = BATCH_RUNNING;
    row->open = row->total > row->disallowed;
    row->updated_at = row->created_at;
}

static int strip_key(struct db *db, const struct batch_new *batch, const struct id *holder,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_STRIP_KEY);

    query_bind_id(q, holder);
    query_bind_i64(q, batch->idempotency_retention);
    return query_run_again(q, err);
}

int batches_replay(struct db *db, struct pool *pool, const struct batch_new *batch,
                   struct batch_made *made_r, bool *found_r, struct err *err)
{
    struct query *q = db_use(db, STMT_BATCH_BY_KEY);

    query_bind_i64(q, batch->idempotency_retention);
    query_bind_id(q, &batch->who->workspace_id);
    query_bind_i64(q, batch->who->test);
    query_bind_str(q, batch->idempotency_key);
    if (query_run_again(q, err) != 0)
        return -1;
    memset(made_r, 0, sizeof(*made_r));
    *found_r = query_next(q);
    if (!*found_r)
        return 0;
    batch_read_row(q, pool, &made_r->row);
    struct str fingerprint = query_str(q, pool);
    if (query_i64(q) != 0) {
        *found_r = false;
        return strip_key(db, batch, &made_r->row.batch_id, err);
    }
    if (fingerprint.n != sizeof(batch->request->fingerprint) ||
        memcmp(fingerprint.p, batch->request->fingerprint, fingerprint.n) != 0)
        return err_set(err, ERR_KEY_REUSED,
                       "This Idempotency-Key was already used with a different request.");
    as_made(&made_r->row);
    made_r->replayed = true;
    return 0;
}

/* ---- who may be called ---- */

/* What refuses all of them. */
static enum call_error refusal_of_all(const struct batch_new *batch)
{
    if (!batch->who->active)
        return CALL_ERROR_ACCOUNT_SUSPENDED;
    return batch->agent->enabled ? CALL_ERROR_NONE : CALL_ERROR_AGENT_DISABLED;
}

static enum call_error refusal_of(const struct batch_new *batch, const struct call_request *call,
                                  bool suppressed)
{
    if (!policy_number_type_good(batch->agent->number_types, call->number_kind))
        return CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED;
    return suppressed ? CALL_ERROR_NUMBER_SUPPRESSED : CALL_ERROR_NONE;
}

static int judge(struct db *db, struct making *m, struct err *err)
{
    const struct batch_request *r = m->batch->request;
    enum call_error all = refusal_of_all(m->batch);
    struct str *numbers = pool_new(m->pool, struct str, r->count);
    bool *suppressed = pool_new(m->pool, bool, r->count);

    for (size_t i = 0; i < r->count; i++)
        numbers[i] = r->contacts[i].call.contact_number;
    if (all == CALL_ERROR_NONE &&
        suppressed_numbers_among(db, m->pool, &m->batch->who->workspace_id, numbers, r->count,
                                 suppressed, err) != 0)
        return -1;
    m->made->row.disallowed = 0;
    for (size_t i = 0; i < r->count; i++) {
        m->refusals[i] = all != CALL_ERROR_NONE
                             ? all
                             : refusal_of(m->batch, &r->contacts[i].call, suppressed[i]);
        m->made->row.disallowed += m->refusals[i] != CALL_ERROR_NONE;
    }
    return 0;
}

/* ---- writing ---- */

static void fill_row(const struct making *m)
{
    const struct batch_new *batch = m->batch;
    const struct batch_request *r = batch->request;
    struct batch_row *row = &m->made->row;

    row->batch_id = batch->batch_id;
    row->workspace_id = batch->who->workspace_id;
    row->agent_id = r->agent_id;
    row->name = r->name;
    row->test = batch->who->test;
    row->total = (int64_t)r->count;
    row->refused = (int64_t)r->refusal_count;
    row->scheduled_at = r->scheduled_at != TIME_NONE
                            ? r->scheduled_at
                            : m->now + batch->agent->start_delay_seconds * USEC_PER_S;
    row->expires_at = r->expires_at;
    row->created_at = m->now;
    as_made(row);
}

static int insert_batch(struct db *db, const struct making *m, struct err *err)
{
    const struct batch_row *row = &m->made->row;
    struct query *q = db_use(db, STMT_BATCH_INSERT);

    query_bind_id(q, &row->batch_id);
    query_bind_id(q, &row->workspace_id);
    query_bind_id(q, &row->agent_id);
    query_bind_str(q, row->name);
    query_bind_i64(q, row->test);
    query_bind_i64(q, row->total);
    query_bind_i64(q, row->disallowed);
    query_bind_i64(q, row->refused);
    query_bind_time(q, row->scheduled_at);
    query_bind_time(q, row->expires_at);
    query_bind_str(q, m->batch->idempotency_key);
    if (m->batch->idempotency_key.p != NULL)
        query_bind_bytes(q, m->batch->request->fingerprint, sizeof(m->batch->request->fingerprint));
    else
        query_bind_null(q);
    query_bind_time(q, row->created_at);
    query_bind_time(q, row->created_at);
    return query_run(q, err);
}

static void bind_call(struct query *q, const struct making *m, size_t i)
{
    const struct batch_row *row = &m->made->row;
    const struct call_request *call = &m->batch->request->contacts[i].call;
    enum call_error refusal = m->refusals[i];
    bool refused = refusal != CALL_ERROR_NONE;

    query_bind_id(q, &m->call_ids[i]);
    query_bind_id(q, &row->workspace_id);
    query_bind_id(q, &row->agent_id);
    query_bind_str(q, str_of(call_status_text(refused ? CALL_DISALLOWED : CALL_SCHEDULED)));
    query_bind_i64(q, row->test);
    query_bind_str(q, call->contact_number);
    query_bind_str(q, call->contact_name);
    query_bind_str(q, call->contact_email);
    query_bind_str(q, call->additional_info);
    query_bind_time(q, row->scheduled_at);
    query_bind_time(q, row->scheduled_at);
    query_bind_str(q, row->test ? STR("api_test") : STR("api_live"));
    query_bind_time(q, row->created_at);
    query_bind_time(q, row->created_at);
    query_bind_time(q, refused ? row->created_at : TIME_NONE);
    query_bind_str(q, refused ? str_of(call_error_code(refusal)) : STR_NULL);
    query_bind_str(q, refused ? str_of(call_error_message(refusal)) : STR_NULL);
    query_bind_id(q, &row->batch_id);
    query_bind_time(q, row->expires_at);
    query_bind_time(q, refused ? TIME_NONE : row->expires_at);
}

static int insert_calls(struct db *db, const struct making *m, struct err *err)
{
    for (size_t done = 0; done < m->batch->request->count;) {
        size_t n = m->batch->request->count - done;
        n = db_many_chunk(n < CALLS_AT_ONCE ? n : CALLS_AT_ONCE);
        struct query *q = db_use_many(db, STMT_BATCH_CALLS, n);
        for (size_t i = 0; i < n; i++)
            bind_call(q, m, done + i);
        if (query_run(q, err) != 0)
            return -1;
        done += n;
    }
    return 0;
}

static int insert_refusals(struct db *db, const struct making *m, struct err *err)
{
    const struct batch_request *r = m->batch->request;

    for (size_t done = 0; done < r->refusal_count;) {
        size_t n = db_many_chunk(r->refusal_count - done);
        struct query *q = db_use_many(db, STMT_BATCH_INSERT_REFUSALS, n);
        for (size_t i = 0; i < n; i++) {
            query_bind_id(q, &m->made->row.batch_id);
            query_bind_i64(q, (int64_t)r->refusals[done + i].line);
            query_bind_str(q, r->refusals[done + i].message);
        }
        if (query_run(q, err) != 0)
            return -1;
        done += n;
    }
    return 0;
}

static int write_events(struct db *db, const struct making *m, struct err *err)
{
    const struct batch_request *r = m->batch->request;
    struct event_data *events = pool_new(m->pool, struct event_data, r->count);
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        if (m->refusals[i] != CALL_ERROR_NONE)
            events[count++] = (struct event_data){
                .type = EVENT_CALL_DISALLOWED,
                .created_at = m->now,
                .call_id = m->call_ids[i],
                .agent_id = r->agent_id,
                .phone_number = r->contacts[i].call.contact_number,
                .error = m->refusals[i],
                .test = m->batch->who->test,
            };
    m->made->wakes = (struct wakes){0};
    return events_write_many(db, m->pool, &m->batch->who->workspace_id, events, count, 0,
                             &m->made->wakes, err);
}

static int make(struct db *db, void *ctx, struct err *err)
{
    struct making *m = ctx;

    if (read_own(db, m, err) != 0)
        return -1;
    if (m->done) {
        as_made(&m->made->row);
        return 0;
    }
    if (m->batch->idempotency_key.p != NULL &&
        batches_replay(db, m->pool, m->batch, m->made, &m->done, err) != 0)
        return -1;
    if (m->done)
        return 0;
    if (db_now(db, &m->now, err) != 0 || judge(db, m, err) != 0)
        return -1;
    fill_row(m);
    if (insert_batch(db, m, err) != 0 || insert_calls(db, m, err) != 0 ||
        insert_refusals(db, m, err) != 0)
        return -1;
    return write_events(db, m, err);
}

/* ---- the act ---- */

static void make_ids(struct making *m)
{
    usec_t now = clock_wall();
    size_t count = m->batch->request->count;
    unsigned char random[10];

    m->call_ids = pool_new(m->pool, struct id, count);
    m->refusals = pool_new(m->pool, enum call_error, count);
    for (size_t i = 0; i < count; i++) {
        crypto_random(random, sizeof(random));
        m->call_ids[i] = id_make_at(now, random, (uint32_t)i);
    }
}

/* What was answered before is answered again, whatever has become of the agent. */
static int check_agent(struct db *db, struct making *m, struct err *err)
{
    const struct batch_new *batch = m->batch;

    if (batch->agent != NULL && id_eq(&batch->agent->workspace_id, &batch->who->workspace_id))
        return 0;
    if (batch->idempotency_key.p != NULL &&
        batches_replay(db, m->pool, batch, m->made, &m->done, err) != 0)
        return -1;
    if (m->done)
        return 0;
    char text[ID_TEXT_SIZE];
    id_format(ID_AGENT, &batch->request->agent_id, text);
    return call_request_no_agent(err, str_of(text));
}

int batches_create(struct db *db, struct pool *pool, const struct batch_new *batch,
                   struct batch_made *made_r, struct err *err)
{
    struct making m = {.pool = pool, .batch = batch, .made = made_r};

    memset(made_r, 0, sizeof(*made_r));
    if (check_agent(db, &m, err) != 0)
        return -1;
    if (m.done)
        return 0;
    make_ids(&m);
    for (unsigned n = 0; n < TRIES; n++) {
        if (transaction_run(db, make, &m, err) == 0) {
            made_r->due_now = !made_r->replayed && made_r->row.open &&
                              made_r->row.scheduled_at <= made_r->row.created_at;
            return 0;
        }
        /* A duplicate: another act with this key came first, and is found now. */
        if (err->code != ERR_CONFLICT)
            return -1;
    }
    return err_set(err, ERR_UNAVAILABLE, "The batch could not be written. Please retry.");
}
