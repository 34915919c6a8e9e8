/*
 * test_delivery_log.c - lists of deliveries and events are read in the order of an index, whatever
 * they are filtered by.
 */
#include "sql/delivery_log.h"
#include "sql/statements.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ONE "UNHEX('00000000000000000000000000000001')"
#define FAR "'9000-01-01'"
#define NOT_ASKED "NULL,NULL"
#define RANGE "'1970-01-01'," FAR
#define PAGE FAR "," FAR "," ONE
#define FILTERED ONE "," ONE ",'failed','failed'," NOT_ASKED

static struct store s;

static void setup(void)
{
    store_setup(&s, "delivery_log", NULL);
    store_script(s.db,
                 "INSERT INTO events (event_id, workspace_id, call_id, type, body, created_at) "
                 "SELECT UNHEX(LPAD(HEX(seq), 32, '0')), " ONE
                 ", UNHEX(LPAD(HEX(seq DIV 3), 32, '0')), IF(seq MOD 100, 1, 3), '{}', "
                 "'2026-01-01' + INTERVAL seq SECOND FROM seq_1_to_10000; "
                 "INSERT INTO deliveries (delivery_id, workspace_id, destination_id, event_id, "
                 "state, due_at, created_at, updated_at) SELECT e.event_id, " ONE ", " ONE
                 ", e.event_id, IF(e.type = 3, 'failed', 'succeeded'), e.created_at, e.created_at, "
                 "e.created_at FROM events e; ANALYZE TABLE events, deliveries");
}

static void teardown(void)
{
    store_teardown(&s);
}

/* The statement's text with its placeholders filled. */
static const char *filled(enum stmt stmt, const char *values)
{
    const char *text = pool_printf(s.pool, "EXPLAIN ");
    struct str rest = str_of(values), value;
    struct buf expanded;
    buf_init(&expanded, 1 << 20);
    stmt_expand(&expanded, stmt, 2);
    for (const char *p = expanded.data; *p != '\0'; p++) {
        if (*p != '?') {
            text = pool_printf(s.pool, "%s%c", text, *p);
            continue;
        }
        ck_assert_msg(str_split(&rest, ',', &value), "%s has more placeholders", stmt_name(stmt));
        text = pool_printf(s.pool, "%s%.*s", text, STR_ARG(value));
    }
    buf_deinit(&expanded);
    ck_assert_msg(!str_split(&rest, ',', &value), "%s has fewer placeholders", stmt_name(stmt));
    return text;
}

static const struct {
    enum stmt stmt;
    const char *values;
    const char *index;
    bool few; /* its filter leaves few rows: they may be sorted */
} lists[] = {
    {STMT_DELIVERY_LIST_ALL, ONE "," RANGE "," PAGE "," NOT_ASKED "," NOT_ASKED "," NOT_ASKED ",21",
     "listed", false},
    {STMT_DELIVERY_LIST_BY_STATE,
     ONE ",'failed'," RANGE "," PAGE "," NOT_ASKED ",'failed','failed'," NOT_ASKED ",21",
     "listed_state", false},
    {STMT_DELIVERY_LIST_BY_STATE, ONE ",'failed'," RANGE "," PAGE "," FILTERED ",21",
     "listed_state", false},
    {STMT_DELIVERY_LIST_BY_ENDPOINT,
     ONE "," ONE ",'failed'," RANGE "," PAGE ",21," ONE "," ONE ",'succeeded'," RANGE "," PAGE
         ",21,21",
     "listed_endpoint", false},
    {STMT_DELIVERY_LIST_BY_EVENT,
     ONE "," ONE "," RANGE "," PAGE "," NOT_ASKED "," NOT_ASKED "," NOT_ASKED ",21", "once", true},
    {STMT_DELIVERY_LIST_BY_EVENT,
     ONE "," ONE "," RANGE "," PAGE "," NOT_ASKED ",'succeeded','succeeded'," NOT_ASKED ",21",
     "once", true},
    {STMT_DELIVERY_LIST_BY_CALL,
     ONE "," ONE "," RANGE "," PAGE "," NOT_ASKED "," NOT_ASKED "," ONE "," ONE ",21", "of_call",
     true},
    {STMT_EVENT_LIST_ALL, ONE "," RANGE "," PAGE "," NOT_ASKED ",21", "listed", false},
    {STMT_EVENT_LIST_BY_TYPE,
     ONE ",'call.failed'," RANGE "," PAGE ",'call.failed','call.failed',21", "listed_type", false},
    {STMT_EVENT_LIST_BY_CALL, ONE "," ONE "," RANGE "," PAGE "," NOT_ASKED ",21", "of_call", true},
    {STMT_EVENT_LIST_BY_CALL, ONE "," ONE "," RANGE "," PAGE ",'call.failed','call.failed',21",
     "of_call", true},
};
#define COUNT(table) (sizeof(table) / sizeof(*(table)))

START_TEST(lists_are_read_by_their_index)
{
    const char *plan = store_ask(&s, filled(lists[_i].stmt, lists[_i].values));
    char *merged = strstr(plan, "\tUNION RESULT\t"); /* a page of each: few */
    if (merged != NULL)
        *merged = '\0';
    ck_assert_msg(strstr(plan, pool_printf(s.pool, "\t%s\t", lists[_i].index)) != NULL, "%s: %s",
                  stmt_name(lists[_i].stmt), plan);
    ck_assert_msg(strstr(plan, "\tALL\t") == NULL, "%s: %s", stmt_name(lists[_i].stmt), plan);
    if (!lists[_i].few)
        ck_assert_msg(strstr(plan, "filesort") == NULL, "%s: %s", stmt_name(lists[_i].stmt), plan);
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("delivery_log");
    TCase *tc = tcase_create("delivery_log");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, lists_are_read_by_their_index, 0, (int)COUNT(lists));
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
