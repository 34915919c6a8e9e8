/*
 * clock.h - time. The whole product counts microseconds since 1970-01-01T00:00:00Z in int64_t
 * (usec_t); TIME_NONE stands for "no time". Rules take `now`; only the edges read a clock.
 */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include "lib/base/str.h"
#include <stdint.h>

typedef int64_t usec_t;
#define TIME_NONE INT64_MIN
#define USEC_PER_MS ((usec_t)1000)
#define USEC_PER_S ((usec_t)1000000)
#define USEC_PER_DAY (86400 * USEC_PER_S)

usec_t clock_wall(void);       /* this host's clock; what is stored comes from the database's */
usec_t clock_monotonic(void);  /* for deadlines inside one process */
void clock_sleep(usec_t time); /* all of it, signals or not */

/* Another clock's offset from the monotonic one, after it said `other` at a moment between `before`
 * and `after` of ours: what was known (TIME_NONE: nothing), moved as little as that allows. A slow
 * answer therefore spoils nothing that a quick one has told. */
usec_t clock_offset(usec_t known, usec_t other, usec_t before, usec_t after);

/* 2024-01-27T03:02:00.000Z: 24 characters and a NUL. */
#define TIME_TEXT_SIZE 25
void time_format(usec_t t, char out[TIME_TEXT_SIZE]);
/* RFC 3339 section 5.6, any offset, fraction of 0 to 9 digits (cut to microseconds), 'T' and 'Z'
 * in either case; leap second :60 counts as :59.999999. Years 0001 to 9999. */
int time_parse(struct str s, usec_t *t_r) MUST_CHECK;

/* A moment as fields in UTC and back (proleptic Gregorian calendar). */
struct time_fields {
    int year, month, day, hour, minute, second, usec;
};
void time_split(usec_t t, struct time_fields *f);
usec_t time_join(const struct time_fields *f);

#endif
