/*
 * test_statements.c - every statement of sql/statements.def is one that a migrated server takes,
 * and every ENUM column has the words, in the order, that the C tables have.
 */
#include "lib/rules/attempt.h"
#include "lib/rules/event.h"
#include "lib/rules/function.h"
#include "lib/rules/suppression.h"
#include "sql/accounts.h"
#include "sql/agents.h"
#include "sql/batches.h"
#include "sql/calls_operator.h"
#include "sql/destinations.h"
#include "sql/hooks.h"
#include "sql/statements.h"
#include "sql/users.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct store s;

static void setup(void)
{
    store_setup(&s, "statements", NULL);
}

static void teardown(void)
{
    store_teardown(&s);
}

static void prepares(enum stmt stmt, size_t copies)
{
    struct buf text, script;
    struct err err;

    buf_init(&text, 1u << 20);
    buf_init(&script, 1u << 20);
    stmt_expand(&text, stmt, copies);
    buf_lit(&script, "PREPARE probe FROM \"");
    buf_str(&script, buf_as_str(&text));
    buf_lit(&script, "\"; DEALLOCATE PREPARE probe");
    ck_assert_msg(memchr(text.data, '"', text.len) == NULL, "%s: holds a double quote",
                  stmt_name(stmt));
    ck_assert_msg(db_script(s.db, buf_as_str(&script), &err) == 0, "%s with %zu copies: %s",
                  stmt_name(stmt), copies, err.message);
    buf_deinit(&script);
    buf_deinit(&text);
}

START_TEST(every_statement_prepares)
{
    for (int i = 0; i < STMT_COUNT; i++) {
        struct stmt_shape shape;
        stmt_shape((enum stmt)i, &shape);
        prepares((enum stmt)i, 1);
        if (shape.has_group) {
            prepares((enum stmt)i, 2);
            prepares((enum stmt)i, DB_MANY_MAX);
        }
    }
}
END_TEST

static const char *const workspace_status[] = {
#define X(name, text) text,
    WORKSPACE_STATUSES(X)};
static const char *const destination_status[] = {DESTINATION_STATUSES(X)};
static const char *const destination_kinds[] = {DESTINATION_KINDS(X)};
static const char *const delivery_state[] = {DELIVERY_STATES(X)};
static const char *const call_status[] = {CALL_STATUSES(X)};
static const char *const attempt_state[] = {ATTEMPT_STATES(X)};
static const char *const event_type[] = {EVENT_TYPES(X)};
static const char *const carrier_kind[] = {CARRIER_KINDS(X)};
static const char *const roles_of_person[] = {ROLES(X)};
static const char *const user_status[] = {USER_STATUSES(X)};
static const char *const batch_statuses[] = {BATCH_STATUSES(X)};
static const char *const suppression_sources[] = {SUPPRESSION_SOURCES(X)};
static const char *const hook_statuses[] = {HOOK_STATUSES(X)};
#undef X

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
static const struct {
    const char *table, *column;
    const char *const *texts; /* NULL: only ever written and compared as text */
    size_t count;
} columns[] = {
    {"workspaces", "status", workspace_status, COUNT(workspace_status)},
    {"carriers", "kind", carrier_kind, COUNT(carrier_kind)},
    {"calls", "status", call_status, COUNT(call_status)},
    {"calls", "origin", NULL, 0},
    {"call_attempts", "kind", carrier_kind, COUNT(carrier_kind)},
    {"call_attempts", "state", attempt_state, COUNT(attempt_state)},
    {"events", "type", event_type, COUNT(event_type)},
    {"destinations", "kind", destination_kinds, COUNT(destination_kinds)},
    {"destinations", "status", destination_status, COUNT(destination_status)},
    {"deliveries", "state", delivery_state, COUNT(delivery_state)},
    {"agents", "outside_hours", agent_outside_texts, 2},
    {"users", "status", user_status, COUNT(user_status)},
    {"members", "role", roles_of_person, COUNT(roles_of_person)},
    {"invitations", "role", roles_of_person, COUNT(roles_of_person)},
    {"inbound_hooks", "status", hook_statuses, COUNT(hook_statuses)},
    {"replays", "state", NULL, 0},
    {"functions", "phase", function_phase_texts, FUNCTION_PHASE_COUNT},
    {"functions", "method", function_method_texts, FUNCTION_METHOD_COUNT},
    {"functions", "on_error", function_on_error_texts, FUNCTION_ON_ERROR_COUNT},
    {"functions", "on_missing", function_on_missing_texts, 2},
    {"functions", "run_when", function_when_texts, FUNCTION_WHEN_COUNT},
    {"function_runs", "phase", function_phase_texts, FUNCTION_PHASE_COUNT},
    {"suppressed_numbers", "source", suppression_sources, COUNT(suppression_sources)},
    {"batches", "status", batch_statuses, COUNT(batch_statuses)},
};

static const char *enum_text(const char *const *texts, size_t count)
{
    const char *text = "enum(";

    for (size_t i = 0; i < count; i++)
        text = pool_printf(s.pool, "%s%s'%s'", text, i > 0 ? "," : "", texts[i]);
    return pool_printf(s.pool, "%s)", text);
}

START_TEST(enum_columns_match_their_tables)
{
    for (size_t i = 0; i < COUNT(columns); i++) {
        if (columns[i].texts == NULL)
            continue;
        const char *stored =
            store_ask(&s, pool_printf(s.pool,
                                      "SELECT column_type FROM information_schema.columns WHERE "
                                      "table_schema = DATABASE() AND table_name = '%s' AND "
                                      "column_name = '%s'",
                                      columns[i].table, columns[i].column));
        ck_assert_str_eq(stored, enum_text(columns[i].texts, columns[i].count));
    }
}
END_TEST

START_TEST(no_enum_column_is_left_out)
{
    const char *count = store_ask(&s, "SELECT COUNT(*) FROM information_schema.columns WHERE "
                                      "table_schema = DATABASE() AND data_type = 'enum'");

    ck_assert_int_eq(atoi(count), (int)COUNT(columns));
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("statements");
    TCase *with_tables = tcase_create("with tables");
    tcase_add_checked_fixture(with_tables, setup, teardown);
    tcase_set_timeout(with_tables, 60);
    tcase_add_test(with_tables, every_statement_prepares);
    tcase_add_test(with_tables, enum_columns_match_their_tables);
    tcase_add_test(with_tables, no_enum_column_is_left_out);
    suite_add_tcase(suite, with_tables);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
