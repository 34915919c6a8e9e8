/*
 * test_scale.c - what the dispatcher does again and again reads no more for a hundred thousand rows
 * than for a few: whatever a customer has waiting, others don't wait for it. Counted by the server
 * (Handler_read_*), not timed.
 */
#include "sql/deliveries.h"
#include "sql/expiry.h"
#include "sql/retention.h"
#include "sql/steps.h"
#include "sql/watch.h"
#include "tests/store/policy_fixture.h"

#include <stdlib.h>

#define WAITING_AGENT "x'01900000000070008000000000000060'"
#define LEASE (60 * USEC_PER_S)
#define LIMIT 64
#define RETENTION_LIMIT 200
/* Of a line: where calls are told why they wait and test calls are looked for. */
#define FRONT 1000

static struct err err;

#define ID(prefix) "UNHEX(CONCAT('" prefix "', LPAD(HEX(seq), 30, '0')))"
#define CALLS(prefix, agent, status)                                                               \
    "INSERT INTO calls (call_id, workspace_id, agent_id, status, test, contact_number, origin, "   \
    "created_at, updated_at, hold_reason, scheduled_at, due_at, expiry_due, duration_seconds) "    \
    "SELECT " ID(prefix) ", @workspace, " agent ", '" status "', FALSE, "                          \
                         "CONCAT('+9198', LPAD(seq, 8, '0')), 'api_live', @old, @old, "

/* The fixture's agent has calls of tomorrow, half of them held, some expired; all at one moment.
 * The other one's are due and have no line. */
static void fill_calls(void)
{
    script("INSERT INTO agents (agent_id, workspace_id, name, prompt, greeting, carrier_id, "
           "concurrent_calls, created_at, updated_at) "
           "VALUES (" WAITING_AGENT ", @workspace, 'waits', '', '', " CARRIER ", 3, @now, @now)");
    script(CALLS("AA", "@agent",
                 "scheduled") "IF(seq MOD 2, 'outside_calling_hours', NULL), @tomorrow, @tomorrow, "
                              "IF(seq < 10000, @now, NULL), NULL FROM seq_1_to_40000");
    script(
        CALLS("BB", WAITING_AGENT, "scheduled") "NULL, @old, @old, NULL, NULL FROM seq_1_to_20000");
    script(CALLS("CC", "@agent", "completed") "NULL, @old, @old, NULL, 10 FROM seq_1_to_40000");
}

/* What belongs to the calls that are over since long, and steps of attempts that are gone. */
static void fill_the_rest(void)
{
    script("INSERT INTO call_attempts (call_id, n, workspace_id, kind, state, token, "
           "redial_on_unknown, fenced_at, silent_at, watch_at) "
           "SELECT " ID("CC") ", 1, @workspace, 'simulator', 'ended', " ID(
               "CC") ", 0, @old, @old, "
                     "IF(seq > 20000, @now, NULL) FROM seq_1_to_40000");
    script("INSERT INTO simulator_steps (step_id, token, due_at, body) "
           "SELECT " ID("DD") ", " ID("DD") ", @old, '{}' FROM seq_1_to_20000");
    script("INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at) "
           "SELECT " ID("CC") ", @workspace, " ID("CC") ", 'call.completed', '{}', @old "
                                                        "FROM seq_1_to_40000");
    script(
        "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, state, "
        "due_at, created_at, updated_at) "
        "SELECT " ID("CC") ", @workspace, @endpoint, " ID(
            "CC") ", "
                  "IF(seq > 20000, 'waiting', 'succeeded'), @old, @old, @old FROM seq_1_to_40000");
}

static void fill(void)
{
    script("SET SESSION unique_checks = 0; SET @now = NOW(6), "
           "@tomorrow = NOW(6) + INTERVAL 1 DAY, @old = NOW(6) - INTERVAL 400 DAY, "
           "@workspace = (SELECT workspace_id FROM agents ORDER BY agent_id LIMIT 1), "
           "@agent = (SELECT agent_id FROM agents ORDER BY agent_id LIMIT 1), "
           "@endpoint = (SELECT destination_id FROM destinations ORDER BY destination_id LIMIT 1)");
    fill_calls();
    fill_the_rest();
    script("ANALYZE TABLE calls, call_attempts, deliveries, events, simulator_steps; "
           "CREATE TABLE handler_reads (row_count BIGINT)");
}

/* ---- what is done again and again ---- */

static void due_agents(void)
{
    struct calls_of *agents;
    size_t count;
    ck_ok(fence_due_agents(fixture.store.db, fixture.store.pool, &agents, &count, &err), &err);
    ck_assert_uint_ge(count, 1);
}

static struct fence_result fence_waiting(bool batched)
{
    struct fence_ask one = {.of.batched = batched, .limit = 16, .prepare_limit = 16};
    struct fence_result result;
    ck_assert_int_eq(hex_decode(STR("01900000000070008000000000000060"), one.of.agent_id.b, 16), 0);
    ck_ok(
        fence_calls(fixture.store.db, fixture.store.pool, fixture.store.conf, &one, &result, &err),
        &err);
    return result;
}

/* A few at first, then none: test calls are looked for. */
static void fence_singles(void)
{
    ck_assert_uint_le(fence_waiting(false).count, 3);
}

