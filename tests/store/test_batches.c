/*
 * test_batches.c - batches against a real server: all of one or nothing of it, once per key, and
 * held or cancelled against dispatchers that draw at the same time.
 */
#include "sql/batches.h"
#include "tests/store/call_fixture.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct call_fixture f;
static struct err err;

static void setup(void)
{
    call_fixture_setup(&f, "batches", NULL);
}

static void teardown(void)
{
    call_fixture_teardown(&f);
}

/* count contacts from "+9198000NNNNN" on, of the lines 1 and on. */
static struct batch_request request_of(struct pool *pool, size_t count)
{
    struct batch_request r = {
        .agent_id = f.agent_id,
        .name = STR("Diwali"),
        .scheduled_at = TIME_NONE,
        .expires_at = TIME_NONE,
        .contacts = pool_new(pool, struct batch_contact, count),
        .count = count,
        .fingerprint = {(unsigned char)count},
    };
    for (size_t i = 0; i < count; i++) {
        r.contacts[i].line = i + 1;
        r.contacts[i].call.contact_number = str_of(pool_printf(pool, "+91980%07zu", i));
        r.contacts[i].call.number_kind = PHONE_MOBILE;
    }
    return r;
}

static int create_with(struct db *db, struct pool *pool, const struct credential *credential,
                       const struct batch_request *request, const char *key,
                       struct batch_made *made_r, struct err *e)
{
    unsigned char random[10];
    struct principal who;
    struct agent_facts agent;

    crypto_random(random, sizeof random);
    if (credentials_read(db, credential, &who, e) != 0)
        return -1;
    bool known = agents_facts(db, &request->agent_id, &agent, e) == 0;
    struct batch_new batch = {
        .who = &who,
        .agent = known ? &agent : NULL,
        .request = request,
        .batch_id = id_make(clock_wall(), random),
        .idempotency_key = str_of(key),
        .idempotency_retention = 24 * 3600 * USEC_PER_S,
    };
    return batches_create(db, pool, &batch, made_r, e);
}

static struct batch_made made_of(const struct batch_request *request, const char *key)
{
    struct batch_made made;
    ck_ok(create_with(f.store.db, f.store.pool, &f.live, request, key, &made, &err), &err);
    return made;
}

static struct batch_made made(size_t count)
{
    struct batch_request request = request_of(f.store.pool, count);
    return made_of(&request, NULL);
}

static enum err_code refused_as(const struct batch_request *request, const char *key)
{
    struct batch_made result;
    err_clear(&err);
    ck_assert_int_eq(create_with(f.store.db, f.store.pool, &f.live, request, key, &result, &err),
                     -1);
    return err.code;
}

#define ck_asked(sql, answer) ck_assert_str_eq(store_ask(&f.store, sql), answer)

static size_t fenced(size_t limit)
{
    struct fence_ask ask = {.of = {f.agent_id, true}, .limit = limit};
    struct fence_result result;
    ck_ok(fence_calls(f.store.db, f.store.pool, f.store.conf, &ask, &result, &err), &err);
    return result.count;
}

/* ---- making ---- */

START_TEST(its_calls_are_made_in_their_order)
{
    struct batch_request request = request_of(f.store.pool, 300);
    request.contacts[7].call.contact_name = STR("Raj");
    request.contacts[7].call.additional_info = STR("{\"deal\":7}");
    struct batch_made batch = made_of(&request, NULL);

    ck_assert(batch.due_now && !batch.replayed && batch.row.open);
    ck_assert_str_eq(batch_status_shown(&batch.row), "running");
    ck_assert_int_eq(batch.row.total, 300);
    ck_asked("SELECT COUNT(*), SUM(batched), COUNT(DISTINCT batch_id), SUM(status = 'scheduled'), "
             "SUM(due_at <= NOW(6)), SUM(origin = 'api_live') FROM calls",
             "300\t300\t1\t300\t300\t300");
    ck_asked("SELECT GROUP_CONCAT(contact_number ORDER BY call_id) = "
             "GROUP_CONCAT(contact_number ORDER BY contact_number) FROM calls",
             "1");
    ck_asked("SELECT contact_name, additional_info FROM calls WHERE contact_name IS NOT NULL",
             "Raj\t{\"deal\":7}");
    ck_asked("SELECT name, total, disallowed, refused, status, test, expires_at FROM batches",
             "Diwali\t300\t0\t0\trunning\t0\tNULL");
}
END_TEST

