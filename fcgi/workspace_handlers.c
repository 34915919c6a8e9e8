/*
 * workspace_handlers.c - the workspace of whoever asks: its settings, and what it used.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/base/zone.h"
#include "sql/usage.h"
#include "sql/workspaces.h"

#include <unistd.h>

#define USAGE_DAYS 30
#define USAGE_DAYS_MAX 366

static void write_workspace(struct buf *b, const struct workspace_view *view)
{
    const struct workspace_settings *s = &view->set;
    struct str rest = s->holidays, day;

    object_begin(b, "workspace_id", ID_WORKSPACE, &view->workspace_id);
    member_text(b, "name", s->name);
    member_text(b, "status", str_of(workspace_status_text(view->status)));
    member_text(b, "time_zone", s->time_zone);
    member_hours(b, "calling_hours", &s->calling_hours);
    buf_lit(b, ",\"holidays\":[");
    for (bool first = true; rest.n > 0 && str_split(&rest, ',', &day); first = false) {
        buf_text(b, first ? "" : ",");
        buf_json(b, day);
    }
    buf_char(b, ']');
    member_count(b, "calls_per_day", s->calls_per_day);
    member_i64(b, "concurrent_calls", s->concurrent_calls);
    member_i64(b, "number_calls_per_day", s->number_calls_per_day);
    member_i64(b, "number_gap_minutes", s->number_gap_minutes);
    member_set(b, "number_types", s->number_types, number_type_texts);
    member_i64(b, "retention_days", s->retention_days);
    member_bool(b, "has_signing_secret", view->has_signing_secret);
    member_rate(b, "key_rate_per_minute", view->rates.subject);
    member_rate(b, "rate_per_minute", view->rates.workspace);
    member_time(b, "created_at", view->created_at);
    member_time(b, "updated_at", view->updated_at);
    buf_char(b, '}');
}

int workspace_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct workspace_view view;

    if (workspaces_get(rs->db, rq->pool, &rq->who->workspace_id, &view, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    write_workspace(&an->body, &view);
    buf_char(&an->body, '}');
    return 0;
}

/* Has this host the zone? Where it has no zone database at all, the form of the name must do. */
static int check_time_zone(struct str name, struct err *err)
{
    if (zone_find(name) != NULL || access(ZONE_FOLDER, F_OK) != 0)
        return 0;
    return err_set(err, ERR_INVALID, "time_zone \"%.*s\" is not known here; one is Asia/Kolkata.",
                   STR_ARG(name));
}

int workspace_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct workspace_settings set = {.time_zone = STR("")};
    uint64_t given;

    if (workspace_settings_read(rq->pool, rq->json, &set, &given, err) != 0)
        return -1;
    if ((given & (1u << WORKSPACE_TIME_ZONE)) != 0 && check_time_zone(set.time_zone, err) != 0)
        return -1;
    if (workspaces_change(rs->db, &rq->who->workspace_id, &set, given, err) != 0)
        return -1;
    return workspace_get(rs, rq, an, err);
}

/* ---- usage ---- */

struct usage_query {
    int64_t from, to; /* days since 1970-01-01; to is the last */
};
#define NO_DAY INT64_MIN

static int read_day(struct pool *pool, const char *name, struct str value, void *place,
                    struct err *err)
{
    (void)pool;
    if (date_parse(value, place) != 0)
        return err_set(err, ERR_INVALID, "%s must be a day such as 2026-01-26.", name);
    return 0;
}

static int read_usage_query(struct request *rq, struct usage_query *query_r, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"from", read_day, offsetof(struct usage_query, from)},
        {"to", read_day, offsetof(struct usage_query, to)},
    };

    *query_r = (struct usage_query){NO_DAY, NO_DAY};
    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof parameters / sizeof *parameters, query_r, err) != 0)
        return -1;
    if (query_r->to == NO_DAY)
        query_r->to =
            query_r->from == NO_DAY ? clock_wall() / USEC_PER_DAY : query_r->from + USAGE_DAYS - 1;
    if (query_r->from == NO_DAY)
        query_r->from = query_r->to - USAGE_DAYS + 1;
    if (query_r->to < query_r->from)
        return err_set(err, ERR_INVALID, "to must not be before from.");
    if (query_r->to - query_r->from >= USAGE_DAYS_MAX)
        return err_set(err, ERR_INVALID, "from and to must be at most %d days apart.",
                       USAGE_DAYS_MAX - 1);
    return 0;
}

static void write_usage_day(struct buf *b, int64_t day, const struct usage_day *usage)
{
    char date[TIME_TEXT_SIZE];

    time_format(day * USEC_PER_DAY, date);
    buf_lit(b, "{\"date\":");
    buf_json(b, (struct str){date, 10});
    member_i64(b, "calls", usage->calls);
    member_i64(b, "completed", usage->completed);
    member_i64(b, "failed", usage->failed);
    member_i64(b, "cancelled", usage->cancelled);
    member_i64(b, "disallowed", usage->disallowed);
    member_i64(b, "talk_seconds", usage->talk_seconds);
    member_i64(b, "events", usage->events);
    buf_char(b, '}');
}

int usage_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct usage_query query;

    if (read_usage_query(rq, &query, err) != 0)
        return -1;
    size_t count = (size_t)(query.to - query.from + 1);
    struct usage_day *days = pool_new(rq->pool, struct usage_day, count);
    if (usage_read(rs->db, &rq->who->workspace_id, query.from, count, days, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_usage_day(&an->body, query.from + (int64_t)i, &days[i]);
    }
    buf_lit(&an->body, "]}");
    return 0;
}
