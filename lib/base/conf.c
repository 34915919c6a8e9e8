/*
 * conf.c - parsing, defaults and printing of the settings in settings.def.
 *
 * Checks form and bounds of single values; whether a URL or an address range makes sense, and
 * whether two settings agree, is for those who use them.
 */
#include "lib/base/conf.h"
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HV_CONF_PATH
#define HV_CONF_PATH "/etc/huskyvoice/huskyvoice.conf"
#endif
#ifndef HV_MIGRATIONS_DIR
#define HV_MIGRATIONS_DIR "/usr/share/huskyvoice/migrations"
#endif

#define CONF_FILE_MAX ((size_t)1048576)
#define DURATIONS_MAX 100
#define DURATION_ABSURD (36500 * USEC_PER_DAY)
#define SHOWN_MAX 60 /* bytes of a bad value in a message */

enum kind { KIND_TEXT, KIND_SECRET, KIND_FLAG, KIND_COUNT, KIND_DURATION, KIND_DURATIONS };

struct setting {
    enum kind kind;
    const char *name, *fallback, *doc;
    size_t offset;                   /* in struct conf */
    int64_t min, max;                /* KIND_COUNT */
    const char *min_text, *max_text; /* KIND_DURATION */
};

static const struct setting settings[] = {
#define SETTING(k, n, f, d)                                                                        \
    .kind = k, .name = #n, .fallback = f, .doc = d, .offset = offsetof(struct conf, n)
#define TEXT(n, f, d) {SETTING(KIND_TEXT, n, f, d)},
#define SECRET(n, f, d) {SETTING(KIND_SECRET, n, f, d)},
#define FLAG(n, f, d) {SETTING(KIND_FLAG, n, #f, d)},
#define COUNT(n, f, lo, hi, d) {SETTING(KIND_COUNT, n, f, d), .min = lo, .max = hi},
#define DURATION(n, f, lo, hi, d) {SETTING(KIND_DURATION, n, f, d), .min_text = lo, .max_text = hi},
#define DURATIONS(n, f, d) {SETTING(KIND_DURATIONS, n, f, d)},
#include "lib/base/settings.def"
#undef TEXT
#undef SECRET
#undef FLAG
#undef COUNT
#undef DURATION
#undef DURATIONS
#undef SETTING
};
#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

/* Units, the largest first. "ms" ends in 's' as well, so parsing takes the longest match. */
static const struct {
    const char *text;
    usec_t usec;
} units[] = {
    {"d", USEC_PER_DAY}, {"h", 3600 * USEC_PER_S}, {"m", 60 * USEC_PER_S},
    {"s", USEC_PER_S},   {"ms", USEC_PER_MS},
};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* As much of a value as a message shows; the text around it is valid UTF-8 already. */
static struct str shown(struct str s)
{
    return str_utf8_cut(s, SHOWN_MAX);
}

static int parse_duration(struct str s, usec_t *t_r)
{
    struct str digits = s;
    while (digits.n > 0 && (digits.p[digits.n - 1] < '0' || digits.p[digits.n - 1] > '9')) {
        digits.n--;
    }
    struct str unit = str_trim((struct str){s.p + digits.n, s.n - digits.n});
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        uint64_t value;
        if (str_is(unit, units[i].text)) {
            if (str_u64(digits, (uint64_t)(DURATION_ABSURD / units[i].usec), &value) != 0) {
                return -1;
            }
            *t_r = (usec_t)value * units[i].usec;
            return 0;
        }
    }
    return -1;
}

static int set_flag(bool *place, struct str value, struct err *err)
{
    if (!str_is(value, "yes") && !str_is(value, "no") && !str_is(value, "true") &&
        !str_is(value, "false")) {
        return err_set(err, ERR_INVALID, "\"%.*s\" must be yes or no", STR_ARG(shown(value)));
    }
    *place = value.p[0] == 'y' || value.p[0] == 't';
    return 0;
}