START_TEST(times_are_those_of_the_batch)
{
    struct batch_request request = request_of(f.store.pool, 2);
    request.scheduled_at = clock_wall() + 3600 * USEC_PER_S;
    request.expires_at = clock_wall() + 7200 * USEC_PER_S;
    struct batch_made batch = made_of(&request, NULL);

    ck_assert(!batch.due_now);
    ck_asked("SELECT SUM(due_at > NOW(6) + INTERVAL 59 MINUTE), "
             "SUM(expires_at > NOW(6) + INTERVAL 119 MINUTE), SUM(expiry_due = expires_at) "
             "FROM calls",
             "2\t2\t2");
    store_script(f.store.db, "UPDATE agents SET start_delay_seconds = 60");
    batch = made(1);
    ck_assert(!batch.due_now);
    ck_asked("SELECT COUNT(*) FROM calls WHERE due_at = created_at + INTERVAL 60 SECOND", "1");
}
END_TEST

START_TEST(what_policy_refuses_is_disallowed_with_its_event)
{
    struct batch_request request = request_of(f.store.pool, 4);
    request.contacts[2].call.number_kind = PHONE_LANDLINE;
    store_script(f.store.db,
                 "INSERT INTO suppressed_numbers SELECT workspace_id, '+919800000001', 'contact', "
                 "'', NOW(6) FROM workspaces; UPDATE workspaces SET number_types = 'mobile'");
    struct batch_made batch = made_of(&request, NULL);

    ck_assert_int_eq(batch.row.total, 4);
    ck_assert_int_eq(batch.row.disallowed, 2);
    ck_assert_uint_eq(batch.wakes.count, 1);
    ck_asked("SELECT contact_number, error_code FROM calls WHERE status = 'disallowed' "
             "ORDER BY call_id",
             "+919800000001\tnumber_suppressed\n+919800000002\tnumber_type_not_allowed");
    ck_asked("SELECT COUNT(*), SUM(type = 'call.disallowed'), COUNT(DISTINCT d.event_id) "
             "FROM events e JOIN calls c USING (call_id) LEFT JOIN deliveries d USING (event_id)",
             "2\t2\t2");
}
END_TEST

START_TEST(a_disabled_agent_and_a_suspended_workspace_disallow_all)
{
    store_script(f.store.db, "UPDATE agents SET enabled = FALSE");
    struct batch_made batch = made(300);
    ck_assert(!batch.due_now && !batch.row.open);
    ck_assert_str_eq(batch_status_shown(&batch.row), "done");
    ck_asked("SELECT COUNT(*) FROM calls WHERE error_code = 'agent_disabled' AND completed_at = "
             "created_at",
             "300");
    ck_asked("SELECT COUNT(*), COUNT(DISTINCT event_id) FROM deliveries", "300\t300");
    store_script(f.store.db, "UPDATE workspaces SET status = 'suspended'");
    made(1);
    ck_asked("SELECT COUNT(*) FROM calls WHERE error_code = 'account_suspended'", "1");
}
END_TEST

START_TEST(a_test_key_makes_test_calls)
{
    struct batch_request request = request_of(f.store.pool, 2);
    struct batch_made batch;
    ck_ok(create_with(f.store.db, f.store.pool, &f.test, &request, NULL, &batch, &err), &err);
    ck_assert(batch.row.test);
    ck_asked("SELECT SUM(test), SUM(origin = 'api_test') FROM calls", "2\t2");
}
END_TEST

