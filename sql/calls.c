/*
 * calls.c - makes calls. Reading, listing and cancelling are in calls_read.c.
 *
 * The happy path is one INSERT, durable: who asks and for which agent is known before. The call's
 * id is made by the caller, so that an insert whose answer was lost can be sent again.
 */
#include "sql/calls.h"
#include "lib/rules/policy.h"
#include "sql/events.h"
#include <string.h>

#define TRIES 4

static struct str origin_of(const struct call_new *call)
{
    if (!id_is_zero(&call->who->hook_id))
        return STR("hook");
    return call->who->test ? STR("api_test") : STR("api_live");
}

static void bind_idempotency(struct query *q, const struct call_new *call)
{
    query_bind_str(q, call->idempotency_key);
    if (call->idempotency_key.p)
        query_bind_bytes(q, call->request->fingerprint, sizeof call->request->fingerprint);
    else
        query_bind_null(q);
}

/* Most calls are to be made at once: their insert has nothing to work out. Where there is a list of
 * numbers that must not be called, the insert itself looks there: it stays one round trip. */
static enum stmt insert_for(const struct call_new *call)
{
    const struct call_request *r = call->request;
    if (call->agent->suppresses)
        return STMT_CALL_INSERT_UNLESS_SUPPRESSED;
    bool now = r->scheduled_at == TIME_NONE && r->expires_at == TIME_NONE &&
               call->agent->start_delay_seconds == 0;
    return now ? STMT_CALL_INSERT_NOW : STMT_CALL_INSERT;
}

/* *refusal_r is set when it is not inserted, because its number is suppressed. The fence asks
 * again. */
static int insert_call(struct db *db, const struct call_new *call, enum call_error *refusal_r,
                       struct err *err)
{
    const struct call_request *r = call->request;
    enum stmt stmt = insert_for(call);
    struct query *q = db_use(db, stmt);
    query_bind_id(q, &call->call_id);
    query_bind_id(q, &call->who->workspace_id);
    query_bind_id(q, &r->agent_id);
    query_bind_i64(q, call->who->test);
    query_bind_str(q, r->contact_number);
    query_bind_str(q, r->contact_name);
    query_bind_str(q, r->contact_email);
    query_bind_str(q, r->additional_info);
    for (int twice = 0; twice < 2 && stmt != STMT_CALL_INSERT_NOW; twice++) {
        query_bind_time(q, r->scheduled_at);
        query_bind_i64(q, call->agent->start_delay_seconds);
    }
    for (int twice = 0; twice < 2 && stmt != STMT_CALL_INSERT_NOW; twice++)
        query_bind_time(q, r->expires_at);
    query_bind_str(q, origin_of(call));
    bind_idempotency(q, call);
    if (stmt == STMT_CALL_INSERT_UNLESS_SUPPRESSED) {
        query_bind_id(q, &call->who->workspace_id);
        query_bind_str(q, r->contact_number);
    }
    if (query_run_again(q, err))
        return -1;
    if (query_affected(q) == 0)
        *refusal_r = CALL_ERROR_NUMBER_SUPPRESSED;
    return 0;
}

/* Was our own insert, of which no answer came, carried out? */
static int already_there(struct db *db, const struct id *call_id, bool *there_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CALL_EXISTS);
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
    query_bind_id(q, &call->who->workspace_id);
    query_bind_str(q, origin_of(call));
    query_bind_str(q, call->idempotency_key);
    if (query_run_again(q, err))
        return -1;
    *found_r = query_next(q);
    if (!*found_r)
        return 0;
    made_r->due_now = false;
    made_r->error = CALL_ERROR_NONE;
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

static int insert_disallowed(struct db *db, const struct call_new *call, enum call_error reason,
                             usec_t now, struct err *err)
{
    const struct call_request *r = call->request;
    struct query *q = db_use(db, STMT_CALL_INSERT_DISALLOWED);
    query_bind_id(q, &call->call_id);
    query_bind_id(q, &call->who->workspace_id);
    query_bind_id(q, &r->agent_id);
    query_bind_i64(q, call->who->test);
    query_bind_str(q, r->contact_number);
    query_bind_str(q, r->contact_name);
    query_bind_str(q, r->contact_email);
    query_bind_str(q, r->additional_info);
    query_bind_time(q, r->scheduled_at);
    query_bind_time(q, now);
    query_bind_time(q, now);
    query_bind_time(q, r->expires_at);
    query_bind_str(q, origin_of(call));
    bind_idempotency(q, call);
    query_bind_time(q, now);
    query_bind_time(q, now);
    query_bind_time(q, now);
    query_bind_str(q, str_of(call_error_code(reason)));
    query_bind_str(q, str_of(call_error_message(reason)));
    return query_run(q, err);
}

