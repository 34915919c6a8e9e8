/*
 * conf.h - the settings: one table (settings.def) that drives parsing, defaults, `--check`,
 * the man page's test, and the struct that programs read.
 *
 * The file: `name = value` lines, '#' comments. Durations carry a unit (ms, s, m, h, d), sizes
 * may (k, m). An unknown name, a name given twice or a bad value is an error that names line and
 * setting.
 */
#ifndef HV_CONF_H
#define HV_CONF_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/pool.h"

/* A list of durations, as in `retry_schedule = 0s, 5s, 5m`. */
struct conf_durations {
    usec_t *at;
    size_t count;
};

struct conf {
#define TEXT(name, fallback, doc) const char *name;
#define SECRET(name, fallback, doc) const char *name;
#define FLAG(name, fallback, doc) bool name;
#define COUNT(name, fallback, min, max, doc) int64_t name;
#define DURATION(name, fallback, min, max, doc) usec_t name;
#define DURATIONS(name, fallback, doc) struct conf_durations name;
#include "lib/base/settings.def"
#undef TEXT
#undef SECRET
#undef FLAG
#undef COUNT
#undef DURATION
#undef DURATIONS
};

/* path NULL: the environment's HUSKYVOICE_CONFIG, else the built-in default path. Everything
 * dies with the pool. */
int conf_load(struct pool *pool, const char *path, const struct conf **conf_r,
              struct err *err) MUST_CHECK;
int conf_parse(struct pool *pool, struct str text, const struct conf **conf_r,
               struct err *err) MUST_CHECK;
/* The settings in force, one `name = value` per line, secrets as "(hidden)". */
void conf_print(const struct conf *conf, struct buf *b);
/* For tests and manuals: name, default and text of setting i; false past the last. */
bool conf_describe(size_t i, const char **name_r, const char **fallback_r, const char **doc_r);

#endif