START_TEST(another_workspaces_agent_is_not_found)
{
    struct batch_request request = request_of(f.store.pool, 2);
    request.agent_id = f.other_agent_id;
    ck_assert_int_eq(refused_as(&request, NULL), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "agent_id"));
    ck_asked("SELECT COUNT(*) FROM batches", "0");
}
END_TEST

START_TEST(refusals_are_kept_by_line)
{
    struct batch_request request = request_of(f.store.pool, 1);
    struct batch_refusal *rows;
    size_t count;
    bool more;

    request.refusals = pool_new(f.store.pool, struct batch_refusal, 300);
    request.refusal_count = 300;
    for (size_t i = 0; i < 300; i++)
        request.refusals[i] = (struct batch_refusal){10 * i + 5, STR("No.")};
    struct batch_made batch = made_of(&request, NULL);
    ck_assert_int_eq(batch.row.refused, 300);
    ck_ok(batches_refusals(f.store.db, f.store.pool, &batch.row.batch_id, 0, 100, &rows, &count,
                           &more, &err),
          &err);
    ck_assert(count == 100 && more && rows[99].line == 995 && str_is(rows[99].message, "No."));
    ck_ok(batches_refusals(f.store.db, f.store.pool, &batch.row.batch_id, 2975, 100, &rows, &count,
                           &more, &err),
          &err);
    ck_assert(count == 2 && !more && rows[1].line == 2995);
}
END_TEST

/* ---- once per key ---- */

START_TEST(the_same_key_gives_the_first_answer)
{
    struct batch_request request = request_of(f.store.pool, 3), other = request_of(f.store.pool, 4);
    struct batch_made first = made_of(&request, "k"), again;
    struct id nobody = {{1}};

    store_script(f.store.db, "UPDATE calls SET status = 'completed'; UPDATE batches SET status = "
                             "'paused', updated_at = NOW(6) + INTERVAL 1 MINUTE");
    again = made_of(&request, "k");
    ck_assert(again.replayed && !again.due_now && again.wakes.count == 0);
    ck_assert(id_eq(&again.row.batch_id, &first.row.batch_id));
    ck_assert_str_eq(batch_status_shown(&again.row), "running");
    ck_assert_int_eq(again.row.updated_at, first.row.updated_at);
    ck_assert_int_eq(refused_as(&other, "k"), ERR_KEY_REUSED);
    request.agent_id = nobody;
    ck_assert(made_of(&request, "k").replayed);
    ck_assert_int_eq(refused_as(&request, "another"), ERR_NOT_FOUND);
    ck_asked("SELECT COUNT(*) FROM calls", "3");
}
END_TEST

START_TEST(a_key_is_of_live_or_test_and_of_a_day)
{
    struct batch_request request = request_of(f.store.pool, 3);
    struct batch_made test;
    made_of(&request, "k");
    ck_ok(create_with(f.store.db, f.store.pool, &f.test, &request, "k", &test, &err), &err);
    ck_assert(!test.replayed);
    store_script(f.store.db, "UPDATE batches SET created_at = created_at - INTERVAL 25 HOUR");
    ck_assert(!made_of(&request, "k").replayed);
    ck_assert(made_of(&request, "k").replayed);
    ck_asked("SELECT COUNT(*), COUNT(idempotency_key) FROM batches", "3\t2");
}
END_TEST

struct maker {
    struct db *db;
    struct pool *pool;
    struct batch_request request;
    struct batch_made made;
    int result;
    struct err err;
    pthread_t thread;
};

static void *make_one(void *ctx)
{
    struct maker *m = ctx;
    m->result = create_with(m->db, m->pool, &f.live, &m->request, "k", &m->made, &m->err);
    return NULL;
}

static void begin(struct maker *m, size_t count)
{
    m->db = store_connect(&f.store);
    pool_create(&m->pool);
    m->request = request_of(m->pool, count);
    ck_assert_int_eq(pthread_create(&m->thread, NULL, make_one, m), 0);
}

static void end(struct maker *m)
{
    pthread_join(m->thread, NULL);
    ck_assert_msg(m->result == 0, "%s", m->err.message);
    db_destroy(&m->db);
}