static int write_disallowed(struct db *db, struct pool *pool, const struct call_new *call,
                            enum call_error reason, struct call_made *made, struct err *err)
{
    usec_t now = TIME_NONE;
    struct wakes wakes = {0};
    if (db_now(db, &now, err) || insert_disallowed(db, call, reason, now, err))
        return -1;
    struct event_data event = {
        .type = EVENT_CALL_DISALLOWED,
        .created_at = now,
        .call_id = call->call_id,
        .agent_id = call->request->agent_id,
        .phone_number = call->request->contact_number,
        .error = reason,
        .test = call->who->test,
    };
    if (events_write(db, pool, &call->who->workspace_id, &event, 0, &wakes, err))
        return -1;
    made->destinations = wakes.ids;
    made->destination_count = wakes.count;
    return 0;
}

/* Policy refuses it: the call and its event, in one commit. */
static int create_disallowed(struct db *db, struct pool *pool, const struct call_new *call,
                             enum call_error reason, struct call_made *made, struct err *err)
{
    if (db_begin(db, err))
        return -1;
    if (write_disallowed(db, pool, call, reason, made, err)) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* Writes it, as scheduled or as what policy makes of it. */
static int create(struct db *db, struct pool *pool, const struct call_new *call,
                  enum call_error refusal, struct call_made *made, struct err *err)
{
    memset(made, 0, sizeof *made);
    made->call_id = call->call_id;
    made->agent_id = call->request->agent_id;
    if (refusal == CALL_ERROR_NONE && insert_call(db, call, &refusal, err))
        return -1;
    made->error = refusal;
    made->status = refusal == CALL_ERROR_NONE ? CALL_SCHEDULED : CALL_DISALLOWED;
    if (refusal != CALL_ERROR_NONE)
        return create_disallowed(db, pool, call, refusal, made, err);
    usec_t at = call->request->scheduled_at;
    made->due_now = at == TIME_NONE ? call->agent->start_delay_seconds == 0 : at <= clock_wall();
    return 0;
}

/* A row stands in the way: an earlier call with this Idempotency-Key, or this call itself, of
 * whose insert no answer came. *made_r false: neither (any more), insert again. */
static int find_duplicate(struct db *db, struct pool *pool, const struct call_new *call,
                          struct call_made *made, bool *made_r, struct err *err)
{
    *made_r = false;
    if (call->idempotency_key.p && calls_replay(db, pool, call, made, made_r, err))
        return -1;
    return *made_r ? 0 : already_there(db, &call->call_id, made_r, err);
}

/* One try at it. *made_r false: something moved under our feet, try again. */
static int create_once(struct db *db, struct pool *pool, const struct call_new *call,
                       enum call_error refusal, struct call_made *made, bool *made_r,
                       struct err *err)
{
    *made_r = create(db, pool, call, refusal, made, err) == 0;
    if (*made_r)
        return 0;
    if (err->code != ERR_CONFLICT)
        return -1;
    return find_duplicate(db, pool, call, made, made_r, err);
}

static bool worth_another_try(const struct db *db, const struct err *err)
{
    bool deadlock = err->code == ERR_UNAVAILABLE && db_connected(db);
    return deadlock || err->code == ERR_UNCERTAIN || err->code == ERR_CONFLICT;
}

static enum call_error refusal_of(const struct call_new *call)
{
    if (!call->who->active)
        return CALL_ERROR_ACCOUNT_SUSPENDED;
    if (!call->agent->enabled)
        return CALL_ERROR_AGENT_DISABLED;
    if (!policy_number_type_good(call->agent->number_types, call->request->number_kind))
        return CALL_ERROR_NUMBER_TYPE_NOT_ALLOWED;
    return CALL_ERROR_NONE;
}

/* What was answered before is answered again, whatever has become of the agent. */
static int check_agent(struct db *db, struct pool *pool, const struct call_new *call,
                       struct call_made *made_r, bool *made_before_r, struct err *err)
{
    bool known = call->agent && id_eq(&call->agent->workspace_id, &call->who->workspace_id);
    *made_before_r = false;
    if (known && refusal_of(call) == CALL_ERROR_NONE)
        return 0;
    if (call->idempotency_key.p && calls_replay(db, pool, call, made_r, made_before_r, err))
        return -1;
    if (*made_before_r || known)
        return 0;
    char text[ID_TEXT_SIZE];
    id_format(ID_AGENT, &call->request->agent_id, text);
    return call_request_no_agent(err, str_of(text));
}

int calls_create(struct db *db, struct pool *pool, const struct call_new *call,
                 struct call_made *made_r, struct err *err)
{
    bool made;
    memset(made_r, 0, sizeof *made_r);
    if (check_agent(db, pool, call, made_r, &made, err))
        return -1;
    enum call_error refusal = made ? CALL_ERROR_NONE : refusal_of(call);
    for (unsigned n = 0; n < TRIES && !made; n++) {
        err_clear(err);
        if (create_once(db, pool, call, refusal, made_r, &made, err) != 0 &&
            !worth_another_try(db, err))
            return -1;
    }
    if (made)
        return 0;
    /* What is uncertain to the end is told as "not done": the caller's repeat is made safe by its
     * Idempotency-Key. */
    return err_set(err, ERR_UNAVAILABLE, "The call could not be written. Please retry.");
}
