/*
 * test_people.c - people: accounts, sessions, members, invitations, attempts slowed down, mail.
 */
#include "lib/rules/slowdown.h"
#include "sql/accounts.h"
#include "sql/expiry.h"
#include "sql/ids.h"
#include "sql/mails.h"
#include "sql/members.h"
#include "sql/sessions.h"
#include "sql/slowdowns.h"
#include "tests/store/store_fixture.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HOUR ((usec_t)3600 * USEC_PER_S)

static struct store s;
static struct err err;
static struct workspace_row workspace;
static struct id first, second; /* its owners */
static unsigned char token[32];

static struct id make_member(const char *email, enum role role)
{
    struct id id;
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(users_create(s.db, str_of(email), STR("A Person"), STR("$x"), &id, &err), &err);
    ck_ok(members_add(s.db, &workspace.workspace_id, &id, role, &err), &err);
    ck_ok(db_commit(s.db, &err), &err);
    return id;
}

static void setup(void)
{
    store_setup(&s, "people", NULL);
    ck_ok(workspaces_create(s.db, STR("one"), &workspace, &err), &err);
    first = make_member("first@example.com", ROLE_OWNER);
    second = make_member("second@example.com", ROLE_OWNER);
    memset(token, 7, sizeof token);
}

static void teardown(void)
{
    store_teardown(&s);
}

/* ---- sessions ---- */

static int read_session(usec_t idle, usec_t max, struct session_row *row)
{
    return sessions_read(s.db, s.pool, token, idle, max, row, &err);
}

START_TEST(a_session_is_read_and_ends)
{
    struct session_row row;

    ck_ok(sessions_create(s.db, &first, STR("$x"), token, HOUR, &err), &err);
    ck_ok(read_session(HOUR, 2 * HOUR, &row), &err);
    ck_assert(id_eq(&row.who.user_id, &first));
    ck_assert(id_eq(&row.who.workspace_id, &workspace.workspace_id));
    ck_assert_int_eq(row.who.role, ROLE_OWNER);
    ck_assert(row.who.active);
    ck_assert(str_is(row.email, "first@example.com"));
    ck_ok(sessions_end(s.db, &row.who.session_id, &err), &err);
    ck_assert_int_eq(read_session(HOUR, 2 * HOUR, &row), -1);
    ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
}
END_TEST