START_TEST(twenty_at_once_make_one)
{
    struct maker makers[20];
    unsigned first = 0;

    memset(makers, 0, sizeof makers);
    for (int i = 0; i < 20; i++)
        begin(&makers[i], 50);
    for (int i = 0; i < 20; i++) {
        end(&makers[i]);
        first += !makers[i].made.replayed;
        ck_assert(id_eq(&makers[i].made.row.batch_id, &makers[0].made.row.batch_id));
        pool_destroy(&makers[i].pool);
    }
    ck_assert_uint_eq(first, 1);
    ck_asked("SELECT COUNT(*), COUNT(DISTINCT batch_id) FROM calls", "50\t1");
}
END_TEST

/* ---- all or nothing ---- */

START_TEST(what_fails_at_the_end_leaves_nothing)
{
    struct batch_request request = request_of(f.store.pool, 300);
    struct batch_refusal refusal = {1, STR("No.")};

    request.refusals = &refusal;
    request.refusal_count = 1;
    store_script(f.store.db, "RENAME TABLE batch_refusals TO gone");
    ck_assert_int_eq(refused_as(&request, "k"), ERR_INTERNAL);
    ck_asked("SELECT (SELECT COUNT(*) FROM calls), (SELECT COUNT(*) FROM batches)", "0\t0");
    store_script(f.store.db, "RENAME TABLE gone TO batch_refusals");
    ck_assert(!made_of(&request, "k").replayed);
}
END_TEST

/* Another's batch with this key, in a transaction that goes on. */
static void hold_key(struct db *db, const char *key)
{
    struct query *q = db_use(db, STMT_BATCH_INSERT);
    for (int i = 0; i < 3; i++)
        query_bind_id(q, &f.workspace_id);
    query_bind_str(q, STR(""));
    for (int i = 0; i < 4; i++)
        query_bind_i64(q, 0);
    query_bind_time(q, clock_wall());
    query_bind_time(q, TIME_NONE);
    query_bind_str(q, str_of(key));
    query_bind_null(q);
    query_bind_time(q, clock_wall());
    query_bind_time(q, clock_wall());
    ck_ok(query_run(q, &err), &err);
}

/* The batch waits for a row that another holds: killed there, nothing of it is seen; it begins anew
 * by itself and is there once. */
START_TEST(a_connection_killed_in_its_middle_makes_it_once)
{
    struct maker m = {.result = 0};
    struct db *holder = store_connect(&f.store);

    ck_ok(db_begin(holder, &err), &err);
    hold_key(holder, "k");
    begin(&m, 300);
    store_kill_others(&f.store, "INSERT INTO batches");
    ck_asked("SELECT (SELECT COUNT(*) FROM calls), (SELECT COUNT(*) FROM batches)", "0\t0");
    db_rollback(holder);
    end(&m);
    ck_assert(!m.made.replayed);
    ck_asked("SELECT COUNT(*), COUNT(DISTINCT batch_id) FROM calls", "300\t1");
    pool_destroy(&m.pool);
    db_destroy(&holder);
}
END_TEST

/* ---- pause, resume, cancel ---- */

static void switch_to(const struct id *batch_id, enum batch_status status)
{
    ck_ok(batches_switch(f.store.db, &f.workspace_id, batch_id, status, &err), &err);
}

static const char *shown(const struct id *batch_id)
{
    struct batch_row row;
    ck_ok(batches_get(f.store.db, f.store.pool, &f.workspace_id, batch_id, &row, &err), &err);
    return batch_status_shown(&row);
}

