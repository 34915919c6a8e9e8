/*
 * workspaces.c - see workspaces.h.
 */
#include "sql/workspaces.h"

#include <string.h>

#define DAY (86400 * USEC_PER_S)

int workspaces_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                   struct workspace_view *view_r, struct err *err)
{
    struct workspace_settings *s = &view_r->set;
    struct query *q = db_use(db, STMT_WORKSPACE_GET);

    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
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
    s->retention_days = query_i64(q);
    view_r->status = (enum workspace_status)(query_i64(q) - 1);
    view_r->rates.subject = rates_column(q);
    view_r->rates.workspace = rates_column(q);
    view_r->created_at = query_time(q);
    view_r->updated_at = query_time(q);
    return 0;
}

static bool is_given(uint64_t given, enum workspace_setting setting)
{
    return (given & (UINT64_C(1) << setting)) != 0;
}

static void bind_i64_if(struct query *q, bool is, int64_t value)
{
    if (is)
        query_bind_i64(q, value);
    else
        query_bind_null(q);
}

int workspaces_change(struct db *db, const struct id *workspace_id,
                      const struct workspace_settings *s, uint64_t given, struct err *err)
{
    struct query *q = db_use(db, STMT_WORKSPACE_CHANGE);
    bool hours = is_given(given, WORKSPACE_CALLING_HOURS);

    query_bind_str(q, is_given(given, WORKSPACE_NAME) ? s->name : STR_NULL);
    query_bind_str(q, is_given(given, WORKSPACE_TIME_ZONE) ? s->time_zone : STR_NULL);
    bind_i64_if(q, hours, s->calling_hours.from_minute);
    bind_i64_if(q, hours, s->calling_hours.to_minute);
    bind_i64_if(q, hours, s->calling_hours.days);
    query_bind_str(q, is_given(given, WORKSPACE_HOLIDAYS) ? s->holidays : STR_NULL);
    query_bind_i64(q, is_given(given, WORKSPACE_CALLS_PER_DAY));
    bind_i64_if(q, s->calls_per_day > 0, s->calls_per_day);
    bind_i64_if(q, is_given(given, WORKSPACE_CONCURRENT_CALLS), s->concurrent_calls);
    bind_i64_if(q, is_given(given, WORKSPACE_NUMBER_CALLS_PER_DAY), s->number_calls_per_day);
    bind_i64_if(q, is_given(given, WORKSPACE_NUMBER_GAP), s->number_gap_minutes);
    bind_i64_if(q, is_given(given, WORKSPACE_RETENTION), s->retention_days);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "there is no such workspace");
}

static void bind_range(struct query *q, const struct id *workspace_id, usec_t from, usec_t until)
{
    query_bind_id(q, workspace_id);
    query_bind_time(q, from);
    query_bind_time(q, until);
}

int usage_read(struct db *db, const struct id *workspace_id, int64_t first_day, size_t count,
               struct usage_day *days_r, struct err *err)
{
    usec_t from = first_day * DAY, until = (first_day + (int64_t)count) * DAY;
    struct query *q = db_use(db, STMT_USAGE_READ);

    memset(days_r, 0, count * sizeof *days_r);
    bind_range(q, workspace_id, from, until);
    bind_range(q, workspace_id, from, until);
    bind_range(q, workspace_id, from, until);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q)) {
        int64_t at = query_i64(q) - first_day;
        if (at < 0 || at >= (int64_t)count)
            return err_set(err, ERR_INTERNAL, "usage of a day that was not asked for");
        struct usage_day *day = &days_r[at];
        day->calls += query_i64(q);
        day->completed += query_i64(q);
        day->failed += query_i64(q);
        day->cancelled += query_i64(q);
        day->disallowed += query_i64(q);
        day->talk_seconds += query_i64(q);
        day->events += query_i64(q);
    }
    return 0;
}
