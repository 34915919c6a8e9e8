/*
 * test_lookup.c - what a look-up makes of an attempt: every state and every answer that can meet.
 */
#include "lib/rules/lookup.h"
#include "tests/unit/check_main.h"

#define S USEC_PER_S

static const struct lookup_policy policy = {.gap = 15 * S, .deadline = 90 * S, .denials = 2};

static const struct {
    const char *name;
    struct lookup_view view;
    enum report_kind found;
    enum lookup_step step;
    unsigned denials;
} cases[] = {
    {"unknown, the carrier has it",
     {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 20 * S},
     REPORT_PLACED,
     LOOKUP_TAKE,
     0},
    {"unknown, it ended", {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 20 * S}, REPORT_ENDED, LOOKUP_TAKE, 0},
    {"unknown, a first denial",
     {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 20 * S},
     REPORT_NEVER_PLACED,
     LOOKUP_AGAIN,
     1},
    {"unknown, a second denial",
     {ATTEMPT_UNKNOWN, 1, 0, 1000 * S, 40 * S},
     REPORT_NEVER_PLACED,
     LOOKUP_TAKE,
     0},
    {"unknown, a first denial after the deadline",
     {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 95 * S},
     REPORT_NEVER_PLACED,
     LOOKUP_AGAIN,
     1},
    {"unknown, no word breaks a row of denials",
     {ATTEMPT_UNKNOWN, 1, 0, 1000 * S, 40 * S},
     REPORT_UNKNOWN,
     LOOKUP_AGAIN,
     0},
    {"unknown, no word until the deadline",
     {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 90 * S},
     REPORT_UNKNOWN,
     LOOKUP_LOST,
     0},
    {"silent, it ended",
     {ATTEMPT_ANSWERED, 0, 0, 1000 * S, 1001 * S},
     REPORT_ENDED,
     LOOKUP_TAKE,
     0},
    {"silent, it claims to go on",
     {ATTEMPT_ANSWERED, 0, 0, 1000 * S, 1001 * S},
     REPORT_ANSWERED,
     LOOKUP_LOST,
     0},
    {"silent, the carrier forgot it",
     {ATTEMPT_PLACED, 0, 0, 1000 * S, 1001 * S},
     REPORT_NEVER_PLACED,
     LOOKUP_LOST,
     0},
    {"silent, no word",
     {ATTEMPT_RINGING, 0, 0, 1000 * S, 1001 * S},
     REPORT_UNKNOWN,
     LOOKUP_AGAIN,
     0},
    {"silent, no word until the deadline",
     {ATTEMPT_RINGING, 0, 0, 1000 * S, 1090 * S},
     REPORT_UNKNOWN,
     LOOKUP_LOST,
     0},
};

START_TEST(test_judge)
{
    struct lookup_verdict v = lookup_judge(&policy, &cases[_i].view, cases[_i].found);
    ck_assert_msg(v.step == cases[_i].step, "%s: step %d", cases[_i].name, (int)v.step);
    ck_assert_msg(v.step != LOOKUP_AGAIN || v.denials == cases[_i].denials, "%s: denials %u",
                  cases[_i].name, v.denials);
}
END_TEST

START_TEST(test_simulator_is_believed_at_once)
{
    struct lookup_policy own = policy;
    own.denials = 1;
    struct lookup_view view = {ATTEMPT_UNKNOWN, 0, 0, 1000 * S, 20 * S};
    ck_assert_int_eq(lookup_judge(&own, &view, REPORT_NEVER_PLACED).step, LOOKUP_TAKE);
}
END_TEST

static Suite *lookup_suite(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tc = tcase_create("judge");
    tcase_add_loop_test(tc, test_judge, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tc, test_simulator_is_believed_at_once);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(lookup_suite)