START_TEST(a_paused_batch_is_not_drawn_until_it_is_resumed)
{
    struct id batch_id = made(10).row.batch_id;
    struct id other = made(1).row.batch_id;

    switch_to(&batch_id, BATCH_PAUSED);
    switch_to(&batch_id, BATCH_PAUSED);
    ck_assert_str_eq(shown(&batch_id), "paused");
    ck_asked("SELECT COUNT(*) FROM calls WHERE hold_reason = 'batch_paused'", "10");
    ck_assert_uint_eq(fenced(100), 1);
    store_script(f.store.db, "UPDATE calls SET scheduled_at = scheduled_at + INTERVAL 1 HOUR "
                             "WHERE hold_reason = 'batch_paused' LIMIT 4");
    switch_to(&batch_id, BATCH_RUNNING);
    switch_to(&batch_id, BATCH_RUNNING);
    ck_assert_str_eq(shown(&batch_id), "running");
    ck_asked("SELECT COUNT(hold_reason), SUM(due_at = scheduled_at AND due_at > NOW(6)) FROM calls",
             "0\t4");
    ck_assert_uint_eq(fenced(100), 6);
    (void)other;
}
END_TEST

/* The first three calls, in a transaction that goes on. */
static void fence_three(struct db *db)
{
    struct id ids[3];
    struct query *q = db_use(db, STMT_CALL_LIST_OPERATOR);
    query_bind_null(q);
    query_bind_null(q);
    query_bind_i64(q, 3);
    ck_ok(query_run(q, &err), &err);
    for (int i = 0; i < 3 && query_next(q); i++)
        query_id(q, &ids[i]);
    q = db_use_many(db, STMT_FENCE_CALLS, 3);
    for (int i = 0; i < 3; i++)
        query_bind_id(q, &ids[i]);
    ck_ok(query_run(q, &err), &err);
    ck_assert_uint_eq(query_affected(q), 3);
}

static void *pause_it(void *ctx)
{
    struct maker *m = ctx;
    m->result =
        batches_switch(m->db, &f.workspace_id, &m->made.row.batch_id, BATCH_PAUSED, &m->err);
    return NULL;
}

/* A dispatcher has drawn three and not committed yet: the pause waits for it, and leaves them
 * alone. */
START_TEST(a_pause_waits_for_a_fence_that_is_under_way)
{
    struct maker m = {.made = made(10), .db = store_connect(&f.store)};
    struct db *dispatcher = store_connect(&f.store);
    const char *waiting = "0";

    ck_ok(db_begin(dispatcher, &err), &err);
    fence_three(dispatcher);
    ck_assert_int_eq(pthread_create(&m.thread, NULL, pause_it, &m), 0);
    /* The server makes that table anew only when nobody has looked for a tenth of a second. */
    for (; strcmp(waiting, "1") != 0; clock_sleep(250 * USEC_PER_MS))
        waiting = store_ask(&f.store, "SELECT COUNT(*) FROM information_schema.innodb_trx "
                                      "WHERE trx_state = 'LOCK WAIT'");
    ck_asked("SELECT COUNT(*) FROM calls WHERE hold_reason = 'batch_paused'", "0");
    ck_ok(db_commit(dispatcher, &err), &err);
    pthread_join(m.thread, NULL);
    ck_assert_msg(m.result == 0, "%s", m.err.message);
    ck_asked("SELECT SUM(status = 'initiated'), SUM(hold_reason = 'batch_paused'), "
             "SUM(status = 'initiated' AND hold_reason IS NOT NULL) FROM calls",
             "3\t7\t0");
    ck_assert_uint_eq(fenced(100), 0);
    db_destroy(&m.db);
    db_destroy(&dispatcher);
}
END_TEST

static void *fence_all(void *ctx)
{
    struct maker *m = ctx;
    struct fence_ask ask = {.of = {f.agent_id, true}, .limit = 7};
    struct fence_result result = {.count = 1};
    unsigned idle = 0;
    while (idle < 50) {
        pool_clear(m->pool);
        if (fence_calls(m->db, m->pool, f.store.conf, &ask, &result, &m->err) != 0) {
            if (m->err.code != ERR_UNAVAILABLE || !db_connected(m->db))
                m->result = -1;
            result.count = 0;
        }
        idle = result.count > 0 ? 0 : idle + 1;
    }
    return NULL;
}

