/*
 * test_rate.c - rate limits: quotas, windows and their edges, leases in words, slices, headers.
 */
#include "lib/rules/rate.h"
#include "tests/unit/check_main.h"

#define S USEC_PER_S

/* ---- quotas ---- */

static const struct {
    int64_t rate, setting;
    unsigned window;
    uint64_t quota;
} quotas[] = {
    {RATE_DEFAULT, 600, 60, 600},
    {RATE_DEFAULT, 0, 60, 0},
    {RATE_NONE, 600, 60, 0},
    {1200, 600, 60, 1200},
    {1200, 0, 60, 1200},
    {600, 0, 1, 10},
    {600, 0, 10, 100},
    {1, 600, 60, 1},
    {1, 600, 1, 1}, /* never nothing at all */
    {RATE_PER_MINUTE_MAX, 0, 60, RATE_PER_MINUTE_MAX},
};

START_TEST(quota_of_a_window)
{
    ck_assert_uint_eq(rate_quota(quotas[_i].rate, quotas[_i].setting, quotas[_i].window),
                      quotas[_i].quota);
}
END_TEST

/* ---- time ---- */

static const struct {
    usec_t now;
    unsigned seconds;
    uint64_t window;
    usec_t left;
} windows[] = {
    {120 * S, 60, 2, 60 * S}, {120 * S + 1, 60, 2, 60 * S - 1}, {180 * S - 1, 60, 2, 1},
    {180 * S, 60, 3, 60 * S}, {7 * S + 500000, 1, 7, 500000},   {59 * S + 999999, 60, 0, 1},
    {125 * S, 10, 12, 5 * S},
};

START_TEST(edges_of_windows)
{
    ck_assert_uint_eq(rate_window(windows[_i].now, windows[_i].seconds), windows[_i].window);
    ck_assert_int_eq(rate_window_left(windows[_i].now, windows[_i].seconds), windows[_i].left);
}
END_TEST

/* The answer says 1000; it was asked for at `before`, had at `after`. */
static const struct {
    const char *name;
    bool known;
    usec_t old, before, after, now;
} clocks[] = {
    {"the first answer: the lower end", false, 0, 100, 140, 860},
    {"inside the bounds: nothing changes", true, 880, 100, 140, 880},
    {"at the lower bound", true, 860, 100, 140, 860},
    {"at the upper bound", true, 900, 100, 140, 900},
    {"a better answer raises it", true, 850, 100, 140, 860},
    {"the database's clock went back", true, 901, 100, 140, 860},
    {"far back", true, 90000000, 100, 140, 860},
    {"this host was started anew", true, 860, 5000, 5040, -4040},
};

START_TEST(the_databases_clock)
{
    usec_t now =
        rate_clock(clocks[_i].known, clocks[_i].old, 1000, clocks[_i].before, clocks[_i].after);
    ck_assert_msg(now == clocks[_i].now, "%s: %lld", clocks[_i].name, (long long)now);
}
END_TEST

/* ---- leases ---- */

static struct id subject(unsigned char n)
{
    struct id id = {{1, 144, 3, n}};
    id.b[15] = n;
    return id;
}

static struct rate_place place(unsigned char n, uint64_t quota, uint64_t window)
{
    struct id id = subject(n);
    return rate_place(rate_tag(&id), quota, window);
}

START_TEST(a_lease_is_spent_to_its_end)
{
    struct rate_place p = place(1, 60, 7);
    uint64_t word = rate_give(0, p, 3, false);

    for (uint64_t left = 3; left > 0; left--) {
        ck_assert_uint_eq(rate_held(word, p), left);
        ck_assert_int_eq(rate_take(word, p, &word), RATE_TAKEN);
    }
    ck_assert_int_eq(rate_take(word, p, &word), RATE_UNLEASED);
    word = rate_give(word, p, 1, true);
    ck_assert_int_eq(rate_take(word, p, &word), RATE_TAKEN);
    ck_assert_int_eq(rate_take(word, p, &word), RATE_SPENT);
}
END_TEST

START_TEST(what_is_given_back_can_be_taken_although_no_more_is_to_be_had)
{
    struct rate_place p = place(1, 60, 7);
    uint64_t word = rate_give(0, p, 0, true);

    ck_assert_int_eq(rate_take(word, p, &word), RATE_SPENT);
    word = rate_give(word, p, 1, false);
    ck_assert_int_eq(rate_take(word, p, &word), RATE_TAKEN);
    ck_assert_int_eq(rate_take(word, p, &word), RATE_SPENT);
}
END_TEST

