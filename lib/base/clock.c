/*
 * clock.c - reading the clocks, and RFC 3339 times in and out.
 *
 * The calendar is the proleptic Gregorian one, reckoned in eras of 400 years from a year that
 * begins in March, so that the leap day is the last of its year. No time zones: calling hours
 * are the rules' business.
 */
#include "lib/base/clock.h"

#include <errno.h>
#include <time.h>

#define SECONDS_PER_DAY 86400
#define YEAR_MIN_USEC (INT64_C(-62135596800) * USEC_PER_S)     /* 0001-01-01 */
#define YEAR_MAX_USEC (INT64_C(253402300800) * USEC_PER_S - 1) /* end of 9999 */

static usec_t read_clock(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        die("clock_gettime failed");
    }
    return (usec_t)now.tv_sec * USEC_PER_S + now.tv_nsec / 1000;
}

usec_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

usec_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

usec_t clock_offset(usec_t known, usec_t other, usec_t before, usec_t after)
{
    usec_t least = other - after, most = other - before;
    if (known == TIME_NONE || known < least)
        return least;
    return known > most ? most : known;
}

void clock_sleep(usec_t time)
{
    struct timespec left = {.tv_sec = time / USEC_PER_S, .tv_nsec = time % USEC_PER_S * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

/* Days since 1970-01-01. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, struct time_fields *f)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
    f->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    f->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    f->year = (int)(year_of_era + era * 400 + (f->month <= 2));
}

void time_split(usec_t t, struct time_fields *f)
{
    int64_t seconds = t / USEC_PER_S;
    int64_t usec = t % USEC_PER_S;
    if (usec < 0) {
        usec += USEC_PER_S;
        seconds--;
    }
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t of_day = seconds % SECONDS_PER_DAY;
    if (of_day < 0) {
        of_day += SECONDS_PER_DAY;
        days--;
    }
    date_of(days, f);
    f->hour = (int)(of_day / 3600);
    f->minute = (int)(of_day / 60 % 60);
    f->second = (int)(of_day % 60);
    f->usec = (int)usec;
}

usec_t time_join(const struct time_fields *f)
{
    int64_t seconds = days_of(f->year, f->month, f->day) * SECONDS_PER_DAY;
    seconds += (int64_t)f->hour * 3600 + (int64_t)f->minute * 60 + f->second;
    return seconds * USEC_PER_S + f->usec;
}

static char *put_digits(char *p, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + count;
}

void time_format(usec_t t, char out[TIME_TEXT_SIZE])
{
    struct time_fields f;
    time_split(t < YEAR_MIN_USEC ? YEAR_MIN_USEC : t > YEAR_MAX_USEC ? YEAR_MAX_USEC : t, &f);
    char *p = put_digits(out, f.year, 4);
    *p++ = '-';
    p = put_digits(p, f.month, 2);
    *p++ = '-';
    p = put_digits(p, f.day, 2);
    *p++ = 'T';
    p = put_digits(p, f.hour, 2);
    *p++ = ':';
    p = put_digits(p, f.minute, 2);
    *p++ = ':';
    p = put_digits(p, f.second, 2);
    *p++ = '.';
    p = put_digits(p, f.usec / 1000, 3);
    *p++ = 'Z';
    *p = '\0';
}

static bool take_char(struct str *s, char a, char b)
{
    if (s->n == 0 || (s->p[0] != a && s->p[0] != b)) {
        return false;
    }
    s->p++;
    s->n--;
    return true;
}

static bool take_digits(struct str *s, size_t count, int min, int max, int *value_r)
{
    if (s->n < count) {
        return false;
    }
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') {
            return false;
        }
        value = value * 10 + (s->p[i] - '0');
    }
    s->p += count;
    s->n -= count;
    *value_r = value;
    return value >= min && value <= max;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_fraction(struct str *s, int *usec_r)
{
    *usec_r = 0;
    if (!take_char(s, '.', '.')) {
        return true;
    }
    size_t n = 0;
    int scale = 100000;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') {
        *usec_r += (s->p[n] - '0') * scale;
        scale /= 10;
        n++;
    }
    s->p += n;
    s->n -= n;
    return n >= 1 && n <= 9;
}

/* "Z" or "+05:30", in minutes east of UTC. */
static bool take_offset(struct str *s, int *minutes_r)
{
    *minutes_r = 0;
    if (take_char(s, 'Z', 'z')) {
        return true;
    }
    int hours, minutes;
    bool west = take_char(s, '-', '-');
    if (!west && !take_char(s, '+', '+')) {
        return false;
    }
    if (!take_digits(s, 2, 0, 23, &hours) || !take_char(s, ':', ':') ||
        !take_digits(s, 2, 0, 59, &minutes)) {
        return false;
    }
    *minutes_r = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

int time_parse(struct str s, usec_t *t_r)
{
    struct time_fields f;
    int offset;
    if (!take_digits(&s, 4, 1, 9999, &f.year) || !take_char(&s, '-', '-') ||
        !take_digits(&s, 2, 1, 12, &f.month) || !take_char(&s, '-', '-') ||
        !take_digits(&s, 2, 1, days_in_month(f.year, f.month), &f.day) ||
        !take_char(&s, 'T', 't') || !take_digits(&s, 2, 0, 23, &f.hour) ||
        !take_char(&s, ':', ':') || !take_digits(&s, 2, 0, 59, &f.minute) ||
        !take_char(&s, ':', ':') || !take_digits(&s, 2, 0, 60, &f.second) ||
        !take_fraction(&s, &f.usec) || !take_offset(&s, &offset) || s.n != 0) {
        return -1;
    }
    bool leap_second = f.second == 60;
    if (leap_second) {
        f.second = 59;
        f.usec = 999999;
    }
    usec_t t = time_join(&f) - offset * 60 * USEC_PER_S;
    if (t < YEAR_MIN_USEC || t > YEAR_MAX_USEC) {
        return -1;
    }
    time_split(t, &f);
    if (leap_second && (f.hour != 23 || f.minute != 59)) {
        return -1; /* they are added at the end of a day of UTC, and nowhere else */
    }
    *t_r = t;
    return 0;
}
