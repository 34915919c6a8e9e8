/*
 * zone_rule.c - reads a zone's rule and answers by it.
 */
#include "lib/base/zone_rule.h"
#include "lib/base/clock.h"

#include <ctype.h>

#define DAY_SECONDS 86400
#define HOUR_SECONDS 3600
#define DEFAULT_TIME (2 * HOUR_SECONDS)

/* ---- reading: each takes its part from the front of *s; -1 when it is not there ---- */

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static int take_name(struct str *s)
{
    size_t n = 0;
    if (take_char(s, '<')) {
        while (n < s->n && s->p[n] != '>')
            n++;
        if (n == s->n)
            return -1;
        n++;
    } else {
        while (n < s->n && isalpha((unsigned char)s->p[n]))
            n++;
        if (n < 3)
            return -1;
    }
    s->p += n;
    s->n -= n;
    return 0;
}

static int take_number(struct str *s, int64_t max, int64_t *value_r)
{
    size_t n = 0;
    *value_r = 0;
    while (n < s->n && n < 4 && isdigit((unsigned char)s->p[n]))
        *value_r = *value_r * 10 + (s->p[n++] - '0');
    s->p += n;
    s->n -= n;
    return n > 0 && *value_r <= max ? 0 : -1;
}

/* [+-]hours[:minutes[:seconds]] */
static int take_time(struct str *s, int64_t *seconds_r)
{
    int64_t sign = take_char(s, '-') ? -1 : 1, part;
    if (sign > 0)
        (void)take_char(s, '+');
    if (take_number(s, 167, &part) != 0)
        return -1;
    *seconds_r = part * HOUR_SECONDS;
    for (int64_t unit = 60; unit > 0 && take_char(s, ':'); unit /= 60) {
        if (take_number(s, 59, &part) != 0)
            return -1;
        *seconds_r += part * unit;
    }
    *seconds_r *= sign;
    return 0;
}

static int take_date(struct str *s, struct zone_date *d)
{
    d->seconds = DEFAULT_TIME;
    if (!take_char(s, ','))
        return -1;
    if (take_char(s, 'M')) {
        d->kind = ZONE_DATE_MONTH_WEEK_DAY;
        if (take_number(s, 12, &d->month) != 0 || d->month < 1 || !take_char(s, '.') ||
            take_number(s, 5, &d->week) != 0 || d->week < 1 || !take_char(s, '.') ||
            take_number(s, 6, &d->day) != 0)
            return -1;
    } else {
        d->kind = take_char(s, 'J') ? ZONE_DATE_JULIAN : ZONE_DATE_DAY;
        if (take_number(s, 365, &d->day) != 0 || (d->kind == ZONE_DATE_JULIAN && d->day < 1))
            return -1;
    }
    return take_char(s, '/') ? take_time(s, &d->seconds) : 0;
}

int zone_rule_parse(struct str s, struct zone_rule *rule)
{
    int64_t west;

    *rule = (struct zone_rule){.has_summer = false};
    if (take_name(&s) != 0 || take_time(&s, &west) != 0)
        return -1;
    rule->standard = rule->summer = -west;
    if (s.n == 0)
        return 0;
    rule->has_summer = true;
    rule->summer = rule->standard + HOUR_SECONDS;
    if (take_name(&s) != 0)
        return -1;
    if (s.n > 0 && s.p[0] != ',') {
        if (take_time(&s, &west) != 0)
            return -1;
        rule->summer = -west;
    }
    return take_date(&s, &rule->start) == 0 && take_date(&s, &rule->end) == 0 && s.n == 0 ? 0 : -1;
}

/* ---- answering ---- */

static int64_t days_to(int year, int month, int day)
{
    struct time_fields f = {.year = year, .month = month, .day = day};
    return time_join(&f) / (DAY_SECONDS * USEC_PER_S);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The moment of a date in a year, on a clock that shows local time: seconds since 1970. */
static int64_t date_in(const struct zone_date *d, int year)
{
    int64_t day = days_to(year, 1, 1);
    switch (d->kind) {
    case ZONE_DATE_MONTH_WEEK_DAY: {
        int month = (int)d->month;
        int64_t first = days_to(year, month, 1);
        int64_t next = month == 12 ? days_to(year + 1, 1, 1) : days_to(year, month + 1, 1);
        day = first + (d->day - (first + 4) % 7 + 7) % 7 + (d->week - 1) * 7;
        while (day >= next)
            day -= 7;
        break;
    }
    case ZONE_DATE_JULIAN:
        day += d->day - 1 + (is_leap(year) && d->day >= 60);
        break;
    case ZONE_DATE_DAY:
        day += d->day;
        break;
    }
    return day * DAY_SECONDS + d->seconds;
}

int64_t zone_rule_offset(const struct zone_rule *rule, int64_t second)
{
    struct time_fields f;
    if (!rule->has_summer)
        return rule->standard;
    time_split((second + rule->standard) * USEC_PER_S, &f);
    int64_t start = date_in(&rule->start, f.year) - rule->standard;
    int64_t end = date_in(&rule->end, f.year) - rule->summer;
    bool summer = start < end ? second >= start && second < end : second < end || second >= start;
    return summer ? rule->summer : rule->standard;
}