static int set_count(const struct setting *setting, int64_t *place, struct str value,
                     struct err *err)
{
    struct str digits = value;
    uint64_t factor = 1;
    uint64_t number;
    if (value.n > 0 && (value.p[value.n - 1] == 'k' || value.p[value.n - 1] == 'm')) {
        factor = value.p[value.n - 1] == 'k' ? 1024 : 1048576;
        digits.n--;
    }
    if (str_u64(digits, UINT64_C(1) << 40, &number) != 0) {
        return err_set(
            err, ERR_INVALID,
            "\"%.*s\" is no number (use digits; k or m behind them multiply by 1024 or 1048576)",
            STR_ARG(shown(value)));
    }
    number *= factor;
    if (number > (uint64_t)setting->max || (int64_t)number < setting->min) {
        return err_set(err, ERR_INVALID, "\"%.*s\" is not between %lld and %lld",
                       STR_ARG(shown(value)), (long long)setting->min, (long long)setting->max);
    }
    *place = (int64_t)number;
    return 0;
}

static int set_any_duration(usec_t *place, struct str value, struct err *err)
{
    if (parse_duration(value, place) != 0) {
        return err_set(err, ERR_INVALID, "\"%.*s\" is no duration (use ms, s, m, h or d)",
                       STR_ARG(shown(value)));
    }
    return 0;
}

static int set_duration(const struct setting *setting, usec_t *place, struct str value,
                        struct err *err)
{
    usec_t min, max;
    if (parse_duration(str_of(setting->min_text), &min) != 0 ||
        parse_duration(str_of(setting->max_text), &max) != 0) {
        die("settings.def: bounds of %s", setting->name);
    }
    if (set_any_duration(place, value, err) != 0) {
        return -1;
    }
    if (*place < min || *place > max) {
        return err_set(err, ERR_INVALID, "\"%.*s\" is not between %s and %s", STR_ARG(shown(value)),
                       setting->min_text, setting->max_text);
    }
    return 0;
}

static int set_durations(struct pool *pool, struct conf_durations *place, struct str value,
                         struct err *err)
{
    struct str part;
    place->at = pool_new(pool, usec_t, DURATIONS_MAX);
    place->count = 0;
    while (str_split(&value, ',', &part)) {
        if (place->count == DURATIONS_MAX) {
            return err_set(err, ERR_INVALID, "has more than %d durations", DURATIONS_MAX);
        }
        if (set_any_duration(&place->at[place->count], str_trim(part), err) != 0) {
            return -1;
        }
        place->count++;
    }
    return 0;
}

/* log_level is the one text whose values are known here; a typo must not wait for a restart. */
static int set_text(struct pool *pool, const struct setting *setting, const char **place,
                    struct str value, struct err *err)
{
    enum log_level level;
    if (setting->offset == offsetof(struct conf, log_level) &&
        log_level_parse(value, &level) != 0) {
        return err_set(err, ERR_INVALID, "\"%.*s\" must be error, warning, info or debug",
                       STR_ARG(shown(value)));
    }
    *place = pool_dup(pool, value.p, value.n);
    return 0;
}

static int set_value(struct pool *pool, const struct setting *setting, struct conf *conf,
                     struct str value, struct err *err)
{
    void *place = (char *)conf + setting->offset;
    switch (setting->kind) {
    case KIND_TEXT:
    case KIND_SECRET:
        return set_text(pool, setting, place, value, err);
    case KIND_FLAG:
        return set_flag(place, value, err);
    case KIND_COUNT:
        return set_count(setting, place, value, err);
    case KIND_DURATION:
        return set_duration(setting, place, value, err);
    case KIND_DURATIONS:
        return set_durations(pool, place, value, err);
    }
    die("a setting of no kind");
}

/* One line: blank, a comment or `name = value`. given[i] becomes the line that set setting i. */
static int parse_line(struct pool *pool, struct str line, unsigned number, unsigned *given,
                      struct conf *conf, struct err *err)
{
    struct str name;
    line = str_trim(line);
    if (line.n == 0 || line.p[0] == '#') {
        return 0;
    }
    for (size_t i = 0; i < line.n; i++) {
        if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') {
            return err_set(err, ERR_INVALID, "control characters are not allowed");
        }
    }
    if (!str_utf8_valid(line)) {
        return err_set(err, ERR_INVALID, "must be valid UTF-8");
    }
    (void)str_split(&line, '=', &name);
    name = str_trim(name);
    if (line.p == NULL || name.n == 0) {
        return err_set(err, ERR_INVALID, "must have the form: name = value");
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (!str_is(name, settings[i].name)) {
            continue;
        }
        if (given[i] != 0) {
            return err_set(err, ERR_INVALID, "%s: is given twice (first in line %u)",
                           settings[i].name, given[i]);
        }
        given[i] = number;
        if (set_value(pool, &settings[i], conf, str_trim(line), err) != 0) {
            return err_prefix(err, "%s", settings[i].name);
        }
        return 0;
    }
    return err_set(err, ERR_INVALID, "%.*s: there is no setting of this name",
                   STR_ARG(shown(name)));
}