/* Draws and pauses as they come: after each pause nothing more is drawn. */
START_TEST(pauses_race_with_draws)
{
    struct maker m = {.db = store_connect(&f.store)};
    struct id batch_id = made(400).row.batch_id;

    store_script(f.store.db, "UPDATE workspaces SET concurrent_calls = 1000");
    pool_create(&m.pool);
    ck_assert_int_eq(pthread_create(&m.thread, NULL, fence_all, &m), 0);
    for (int i = 0; i < 5; i++) {
        switch_to(&batch_id, BATCH_PAUSED);
        const char *drawn = store_ask(&f.store, "SELECT SUM(status = 'initiated') FROM calls");
        ck_assert_uint_eq(fenced(100), 0);
        ck_asked("SELECT SUM(status = 'initiated') FROM calls", drawn);
        switch_to(&batch_id, BATCH_RUNNING);
    }
    switch_to(&batch_id, BATCH_CANCELLED);
    const char *drawn = store_ask(&f.store, "SELECT SUM(status = 'initiated') FROM calls");
    pthread_join(m.thread, NULL);
    ck_assert_msg(m.result == 0, "%s", m.err.message);
    ck_asked("SELECT SUM(status = 'initiated') FROM calls", drawn);
    ck_asked("SELECT SUM(status IN ('initiated', 'cancelled')), "
             "(SELECT COUNT(*) FROM call_attempts) = SUM(status = 'initiated') FROM calls",
             "400\t1");
    pool_destroy(&m.pool);
    db_destroy(&m.db);
}
END_TEST

/* As a retry does, or a dispatcher that prepared it. */
static void come_back(void)
{
    store_script(f.store.db, "UPDATE calls SET status = 'scheduled', due_at = NOW(6), "
                             "hold_reason = NULL");
}

START_TEST(what_comes_back_to_wait_waits_with_its_batch)
{
    struct id batch_id = made(2).row.batch_id;

    ck_assert_uint_eq(fenced(10), 2);
    switch_to(&batch_id, BATCH_PAUSED);
    come_back();
    ck_assert_uint_eq(fenced(10), 0);
    ck_asked("SELECT COUNT(*) FROM calls WHERE status = 'scheduled' AND hold_reason = "
             "'batch_paused' AND due_at > NOW(6)",
             "2");
    switch_to(&batch_id, BATCH_RUNNING);
    ck_assert_uint_eq(fenced(10), 2);
    switch_to(&batch_id, BATCH_CANCELLED);
    come_back();
    ck_assert_uint_eq(fenced(10), 0);
    ck_asked("SELECT COUNT(*) FROM calls WHERE status = 'cancelled' AND cancelled_at IS NOT NULL",
             "2");
}
END_TEST

START_TEST(a_cancelled_batch_stays_so)
{
    struct id batch_id = made(5).row.batch_id;

    ck_assert_uint_eq(fenced(2), 2);
    switch_to(&batch_id, BATCH_CANCELLED);
    switch_to(&batch_id, BATCH_CANCELLED);
    ck_assert_str_eq(shown(&batch_id), "cancelled");
    ck_asked("SELECT SUM(status = 'cancelled' AND cancelled_at IS NOT NULL), "
             "SUM(status = 'initiated') FROM calls",
             "3\t2");
    for (int status = BATCH_RUNNING; status <= BATCH_PAUSED; status++) {
        ck_assert_int_eq(
            batches_switch(f.store.db, &f.workspace_id, &batch_id, (enum batch_status)status, &err),
            -1);
        ck_assert_int_eq(err.code, ERR_CONFLICT);
    }
    ck_asked("SELECT COUNT(*) FROM events", "0");
}
END_TEST

/* ---- looking ---- */

START_TEST(counts_and_the_end)
{
    struct id batch_id = made(7).row.batch_id;
    struct batch_counts c;

    store_script(f.store.db,
                 "UPDATE calls SET status = ELT(1 + CAST(RIGHT(contact_number, 1) AS INT), "
                 "'scheduled', 'initiated', 'ringing', 'in_progress', 'completed', 'failed', "
                 "'cancelled')");
    ck_ok(batches_count(f.store.db, &batch_id, &c, &err), &err);
    ck_assert(c.scheduled == 1 && c.under_way == 3 && c.completed == 1 && c.failed == 1 &&
              c.cancelled == 1 && c.disallowed == 0);
    ck_assert_str_eq(shown(&batch_id), "running");
    store_script(f.store.db, "UPDATE calls SET status = 'completed'");
    ck_assert_str_eq(shown(&batch_id), "done");
}
END_TEST

