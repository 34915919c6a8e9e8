/*
 * test_policy_deadlock.c - locks: a fence that the database gives up for another transaction is
 * repeated at once, one that waited is not, and what locks nothing keeps nobody from drawing.
 */
#include "sql/transaction.h"
#include "sql/workspaces.h"
#include "tests/store/policy_fixture.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYSTANDERS "x'01900000000070008000000000000061'"

/* Takes what the fence needs last, and when the fence waits for it, what the fence took first. It
 * has changed more rows than the fence, so that the fence is the one to be given up. */
static void cross(int ready)
{
    struct db *db = store_connect(&fixture.store);
    store_script(db, "BEGIN; UPDATE calls SET updated_at = NOW(6) WHERE agent_id = " BYSTANDERS ";"
                     "UPDATE carriers SET paced_until = NULL");
    if (write(ready, "", 1) != 1)
        _exit(1);
    /* The server makes that table anew only when nobody has looked for a tenth of a second. */
    while (atoi(ask("SELECT COUNT(*) FROM information_schema.innodb_lock_waits")) == 0)
        clock_sleep(250 * USEC_PER_MS);
    store_script(db, "UPDATE workspaces SET name = 'crossed'; COMMIT");
    db_destroy(&db);
    _exit(0);
}

START_TEST(a_deadlock_is_tried_again_at_once)
{
    int ready[2], status;
    char byte;
    script("UPDATE carriers SET calls_per_second = 1000");
    make_many(40);
    script("UPDATE calls SET agent_id = " BYSTANDERS ", due_at = NOW(6) + INTERVAL 1 DAY");
    make("+919876543210");
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        cross(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_uint_eq(fence(1).count, 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(ask("SELECT name FROM workspaces ORDER BY workspace_id LIMIT 1"), "crossed");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts"), "1");
    ck_assert_str_eq(ask("SELECT SUM(dials) FROM dial_days"), "1");
}
END_TEST

static int try_to_lock(struct db *db, void *ctx, struct err *err)
{
    unsigned *tries = ctx;
    ++*tries;
    return workspaces_lock(db, &fixture.workspace_id, err);
}

/* Who waited as long as one may would wait as long again, and others behind it. */
START_TEST(a_lock_is_waited_for_once)
{
    struct db *holder = store_connect(&fixture.store);
    unsigned tries = 0;
    struct err err;
    script("SET innodb_lock_wait_timeout = 0");
    ck_ok(db_begin(holder, &err), &err);
    ck_ok(workspaces_lock(holder, &fixture.workspace_id, &err), &err);
    ck_assert_int_eq(transaction_run(fixture.store.db, try_to_lock, &tries, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
    ck_assert_uint_eq(tries, 1);
    ck_ok(db_commit(holder, &err), &err);
    ck_ok(transaction_run(fixture.store.db, try_to_lock, &tries, &err), &err);
    ck_assert_uint_eq(tries, 2);
    db_destroy(&holder);
}
END_TEST

/* Another dispatcher draws the same calls, from the first. */
START_TEST(to_tell_why_calls_wait_locks_none_that_was_told)
{
    struct calls_of of = {fixture.agent_id, false};
    struct db *teller = store_connect(&fixture.store);
    struct err err;
    make_many(3);
    ck_ok(held_calls_tell_waiting(teller, &of, HOLD_CAPACITY, &err), &err);
    ck_assert_str_eq(ask("SELECT GROUP_CONCAT(hold_reason) FROM calls"),
                     "capacity,capacity,capacity");
    ck_ok(db_begin(teller, &err), &err);
    ck_ok(held_calls_tell_waiting(teller, &of, HOLD_CAPACITY, &err), &err);
    ck_assert_uint_eq(fence(10).count, 3);
    ck_ok(db_commit(teller, &err), &err);
    db_destroy(&teller);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("deadlock");

    tcase_add_test(tc, a_deadlock_is_tried_again_at_once);
    tcase_add_test(tc, a_lock_is_waited_for_once);
    tcase_add_test(tc, to_tell_why_calls_wait_locks_none_that_was_told);
    return policy_run("policy_deadlock", tc);
}
