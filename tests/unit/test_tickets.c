/*
 * Tickets: so many for all and for each subject, over processes, and back when a holder dies. A
 * holder is a child that says when it has its ticket and waits to be ended.
 */
#include "lib/base/tickets.h"
#include "tests/unit/check_main.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 3
#define SHARE 2

static char folder[] = "/tmp/hv-tickets-XXXXXX";

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/hv-tickets-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/t", folder);
    unlink(path);
    rmdir(folder);
}

static bool take(struct tickets *t, const char *subject)
{
    return tickets_take(t, subject, 1, MOST, SHARE);
}

/* A process that holds a ticket, or 0 when it got none. */
static pid_t holder(const char *subject)
{
    int said[2];
    char word;
    ck_assert_int_eq(pipe(said), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct tickets t;
        tickets_open(&t, folder, "t");
        word = take(&t, subject) ? 'y' : 'n';
        if (write(said[1], &word, 1) == 1 && word == 'y')
            pause();
        _exit(0);
    }
    close(said[1]);
    ck_assert_int_eq(read(said[0], &word, 1), 1);
    close(said[0]);
    if (word == 'y')
        return pid;
    waitpid(pid, NULL, 0);
    return 0;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

START_TEST(one_subject_gets_its_share)
{
    pid_t first = holder("a"), second = holder("a");
    ck_assert_int_ne(first, 0);
    ck_assert_int_ne(second, 0);
    ck_assert_int_eq(holder("a"), 0);
    pid_t other = holder("b");
    ck_assert_int_ne(other, 0);
    end(first);
    end(second);
    end(other);
}
END_TEST

START_TEST(all_together_get_no_more_than_there_are)
{
    pid_t held[] = {holder("a"), holder("b"), holder("c")};
    for (int i = 0; i < MOST; i++)
        ck_assert_int_ne(held[i], 0);
    ck_assert_int_eq(holder("d"), 0);
    end(held[1]);
    pid_t next = holder("d");
    ck_assert_int_ne(next, 0); /* who was refused above has kept none of its share */
    end(held[0]);
    end(held[2]);
    end(next);
}
END_TEST

START_TEST(what_is_given_back_is_there_again)
{
    struct tickets t;
    pid_t other = holder("a");
    tickets_open(&t, folder, "t");
    ck_assert(take(&t, "a"));
    ck_assert_int_eq(holder("a"), 0);
    tickets_give_back(&t);
    pid_t next = holder("a");
    ck_assert_int_ne(next, 0);
    tickets_give_back(&t); /* nothing is held: nothing happens */
    tickets_close(&t);
    end(other);
    end(next);
}
END_TEST

START_TEST(without_a_folder_nothing_is_bounded)
{
    struct tickets t;
    tickets_open(&t, "/nowhere/at/all", "t");
    ck_assert(tickets_take(&t, "a", 1, 0, 0));
    tickets_give_back(&t);
    tickets_close(&t);
}
END_TEST

static Suite *tickets_suite(void)
{
    Suite *suite = suite_create("tickets");
    TCase *tickets = tcase_create("tickets");
    tcase_add_checked_fixture(tickets, setup, teardown);
    tcase_add_test(tickets, one_subject_gets_its_share);
    tcase_add_test(tickets, all_together_get_no_more_than_there_are);
    tcase_add_test(tickets, what_is_given_back_is_there_again);
    tcase_add_test(tickets, without_a_folder_nothing_is_bounded);
    suite_add_tcase(suite, tickets);
    return suite;
}

CHECK_MAIN(tickets_suite)
