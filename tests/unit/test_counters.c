/*
 * test_counters.c - counters shared by processes, and what happens without a folder for them.
 */
#include "lib/base/counters.h"
#include "tests/unit/check_main.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], file[80];
static struct err err;

static void setup(void)
{
    strcpy(folder, "/tmp/huskyvoice-test-counters-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/requests", folder);
}

static void teardown(void)
{
    unlink(file);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left behind */
}

static struct counters *open_counters(const char *where, size_t rows, size_t columns)
{
    struct counters *counters = NULL;
    ck_assert_ok(counters_open(&counters, where, "requests", rows, columns, &err), err);
    return counters;
}

START_TEST(each_place_counts_for_itself)
{
    struct counters *c = open_counters(folder, 3, 5);
    ck_assert(counters_shared(c));
    for (size_t row = 0; row < 3; row++) {
        for (size_t column = 0; column < 5; column++) {
            counters_add(c, row, column, row * 10 + column);
        }
    }
    counters_add(c, 1, 2, 100);
    ck_assert_uint_eq(counters_read(c, 1, 2), 112);
    ck_assert_uint_eq(counters_read(c, 1, 1), 11);
    ck_assert_uint_eq(counters_read(c, 2, 4), 24);
    counters_close(&c);
    ck_assert_ptr_null(c);
}
END_TEST

START_TEST(counts_outlive_the_process)
{
    struct counters *c = open_counters(folder, 2, 2);
    counters_add(c, 1, 1, 7);
    counters_close(&c);
    c = open_counters(folder, 2, 2);
    ck_assert_uint_eq(counters_read(c, 1, 1), 7);
    counters_close(&c);
}
END_TEST

#define PROCESSES 8
#define ADDITIONS 5000

/* All of them open at once, so that creation is raced for as well. */
START_TEST(many_processes_lose_no_count)
{
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            struct counters *c = NULL;
            if (counters_open(&c, folder, "requests", 2, 2, &err) != 0 || !counters_shared(c)) {
                _exit(1);
            }
            for (int n = 0; n < ADDITIONS; n++) {
                counters_add(c, 1, 0, 1);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    struct counters *c = open_counters(folder, 2, 2);
    ck_assert_uint_eq(counters_read(c, 1, 0), PROCESSES * ADDITIONS);
    counters_close(&c);
}
END_TEST

START_TEST(another_shape_replaces_the_file_and_harms_nobody)
{
    struct counters *old = open_counters(folder, 2, 2);
    counters_add(old, 1, 1, 7);
    struct counters *c = open_counters(folder, 2, 3);
    ck_assert_uint_eq(counters_read(c, 1, 1), 0);
    counters_add(c, 1, 2, 1);
    counters_add(old, 1, 1, 1);
    ck_assert_uint_eq(counters_read(old, 1, 1), 8);
    counters_close(&old);
    counters_close(&c);
}
END_TEST

static const struct {
    const char *name, *bytes;
    size_t n;
} spoilt[] = {{"empty", "", 0}, {"short", "HV", 2}, {"of the right size", NULL, 24 + 4 * 8}};

START_TEST(a_spoilt_file_is_replaced)
{
    char zeros[64] = {0};
    int fd = open(file, O_CREAT | O_WRONLY, 0660);
    const char *bytes = spoilt[_i].bytes == NULL ? zeros : spoilt[_i].bytes;
    ck_assert_int_eq(write(fd, bytes, spoilt[_i].n), (ssize_t)spoilt[_i].n);
    close(fd);
    struct counters *c = open_counters(folder, 2, 2);
    ck_assert(counters_shared(c));
    ck_assert_uint_eq(counters_read(c, 1, 1), 0);
    counters_close(&c);
}
END_TEST

START_TEST(the_group_may_write_whatever_the_umask)
{
    struct stat st;
    umask(077);
    struct counters *c = open_counters(folder, 1, 1);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0660);
    counters_close(&c);
}
END_TEST

static const char *const no_folders[] = {NULL, "/nonexistent", "/dev/null"};

START_TEST(without_a_folder_they_are_the_processs_own)
{
    struct counters *c = open_counters(no_folders[_i], 2, 2);
    ck_assert(!counters_shared(c));
    counters_add(c, 0, 1, 3);
    ck_assert_uint_eq(counters_read(c, 0, 1), 3);
    counters_close(&c);
}
END_TEST

START_TEST(impossible_shapes_and_names)
{
    struct counters *c;
    ck_assert_int_eq(counters_open(&c, folder, "requests", 0, 1, &err), -1);
    ck_assert_int_eq(counters_open(&c, folder, "requests", SIZE_MAX, 2, &err), -1);
    ck_assert_int_eq(counters_open(&c, folder, "../requests", 1, 1, &err), -1);
}
END_TEST

START_TEST(a_place_outside_the_shape_dies)
{
    struct counters *c = open_counters(NULL, 2, 2);
    counters_add(c, 0, 2, 1);
}
END_TEST

static Suite *counters_suite(void)
{
    Suite *suite = suite_create("counters");
    TCase *tc = tcase_create("counters");
    TCase *bugs = tcase_create("bugs");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, each_place_counts_for_itself);
    tcase_add_test(tc, counts_outlive_the_process);
    tcase_add_test(tc, many_processes_lose_no_count);
    tcase_add_test(tc, another_shape_replaces_the_file_and_harms_nobody);
    tcase_add_loop_test(tc, a_spoilt_file_is_replaced, 0, CASES(spoilt));
    tcase_add_test(tc, the_group_may_write_whatever_the_umask);
    tcase_add_loop_test(tc, without_a_folder_they_are_the_processs_own, 0, CASES(no_folders));
    tcase_add_test(tc, impossible_shapes_and_names);
    suite_add_tcase(suite, tc);
    tcase_add_test_raise_signal(bugs, a_place_outside_the_shape_dies, SIGABRT);
    suite_add_tcase(suite, bugs);
    return suite;
}

CHECK_MAIN(counters_suite)
