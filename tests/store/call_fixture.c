/*
 * call_fixture.c - see call_fixture.h.
 */
#include "tests/store/call_fixture.h"
#include "lib/base/crypto.h"

#include <check.h>
#include <string.h>

static struct id fixed_id(unsigned char last)
{
    struct id id = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80}};
    id.b[15] = last;
    return id;
}

static const char *hex(struct call_fixture *f, const void *p, size_t n)
{
    char *text = pool_alloc(f->store.pool, 2 * n + 1);
    hex_encode(p, n, text);
    return text;
}

static void insert_key(struct call_fixture *f, unsigned char id, const struct id *workspace_id,
                       const char *secret, bool test, struct credential *credential_r)
{
    struct id key_id = fixed_id(id);
    crypto_sha256(str_of(secret), credential_r->key_hash);
    store_script(f->store.db,
                 pool_printf(f->store.pool,
                             "INSERT INTO api_keys (key_id, workspace_id, secret_hash, prefix, "
                             "test, created_at) VALUES (x'%s', x'%s', x'%s', 'sk', %d, NOW(6))",
                             hex(f, key_id.b, 16), hex(f, workspace_id->b, 16),
                             hex(f, credential_r->key_hash, 32), test));
}

static void insert_workspace(struct call_fixture *f, const struct id *workspace_id,
                             const struct id *agent_id)
{
    store_script(f->store.db,
                 pool_printf(f->store.pool,
                             "INSERT INTO workspaces (workspace_id, name, created_at, updated_at) "
                             "VALUES (x'%s', 'W', NOW(6), NOW(6)); "
                             "INSERT INTO agents (agent_id, workspace_id, name, prompt, greeting, "
                             "created_at, updated_at) "
                             "VALUES (x'%s', x'%s', 'A', '', 'Hello', NOW(6), NOW(6))",
                             hex(f, workspace_id->b, 16), hex(f, agent_id->b, 16),
                             hex(f, workspace_id->b, 16)));
}

void call_fixture_setup(struct call_fixture *f, const char *name, const char *settings)
{
    memset(f, 0, sizeof *f);
    store_setup(&f->store, name, settings);
    f->workspace_id = fixed_id(1);
    f->agent_id = fixed_id(2);
    f->endpoint_id = fixed_id(3);
    f->other_agent_id = fixed_id(12);
    f->other_workspace_id = fixed_id(11);
    insert_workspace(f, &f->workspace_id, &f->agent_id);
    insert_workspace(f, &f->other_workspace_id, &f->other_agent_id);
    insert_key(f, 4, &f->workspace_id, "live", false, &f->live);
    insert_key(f, 5, &f->workspace_id, "test", true, &f->test);
    insert_key(f, 14, &f->other_workspace_id, "other", false, &f->calls_only_other);
    store_script(f->store.db,
                 pool_printf(f->store.pool,
                             "INSERT INTO destinations (destination_id, workspace_id, kind, url, "
                             "events, secret, good_since, created_at, updated_at) VALUES "
                             "(x'%s', x'%s', 'endpoint', 'https://example.com/', 15, '', NOW(6), "
                             "NOW(6), NOW(6))",
                             hex(f, f->endpoint_id.b, 16), hex(f, f->workspace_id.b, 16)));
}

void call_fixture_teardown(struct call_fixture *f)
{
    store_teardown(&f->store);
}

struct call_request call_fixture_request(const struct id *agent_id, const char *number)
{
    struct call_request request = {
        .agent_id = *agent_id,
        .contact_number = str_of(number),
        .scheduled_at = TIME_NONE,
        .expires_at = TIME_NONE,
    };
    struct err err;
    ck_ok(phone_check(request.contact_number, "contact_number", &request.number_kind, &err), &err);
    crypto_sha256(request.contact_number, request.fingerprint);
    return request;
}

int call_fixture_create(struct call_fixture *f, struct db *db, const struct credential *credential,
                        const struct call_request *request, const char *key,
                        struct call_made *made_r, struct err *err)
{
    unsigned char random[10];
    struct principal who;
    struct agent_facts agent;
    crypto_random(random, sizeof random);
    if (credentials_read(db, credential, &who, err) ||
        principal_check_scope(&who, SCOPE_CALLS, err))
        return -1;
    bool known = agents_facts(db, &request->agent_id, &agent, err) == 0;
    struct call_new call = {
        .who = &who,
        .agent = known ? &agent : NULL,
        .call_id = id_make(clock_wall(), random),
        .request = request,
        .idempotency_key = str_of(key),
        .idempotency_retention = 24 * 3600 * USEC_PER_S,
    };
    return calls_create(db, f->store.pool, &call, made_r, err);
}

struct fenced_call call_fixture_fenced(struct call_fixture *f)
{
    struct call_request request = call_fixture_request(&f->agent_id, "+919876543210");
    struct call_made made;
    struct fence_result result;
    struct err err;
    ck_ok(call_fixture_create(f, f->store.db, &f->live, &request, NULL, &made, &err), &err);
    ck_ok(fence_calls(f->store.db, f->store.pool, f->store.conf, CALL_ASK(f, 10), &result, &err),
          &err);
    ck_assert_uint_eq(result.count, 1);
    return result.calls[0];
}

int call_fixture_report(struct call_fixture *f, const unsigned char *token, enum report_kind kind,
                        enum end_reason reason, struct attempt_outcome *outcome_r, struct err *err)
{
    struct carrier_report report = {
        .report = {.kind = kind, .reason = reason, .refusal = CALL_ERROR_REJECTED},
        .at = TIME_NONE,
        .duration_seconds = 7,
        .outcome = STR("successful"),
        .summary = STR("Said hello."),
    };
    return attempts_report(f->store.db, f->store.pool, f->store.conf, token, &report, outcome_r,
                           err);
}

const char *call_fixture_column(struct call_fixture *f, const char *column)
{
    return store_ask(&f->store, pool_printf(f->store.pool, "SELECT %s FROM calls", column));
}
