/*
 * usage.h - how much a workspace used, by day.
 *
 * A day is counted from its calls and events; when it is over and so are all its calls, it is
 * counted once more and closed, and its calls are not read again. Retention, which takes rows away,
 * opens it and keeps what it took in a count of its own (usage_days).
 */
#ifndef HV_USAGE_H
#define HV_USAGE_H

#include "sql/db.h"

struct usage_day {
    int64_t calls, completed, failed, cancelled, disallowed, talk_seconds, events;
};
/* days_r[i] is of day first_day + i (days since 1970, UTC). */
int usage_read(struct db *db, const struct id *workspace_id, int64_t first_day, size_t count,
               struct usage_day *days_r, struct err *err) MUST_CHECK;

/* Closes one day of one workspace, or finds that it cannot be closed yet; *more_r: there was one to
 * look at. Any number of dispatchers may do so at once. */
int usage_close_next(struct db *db, bool *more_r, struct err *err) MUST_CHECK;

/* In the transaction that takes calls or events of the day away. */
int usage_open(struct db *db, const struct id *workspace_id, int64_t day,
               struct err *err) MUST_CHECK;

#endif