START_TEST(slices_of_one_window_add_up)
{
    struct rate_place p = place(1, 60, 7);
    uint64_t word = rate_give(rate_give(0, p, 5, false), p, 6, false);

    ck_assert_uint_eq(rate_held(word, p), 11);
    word = rate_give(word, p, UINT32_MAX, false); /* never into the next field */
    ck_assert(rate_is_here(word, p));
    ck_assert(rate_is_of(word, 7));
}
END_TEST

START_TEST(another_window_quota_or_subject_has_nothing_of_it)
{
    const struct rate_place mine = place(1, 60, 7);
    const struct rate_place others[] = {place(1, 60, 8), place(1, 60, 6), place(1, 61, 7),
                                        place(2, 60, 7)};
    for (size_t full = 0; full < 2; full++) {
        uint64_t word = rate_give(0, mine, full > 0 ? 9 : 0, full == 0), after;
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            ck_assert_int_eq(rate_take(word, others[i], &after), RATE_UNLEASED);
            ck_assert_uint_eq(rate_held(word, others[i]), 0);
            word = rate_give(0, mine, full > 0 ? 9 : 0, full == 0);
            after = rate_give(word, others[i], 2, false);
            ck_assert_uint_eq(rate_held(after, others[i]), 2);
            ck_assert_uint_eq(rate_held(after, mine), 0);
        }
    }
}
END_TEST

START_TEST(a_word_of_zero_is_nobodys)
{
    for (unsigned char n = 0; n < 200; n++) {
        uint64_t word;
        ck_assert_int_eq(rate_take(0, place(n, 600, 29000000 + n), &word), RATE_UNLEASED);
    }
}
END_TEST

START_TEST(tags_differ_in_their_low_bits)
{
    unsigned char seen[8192] = {0};
    unsigned most = 0;

    for (unsigned n = 0; n < 8192; n++) { /* keys that were made one after another */
        struct id id = {{1, 144, (unsigned char)(n >> 8), (unsigned char)n}};
        unsigned char *count = &seen[rate_tag(&id) % 8192];
        if (++*count > most)
            most = *count;
    }
    ck_assert_uint_le(most, 8);
}
END_TEST

START_TEST(a_note_is_read_by_whom_it_is_of)
{
    struct rate_place p = place(1, 10000, 7);
    uint64_t word = rate_note(p, 50, 9000), slice, left;

    ck_assert(rate_read_note(word, p, &slice, &left));
    ck_assert_uint_eq(slice, 50);
    ck_assert_uint_eq(left, 9000);
    ck_assert(!rate_read_note(word, place(1, 10000, 8), &slice, &left));
    ck_assert(!rate_read_note(word, place(2, 10000, 7), &slice, &left));
}
END_TEST

/* ---- slices ---- */

static const struct {
    uint64_t quota, last, left, slice;
} slices[] = {
    {60, 0, 0, 1},          {60, 1, 59, 1},
    {600, 0, 0, 1},         {600, 1, 599, 2},
    {600, 2, 500, 3},       {10000, 0, 0, 6},
    {10000, 6, 9994, 12},   {10000, 40, 9000, 50},
    {10000, 50, 800, 50},   {10000, 50, 400, 25},
    {10000, 25, 15, 1},     {10000, 1, 0, 1},
    {10000000, 0, 0, 6250}, {10000000, 40000, 9000000, 50000},
};

START_TEST(size_of_a_slice)
{
    ck_assert_uint_eq(rate_slice(slices[_i].quota, slices[_i].last, slices[_i].left),
                      slices[_i].slice);
}
END_TEST

static const struct {
    uint64_t wanted, taken, granted;
} grants[] = {
    {10, 10, 10},  {10, 100, 10}, {10, 101, 9}, {10, 109, 1},    {10, 110, 0},
    {10, 5000, 0}, {1, 100, 1},   {1, 101, 0},  {500, 500, 100},
};

START_TEST(a_slice_is_what_lies_within_the_quota)
{
    ck_assert_uint_eq(rate_granted(100, grants[_i].wanted, grants[_i].taken), grants[_i].granted);
}
END_TEST

/* A host alone: as many writes as it needs for a whole window's requests. */
static const struct {
    uint64_t quota, writes;
} whole_windows[] = {{60, 60}, {600, 300}, {3000, 300}, {10000, 300}, {10000000, 400}};

