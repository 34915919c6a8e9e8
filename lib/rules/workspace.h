/*
 * workspace.h - what the owners of a workspace can set, and how a request names it.
 */
#ifndef HV_WORKSPACE_H
#define HV_WORKSPACE_H

#include "lib/base/pool.h"
#include "lib/rules/calling_hours.h"
#include "lib/rules/fields.h"
#include "lib/rules/phone.h"

/* Each is a bit of what a request gave. */
enum workspace_setting {
    WORKSPACE_NAME,
    WORKSPACE_TIME_ZONE,
    WORKSPACE_CALLING_HOURS,
    WORKSPACE_HOLIDAYS,
    WORKSPACE_CALLS_PER_DAY,
    WORKSPACE_CONCURRENT_CALLS,
    WORKSPACE_NUMBER_CALLS_PER_DAY,
    WORKSPACE_NUMBER_GAP,
    WORKSPACE_NUMBER_TYPES,
    WORKSPACE_RETENTION,
    WORKSPACE_SETTING_COUNT
};

#define HOLIDAYS_MAX 366

extern const char *const number_type_texts[]; /* the order is the SET column's; then NULL */

struct workspace_settings {
    struct str name, time_zone;
    struct calling_hours calling_hours;
    struct str holidays;   /* "2026-01-26,2026-08-15", in their order; empty: none */
    int64_t calls_per_day; /* 0: no limit */
    int64_t concurrent_calls;
    int64_t number_calls_per_day, number_gap_minutes; /* of one called number */
    unsigned number_types; /* a bit per enum phone_kind that may be called */
    int64_t retention_days;
};

/* Fills what is given, a bit each in *given_r; something must be. ERR_INVALID names the field, also
 * one that only the operator sets. That a time zone exists is left to the caller. */
int workspace_settings_read(struct pool *pool, const struct json *body,
                            struct workspace_settings *settings, uint64_t *given_r,
                            struct err *err) MUST_CHECK;

#endif
