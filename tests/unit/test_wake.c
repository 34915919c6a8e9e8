/*
 * test_wake.c - wake datagrams between processes, with listeners that come, go and crash.
 */
#include "lib/base/clock.h"
#include "lib/base/wake.h"
#include "tests/unit/check_main.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], sockets[80], own[120];
static struct err err;
static struct wake_sender *sender;
static struct wake_item got[1000];

static void setup(void)
{
    strcpy(folder, "/tmp/huskyvoice-test-wake-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(sockets, sizeof(sockets), "%s/wake", folder);
    snprintf(own, sizeof(own), "%s/%ld.sock", sockets, (long)getpid());
    wake_sender_create(&sender, folder);
}

static void teardown(void)
{
    wake_sender_destroy(&sender);
    rmdir(sockets);
    ck_assert_int_eq(rmdir(folder), 0); /* no socket was left behind */
}

static struct wake_listener *listen_here(void)
{
    struct wake_listener *listener = NULL;
    ck_assert_ok(wake_listener_create(&listener, folder, &err), err);
    return listener;
}

static struct wake_item item(enum wake_kind kind, unsigned number)
{
    struct wake_item i = {.kind = (unsigned char)kind};
    memcpy(i.id, &number, sizeof(number));
    return i;
}

START_TEST(items_arrive_in_order)
{
    struct wake_listener *listener = listen_here();
    struct wake_item items[] = {item(WAKE_CALL, 1), item(WAKE_DELIVERY, 2), item(WAKE_STEP, 3)};
    wake_send(sender, items, 3);
    struct pollfd watch = {.fd = wake_listener_fd(listener), .events = POLLIN};
    ck_assert_int_eq(poll(&watch, 1, 5000), 1);
    ck_assert_uint_eq(wake_listener_read(listener, got, 1000), 3);
    ck_assert_mem_eq(got, items, sizeof(items));
    ck_assert_uint_eq(wake_listener_read(listener, got, 1000), 0);
    wake_listener_destroy(&listener);
    ck_assert_ptr_null(listener);
}
END_TEST

START_TEST(a_small_reader_gets_the_rest_later)
{
    struct wake_listener *listener = listen_here();
    struct wake_item items[] = {item(WAKE_CALL, 1), item(WAKE_CALL, 2), item(WAKE_CALL, 3)};
    wake_send(sender, items, 3);
    wake_send(sender, items, 1);
    ck_assert_uint_eq(wake_listener_read(listener, got, 2), 2);
    ck_assert_uint_eq(wake_listener_read(listener, got, 2), 2);
    ck_assert_mem_eq(&got[0], &items[2], sizeof(items[0]));
    ck_assert_mem_eq(&got[1], &items[0], sizeof(items[0]));
    ck_assert_uint_eq(wake_listener_read(listener, got, 2), 0);
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(many_items_take_several_datagrams)
{
    struct wake_listener *listener = listen_here();
    struct wake_item items[600];
    for (unsigned i = 0; i < 600; i++) {
        items[i] = item(WAKE_DELIVERY, i);
    }
    wake_send(sender, items, 600);
    ck_assert_uint_eq(wake_listener_read(listener, got, 1000), 600);
    ck_assert_mem_eq(got, items, sizeof(items));
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(sending_to_nobody_is_no_error)
{
    struct wake_item one = item(WAKE_CALL, 1);
    wake_send(sender, &one, 1);
    struct wake_listener *listener = listen_here();
    wake_send(sender, NULL, 0);
    ck_assert_uint_eq(wake_listener_read(listener, got, 10), 0);
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(a_listener_that_came_later_is_found)
{
    struct wake_item one = item(WAKE_CALL, 1);
    struct wake_listener *first = listen_here();
    wake_send(sender, &one, 1);
    wake_listener_destroy(&first);
    struct wake_listener *second = listen_here();
    usec_t deadline = clock_monotonic() + 5 * USEC_PER_S;
    size_t arrived = 0;
    while (arrived == 0 && clock_monotonic() < deadline) {
        wake_send(sender, &one, 1);
        arrived = wake_listener_read(second, got, 10);
    }
    ck_assert_uint_eq(arrived, 1);
    wake_listener_destroy(&second);
}
END_TEST

START_TEST(a_full_listener_never_holds_up_the_sender)
{
    struct wake_listener *listener = listen_here();
    struct wake_item one = item(WAKE_CALL, 1);
    usec_t before = clock_monotonic();
    for (int i = 0; i < 5000; i++) {
        wake_send(sender, &one, 1);
    }
    ck_assert_int_lt(clock_monotonic() - before, 5 * USEC_PER_S);
    ck_assert_uint_gt(wake_listener_read(listener, got, 1000), 0);
    wake_listener_destroy(&listener);
}
END_TEST

/* A process that dies without cleaning up. */
static void crash_while_listening(char *path, size_t size)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct wake_listener *listener;
        _exit(wake_listener_create(&listener, folder, &err) == 0 ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    snprintf(path, size, "%s/%ld.sock", sockets, (long)pid);
}

START_TEST(the_socket_of_a_crashed_listener_is_removed)
{
    char dead[120];
    struct wake_item one = item(WAKE_CALL, 1);
    crash_while_listening(dead, sizeof(dead));
    ck_assert_int_eq(access(dead, F_OK), 0);
    struct wake_listener *listener = listen_here();
    wake_send(sender, &one, 1);
    ck_assert_int_ne(access(dead, F_OK), 0);
    ck_assert_uint_eq(wake_listener_read(listener, got, 10), 1);
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(an_own_stale_socket_is_taken_over)
{
    ck_assert_int_eq(mkdir(sockets, 0770), 0);
    close(open(own, O_CREAT | O_WRONLY, 0600));
    struct wake_listener *listener = listen_here();
    struct wake_item one = item(WAKE_CALL, 1);
    wake_send(sender, &one, 1);
    ck_assert_uint_eq(wake_listener_read(listener, got, 10), 1);
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(the_folder_is_made_for_the_group)
{
    struct stat st;
    umask(077);
    struct wake_listener *listener = listen_here();
    ck_assert_int_eq(stat(sockets, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0770);
    ck_assert_int_eq(stat(own, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0660);
    wake_listener_destroy(&listener);
}
END_TEST

static const struct {
    const char *name;
    size_t n;
    char first;
} foreign[] = {{"empty", 0, 0},
               {"no multiple of an item", 20, 'c'},
               {"too large", 17 * 300, 'c'},
               {"unknown kind", 17, 'x'}};

START_TEST(foreign_datagrams_are_skipped)
{
    char bytes[17 * 300] = {foreign[_i].first};
    struct wake_listener *listener = listen_here();
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, own);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(sendto(fd, bytes, foreign[_i].n, 0, (struct sockaddr *)&to, sizeof(to)),
                     (ssize_t)foreign[_i].n);
    struct wake_item one = item(WAKE_CALL, 1);
    wake_send(sender, &one, 1);
    ck_assert_uint_eq(wake_listener_read(listener, got, 10), 1);
    ck_assert_mem_eq(got, &one, sizeof(one));
    close(fd);
    wake_listener_destroy(&listener);
}
END_TEST

START_TEST(a_folder_that_cannot_be_used_is_an_error)
{
    struct wake_listener *listener;
    char long_path[200];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_int_eq(wake_listener_create(&listener, "/nonexistent", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/wake"));
    ck_assert_int_eq(wake_listener_create(&listener, long_path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "too long"));
}
END_TEST

static Suite *wake_suite(void)
{
    Suite *suite = suite_create("wake");
    TCase *tc = tcase_create("wake");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, items_arrive_in_order);
    tcase_add_test(tc, a_small_reader_gets_the_rest_later);
    tcase_add_test(tc, many_items_take_several_datagrams);
    tcase_add_test(tc, sending_to_nobody_is_no_error);
    tcase_add_test(tc, a_listener_that_came_later_is_found);
    tcase_add_test(tc, a_full_listener_never_holds_up_the_sender);
    tcase_add_test(tc, the_socket_of_a_crashed_listener_is_removed);
    tcase_add_test(tc, an_own_stale_socket_is_taken_over);
    tcase_add_test(tc, the_folder_is_made_for_the_group);
    tcase_add_loop_test(tc, foreign_datagrams_are_skipped, 0, CASES(foreign));
    tcase_add_test(tc, a_folder_that_cannot_be_used_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(wake_suite)