START_TEST(writes_of_a_whole_window_are_few_and_grant_the_quota)
{
    uint64_t quota = whole_windows[_i].quota;
    uint64_t taken = 0, granted = 0, writes = 0, last = 0;

    while (taken < quota) {
        uint64_t wanted = rate_slice(quota, last, quota - taken);
        ck_assert_uint_le(wanted, quota < 200 ? 1 : quota / 200);
        taken += wanted;
        granted += rate_granted(quota, wanted, taken);
        last = wanted;
        writes++;
    }
    ck_assert_uint_eq(granted, quota);
    ck_assert_msg(writes <= whole_windows[_i].writes, "%llu writes", (unsigned long long)writes);
}
END_TEST

/* ---- words for callers ---- */

static struct buf b;
static struct err err;

START_TEST(headers_of_both_limits)
{
    struct rate_verdict v = {
        .figures = {{RATE_KEY, 600, 599}, {RATE_WORKSPACE, 3000, 0}},
        .count = 2,
        .window_seconds = 60,
        .left = 33 * S + 1,
    };
    buf_init(&b, 1000);
    rate_policy_header(&v, &b);
    ck_assert_str_is(buf_as_str(&b), "\"key\";q=600;w=60, \"workspace\";q=3000;w=60");
    buf_clear(&b);
    rate_header(&v, &b);
    ck_assert_str_is(buf_as_str(&b), "\"key\";r=599;t=34, \"workspace\";r=0;t=34");
    buf_deinit(&b);
    v.refused_by = &v.figures[1];
    ck_assert_int_eq(rate_refuse(&v, &err), -1);
    ck_assert_int_eq(err.code, ERR_RATE_LIMITED);
    ck_assert_str_eq(err.message, "Too many requests: the limit of this workspace is 3000 in 60 s. "
                                  "Try again in 34 s.");
}
END_TEST

START_TEST(headers_of_one_limit)
{
    struct rate_verdict v = {
        .figures = {{RATE_HOOK, 10, 3}}, .count = 1, .window_seconds = 1, .left = 1};
    buf_init(&b, 1000);
    rate_policy_header(&v, &b);
    ck_assert_str_is(buf_as_str(&b), "\"hook\";q=10;w=1");
    buf_clear(&b);
    rate_header(&v, &b);
    ck_assert_str_is(buf_as_str(&b), "\"hook\";r=3;t=1");
    buf_deinit(&b);
}
END_TEST

static const struct {
    usec_t left;
    int64_t seconds;
} waits[] = {{60 * S, 60}, {59 * S + 1, 60}, {59 * S, 59}, {1, 1}, {S, 1}, {S + 1, 2}};

START_TEST(retry_after_is_never_before_the_windows_end)
{
    struct rate_verdict v = {.left = waits[_i].left};
    ck_assert_int_eq(rate_retry_after(&v), waits[_i].seconds);
}
END_TEST

static Suite *rate_suite(void)
{
    Suite *suite = suite_create("rate");
    TCase *tc = tcase_create("rate");

    tcase_add_loop_test(tc, quota_of_a_window, 0, CASES(quotas));
    tcase_add_loop_test(tc, edges_of_windows, 0, CASES(windows));
    tcase_add_loop_test(tc, the_databases_clock, 0, CASES(clocks));
    tcase_add_test(tc, a_lease_is_spent_to_its_end);
    tcase_add_test(tc, what_is_given_back_can_be_taken_although_no_more_is_to_be_had);
    tcase_add_test(tc, slices_of_one_window_add_up);
    tcase_add_test(tc, another_window_quota_or_subject_has_nothing_of_it);
    tcase_add_test(tc, a_word_of_zero_is_nobodys);
    tcase_add_test(tc, tags_differ_in_their_low_bits);
    tcase_add_test(tc, a_note_is_read_by_whom_it_is_of);
    tcase_add_loop_test(tc, size_of_a_slice, 0, CASES(slices));
    tcase_add_loop_test(tc, a_slice_is_what_lies_within_the_quota, 0, CASES(grants));
    tcase_add_loop_test(tc, writes_of_a_whole_window_are_few_and_grant_the_quota, 0,
                        CASES(whole_windows));
    tcase_add_test(tc, headers_of_both_limits);
    tcase_add_test(tc, headers_of_one_limit);
    tcase_add_loop_test(tc, retry_after_is_never_before_the_windows_end, 0, CASES(waits));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(rate_suite)