static void set_defaults(struct pool *pool, struct conf *conf)
{
    struct err err;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (set_value(pool, &settings[i], conf, str_of(settings[i].fallback), &err) != 0) {
            die("settings.def: the default of %s: %s", settings[i].name, err.message);
        }
    }
}

int conf_parse(struct pool *pool, struct str text, const struct conf **conf_r, struct err *err)
{
    struct conf *conf = pool_new(pool, struct conf, 1);
    unsigned *given = pool_new(pool, unsigned, SETTING_COUNT);
    struct str line;
    set_defaults(pool, conf);
    for (unsigned number = 1; str_split(&text, '\n', &line); number++) {
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        if (parse_line(pool, line, number, given, conf, err) != 0) {
            return err_prefix(err, "line %u", number);
        }
    }
    if (conf->migrations_dir[0] == '\0') {
        conf->migrations_dir = HV_MIGRATIONS_DIR;
    }
    *conf_r = conf;
    return 0;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = -1;
    if (fd >= 0) {
        char *room;
        while ((room = buf_room(text, 4096)) != NULL && (n = read(fd, room, 4096)) > 0) {
            text->len += (size_t)n;
        }
    }
    int reason = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (text->overflow) {
        return err_set(err, ERR_INVALID, "is larger than %zu bytes", CONF_FILE_MAX);
    }
    if (n < 0) {
        return err_set(err, reason == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                       "cannot be read: %s", strerror(reason));
    }
    return 0;
}

int conf_load(struct pool *pool, const char *path, const struct conf **conf_r, struct err *err)
{
    if (path == NULL) {
        path = getenv("HUSKYVOICE_CONFIG");
    }
    if (path == NULL || path[0] == '\0') {
        path = HV_CONF_PATH;
    }
    struct buf text;
    buf_init(&text, CONF_FILE_MAX);
    int result = read_file(path, &text, err);
    if (result == 0) {
        result = conf_parse(pool, buf_as_str(&text), conf_r, err);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.cap); /* it has the database's password */
    }
    buf_deinit(&text);
    return result == 0 ? 0 : err_prefix(err, "%s", path);
}

static void print_duration(struct buf *b, usec_t t)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (t != 0 && t % units[i].usec == 0) {
            buf_i64(b, t / units[i].usec);
            buf_text(b, units[i].text);
            return;
        }
    }
    buf_lit(b, "0s");
}

static void print_value(const struct setting *setting, const struct conf *conf, struct buf *b)
{
    const void *place = (const char *)conf + setting->offset;
    const struct conf_durations *durations = place;
    switch (setting->kind) {
    case KIND_TEXT:
        buf_text(b, *(const char *const *)place);
        break;
    case KIND_SECRET:
        buf_lit(b, "(hidden)");
        break;
    case KIND_FLAG:
        buf_text(b, *(const bool *)place ? "yes" : "no");
        break;
    case KIND_COUNT:
        buf_i64(b, *(const int64_t *)place);
        break;
    case KIND_DURATION:
        print_duration(b, *(const usec_t *)place);
        break;
    case KIND_DURATIONS:
        for (size_t i = 0; i < durations->count; i++) {
            buf_text(b, i > 0 ? ", " : "");
            print_duration(b, durations->at[i]);
        }
        break;
    }
}

void conf_print(const struct conf *conf, struct buf *b)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        buf_printf(b, "%s = ", settings[i].name);
        print_value(&settings[i], conf, b);
        buf_char(b, '\n');
    }
}

bool conf_describe(size_t i, const char **name_r, const char **fallback_r, const char **doc_r)
{
    if (i >= SETTING_COUNT) {
        return false;
    }
    *name_r = settings[i].name;
    *fallback_r = settings[i].kind == KIND_FLAG
                      ? (strcmp(settings[i].fallback, "true") == 0 ? "yes" : "no")
                      : settings[i].fallback;
    *doc_r = settings[i].doc;
    return true;
}
