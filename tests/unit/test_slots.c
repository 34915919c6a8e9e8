/*
 * test_slots.c - slots shared by processes: who finds which, and who is forgotten.
 */
#include "lib/base/slots.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 64 /* eight sets */
#define SETS (COUNT / SLOTS_TOGETHER)

static char folder[64], file[80];
static struct err err;

static void setup(void)
{
    strcpy(folder, "/tmp/huskyvoice-test-slots-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/rates", folder);
}

static void teardown(void)
{
    unlink(file);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct slots *open_slots(const char *where)
{
    struct slots *slots = NULL;
    ck_assert_ok(slots_open(&slots, where, "rates", COUNT, &err), err);
    return slots;
}

/* ctx: a value; slots whose first word is below it are idle. */
static bool is_below(const struct slot *slot, void *ctx)
{
    return word_read(&slot->word[0]) < *(const uint64_t *)ctx;
}

static struct slot *find(struct slots *slots, uint64_t tag, uint64_t idle_below)
{
    return slots_find(slots, tag, is_below, &idle_below);
}

START_TEST(a_tag_finds_its_slot_again)
{
    struct slots *slots = open_slots(folder);
    ck_assert(slots_shared(slots));
    for (uint64_t tag = 1; tag <= COUNT; tag++)
        word_write(&find(slots, tag, 0)->word[0], tag * 10);
    struct slots *other = open_slots(folder);
    for (uint64_t tag = 1; tag <= COUNT; tag++)
        ck_assert_uint_eq(word_read(&find(other, tag, 0)->word[0]), tag * 10);
    *slots_common(slots, 1) = 77;
    ck_assert_uint_eq(*slots_common(other, 1), 77);
    slots_close(&slots);
    slots_close(&other);
    ck_assert_ptr_null(slots);
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_the_idle_one)
{
    struct slots *slots = open_slots(folder);
    for (uint64_t i = 0; i < SLOTS_TOGETHER; i++)
        word_write(&find(slots, 1 + i * SETS, 0)->word[0], 100 + i);
    word_write(&find(slots, 1 + 5 * SETS, 0)->word[0], 3);
    struct slot *idle = find(slots, 1 + 5 * SETS, 0);
    ck_assert_ptr_eq(find(slots, 1 + 9 * SETS, 50), idle);
    ck_assert_uint_eq(word_read(&idle->tag), 1 + 9 * SETS);
    for (uint64_t i = 0; i < SLOTS_TOGETHER; i++) {
        if (i != 5)
            ck_assert_uint_eq(word_read(&find(slots, 1 + i * SETS, 50)->word[0]), 100 + i);
    }
    slots_close(&slots);
}
END_TEST

START_TEST(where_none_is_idle_one_is_forgotten_even_so)
{
    struct slots *slots = open_slots(folder);
    for (uint64_t i = 0; i < 100; i++)
        ck_assert_uint_eq(word_read(&find(slots, 1 + i * SETS, 0)->tag), 1 + i * SETS);
    slots_close(&slots);
}
END_TEST

#define PROCESSES 8
#define ADDITIONS 20000

/* Tags that contend for places, and words that contend for values. */
START_TEST(many_processes_lose_nothing)
{
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        struct slots *slots;
        if (slots_open(&slots, folder, "rates", COUNT, &err) != 0 || !slots_shared(slots))
            _exit(1);
        for (int n = 0; n < ADDITIONS; n++) {
            uint64_t *word = &find(slots, 1 + (uint64_t)(n % SLOTS_TOGETHER) * SETS, 0)->word[0];
            uint64_t was = word_read(word);
            while (!word_change(word, &was, was + 1))
                continue;
        }
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    struct slots *slots = open_slots(folder);
    for (uint64_t i = 0; i < SLOTS_TOGETHER; i++)
        ck_assert_uint_eq(word_read(&find(slots, 1 + i * SETS, 0)->word[0]),
                          PROCESSES * ADDITIONS / SLOTS_TOGETHER);
    slots_close(&slots);
}
END_TEST

START_TEST(without_a_folder_they_are_the_processs_own)
{
    struct slots *slots = open_slots("/nonexistent");
    ck_assert(!slots_shared(slots));
    word_write(&find(slots, 1, 0)->word[2], 5);
    ck_assert_uint_eq(word_read(&find(slots, 1, 0)->word[2]), 5);
    slots_close(&slots);
}
END_TEST

static const size_t impossible[] = {0, 1, 4, 12, 63, SIZE_MAX, (size_t)1 << 40};

START_TEST(impossible_sizes)
{
    struct slots *slots;
    ck_assert_int_eq(slots_open(&slots, folder, "rates", impossible[_i], &err), -1);
}
END_TEST

static Suite *slots_suite(void)
{
    Suite *suite = suite_create("slots");
    TCase *tc = tcase_create("slots");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_tag_finds_its_slot_again);
    tcase_add_test(tc, a_newcomer_takes_the_place_of_the_idle_one);
    tcase_add_test(tc, where_none_is_idle_one_is_forgotten_even_so);
    tcase_add_test(tc, many_processes_lose_nothing);
    tcase_add_test(tc, without_a_folder_they_are_the_processs_own);
    tcase_add_loop_test(tc, impossible_sizes, 0, CASES(impossible));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(slots_suite)
