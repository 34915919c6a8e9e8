/*
 * schedule.c - the moment of the next try: the schedule's wait, jitter on top of it, and whatever
 * the peer asked for with Retry-After as the earliest moment.
 */
#include "lib/rules/schedule.h"
#include <string.h>

usec_t schedule_next(const struct schedule *s, unsigned next, usec_t now, uint32_t random,
                     usec_t floor)
{
    usec_t wait, due;
    double jitter_max;

    if (next >= s->count)
        return TIME_NONE;
    wait = s->waits[next];
    jitter_max = (double)wait * s->jitter_percent / 100.0;
    due = now + wait + (usec_t)(jitter_max * ((double)random / 4294967296.0));
    return floor != TIME_NONE && floor > due ? floor : due;
}

/* Cuts n digits off the front of *s. */
static bool take_number(struct str *s, size_t n, int *value_r)
{
    uint64_t value;

    if (s->n < n || str_u64((struct str){s->p, n}, 9999, &value) < 0)
        return false;
    *value_r = (int)value;
    s->p += n;
    s->n -= n;
    return true;
}

static bool take_text(struct str *s, const char *text)
{
    if (!str_starts(*s, text))
        return false;
    s->p += strlen(text);
    s->n -= strlen(text);
    return true;
}

static bool take_one_of(struct str *s, const char *const *texts, int count, int *which_r)
{
    for (int i = 0; i < count; i++) {
        if (take_text(s, texts[i])) {
            *which_r = i;
            return true;
        }
    }
    return false;
}

static bool take_month(struct str *s, int *month_r)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    if (!take_one_of(s, months, 12, month_r))
        return false;
    *month_r += 1;
    return true;
}

static bool take_clock(struct str *s, struct time_fields *f)
{
    return take_number(s, 2, &f->hour) && take_text(s, ":") && take_number(s, 2, &f->minute) &&
           take_text(s, ":") && take_number(s, 2, &f->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_imf(struct str s, struct time_fields *f)
{
    return take_text(&s, ", ") && take_number(&s, 2, &f->day) && take_text(&s, " ") &&
           take_month(&s, &f->month) && take_text(&s, " ") && take_number(&s, 4, &f->year) &&
           take_text(&s, " ") && take_clock(&s, f) && take_text(&s, " GMT") && s.n == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT; a year that seems over 50 years ahead is of the last century. */
static bool read_rfc850(struct str s, int year_now, struct time_fields *f)
{
    if (!(take_text(&s, ", ") && take_number(&s, 2, &f->day) && take_text(&s, "-") &&
          take_month(&s, &f->month) && take_text(&s, "-") && take_number(&s, 2, &f->year) &&
          take_text(&s, " ") && take_clock(&s, f) && take_text(&s, " GMT") && s.n == 0))
        return false;
    f->year += year_now - year_now % 100;
    if (f->year > year_now + 50)
        f->year -= 100;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(struct str s, struct time_fields *f)
{
    if (!(take_text(&s, " ") && take_month(&s, &f->month) && take_text(&s, " ")))
        return false;
    if (take_text(&s, " ")) {
        if (!take_number(&s, 1, &f->day))
            return false;
    } else if (!take_number(&s, 2, &f->day)) {
        return false;
    }
    return take_text(&s, " ") && take_clock(&s, f) && take_text(&s, " ") &&
           take_number(&s, 4, &f->year) && s.n == 0;
}

static usec_t http_date(struct str s, usec_t now)
{
    static const char *const days[] = {"Sunday", "Monday",   "Tuesday", "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sun",     "Mon",       "Tue",
                                       "Wed",    "Thu",      "Fri",     "Sat"};
    struct time_fields f = {0}, today, back;
    int day;
    usec_t t;

    time_split(now, &today);
    if (!take_one_of(&s, days, 14, &day))
        return TIME_NONE;
    if (!(day < 7 ? read_rfc850(s, today.year, &f) : read_imf(s, &f) || read_asctime(s, &f)))
        return TIME_NONE;
    if (f.year < 1 || f.day < 1 || f.hour > 23 || f.minute > 59 || f.second > 60)
        return TIME_NONE;
    if (f.second == 60)
        f.second = 59;
    t = time_join(&f);
    time_split(t, &back); /* a 31st of November comes back as another day */
    return back.day == f.day && back.month == f.month ? t : TIME_NONE;
}

/* Digits, perhaps a '.' and more digits; over max seconds counts as max + 1. -1: no number. */
static int64_t whole_seconds(struct str s, int64_t max)
{
    int64_t seconds = 0;
    size_t i = 0;
    bool more = false;

    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        if (seconds <= max)
            seconds = seconds * 10 + (s.p[i] - '0');
    }
    if (i == 0)
        return -1;
    if (i < s.n) {
        if (s.p[i] != '.' || i + 1 == s.n)
            return -1;
        for (i++; i < s.n; i++) {
            if (s.p[i] < '0' || s.p[i] > '9')
                return -1;
            more = more || s.p[i] != '0';
        }
    }
    if (more)
        seconds++;
    return seconds > max ? max + 1 : seconds;
}

usec_t retry_after_parse(struct str value, usec_t now, usec_t max)
{
    int64_t seconds;
    usec_t t;

    if (value.p == NULL)
        return TIME_NONE;
    value = str_trim(value);
    seconds = whole_seconds(value, max / USEC_PER_S);
    t = seconds >= 0 ? now + seconds * USEC_PER_S : http_date(value, now);
    if (t == TIME_NONE)
        return TIME_NONE;
    return t > now + max ? now + max : t;
}
