/*
 * policy_fixture.h - an agent with a carrier, in a workspace that calls at any hour and has ample
 * limits: each test sets its own. And short words for what all tests of policy do.
 */
#ifndef HV_POLICY_FIXTURE_H
#define HV_POLICY_FIXTURE_H

#include "sql/held_calls.h"
#include "tests/store/call_fixture.h"

#include <check.h>

#define CARRIER "x'01900000000070008000000000000040'"

extern struct call_fixture fixture; /* filled anew for each test */

/* SQL: run, or asked for its one value as text. */
void script(const char *text);
const char *ask(const char *sql);

/* A call of the agent; expires_at may be TIME_NONE. Many: each to a number of its own. */
struct call_made make(const char *number);
struct call_made make_for(const struct credential *who, const char *number, usec_t expires_at);
void make_many(int count);

struct fence_result fence(size_t limit);
struct attempt_outcome report(const struct fenced_call *call, enum report_kind kind,
                              enum end_reason reason);
/* The types of all events that were written, in their order: "call.initiated call.failed". */
const char *events(void);
/* The workspace's calling hours; days: none is never. */
void set_hours(int64_t from, int64_t to, unsigned days);

/* Agents whose settings changed have their calls judged anew, two at a time; how many were made
 * due.
 */
size_t recheck_all(void);

/* Runs the tests in a database of that name; what main() returns. */
int policy_run(const char *name, TCase *tc);

#endif
