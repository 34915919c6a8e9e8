/*
 * call_fixture.h - a workspace with an agent, two keys and an endpoint, made by SQL, and short ways
 * to make and move calls in it.
 */
#ifndef HV_CALL_FIXTURE_H
#define HV_CALL_FIXTURE_H

#include "sql/attempts.h"
#include "sql/calls.h"
#include "sql/fence.h"
#include "tests/store/store_fixture.h"

struct call_fixture {
    struct store store;
    struct credential live, test, calls_only_other; /* the last: of another workspace */
    struct id workspace_id, agent_id, endpoint_id, other_agent_id, other_workspace_id;
};

void call_fixture_setup(struct call_fixture *f, const char *name, const char *settings);
void call_fixture_teardown(struct call_fixture *f);

/* What is asked of the fence: single calls of the fixture's agent. */
#define CALL_ASK(f, most)                                                                          \
    (&(struct fence_ask){.of = {(f)->agent_id, false}, .limit = (most), .prepare_limit = (most)})

/* A request for a call of `agent`, with nothing but a number. */
struct call_request call_fixture_request(const struct id *agent_id, const char *number);
/* 0, or -1 with err; made_r is filled. key NULL: no Idempotency-Key. */
int call_fixture_create(struct call_fixture *f, struct db *db, const struct credential *credential,
                        const struct call_request *request, const char *key,
                        struct call_made *made_r, struct err *err);
/* Makes one call and fences it. */
struct fenced_call call_fixture_fenced(struct call_fixture *f);
int call_fixture_report(struct call_fixture *f, const unsigned char *token, enum report_kind kind,
                        enum end_reason reason, struct attempt_outcome *outcome_r, struct err *err);
/* One column of one call's row, as text. */
const char *call_fixture_column(struct call_fixture *f, const char *column);

#endif
