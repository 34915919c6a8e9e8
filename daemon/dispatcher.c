/*
 * dispatcher.c - what the lanes tell of the database: said once when it goes away, once when it is
 * back, and waited out in between.
 */
#include "daemon/dispatcher.h"
#include "lib/base/log.h"

#define DATABASE_PAUSE (500 * USEC_PER_MS)

void dispatcher_database_failed(struct dispatcher *d, struct lane *lane, const struct err *err)
{
    struct err ping;
    bool away = err->code == ERR_UNAVAILABLE && db_ping(lane_db(lane), &ping) != 0;
    if (!away || !d->database_away)
        log_write(away ? LOG_ERROR : LOG_WARNING,
                  away ? "database is away" : "database work failed",
                  "lane=%s error=%s message=\"%s\"", lane_name(lane), err_code_text(err->code),
                  err->message);
    d->database_away = away;
    usec_t until = clock_monotonic() + DATABASE_PAUSE;
    /* While stopping, too: who has results to write goes on trying, and must let the loop see when
     * the time for that is over. */
    do
        lane_sleep(lane, until);
    while (clock_monotonic() < until && !d->quit && !d->stopping);
}

void dispatcher_database_works(struct dispatcher *d)
{
    if (d->database_away)
        log_write(LOG_INFO, "database is back", "%s", "");
    d->database_away = false;
}