/* Who changes the password meanwhile ends all sessions: this one must not begin after that. */
START_TEST(a_session_begins_with_the_password_in_force_alone)
{
    store_script(s.db, "UPDATE users SET password = '$new' WHERE email = 'first@example.com'");
    ck_assert_int_eq(sessions_create(s.db, &first, STR("$x"), token, HOUR, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNAUTHORIZED);
    store_script(s.db, "UPDATE users SET status = 'disabled' WHERE email = 'first@example.com'");
    ck_assert_int_eq(sessions_create(s.db, &first, STR("$new"), token, HOUR, &err), -1);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM sessions"), "0");
}
END_TEST

START_TEST(a_use_puts_the_end_off_but_not_for_ever)
{
    struct session_row row;

    ck_ok(sessions_create(s.db, &first, STR("$x"), token, HOUR, &err), &err);
    store_script(s.db, "UPDATE sessions SET last_used_at = NOW(6) - INTERVAL 50 MINUTE, "
                       "created_at = NOW(6) - INTERVAL 50 MINUTE, "
                       "expires_at = NOW(6) + INTERVAL 10 MINUTE");
    ck_ok(read_session(HOUR, 3 * HOUR, &row), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT expires_at > NOW(6) + INTERVAL 59 MINUTE FROM sessions"),
                     "1");
    store_script(s.db, "UPDATE sessions SET last_used_at = NOW(6) - INTERVAL 50 MINUTE");
    ck_ok(read_session(HOUR, HOUR, &row), &err);
    ck_assert_str_eq(
        store_ask(&s, "SELECT expires_at = created_at + INTERVAL 1 HOUR FROM sessions"), "1");
    store_script(s.db, "UPDATE sessions SET expires_at = NOW(6)");
    ck_assert_int_eq(read_session(HOUR, HOUR, &row), -1);
}
END_TEST

START_TEST(what_is_taken_from_somebody_is_taken_at_once)
{
    struct session_row row;

    ck_ok(sessions_create(s.db, &first, STR("$x"), token, HOUR, &err), &err);
    ck_ok(members_set_role(s.db, &workspace.workspace_id, &first, ROLE_VIEWER, &err), &err);
    ck_ok(read_session(HOUR, HOUR, &row), &err);
    ck_assert_int_eq(row.who.role, ROLE_VIEWER);
    ck_assert_int_eq(principal_check_role(&row.who, ROLE_ADMIN, &err), -1);
    ck_assert_int_eq(err.code, ERR_FORBIDDEN);
    ck_ok(members_remove(s.db, &workspace.workspace_id, &first, &err), &err);
    ck_ok(read_session(HOUR, HOUR, &row), &err);
    ck_assert_int_eq(row.who.role, ROLE_PERSON);
    ck_assert(id_is_zero(&row.who.workspace_id));
    ck_assert_int_eq(principal_check_role(&row.who, ROLE_VIEWER, &err), -1);
    ck_ok(users_set_status(s.db, &first, USER_DISABLED, &err), &err);
    ck_assert_int_eq(read_session(HOUR, HOUR, &row), -1);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM sessions"), "0");
}
END_TEST

/* ---- attempts ---- */

static const struct {
    int64_t failures, free;
    usec_t seconds;
} waits[] = {{0, 5, 0}, {4, 5, 0}, {5, 5, 1},    {6, 5, 2},    {7, 5, 4},
             {1, 1, 1}, {8, 5, 8}, {14, 5, 512}, {15, 5, 900}, {100000000, 5, 900}};

START_TEST(waits_are_doubled_up_to_a_quarter_of_an_hour)
{
    ck_assert_int_eq(slowdown_wait(waits[_i].failures, waits[_i].free),
                     waits[_i].seconds * USEC_PER_S);
}
END_TEST

START_TEST(attempts_wait_after_so_many_failures)
{
    struct slowdown one = slowdown_of("account", STR("first@example.com"), 3, HOUR);
    struct slowdown other = slowdown_of("account", STR("second@example.com"), 3, HOUR);
    usec_t wait;

    for (int i = 0; i < 3; i++) {
        ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
        ck_assert_int_eq(wait, 0);
    }
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_int_gt(wait, 0);
    ck_assert_int_le(wait, USEC_PER_S);
    ck_ok(slowdowns_begin(s.db, &other, 1, &wait, &err), &err);
    ck_assert_int_eq(wait, 0);
    /* a wait of one subject keeps the other from being counted */
    struct slowdown both[] = {other, one};
    ck_ok(slowdowns_begin(s.db, both, 2, &wait, &err), &err);
    ck_assert_int_gt(wait, 0);
    ck_assert_str_eq(
        store_ask(&s, "SELECT GROUP_CONCAT(failures ORDER BY failures) FROM slowdowns"), "1,3");
    /* the next failure waits twice as long */
    store_script(s.db, "UPDATE slowdowns SET allowed_at = NOW(6) - INTERVAL 1 SECOND");
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_int_eq(wait, 0);
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_int_gt(wait, USEC_PER_S);
    ck_ok(slowdowns_forget(s.db, &one, &err), &err);
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_int_eq(wait, 0);
}
END_TEST

START_TEST(failures_are_forgiven_with_time)
{
    struct slowdown one = slowdown_of("address", STR("4:7f000001"), 100, HOUR);
    usec_t wait;

    for (int i = 0; i < 5; i++)
        ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_ok(slowdowns_forgive(s.db, &one, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT failures FROM slowdowns"), "4");
    store_script(s.db, "UPDATE slowdowns SET updated_at = NOW(6) - INTERVAL 150 MINUTE");
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT failures FROM slowdowns"), "3");
    store_script(s.db, "UPDATE slowdowns SET updated_at = NOW(6) - INTERVAL 6 DAY");
    ck_ok(slowdowns_begin(s.db, &one, 1, &wait, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT failures FROM slowdowns"), "1");
}
END_TEST

struct attempts {
    struct db *db;
    struct slowdown subject;
    int allowed, errors;
};

static void *attempt_often(void *ctx)
{
    struct attempts *a = ctx;
    struct err e;
    for (int i = 0; i < 20; i++) {
        usec_t wait;
        if (slowdowns_begin(a->db, &a->subject, 1, &wait, &e) != 0)
            a->errors++;
        else
            a->allowed += wait == 0;
    }
    return NULL;
}

START_TEST(many_at_once_are_counted_each)
{
    struct attempts a[2] = {{.db = store_connect(&s)}, {.db = store_connect(&s)}};
    pthread_t thread;
    usec_t wait;

    a[0].subject = a[1].subject = slowdown_of("account", STR("x"), 10, HOUR);
    ck_ok(slowdowns_begin(s.db, &a[0].subject, 1, &wait, &err), &err);
    ck_assert_int_eq(pthread_create(&thread, NULL, attempt_often, &a[0]), 0);
    attempt_often(&a[1]);
    pthread_join(thread, NULL);
    ck_assert_int_eq(a[0].errors + a[1].errors, 0);
    ck_assert_int_eq(a[0].allowed + a[1].allowed, 9);
    db_destroy(&a[0].db);
    db_destroy(&a[1].db);
}
END_TEST

/* ---- members ---- */

START_TEST(the_last_owner_stays)
{
    struct member_row row;

    ck_ok(members_remove(s.db, &workspace.workspace_id, &second, &err), &err);
    ck_assert_int_eq(members_remove(s.db, &workspace.workspace_id, &first, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_int_eq(members_set_role(s.db, &workspace.workspace_id, &first, ROLE_ADMIN, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_assert_int_eq(members_remove(s.db, &workspace.workspace_id, &second, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    ck_ok(members_get(s.db, s.pool, &workspace.workspace_id, &first, &row, &err), &err);
    ck_assert_int_eq(row.role, ROLE_OWNER);
}
END_TEST

START_TEST(an_owner_who_cannot_sign_in_does_not_count)
{
    ck_ok(users_set_status(s.db, &second, USER_DISABLED, &err), &err);
    ck_assert_int_eq(members_remove(s.db, &workspace.workspace_id, &first, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    ck_ok(members_remove(s.db, &workspace.workspace_id, &second, &err), &err);
}
END_TEST

struct leaving {
    struct db *db;
    struct id user_id;
    int result;
};

static void *leave(void *ctx)
{
    struct leaving *l = ctx;
    struct err e;
    l->result = members_remove(l->db, &workspace.workspace_id, &l->user_id, &e);
    return NULL;
}

START_TEST(of_two_owners_who_leave_at_once_one_stays)
{
    struct leaving l[2] = {{.db = store_connect(&s)}, {.db = store_connect(&s)}};

    ck_ok(db_ping(l[0].db, &err), &err);
    ck_ok(db_ping(l[1].db, &err), &err);
    for (int round = 0; round < 20; round++) {
        pthread_t thread;
        l[0].user_id = first;
        l[1].user_id = second;
        ck_assert_int_eq(pthread_create(&thread, NULL, leave, &l[0]), 0);
        leave(&l[1]);
        pthread_join(thread, NULL);
        ck_assert_int_eq(l[0].result + l[1].result, -1);
        ck_ok(db_begin(s.db, &err), &err);
        ck_ok(members_add(s.db, &workspace.workspace_id, l[0].result == 0 ? &first : &second,
                          ROLE_OWNER, &err),
              &err);
        ck_ok(db_commit(s.db, &err), &err);
    }
    db_destroy(&l[0].db);
    db_destroy(&l[1].db);
}
END_TEST

/* ---- invitations ---- */

static struct invitation_row invite(const char *email)
{
    struct invitation_row row = {
        .workspace_id = workspace.workspace_id, .email = str_of(email), .role = ROLE_VIEWER};
    token[0]++;
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(invitations_create(s.db, &row, token, &err), &err);
    ck_ok(db_commit(s.db, &err), &err);
    return row;
}

static int accept_as(const char *name)
{
    struct acceptance by = {.name = str_of(name), .password = STR("$x")};
    struct id id;
    return invitations_accept(s.db, s.pool, token, &by, &id, &err);
}

START_TEST(an_invitation_is_good_once)
{
    invite("third@example.com");
    ck_ok(accept_as("Third"), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT role FROM members JOIN users USING (user_id) "
                                   "WHERE email = 'third@example.com'"),
                     "viewer");
    ck_assert_int_eq(accept_as("Fourth"), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(an_invitation_that_failed_made_nothing)
{
    invite("first@example.com");
    ck_assert_int_eq(accept_as("Not me"), -1);
    ck_assert_int_eq(err.code, ERR_CONFLICT);
    struct acceptance by = {.user_id = second, .email = STR("second@example.com")};
    struct id id;
    ck_assert_int_eq(invitations_accept(s.db, s.pool, token, &by, &id, &err), -1);
    ck_assert_int_eq(err.code, ERR_FORBIDDEN);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM users"), "2");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM invitations WHERE accepted_at IS NULL"),
                     "1");
}
END_TEST

START_TEST(a_new_invitation_replaces_the_old)
{
    unsigned char old[32];
    struct invitation_row before = invite("third@example.com"), row;

    memcpy(old, token, sizeof old);
    invite("third@example.com");
    ck_assert_int_eq(
        invitations_get(s.db, s.pool, &workspace.workspace_id, &before.invitation_id, &row, &err),
        -1);
    token[0] = old[0];
    ck_assert_int_eq(accept_as("Third"), -1);
    token[0]++;
    store_script(s.db, "UPDATE invitations SET expires_at = NOW(6)");
    ck_assert_int_eq(accept_as("Third"), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_sign_up_makes_an_owner_once)
{
    struct sign_up sign_up = {STR("new@example.com"), STR("New"), STR("$x"), STR("Shop")};
    struct str email;

    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(sign_ups_create(s.db, &sign_up, token, &err), &err);
    ck_ok(db_commit(s.db, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM users"), "2");
    ck_ok(sign_ups_confirm(s.db, s.pool, token, &email, &err), &err);
    ck_assert(str_is(email, "new@example.com"));
    ck_assert_str_eq(
        store_ask(&s, "SELECT w.name, m.role FROM members m JOIN users USING (user_id) JOIN "
                      "workspaces w USING (workspace_id) WHERE email = 'new@example.com'"),
        "Shop\towner");
    ck_assert_int_eq(sign_ups_confirm(s.db, s.pool, token, &email, &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

/* ---- passwords ---- */

START_TEST(a_token_for_a_password_is_good_once)
{
    unsigned char session[32] = {1};

    ck_ok(sessions_create(s.db, &first, STR("$x"), session, HOUR, &err), &err);
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(user_tokens_create(s.db, &first, token, HOUR, &err), &err);
    ck_ok(db_commit(s.db, &err), &err);
    ck_ok(user_tokens_use(s.db, token, STR("$new"), &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM sessions"), "0");
    ck_assert_str_eq(store_ask(&s, "SELECT password FROM users WHERE email = 'first@example.com'"),
                     "$new");
    ck_assert_int_eq(user_tokens_use(s.db, token, STR("$newer"), &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
}
END_TEST

/* ---- mail ---- */

static void write_mail(void)
{
    struct mail mail = {STR("a@example.com"), STR("Hello"), STR("The secret\n")};
    ck_ok(db_begin(s.db, &err), &err);
    ck_ok(mails_write(s.db, s.pool, s.keys, &mail, &err), &err);
    ck_ok(db_commit(s.db, &err), &err);
}

START_TEST(a_mail_is_drawn_by_one_and_again_when_its_lease_is_over)
{
    struct mail_row row;
    bool found;

    write_mail();
    ck_assert_str_eq(store_ask(&s, "SELECT LOCATE('secret', body) FROM mails"), "0");
    ck_ok(mails_claim(s.db, s.pool, s.keys, 5, HOUR, &row, &found, &err), &err);
    ck_assert(found && !row.unreadable);
    ck_assert(str_is(row.mail.body, "The secret\n"));
    ck_assert(str_is(row.mail.to, "a@example.com"));
    ck_assert_uint_eq(row.attempts, 0);
    ck_ok(mails_claim(s.db, s.pool, s.keys, 6, HOUR, &row, &found, &err), &err);
    ck_assert(!found);
    store_script(s.db, "UPDATE mails SET due_at = NOW(6)");
    ck_ok(mails_claim(s.db, s.pool, s.keys, 6, HOUR, &row, &found, &err), &err);
    ck_assert(found);
    ck_assert_uint_eq(row.attempts, 1);
    /* it is another's now */
    ck_ok(mails_done(s.db, &row.mail_id, 5, &err), &err);
    ck_ok(mails_again(s.db, &row.mail_id, 5, 0, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT owner FROM mails"), "6");
    ck_ok(mails_done(s.db, &row.mail_id, 6, &err), &err);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM mails"), "0");
}
END_TEST

static void make_endpoint(void)
{
    store_script(s.db, "INSERT INTO destinations (destination_id, workspace_id, kind, url, "
                       "description, events, secret, timeout_seconds, max_in_flight, good_since, "
                       "created_at, updated_at) SELECT UNHEX(REPEAT('ab', 16)), workspace_id, "
                       "'endpoint', 'https://x.example/y', '', 15, 'x', 15, 64, NOW(6), NOW(6), "
                       "NOW(6) FROM workspaces");
}

START_TEST(owners_are_told_once_of_each_occasion)
{
    size_t count;

    make_endpoint();
    make_member("viewer@example.com", ROLE_VIEWER);
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    store_script(s.db, "UPDATE destinations SET held_until = NOW(6), held_since = NOW(6) - "
                       "INTERVAL 50 MINUTE");
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    store_script(s.db, "UPDATE destinations SET held_since = NOW(6) - INTERVAL 61 MINUTE");
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(store_ask(&s, "SELECT GROUP_CONCAT(recipient ORDER BY recipient) FROM mails"),
                     "first@example.com,second@example.com");
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    store_script(s.db, "UPDATE destinations SET status = 'disabled', disabled_at = NOW(6), "
                       "status_reason = 'failed too often'");
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 1);
    ck_ok(mails_tell_owners(s.db, s.pool, s.keys, HOUR, &count, &err), &err);
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM mails"), "4");
}
END_TEST

START_TEST(what_has_had_its_time_is_deleted)
{
    unsigned char other[32] = {9};
    bool more;

    invite("third@example.com");
    ck_ok(sessions_create(s.db, &first, STR("$x"), token, HOUR, &err), &err);
    ck_ok(sessions_create(s.db, &first, STR("$x"), other, -HOUR, &err), &err);
    ck_ok(expiry_run(s.db, 1, &more, &err), &err);
    ck_assert(more);
    ck_ok(expiry_run(s.db, 1, &more, &err), &err);
    ck_assert(!more);
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM sessions"), "1");
    ck_assert_str_eq(store_ask(&s, "SELECT COUNT(*) FROM invitations"), "1");
}
END_TEST

int main(void)
{
    store_require_server();
    Suite *suite = suite_create("people");
    TCase *tc = tcase_create("people");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_session_is_read_and_ends);
    tcase_add_test(tc, a_session_begins_with_the_password_in_force_alone);
    tcase_add_test(tc, a_use_puts_the_end_off_but_not_for_ever);
    tcase_add_test(tc, what_is_taken_from_somebody_is_taken_at_once);
    tcase_add_test(tc, attempts_wait_after_so_many_failures);
    tcase_add_test(tc, failures_are_forgiven_with_time);
    tcase_add_test(tc, many_at_once_are_counted_each);
    tcase_add_test(tc, the_last_owner_stays);
    tcase_add_test(tc, an_owner_who_cannot_sign_in_does_not_count);
    tcase_add_test(tc, of_two_owners_who_leave_at_once_one_stays);
    tcase_add_test(tc, an_invitation_is_good_once);
    tcase_add_test(tc, an_invitation_that_failed_made_nothing);
    tcase_add_test(tc, a_new_invitation_replaces_the_old);
    tcase_add_test(tc, a_sign_up_makes_an_owner_once);
    tcase_add_test(tc, a_token_for_a_password_is_good_once);
    tcase_add_test(tc, a_mail_is_drawn_by_one_and_again_when_its_lease_is_over);
    tcase_add_test(tc, owners_are_told_once_of_each_occasion);
    tcase_add_test(tc, what_has_had_its_time_is_deleted);
    suite_add_tcase(suite, tc);
    TCase *rules = tcase_create("rules");
    tcase_add_loop_test(rules, waits_are_doubled_up_to_a_quarter_of_an_hour, 0,
                        sizeof waits / sizeof *waits);
    suite_add_tcase(suite, rules);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
