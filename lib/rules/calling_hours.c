/*
 * calling_hours.c - reads hours, days and names of time zones.
 */
#include "lib/rules/calling_hours.h"

#include "lib/rules/fields.h"

#include <ctype.h>
#include <stdio.h>

#define TIME_ZONE_MAX 64

const char *const week_day_texts[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

void minute_format(int64_t minute, char out[MINUTE_TEXT_SIZE])
{
    unsigned m = (unsigned)(minute < 0 ? 0 : minute > DAY_MINUTES ? DAY_MINUTES : minute);
    snprintf(out, MINUTE_TEXT_SIZE, "%02u:%02u", m / 60 % 100, m % 60);
}

static bool digits_at(struct str s, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s.p[at + i] < '0' || s.p[at + i] > '9')
            return false;
    return true;
}

static int64_t number_at(struct str s, size_t at, size_t n)
{
    int64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (s.p[at + i] - '0');
    return value;
}

int minute_parse(struct str s, int64_t *minute_r)
{
    if (s.n != 5 || s.p[2] != ':' || !digits_at(s, 0, 2) || !digits_at(s, 3, 2))
        return -1;
    int64_t minutes = number_at(s, 3, 2);
    *minute_r = number_at(s, 0, 2) * 60 + minutes;
    return minutes < 60 && *minute_r <= DAY_MINUTES ? 0 : -1;
}

struct hours_body {
    struct str from, to;
    unsigned days;
};

static int read_minute(const char *name, const char *member, struct str text, int64_t *minute_r,
                       struct err *err)
{
    if (minute_parse(text, minute_r) != 0)
        return err_set(err, ERR_INVALID, "%s.%s must be a time of the day such as 09:00.", name,
                       member);
    return 0;
}

int calling_hours_read(const struct json *value, const char *name, struct calling_hours *hours_r,
                       struct err *err)
{
    static const struct field fields[] = {
        {FIELD(TEXT, struct hours_body, from), .required = true, .max = 20},
        {FIELD(TEXT, struct hours_body, to), .required = true, .max = 20},
        {FIELD(SET, struct hours_body, days), .required = true, .min = 1,
         .choices = week_day_texts},
    };
    struct hours_body body;
    struct fields_seen seen;

    if (json_type(value) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s must be an object with from, to and days.", name);
    if (fields_read(value, fields, sizeof fields / sizeof *fields, false, &body, &seen, err) != 0)
        return err_prefix(err, "%s", name);
    if (read_minute(name, "from", body.from, &hours_r->from_minute, err) != 0 ||
        read_minute(name, "to", body.to, &hours_r->to_minute, err) != 0)
        return -1;
    if (hours_r->from_minute >= hours_r->to_minute)
        return err_set(err, ERR_INVALID, "%s.to must be later than %s.from.", name, name);
    hours_r->days = body.days;
    return 0;
}

int date_parse(struct str s, int64_t *days_r)
{
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-' || !digits_at(s, 0, 4) || !digits_at(s, 5, 2) ||
        !digits_at(s, 8, 2))
        return -1;
    struct time_fields f = {.year = (int)number_at(s, 0, 4),
                            .month = (int)number_at(s, 5, 2),
                            .day = (int)number_at(s, 8, 2)},
                       back;
    if (f.year < 1 || f.month < 1 || f.month > 12 || f.day < 1 || f.day > 31)
        return -1;
    usec_t t = time_join(&f);
    time_split(t, &back);
    if (back.day != f.day || back.month != f.month)
        return -1;
    *days_r = t / USEC_PER_DAY - (t % USEC_PER_DAY < 0);
    return 0;
}

static bool zone_part(struct str part)
{
    if (part.n == 0 || !isalpha((unsigned char)part.p[0]))
        return false;
    for (size_t i = 0; i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];
        if (c > 0x7f || (!isalnum(c) && c != '_' && c != '-' && c != '+'))
            return false;
    }
    return true;
}

bool time_zone_form(struct str s)
{
    struct str part;

    if (s.n == 0 || s.n > TIME_ZONE_MAX || s.p[s.n - 1] == '/' || str_starts(s, "posix/") ||
        str_starts(s, "right/"))
        return false;
    while (str_split(&s, '/', &part))
        if (!zone_part(part))
            return false;
    return true;
}
