/*
 * workspaces.c - see workspaces.h.
 */
#include "sql/workspaces.h"
#include "sql/held_calls.h"
#include "sql/transaction.h"

#include <string.h>

static int no_such_workspace(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
}

int workspaces_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct workspace_view *view_r, struct err *err)
{
    struct workspace_settings *s = &view_r->set;
    struct query *q = db_use(db, STMT_WORKSPACE_GET);

    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_such_workspace(err);
    view_r->workspace_id = *workspace_id;
    s->name = query_str(q, pool);
    s->time_zone = query_str(q, pool);
    s->calling_hours.from_minute = query_i64(q);
    s->calling_hours.to_minute = query_i64(q);
    s->calling_hours.days = (unsigned)query_i64(q);
    s->holidays = query_str(q, pool);
    s->calls_per_day = query_i64(q);
    s->concurrent_calls = query_i64(q);
    s->number_calls_per_day = query_i64(q);
    s->number_gap_minutes = query_i64(q);
    s->number_types = (unsigned)query_i64(q);
    s->retention_days = query_i64(q);
    view_r->status = (enum workspace_status)(query_i64(q) - 1);
    view_r->has_signing_secret = query_i64(q) != 0;
    view_r->rates.subject = rates_column(q);
    view_r->rates.workspace = rates_column(q);
    view_r->created_at = query_time(q);
    view_r->updated_at = query_time(q);
    return 0;
}

int workspaces_lock(struct db *db, const struct id *workspace_id, struct err *err)
{
    struct query *q = db_use(db, STMT_FENCE_LOCK);

    query_bind_id(q, workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    return query_next(q) ? 0 : no_such_workspace(err);
}

/* "mobile,landline", as a SET column takes it. */
static struct str types_text(unsigned number_types)
{
    switch (number_types & PHONE_KINDS_ALL) {
    case 1u << PHONE_MOBILE:
        return STR("mobile");
    case 1u << PHONE_LANDLINE:
        return STR("landline");
    case PHONE_KINDS_ALL:
        return STR("mobile,landline");
    }
    return STR("");
}

struct change {
    const struct id *workspace_id;
    const struct workspace_settings *set;
    uint64_t given;
};

/* What policy held calls by. */
#define POLICY_SETTINGS                                                                            \
    (UINT64_C(1) << WORKSPACE_TIME_ZONE | UINT64_C(1) << WORKSPACE_CALLING_HOURS |                 \
     UINT64_C(1) << WORKSPACE_HOLIDAYS | UINT64_C(1) << WORKSPACE_NUMBER_CALLS_PER_DAY |           \
     UINT64_C(1) << WORKSPACE_NUMBER_GAP | UINT64_C(1) << WORKSPACE_CALLS_PER_DAY)

/* Dials are counted from rows, and those are deleted when they are old. */
static int check_gap(struct db *db, const struct id *workspace_id, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_GAP_IS_KEPT);

    query_bind_id(q, workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    return query_next(q) ? 0
                         : err_set(err, ERR_INVALID,
                                   "number_gap_minutes must not be over retention_days: what is "
                                   "deleted can't be counted.");
}

/* The UPDATE takes the lock that workspaces_lock() would. */
static int change(struct db *db, void *ctx, struct err *err)
{
    const struct change *c = ctx;
    const struct workspace_settings *s = c->set;
    uint64_t given = c->given;
    struct query *q = db_use(db, STMT_WORKSPACE_CHANGE);
    bool hours = field_in(given, WORKSPACE_CALLING_HOURS);

    query_bind_str(q, field_in(given, WORKSPACE_NAME) ? s->name : STR_NULL);
    query_bind_str(q, field_in(given, WORKSPACE_TIME_ZONE) ? s->time_zone : STR_NULL);
    query_bind_i64_if(q, hours, s->calling_hours.from_minute);
    query_bind_i64_if(q, hours, s->calling_hours.to_minute);
    query_bind_i64_if(q, hours, s->calling_hours.days);
    query_bind_str(q, field_in(given, WORKSPACE_HOLIDAYS) ? s->holidays : STR_NULL);
    query_bind_i64(q, field_in(given, WORKSPACE_CALLS_PER_DAY));
    query_bind_i64_if(q, s->calls_per_day > 0, s->calls_per_day);
    query_bind_i64_if(q, field_in(given, WORKSPACE_CONCURRENT_CALLS), s->concurrent_calls);
    query_bind_i64_if(q, field_in(given, WORKSPACE_NUMBER_CALLS_PER_DAY), s->number_calls_per_day);
    query_bind_i64_if(q, field_in(given, WORKSPACE_NUMBER_GAP), s->number_gap_minutes);
    query_bind_str(q, field_in(given, WORKSPACE_NUMBER_TYPES) ? types_text(s->number_types)
                                                              : STR_NULL);
    query_bind_i64_if(q, field_in(given, WORKSPACE_RETENTION), s->retention_days);
    query_bind_id(q, c->workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return no_such_workspace(err);
    bool gap = field_in(given, WORKSPACE_NUMBER_GAP) || field_in(given, WORKSPACE_RETENTION);
    if (gap && check_gap(db, c->workspace_id, err) != 0)
        return -1;
    return (given & POLICY_SETTINGS) != 0 ? held_calls_want_recheck(db, c->workspace_id, NULL, err)
                                          : 0;
}

int workspaces_change(struct db *db, const struct id *workspace_id,
                      const struct workspace_settings *set, uint64_t given, struct err *err)
{
    struct change c = {workspace_id, set, given};

    return transaction_run(db, change, &c, err);
}
