/*
 * log.c - log lines: put together in one piece and written with one write(2), so that the lines of
 * several processes on one pipe don't mix. What to log, and what never, is the callers' business.
 */
#include "lib/base/log.h"
#include "lib/base/clock.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 4096 /* PIPE_BUF: longer writes to a pipe may be torn */

static const char *const level_texts[] = {
#define X(name, text) text,
    LOG_LEVELS(X)
#undef X
};
static_assert(sizeof(level_texts) / sizeof(level_texts[0]) == LOG_LEVEL_COUNT,
              "a text for each level");

static char program_name[64] = "huskyvoice";
static enum log_level level_max = LOG_INFO;

void log_init(const char *program, enum log_level level)
{
    snprintf(program_name, sizeof(program_name), "%s", program);
    level_max = level;
}

int log_level_parse(struct str s, enum log_level *level_r)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (str_is(s, level_texts[i])) {
            *level_r = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

bool log_enabled(enum log_level level)
{
    return level <= level_max;
}

/* C0, DEL, and both bytes of U+0080 to U+009F, which some terminals obey too. */
static bool is_control(char previous, char c, char next)
{
    unsigned char byte = (unsigned char)c;
    if (byte < 0x20 || byte == 0x7F) {
        return true;
    }
    if (byte == 0xC2) {
        return (unsigned char)next >= 0x80 && (unsigned char)next < 0xA0;
    }
    return byte >= 0x80 && byte < 0xA0 && (unsigned char)previous == 0xC2;
}

static size_t fit(size_t used, int written)
{
    size_t n = written < 0 ? used : used + (size_t)written;
    return n < LINE_SIZE - 1 ? n : LINE_SIZE - 2; /* a '\n' must have room */
}

void log_write(enum log_level level, const char *message, const char *format, ...)
{
    if (!log_enabled(level)) {
        return;
    }
    char line[LINE_SIZE];
    char now[TIME_TEXT_SIZE];
    time_format(clock_wall(), now);
    size_t n = fit(0, snprintf(line, sizeof(line), "%s %s %s[%ld] msg=\"%s\"", now,
                               level_texts[level], program_name, (long)getpid(), message));
    if (format != NULL && format[0] != '\0') {
        line[n++] = ' ';
        va_list args;
        va_start(args, format);
        n = fit(n, vsnprintf(line + n, sizeof(line) - n, format, args));
        va_end(args);
    }
    char previous = '\0';
    for (size_t i = 0; i < n; i++) {
        char c = line[i];
        if (is_control(previous, c, i + 1 < n ? line[i + 1] : '\0')) {
            line[i] = '?';
        }
        previous = c;
    }
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored; /* nowhere to say it */
}

const char *log_number(struct str number, char out[16])
{
    size_t head = number.n >= 13 ? 5 : number.n >= 10 ? 3 : 0;
    size_t tail = number.n >= 13 ? 3 : number.n >= 10 ? 2 : 0;
    size_t k = 0;
    for (size_t i = 0; i < number.n; i++) {
        if (i >= head && i < number.n - tail) {
            continue;
        }
        if (i == number.n - tail) {
            k += (size_t)snprintf(out + k, 6, "*****");
        }
        char c = number.p[i];
        out[k++] = (c >= '0' && c <= '9') || c == '+' ? c : '?';
    }
    out[k] = '\0';
    return tail == 0 ? memcpy(out, "*****", 6) : out;
}

static bool needs_backslash(char c)
{
    return c == '"' || c == '\\';
}

/* How many bytes of s fit into room when each takes what it takes in quotes. */
static size_t fitting(struct str s, size_t room)
{
    size_t used = 0;
    size_t i = 0;
    while (i < s.n && used + 1 + needs_backslash(s.p[i]) <= room) {
        used += (size_t)1 + needs_backslash(s.p[i]);
        i++;
    }
    return i;
}

const char *log_quote(struct str s, char *out, size_t size)
{
    if (size < 8) {
        die("log_quote: %zu bytes are too few", size);
    }
    size_t room = size - 3; /* quotes and NUL */
    size_t n = fitting(s, room);
    bool cut = n < s.n;
    if (cut) {
        n = fitting(s, room - 3);
        while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) {
            n--; /* never inside a character */
        }
    }
    char *p = out;
    *p++ = '"';
    for (size_t i = 0; i < n; i++) {
        char previous = i > 0 ? s.p[i - 1] : '\0';
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';
        if (needs_backslash(s.p[i])) {
            *p++ = '\\';
        }
        *p++ = is_control(previous, s.p[i], next) ? '?' : s.p[i];
    }
    memcpy(p, cut ? "...\"" : "\"", cut ? 5 : 2);
    return out;
}