START_TEST(each_workspace_sees_its_own)
{
    struct id batch_id = made(1).row.batch_id;
    struct batch_filter filter = {.page.limit = 10};
    struct batch_row row, *rows;
    struct page_end page_end;
    size_t count;

    made(2);
    ck_assert_int_eq(
        batches_get(f.store.db, f.store.pool, &f.other_workspace_id, &batch_id, &row, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_assert_int_eq(
        batches_switch(f.store.db, &f.other_workspace_id, &batch_id, BATCH_CANCELLED, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(batches_list(f.store.db, f.store.pool, &f.other_workspace_id, &filter, &rows, &count,
                       &page_end, &err),
          &err);
    ck_assert_uint_eq(count, 0);
    ck_ok(batches_list(f.store.db, f.store.pool, &f.workspace_id, &filter, &rows, &count, &page_end,
                       &err),
          &err);
    ck_assert(count == 2 && rows[0].total == 2 && rows[1].total == 1 && !page_end.more);
    filter.page.limit = 1;
    ck_ok(batches_list(f.store.db, f.store.pool, NULL, &filter, &rows, &count, &page_end, &err),
          &err);
    ck_assert(count == 1 && page_end.more);
}
END_TEST

START_TEST(old_ones_without_calls_go)
{
    struct batch_request request = request_of(f.store.pool, 1);
    struct batch_refusal refusal = {1, STR("No.")};
    size_t count;

    request.refusals = &refusal;
    request.refusal_count = 1;
    for (int i = 0; i < 3; i++)
        made_of(&request, NULL);
    store_script(f.store.db, "UPDATE batches SET created_at = NOW(6) - INTERVAL 91 DAY LIMIT 2; "
                             "DELETE FROM calls LIMIT 1");
    ck_ok(batches_expire(f.store.db, &f.workspace_id, 90, 100, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_ok(batches_expire(f.store.db, &f.workspace_id, 90, 100, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_asked("SELECT (SELECT COUNT(*) FROM batches), (SELECT COUNT(*) FROM batch_refusals)",
             "2\t2");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("batches");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, its_calls_are_made_in_their_order);
    tcase_add_test(tcase, times_are_those_of_the_batch);
    tcase_add_test(tcase, what_policy_refuses_is_disallowed_with_its_event);
    tcase_add_test(tcase, a_disabled_agent_and_a_suspended_workspace_disallow_all);
    tcase_add_test(tcase, a_test_key_makes_test_calls);
    tcase_add_test(tcase, another_workspaces_agent_is_not_found);
    tcase_add_test(tcase, refusals_are_kept_by_line);
    tcase_add_test(tcase, the_same_key_gives_the_first_answer);
    tcase_add_test(tcase, a_key_is_of_live_or_test_and_of_a_day);
    tcase_add_test(tcase, twenty_at_once_make_one);
    tcase_add_test(tcase, what_fails_at_the_end_leaves_nothing);
    tcase_add_test(tcase, a_connection_killed_in_its_middle_makes_it_once);
    tcase_add_test(tcase, a_paused_batch_is_not_drawn_until_it_is_resumed);
    tcase_add_test(tcase, a_pause_waits_for_a_fence_that_is_under_way);
    tcase_add_test(tcase, pauses_race_with_draws);
    tcase_add_test(tcase, what_comes_back_to_wait_waits_with_its_batch);
    tcase_add_test(tcase, a_cancelled_batch_stays_so);
    tcase_add_test(tcase, counts_and_the_end);
    tcase_add_test(tcase, each_workspace_sees_its_own);
    tcase_add_test(tcase, old_ones_without_calls_go);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
