/*
 * calls.c - makes calls. Reading, listing and cancelling are in calls_read.c.
 *
 * The happy path is one INSERT ... SELECT from key, workspace and agent: it checks the credential
 * and the agent and writes the call, durably, in one round trip. When it writes nothing, one more
 * query finds out which of them was wrong. The call's id is made by the caller, so that an insert
 * whose answer was lost can be sent again.
 */
#include "sql/calls.h"
#include "sql/calls_private.h"
#include "sql/events.h"
#include <string.h>

#define TRIES 4

struct why_not {
    struct id workspace_id;
    bool test, active, agent_known, agent_enabled;
    usec_t now;
};

/* An insert that found key, workspace and agent in order. *inserted_r false: it did not. */
static int insert_call(struct db *db, const struct call_new *call, bool *inserted_r,
                       bool *due_now_r, struct err *err)
{
    const struct call_request *r = call->request;
    struct query *q = db_use(db, STMT_CALL_INSERT);
    query_bind_id(q, &call->call_id);
    query_bind_str(q, r->contact_number);
    query_bind_str(q, r->contact_name);
    query_bind_str(q, r->contact_email);
    query_bind_str(q, r->additional_info);
    query_bind_time(q, r->scheduled_at);
    query_bind_time(q, r->scheduled_at);
    query_bind_str(q, call->idempotency_key);
    if (call->idempotency_key.p)
        query_bind_bytes(q, r->fingerprint, sizeof r->fingerprint);
    else
        query_bind_null(q);
    query_bind_id(q, &r->agent_id);
    query_bind_bytes(q, call->credential.key_hash, sizeof call->credential.key_hash);
    if (query_run_again(q, err))
        return -1;
    *inserted_r = query_next(q);
    *due_now_r = *inserted_r && query_i64(q) != 0;
    return 0;
}

/* Was our own insert, of which no answer came, carried out? */
static int already_there(struct db *db, const struct id *call_id, bool *there_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_GET_OPERATOR);
    query_bind_id(q, call_id);
    if (query_run_again(q, err))
        return -1;
    *there_r = query_next(q);
    return 0;
}

/* The call that holds the idempotency key. *found_r false: none does (any more). */
int calls_replay(struct db *db, struct pool *pool, const struct call_new *call,
                 struct call_made *made_r, bool *found_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_BY_IDEMPOTENCY_KEY);
    query_bind_i64(q, call->idempotency_retention);
    query_bind_str(q, call->idempotency_key);
    query_bind_bytes(q, call->credential.key_hash, sizeof call->credential.key_hash);
    if (query_run_again(q, err))
        return -1;
    *found_r = query_next(q);
    if (!*found_r)
        return 0;
    query_id(q, &made_r->call_id);
    struct str fingerprint = query_str(q, pool);
    query_id(q, &made_r->agent_id);
    struct str refusal = query_str(q, pool);
    bool old = query_i64(q) != 0;
    made_r->status = refusal.p ? CALL_DISALLOWED : CALL_SCHEDULED;
    if (refusal.p && call_error_parse(refusal, &made_r->error))
        return err_set(err, ERR_INTERNAL, "a call's error code is unknown: %.*s", STR_ARG(refusal));
    bool same = fingerprint.n == sizeof call->request->fingerprint &&
                memcmp(fingerprint.p, call->request->fingerprint, fingerprint.n) == 0;
    if (old) {
        q = db_use(db, STMT_CALL_STRIP_IDEMPOTENCY_KEY);
        query_bind_id(q, &made_r->call_id);
        query_bind_i64(q, call->idempotency_retention);
        *found_r = false;
        return query_run_again(q, err);
    }
    if (!same)
        return err_set(err, ERR_KEY_REUSED,
                       "This Idempotency-Key was already used with a different request.");
    made_r->replayed = !id_eq(&made_r->call_id, &call->call_id);
    return 0;
}

static int find_why_not(struct db *db, const struct call_new *call, struct why_not *why,
                        struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_WHY_NOT);
    query_bind_id(q, &call->request->agent_id);
    query_bind_bytes(q, call->credential.key_hash, sizeof call->credential.key_hash);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return credentials_unknown(err);
    if (query_i64(q) == 0)
        return credentials_too_small(SCOPE_CALLS, err);
    query_id(q, &why->workspace_id);
    why->test = query_i64(q) != 0;
    why->active = query_i64(q) == 1;
    why->agent_known = query_i64(q) != 0;
    why->agent_enabled = query_i64(q) != 0;
    why->now = query_time(q);
    return 0;
}

