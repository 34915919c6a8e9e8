/*
 * workspace.c - reads a workspace's settings by their table.
 */
#include "lib/rules/workspace.h"

#include <stdlib.h>
#include <string.h>

const char *const number_type_texts[] = {"mobile", "landline", NULL};

/* What comes in another form than it is kept in, and what is not for owners. */
struct workspace_body {
    struct workspace_settings s;
    const struct json *calling_hours, *holidays, *operators;
};

#define SETTING(kind_of_value, member)                                                             \
    .name = #member, .type = FIELD_##kind_of_value,                                                \
    .offset = offsetof(struct workspace_body, s.member)
#define OPERATORS(field)                                                                           \
    .name = field, .type = FIELD_JSON, .offset = offsetof(struct workspace_body, operators)

static const struct field fields[] = {
    [WORKSPACE_NAME] = {SETTING(TEXT, name), .min = 1, .max = 200},
    [WORKSPACE_TIME_ZONE] = {SETTING(TEXT, time_zone), .max = 64},
    [WORKSPACE_CALLING_HOURS] = {FIELD(JSON, struct workspace_body, calling_hours)},
    [WORKSPACE_HOLIDAYS] = {FIELD(JSON, struct workspace_body, holidays)},
    [WORKSPACE_CALLS_PER_DAY] = {SETTING(INT, calls_per_day), .nullable = true, .min = 1,
                                 .max = 10000000},
    [WORKSPACE_CONCURRENT_CALLS] = {SETTING(INT, concurrent_calls), .min = 1, .max = 10000},
    [WORKSPACE_NUMBER_CALLS_PER_DAY] = {SETTING(INT, number_calls_per_day), .min = 1, .max = 1000},
    [WORKSPACE_NUMBER_GAP] = {SETTING(INT, number_gap_minutes), .max = 10080},
    [WORKSPACE_NUMBER_TYPES] = {SETTING(SET, number_types), .min = 1, .choices = number_type_texts},
    [WORKSPACE_RETENTION] = {SETTING(INT, retention_days), .min = 1, .max = 3650},
    {OPERATORS("status")},
    {OPERATORS("key_rate_per_minute")},
    {OPERATORS("rate_per_minute")},
};
#define FIELD_COUNT (sizeof fields / sizeof *fields)

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, 10);
}

static int read_holidays(struct pool *pool, const struct json *value, struct str *holidays_r,
                         struct err *err)
{
    size_t count = json_count(value);
    int64_t day;

    if (json_type(value) != JSON_ARRAY || count > HOLIDAYS_MAX)
        goto wrong;
    char *days = pool_alloc(pool, count * 10 + 1), *text = pool_alloc(pool, count * 11 + 1);
    for (size_t i = 0; i < count; i++) {
        struct str one = json_str(json_at(value, i));
        if (one.p == NULL || date_parse(one, &day) != 0)
            goto wrong;
        memcpy(days + 10 * i, one.p, 10);
    }
    qsort(days, count, 10, by_text);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && by_text(days + 10 * i - 10, days + 10 * i) == 0)
            continue;
        if (n > 0)
            text[n++] = ',';
        memcpy(text + n, days + 10 * i, 10);
        n += 10;
    }
    *holidays_r = (struct str){text, n};
    return 0;
wrong:
    return err_set(err, ERR_INVALID,
                   "holidays must be an array of at most %d days such as \"2026-01-26\".",
                   HOLIDAYS_MAX);
}

int workspace_settings_read(struct pool *pool, const struct json *json,
                            struct workspace_settings *settings, uint64_t *given_r, struct err *err)
{
    struct workspace_body body = {.s = *settings};
    struct fields_seen seen;

    if (fields_read(json, fields, FIELD_COUNT, true, &body, &seen, err) != 0)
        return -1;
    for (unsigned i = WORKSPACE_SETTING_COUNT; i < FIELD_COUNT; i++)
        if (field_in(seen.given, i))
            return err_set(err, ERR_INVALID, "%s is set by the operator of this server alone.",
                           fields[i].name);
    if (field_in(seen.nulls, WORKSPACE_CALLS_PER_DAY))
        body.s.calls_per_day = 0;
    if (field_in(seen.given, WORKSPACE_TIME_ZONE) && !time_zone_form(body.s.time_zone))
        return err_set(err, ERR_INVALID,
                       "time_zone must be the name of one, such as Asia/Kolkata.");
    if (field_in(seen.given, WORKSPACE_CALLING_HOURS) &&
        calling_hours_read(body.calling_hours, "calling_hours", &body.s.calling_hours, err) != 0)
        return -1;
    if (field_in(seen.given, WORKSPACE_HOLIDAYS) &&
        read_holidays(pool, body.holidays, &body.s.holidays, err) != 0)
        return -1;
    *settings = body.s;
    *given_r = seen.given;
    return 0;
}
