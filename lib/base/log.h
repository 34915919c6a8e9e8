/*
 * log.h - one line of key=value on stderr per thing worth telling; only fcgi/ and daemon/ use it.
 *
 * A line: `2026-01-02T03:04:05.678Z warning huskyvoice-dispatch[812] msg="..." delivery=dlv_...`.
 * Secrets, tokens and full phone numbers never go in; phone numbers go through log_number().
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define LOG_LEVELS(X)                                                                              \
    X(LOG_ERROR, "error") X(LOG_WARNING, "warning") X(LOG_INFO, "info") X(LOG_DEBUG, "debug")
enum log_level {
#define X(name, text) name,
    LOG_LEVELS(X)
#undef X
        LOG_LEVEL_COUNT
};

void log_init(const char *program, enum log_level level);
int log_level_parse(struct str s, enum log_level *level_r) MUST_CHECK;
bool log_enabled(enum log_level level);
/* message is a fixed sentence; format gives the pairs: "call=%s status=%s". Values with blanks,
 * quotes or control characters are written by the caller through log_quote(). Control bytes in
 * the finished line become '?', so that no input can forge a line. */
void log_write(enum log_level level, const char *message, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* "+9198*****210": enough to recognise, too little to call. out has 16 bytes. */
const char *log_number(struct str number, char out[16]);
/* The value in double quotes, cut to fit; for error texts. */
const char *log_quote(struct str s, char *out, size_t size);

#endif
