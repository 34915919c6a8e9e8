/*
 * usage.c - see usage.h.
 */
#include "sql/usage.h"
#include "sql/transaction.h"

#include <string.h>

#define DAYS_MAX 400
#define READ_TRIES 3
#define CATCH_UP_DAYS 31 /* of days that nobody looked at, these are still closed */

/* What a row of USAGE_READ is of. */
enum source { SOURCE_ROWS, SOURCE_DELETED, SOURCE_CLOSED };

struct reading {
    const struct id *workspace_id;
    int64_t first_day;
    size_t count;
    struct usage_day *days;
    bool closed[DAYS_MAX]; /* those whose rows are not read */
};

/* ---- reading ---- */

static void bind_rows(struct query *q, const struct id *workspace_id, usec_t from, usec_t until)
{
    for (int table = 0; table < 2; table++) {
        query_bind_id(q, workspace_id);
        query_bind_time(q, from);
        query_bind_time(q, until);
    }
}

static int find_closed(struct db *db, struct reading *r, struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_CLOSED);

    query_bind_id(q, r->workspace_id);
    query_bind_time(q, r->first_day * USEC_PER_DAY);
    query_bind_time(q, (r->first_day + (int64_t)r->count) * USEC_PER_DAY);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q)) {
        int64_t at = query_i64(q) - r->first_day;
        if (at >= 0 && at < (int64_t)r->count)
            r->closed[at] = true;
    }
    return 0;
}

/* The rows of open days, in as few ranges as there are, and one more that has none: the connector
 * may repeat the last. */
static struct query *use_read(struct db *db, const struct reading *r)
{
    size_t ranges = 0;

    for (size_t i = 0; i < r->count; i++)
        ranges += !r->closed[i] && (i == 0 || r->closed[i - 1]);
    struct query *q = db_use_many(db, STMT_USAGE_READ, ranges + 1);
    for (size_t i = 0; i < r->count; i++) {
        size_t end = i;
        while (end < r->count && !r->closed[end])
            end++;
        if (end > i)
            bind_rows(q, r->workspace_id, (r->first_day + (int64_t)i) * USEC_PER_DAY,
                      (r->first_day + (int64_t)end) * USEC_PER_DAY);
        i = end;
    }
    bind_rows(q, r->workspace_id, 0, 0);
    for (int table = 0; table < 2; table++) {
        query_bind_id(q, r->workspace_id);
        query_bind_time(q, r->first_day * USEC_PER_DAY);
        query_bind_time(q, (r->first_day + (int64_t)r->count) * USEC_PER_DAY);
    }
    return q;
}

static void add_row(struct query *q, struct usage_day *day)
{
    day->calls += query_i64(q);
    day->completed += query_i64(q);
    day->failed += query_i64(q);
    day->cancelled += query_i64(q);
    day->disallowed += query_i64(q);
    day->talk_seconds += query_i64(q);
    day->events += query_i64(q);
}

/* *same_r: the days that were taken for closed still are, so that nothing was missed. Rows of a day
 * that was closed meanwhile count by themselves. */
static int read_once(struct db *db, struct reading *r, bool *same_r, struct err *err)
{
    size_t found = 0, wanted = 0;
    struct query *q = use_read(db, r);

    memset(r->days, 0, r->count * sizeof *r->days);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q)) {
        enum source source = (enum source)query_i64(q);
        int64_t at = query_i64(q) - r->first_day;
        if (at < 0 || at >= (int64_t)r->count)
            return err_set(err, ERR_INTERNAL, "usage of a day that was not asked for");
        if (source == SOURCE_CLOSED && !r->closed[at])
            continue;
        found += source == SOURCE_CLOSED;
        add_row(q, &r->days[at]);
    }
    for (size_t i = 0; i < r->count; i++)
        wanted += r->closed[i];
    *same_r = found == wanted;
    return 0;
}

int usage_read(struct db *db, const struct id *workspace_id, int64_t first_day, size_t count,
               struct usage_day *days_r, struct err *err)
{
    struct reading r = {
        .workspace_id = workspace_id, .first_day = first_day, .count = count, .days = days_r};
    bool same = false;

