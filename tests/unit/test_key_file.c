/*
 * test_key_file.c - the key file changed: keys added, promoted and dropped, all else kept.
 */
#include "lib/base/crypto.h"
#include "lib/base/key_file.h"
#include "tests/unit/check_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static char dir[] = "/tmp/hv-key-file-XXXXXX";
static char path[64];
static struct err err;
static int lock;

static void write_keys(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static const char *read_keys(void)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    ck_assert_int_ge(n, 0);
    close(fd);
    text[n] = '\0';
    return text;
}

static void setup(void)
{
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/keys", dir);
    write_keys("1 " KEY_A "\n", 0640);
    ck_assert_int_eq(key_file_lock(path, &lock, &err), 0);
}

static void teardown(void)
{
    close(lock);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left in it */
}

static struct key_list *load(void)
{
    struct key_list *list;
    struct stat seen;
    ck_assert_msg(key_file_load(path, &list, &seen, &err) == 0, "%s", err.message);
    return list;
}

static void change(struct key_change change)
{
    ck_assert_msg(key_file_change(path, lock, &change, &err) == 0, "%s", err.message);
}

START_TEST(a_key_is_added_and_what_is_derived_stays)
{
    struct key_list *before = load();
    change((struct key_change){.add = 9});
    struct key_list *after = load();
    struct stat st;
    ck_assert_uint_eq(after->count, 2);
    ck_assert_uint_eq(after->keys[after->newest].id, 9);
    ck_assert_mem_eq(after->keys[0].key, before->keys[0].key, KEY_SIZE);
    ck_assert_mem_eq(after->root, before->root, KEY_SIZE);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    bool drop[256] = {[1] = true};
    change((struct key_change){.drop = drop});
    key_list_free(after);
    after = load();
    ck_assert_uint_eq(after->count, 1);
    ck_assert_uint_eq(after->keys[0].id, 9);
    ck_assert_mem_eq(after->root, before->root, KEY_SIZE);
    ck_assert_ptr_null(strstr(read_keys(), KEY_A));
    key_list_free(after);
    key_list_free(before);
}
END_TEST

START_TEST(a_next_key_seals_when_it_was_promoted)
{
    change((struct key_change){.add = 2, .add_as_next = true});
    struct key_list *list = load();
    ck_assert_uint_eq(list->keys[list->newest].id, 1);
    unsigned char key[KEY_SIZE];
    memcpy(key, list->keys[key_list_find(list, 2)].key, KEY_SIZE);
    key_list_free(list);
    change((struct key_change){.promote = 2});
    list = load();
    ck_assert_uint_eq(list->keys[list->newest].id, 2);
    ck_assert_mem_eq(list->keys[list->newest].key, key, KEY_SIZE);
    ck_assert_uint_eq(list->count, 2);
    key_list_free(list);
}
END_TEST

START_TEST(comments_and_other_keys_stay_as_they_are)
{
    write_keys("# keep a copy\r\n\n 3  " KEY_A "\r\nderive " KEY_B "\n# 4\n4 " KEY_B, 0600);
    bool drop[256] = {[3] = true};
    change((struct key_change){.drop = drop});
    ck_assert_str_eq(read_keys(), "# keep a copy\r\n\nderive " KEY_B "\n# 4\n4 " KEY_B "\n");
}
END_TEST

START_TEST(a_link_stays_a_link)
{
    char real[80];
    struct stat st;
    snprintf(real, sizeof(real), "%s/real", dir);
    ck_assert_int_eq(rename(path, real), 0);
    ck_assert_int_eq(symlink("real", path), 0);
    change((struct key_change){.add = 2});
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    struct key_list *list = load();
    ck_assert_uint_eq(list->count, 2);
    key_list_free(list);
    unlink(real);
}
END_TEST

START_TEST(what_one_that_died_left_behind_is_in_nobodys_way)
{
    char left[80];
    snprintf(left, sizeof(left), "%s.new", path);
    int fd = open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
    change((struct key_change){.add = 2});
    ck_assert_int_eq(access(left, F_OK), -1);
}
END_TEST

static const struct {
    const char *name;
    unsigned add, promote, drop;
} refused[] = {
    {"an id that is taken", 1, 0, 0},
    {"an id that is too large", 256, 0, 0},
    {"a key that is not there", 0, 7, 0},
    {"the key that seals", 0, 0, 1},
};

START_TEST(changes_refused)
{
    bool drop[256] = {false};
    drop[refused[_i].drop] = true;
    struct key_change bad = {.add = refused[_i].add, .promote = refused[_i].promote, .drop = drop};
    ck_assert_int_eq(key_file_change(path, lock, &bad, &err), -1);
    ck_assert_str_eq(read_keys(), "1 " KEY_A "\n");
}
END_TEST

START_TEST(one_at_a_time)
{
    int other;
    ck_assert_int_eq(key_file_lock(path, &other, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
}
END_TEST

static Suite *key_file_suite(void)
{
    Suite *suite = suite_create("key_file");
    TCase *tc = tcase_create("key_file");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_key_is_added_and_what_is_derived_stays);
    tcase_add_test(tc, a_next_key_seals_when_it_was_promoted);
    tcase_add_test(tc, comments_and_other_keys_stay_as_they_are);
    tcase_add_test(tc, a_link_stays_a_link);
    tcase_add_test(tc, what_one_that_died_left_behind_is_in_nobodys_way);
    tcase_add_loop_test(tc, changes_refused, 0, CASES(refused));
    tcase_add_test(tc, one_at_a_time);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(key_file_suite)
