/*
 * err.c - filling struct err, the text of the codes, and the end of the process.
 *
 * Messages are cut between characters, never inside one, so that they stay valid UTF-8 and can
 * go into an answer as they are. Logging is not done here: the edges log what they get.
 */
#include "lib/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const code_texts[] = {
#define X(name, text) text,
    ERR_CODES(X)
#undef X
};
static_assert(sizeof(code_texts) / sizeof(code_texts[0]) == ERR_CODE_COUNT, "a text for each code");

const char *err_code_text(enum err_code code)
{
    if ((unsigned)code >= ERR_CODE_COUNT) {
        die("err_code_text: no such code: %d", (int)code);
    }
    return code_texts[code];
}

void err_clear(struct err *e)
{
    e->code = ERR_NONE;
    e->message[0] = '\0';
}

/* written is what snprintf returned for a buffer of `size`; a cut text must not end inside a
 * UTF-8 sequence. */
static void end_between_characters(char *text, size_t size, int written)
{
    if (written < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)written < size) {
        return;
    }
    size_t end = size - 1;
    size_t start = end;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0 || (unsigned char)text[start - 1] < 0xC0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (end - (start - 1) < length) {
        text[start - 1] = '\0';
    }
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
    /* Not straight into the message: the old message may be among the arguments. */
    char text[sizeof(e->message)];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    end_between_characters(text, sizeof(text), n);
    e->code = code;
    memcpy(e->message, text, sizeof(text));
    return -1;
}

int err_prefix(struct err *e, const char *format, ...)
{
    char prefix[sizeof(e->message)];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    end_between_characters(prefix, sizeof(prefix), n);
    return err_set(e, e->code, "%s: %s", prefix, e->message);
}

_Noreturn void die(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    end_between_characters(text, sizeof(text), n);
    fprintf(stderr, "fatal: %s\n", text);
    abort();
}