static int insert_disallowed(struct db *db, struct pool *pool, const struct call_new *call,
                             const struct why_not *why, enum call_error reason,
                             struct call_made *made, struct err *err)
{
    const struct call_request *r = call->request;
    struct query *q = db_use(db, STMT_CALL_INSERT_DISALLOWED);
    query_bind_id(q, &call->call_id);
    query_bind_id(q, &why->workspace_id);
    query_bind_id(q, &r->agent_id);
    query_bind_i64(q, why->test);
    query_bind_str(q, r->contact_number);
    query_bind_str(q, r->contact_name);
    query_bind_str(q, r->contact_email);
    query_bind_str(q, r->additional_info);
    query_bind_time(q, r->scheduled_at);
    query_bind_time(q, why->now);
    query_bind_time(q, why->now);
    query_bind_str(q, str_of(why->test ? "api_test" : "api_live"));
    query_bind_str(q, call->idempotency_key);
    if (call->idempotency_key.p)
        query_bind_bytes(q, r->fingerprint, sizeof r->fingerprint);
    else
        query_bind_null(q);
    query_bind_time(q, why->now);
    query_bind_time(q, why->now);
    query_bind_time(q, why->now);
    query_bind_str(q, str_of(call_error_code(reason)));
    query_bind_str(q, str_of(call_error_message(reason)));
    if (query_run(q, err))
        return -1;
    struct event_data event = {
        .type = EVENT_CALL_DISALLOWED,
        .created_at = why->now,
        .call_id = call->call_id,
        .agent_id = r->agent_id,
        .phone_number = r->contact_number,
        .error = reason,
        .test = why->test,
    };
    struct wakes wakes = {0};
    if (events_write(db, pool, &why->workspace_id, &event, 0, &wakes, err))
        return -1;
    made->destinations = wakes.ids;
    made->destination_count = wakes.count;
    return 0;
}

/* Policy refuses it: the call and its event, in one commit. */
static int create_disallowed(struct db *db, struct pool *pool, const struct call_new *call,
                             const struct why_not *why, enum call_error reason,
                             struct call_made *made, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (insert_disallowed(db, pool, call, why, reason, made, err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* The insert wrote nothing: an earlier call with this key, a wrong credential or agent, or policy.
 * *made_r false: nothing of that holds (any more), insert again. */
static int explain(struct db *db, struct pool *pool, const struct call_new *call,
                   struct call_made *made, bool *made_r, struct err *err)
{
    *made_r = false;
    if (call->idempotency_key.p) {
        if (calls_replay(db, pool, call, made, made_r, err))
            return -1;
        if (*made_r)
            return 0;
    }
    struct why_not why;
    if (find_why_not(db, call, &why, err))
        return -1;
    if (!why.agent_known) {
        char text[ID_TEXT_SIZE];
        id_format(ID_AGENT, &call->request->agent_id, text);
        return call_request_no_agent(err, str_of(text));
    }
    if (why.active && why.agent_enabled)
        return 0;
    enum call_error reason = why.active ? CALL_ERROR_AGENT_DISABLED : CALL_ERROR_ACCOUNT_SUSPENDED;
    if (create_disallowed(db, pool, call, &why, reason, made, err) == 0)
        *made_r = true;
    else if (err->code != ERR_CONFLICT || already_there(db, &call->call_id, made_r, err))
        return -1;
    made->call_id = call->call_id;
    made->agent_id = call->request->agent_id;
    made->status = CALL_DISALLOWED;
    made->error = reason;
    return 0;
}

/* One try at it. *made_r false: something moved under our feet, try again. */
static int create_once(struct db *db, struct pool *pool, const struct call_new *call,
                       struct call_made *made, bool *made_r, struct err *err)
{
    memset(made, 0, sizeof *made);
    *made_r = false;
    bool inserted;
    if (insert_call(db, call, &inserted, &made->due_now, err) == 0) {
        if (!inserted)
            return explain(db, pool, call, made, made_r, err);
        made->call_id = call->call_id;
        made->agent_id = call->request->agent_id;
        made->status = CALL_SCHEDULED;
        *made_r = true;
        return 0;
    }
    if (err->code != ERR_CONFLICT)
        return -1;
    if (call->idempotency_key.p && calls_replay(db, pool, call, made, made_r, err))
        return -1;
    if (*made_r)
        return 0;
    if (already_there(db, &call->call_id, made_r, err))
        return -1;
    made->call_id = call->call_id;
    made->agent_id = call->request->agent_id;
    made->status = CALL_SCHEDULED;
    made->due_now = true;
    return 0;
}

static bool worth_another_try(const struct db *db, const struct err *err)
{
    bool deadlock = err->code == ERR_UNAVAILABLE && db_connected(db);
    return deadlock || err->code == ERR_UNCERTAIN || err->code == ERR_CONFLICT;
}

int calls_create(struct db *db, struct pool *pool, const struct call_new *call,
                 struct call_made *made_r, struct err *err)
{
    for (unsigned n = 0; n < TRIES; n++) {
        bool made;
        err_clear(err);
        if (create_once(db, pool, call, made_r, &made, err) == 0) {
            if (made)
                return 0;
        } else if (!worth_another_try(db, err)) {
            return -1;
        }
    }
    /* What is uncertain to the end is told as "not done": the caller's repeat is made safe by its
     * Idempotency-Key. */
    return err_set(err, ERR_UNAVAILABLE, "The call could not be written. Please retry.");
}
