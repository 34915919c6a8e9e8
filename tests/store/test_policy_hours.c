/*
 * test_policy_hours.c - calls that wait for calling hours and are judged anew when hours change;
 * calls that expire.
 */
#include "tests/store/policy_fixture.h"

START_TEST(outside_hours_calls_are_held_and_judged_anew_when_hours_change)
{
    set_hours(0, 1440, 0);
    recheck_all();
    make_many(5);
    struct fence_result result = fence(2);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_uint_eq(result.held, 5);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE hold_reason = 'outside_calling_hours' "
                         "AND due_at = scheduled_at AND due_at > NOW(6) + INTERVAL 23 HOUR"),
                     "5");
    ck_assert_uint_eq(fence(10).count, 0);
    set_hours(0, 1440, 0); /* still closed: each is looked at once more, and held once more */
    ck_assert_uint_eq(recheck_all(), 5);
    ck_assert_uint_eq(fence(10).held, 5);
    ck_assert_uint_eq(recheck_all(), 0);
    set_hours(0, 1440, 127);
    ck_assert_uint_eq(recheck_all(), 5);
    ck_assert_uint_eq(fence(10).count, 5);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM rechecks"), "0");
}
END_TEST

START_TEST(an_agents_change_has_its_calls_judged_anew)
{
    struct agent_settings set;
    bool no_carrier;
    struct err err;
    agent_settings_init(&set);
    set_hours(0, 1440, 0);
    recheck_all();
    make_many(2);
    fence(10);
    set.own_hours = true;
    set.calling_hours = (struct calling_hours){0, 1440, 127};
    ck_ok(agents_change(fixture.store.db, &fixture.workspace_id, &fixture.agent_id, &set,
                        UINT64_C(1) << AGENT_CALLING_HOURS, &no_carrier, &err),
          &err);
    ck_assert_uint_eq(recheck_all(), 2);
    ck_assert_uint_eq(fence(10).count, 2);
}
END_TEST

START_TEST(an_agent_may_disallow_what_is_outside_hours)
{
    script("UPDATE agents SET outside_hours = 'disallow'");
    set_hours(0, 1440, 0);
    make_many(1);
    ck_assert_uint_eq(fence(10).disallowed, 1);
    ck_assert_str_eq(ask("SELECT error_code FROM calls"), "outside_calling_hours");
    ck_assert_str_eq(events(), "call.disallowed");
}
END_TEST

START_TEST(in_a_zone_that_cannot_be_read_calls_wait)
{
    script("UPDATE workspaces SET time_zone = 'Asia/Nowhere';"
           "UPDATE agents SET outside_hours = 'disallow'");
    make_many(1);
    struct fence_result result = fence(10);
    ck_assert_uint_eq(result.held, 1);
    ck_assert(result.no_zone);
    ck_assert_str_eq(ask("SELECT hold_reason FROM calls"), "outside_calling_hours");
}
END_TEST

START_TEST(the_simulator_skips_hours_unless_the_agent_has_its_own)
{
    script("UPDATE agents SET carrier_id = NULL");
    set_hours(0, 1440, 0);
    make_many(1);
    ck_assert_uint_eq(fence(10).count, 1);
    script("UPDATE agents SET calling_from_minute = 0, calling_to_minute = 1440, calling_days = 0");
    make_many(1);
    ck_assert_uint_eq(fence(10).held, 1);
}
END_TEST

static size_t expire(void)
{
    struct wakes wakes;
    size_t looked_at, failed;
    struct err err;
    ck_ok(held_calls_expire(fixture.store.db, fixture.store.pool, fixture.store.conf, 10,
                            &looked_at, &failed, &wakes, &err),
          &err);
    return failed;
}

#define EXPIRE_ALL                                                                                 \
    "UPDATE calls SET expires_at = NOW(6) - INTERVAL 1 SECOND, "                                   \
    "expiry_due = NOW(6) - INTERVAL 1 SECOND"

START_TEST(what_expired_fails_and_is_not_dialled)
{
    make_for(&fixture.live, "+919876543210", clock_wall() + 3600 * USEC_PER_S);
    make_for(&fixture.live, "+919876543211", clock_wall() + 3600 * USEC_PER_S);
    ck_assert_uint_eq(expire(), 0);
    script(EXPIRE_ALL);
    struct fence_result result = fence(1);
    ck_assert_uint_eq(result.failed, 1);
    ck_assert_uint_eq(expire(), 1);
    ck_assert_uint_eq(expire(), 0);
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM calls WHERE status = 'failed' AND error_code = "
                         "'expired' AND completed_at IS NOT NULL"),
                     "2");
    ck_assert_str_eq(events(), "call.failed call.failed");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM deliveries"), "2");
    ck_assert_str_eq(ask("SELECT COUNT(*) FROM call_attempts"), "0");
}
END_TEST

START_TEST(what_is_under_way_does_not_expire)
{
    make_for(&fixture.live, "+919876543210", clock_wall() + 3600 * USEC_PER_S);
    struct fence_result result = fence(10);
    script(EXPIRE_ALL);
    ck_assert_uint_eq(expire(), 0);
    ck_assert_str_eq(ask("SELECT status FROM calls"), "initiated");
    /* but it isn't dialled again either */
    report(&result.calls[0], REPORT_NOT_SENT, 0);
    ck_assert_uint_eq(fence(10).failed, 1);
    ck_assert_str_eq(ask("SELECT CONCAT(status, ' ', error_code) FROM calls"), "failed expired");
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("hours");

    tcase_add_test(tc, outside_hours_calls_are_held_and_judged_anew_when_hours_change);
    tcase_add_test(tc, an_agents_change_has_its_calls_judged_anew);
    tcase_add_test(tc, an_agent_may_disallow_what_is_outside_hours);
    tcase_add_test(tc, in_a_zone_that_cannot_be_read_calls_wait);
    tcase_add_test(tc, the_simulator_skips_hours_unless_the_agent_has_its_own);
    tcase_add_test(tc, what_expired_fails_and_is_not_dialled);
    tcase_add_test(tc, what_is_under_way_does_not_expire);
    return policy_run("policy_hours", tc);
}
