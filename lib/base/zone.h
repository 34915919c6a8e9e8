/*
 * zone.h - time zones, read from the host's zone database (TZif, RFC 8536). What is read is kept
 * until the process ends; after that everything here is arithmetic.
 */
#ifndef HV_ZONE_H
#define HV_ZONE_H

#include "lib/base/clock.h"

#define ZONE_FOLDER "/usr/share/zoneinfo" /* the host's */

struct zone;

/* By its name, such as Asia/Kolkata. NULL: this host has no such zone, or its file can't be
 * understood; asked for again, it is looked for again. UTC and Asia/Kolkata need no file. The name
 * must have the form that time_zone_form() wants: it becomes a path. */
const struct zone *zone_find(struct str name);
/* As zone_find(), but below another folder than the host's; for tests. Not kept. */
struct zone *zone_read(const char *folder, struct str name);
void zone_destroy(struct zone **zone);
/* One that is always at this distance from UTC. */
const struct zone *zone_utc(void);

/* Seconds east of UTC at a moment. */
int64_t zone_offset(const struct zone *zone, usec_t utc);

/* Wall time is counted as usec_t too, as if it were UTC. */
usec_t zone_wall(const struct zone *zone, usec_t utc);
/* The moment at which clocks show this. Where they show it twice, the first; where they skip it,
 * the moment at which they skip. */
usec_t zone_utc_of(const struct zone *zone, usec_t wall);

/* The days since 1970-01-01 of the day that it is there. */
int64_t zone_day(const struct zone *zone, usec_t utc);
/* When that day begins. */
usec_t zone_day_start(const struct zone *zone, int64_t day);

#endif
