/*
 * calling_hours.h - the hours and days on which people may be called, as callers write them:
 * {"from": "09:00", "to": "21:00", "days": ["mon", ...]}, in the workspace's time zone; and the
 * names of time zones and of days of the year.
 */
#ifndef HV_CALLING_HOURS_H
#define HV_CALLING_HOURS_H

#include "lib/base/json.h"

#define DAY_MINUTES 1440

struct calling_hours {
    int64_t from_minute, to_minute; /* of the day; from < to, to at most DAY_MINUTES */
    unsigned days;                  /* bit 0: Monday */
};

extern const char *const week_day_texts[]; /* "mon" ..., then NULL */

/* "09:00" and a NUL. */
#define MINUTE_TEXT_SIZE 6
void minute_format(int64_t minute, char out[MINUTE_TEXT_SIZE]);
/* 00:00 to 24:00, both digits of each. */
int minute_parse(struct str s, int64_t *minute_r) MUST_CHECK;

/* ERR_INVALID begins with `name`, that of the field. All three members are needed. */
int calling_hours_read(const struct json *value, const char *name, struct calling_hours *hours_r,
                       struct err *err) MUST_CHECK;

/* A day that exists, as 2026-01-26: the days since 1970-01-01. */
int date_parse(struct str s, int64_t *days_r) MUST_CHECK;

/* Has it the form of a name in the zone database (Asia/Kolkata)? Whether it is one is for who may
 * read files. */
bool time_zone_form(struct str s);

#endif