    if (count > DAYS_MAX)
        return err_set(err, ERR_INTERNAL, "usage of over %d days", DAYS_MAX);
    for (int n = 0; n < READ_TRIES && !same; n++) {
        memset(r.closed, 0, sizeof r.closed);
        /* the last time all rows are read, which is always right */
        if ((n + 1 < READ_TRIES && find_closed(db, &r, err) < 0) ||
            read_once(db, &r, &same, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- closing ---- */

struct closing {
    struct id workspace_id;
    int64_t day;
    usec_t lease; /* what tells our row from one that was made anew after retention deleted it */
    bool found;
};

/* Days that are over get a row, by which they are found. */
static int list_days(struct db *db, struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_LAST_DAY);

    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return 0;
    int64_t last = query_i64_or(q, 0), today = query_i64(q);
    if (last < today - CATCH_UP_DAYS)
        last = today - CATCH_UP_DAYS;
    while (++last < today) {
        q = db_use(db, STMT_USAGE_LIST_DAY);
        query_bind_i64(q, last);
        query_bind_i64(q, last);
        if (query_run_again(q, err) < 0)
            return -1;
    }
    return 0;
}

static int draw(struct db *db, void *ctx, struct err *err)
{
    struct closing *c = ctx;
    struct query *q = db_use(db, STMT_USAGE_DRAW);

    if (query_run(q, err) < 0)
        return -1;
    c->found = query_next(q);
    if (!c->found)
        return 0;
    query_id(q, &c->workspace_id);
    c->day = query_i64(q);
    c->lease = query_time(q);
    q = db_use(db, STMT_USAGE_LEASE);
    query_bind_time(q, c->lease);
    query_bind_id(q, &c->workspace_id);
    query_bind_i64(q, c->day);
    return query_run(q, err);
}

static int has_open_calls(struct db *db, const struct closing *c, bool *open_r, struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_OPEN_CALLS);

    query_bind_id(q, &c->workspace_id);
    query_bind_time(q, c->day * USEC_PER_DAY);
    query_bind_time(q, (c->day + 1) * USEC_PER_DAY);
    if (query_run_again(q, err) < 0)
        return -1;
    *open_r = query_next(q);
    return 0;
}

static int count_rows(struct db *db, const struct closing *c, struct usage_day *day_r,
                      struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_COUNT);

    memset(day_r, 0, sizeof *day_r);
    bind_rows(q, &c->workspace_id, c->day * USEC_PER_DAY, (c->day + 1) * USEC_PER_DAY);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q)) {
        query_skip(q, 2);
        add_row(q, day_r);
    }
    return 0;
}

/* Only while the row is there: retention deletes it when it takes something of the day. */
static int close_day(struct db *db, const struct closing *c, const struct usage_day *day,
                     struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_CLOSE);

    query_bind_i64(q, day->calls);
    query_bind_i64(q, day->completed);
    query_bind_i64(q, day->failed);
    query_bind_i64(q, day->cancelled);
    query_bind_i64(q, day->disallowed);
    query_bind_i64(q, day->talk_seconds);
    query_bind_i64(q, day->events);
    query_bind_id(q, &c->workspace_id);
    query_bind_i64(q, c->day);
    query_bind_time(q, c->lease);
    return query_run_again(q, err);
}

int usage_close_next(struct db *db, bool *more_r, struct err *err)
{
    struct closing c = {.found = false};
    struct usage_day day;
    bool open;

    if (list_days(db, err) < 0 || transaction_run(db, draw, &c, err) < 0)
        return -1;
    *more_r = c.found;
    if (!c.found)
        return 0;
    if (has_open_calls(db, &c, &open, err) < 0)
        return -1;
    if (open)
        return 0; /* its row says when to look again */
    return count_rows(db, &c, &day, err) < 0 ? -1 : close_day(db, &c, &day, err);
}

int usage_open(struct db *db, const struct id *workspace_id, int64_t day, struct err *err)
{
    struct query *q = db_use(db, STMT_USAGE_OPEN);

    query_bind_id(q, workspace_id);
    query_bind_i64(q, day);
    return query_run(q, err);
}