static void fence_batches(void)
{
    ck_assert_uint_eq(fence_waiting(true).count, 0);
}

static void tell(void)
{
    struct calls_of of = {.batched = false};
    ck_assert_int_eq(hex_decode(STR("01900000000070008000000000000060"), of.agent_id.b, 16), 0);
    ck_ok(held_calls_tell_waiting(fixture.store.db, &of, HOLD_AGENT_CAPACITY, &err), &err);
}

static struct recheck *rechecked;

static void rechecks(void)
{
    size_t count;
    ck_ok(held_calls_rechecks(fixture.store.db, fixture.store.pool, 100, &rechecked, &count, &err),
          &err);
    ck_assert_uint_ge(count, 1);
}

static void recheck(void)
{
    bool done;
    ck_ok(held_calls_recheck(fixture.store.db, rechecked, DB_MANY_MAX, &done, &err), &err);
    ck_assert(!done);
}

static void expire(void)
{
    struct wakes wakes;
    size_t looked_at, failed;
    ck_ok(held_calls_expire(fixture.store.db, fixture.store.pool, fixture.store.conf, LIMIT,
                            &looked_at, &failed, &wakes, &err),
          &err);
    ck_assert_uint_eq(looked_at, LIMIT);
}

static void watch(void)
{
    struct watched_attempt *attempts;
    size_t count;
    ck_ok(watch_draw(fixture.store.db, fixture.store.pool, LIMIT, LEASE, &attempts, &count, &err),
          &err);
    ck_assert_uint_eq(count, LIMIT);
}

static void steps(void)
{
    struct step_row *rows;
    size_t count;
    usec_t wait;
    ck_ok(steps_draw(fixture.store.db, fixture.store.pool, LIMIT, LEASE, &rows, &count, &err),
          &err);
    ck_assert_uint_eq(count, LIMIT);
    ck_ok(steps_next(fixture.store.db, &wait, &err), &err);
}

static void due_destinations(void)
{
    struct due_destination *rows;
    size_t count;
    usec_t offset = TIME_NONE;
    ck_ok(deliveries_due(fixture.store.db, fixture.store.pool, &rows, &count, &offset, &err), &err);
    ck_assert_uint_ge(count, 1);
}

static void deliver(void)
{
    struct draw_want want = {fixture.endpoint_id, 0, LIMIT};
    struct drawn_delivery *rows;
    size_t count;
    ck_ok(deliveries_draw(fixture.store.db, fixture.store.pool, 1, &want, 1, LEASE, &rows, &count,
                          &err),
          &err);
    ck_assert_uint_eq(count, LIMIT);
}

static struct retention_round retained;

static void retain(void)
{
    retained.workspace = (struct retention_workspace){fixture.workspace_id, 90};
    ck_ok(retention_step(fixture.store.db, fixture.store.pool, RETENTION_LIMIT, &retained, &err),
          &err);
    ck_assert(!retained.done);
}

static void clean(void)
{
    bool more;
    ck_ok(expiry_run(fixture.store.db, RETENTION_LIMIT, &more, &err), &err);
}

/* Rows that one run may read: some for each row that it is for, and some for itself. */
static const struct {
    const char *name;
    void (*run)(void);
    unsigned times;
    int rows;
} regular[] = {
    {"agents with due calls", due_agents, 2, 100},
    {"the fence, single calls", fence_singles, 4, 5 * FRONT},
    {"the fence, batches", fence_batches, 2, 200},
    {"those in front are told", tell, 3, 5 * FRONT},
    {"agents to be judged anew", rechecks, 1, 100},
    {"calls to be judged anew", recheck, 30, 5 * DB_MANY_MAX},
    {"expired calls", expire, 5, 20 * LIMIT},
    {"attempts to be looked at", watch, 5, 20 * LIMIT},
    {"simulator steps", steps, 5, 10 * LIMIT},
    {"destinations with work", due_destinations, 2, 100},
    {"deliveries", deliver, 5, 20 * LIMIT},
    {"retention", retain, 5, 20 * RETENTION_LIMIT},
    {"sessions and the like", clean, 1, 100},
};

/* How many rows the connection read for it. */
static int rows_read(void (*run)(void))
{
    script("DELETE FROM handler_reads; FLUSH STATUS");
    run();
    script("INSERT INTO handler_reads SELECT SUM(variable_value) FROM "
           "information_schema.session_status WHERE variable_name LIKE 'Handler\\_read%'");
    return atoi(ask("SELECT row_count FROM handler_reads"));
}

static void run_all(void)
{
    set_hours(0, 1440, 127); /* and so wants its agents judged anew */
    for (size_t i = 0; i < sizeof regular / sizeof *regular; i++) {
        for (unsigned n = 0; n < regular[i].times; n++) {
            int rows = rows_read(regular[i].run);
            ck_assert_msg(rows <= regular[i].rows, "%s: %d rows read, the %u. time",
                          regular[i].name, rows, n + 1);
        }
    }
}

START_TEST(nothing_is_walked_through)
{
    fill();
    run_all();
    /* What the optimizer knows of tables changes by these, too: backups flush. */
    script("FLUSH TABLES calls, call_attempts, deliveries, events, simulator_steps");
    run_all();
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("scale");

    tcase_add_test(tc, nothing_is_walked_through);
    return policy_run("scale", tc);
}
