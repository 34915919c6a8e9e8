/*
 * buf.c - the growing byte buffer, and JSON string literals.
 *
 * Growth is doubling, up to the maximum that buf_init() was told. What may go in is the caller's
 * business, except for buf_json(), which writes any valid UTF-8 as one JSON string.
 */
#include "lib/base/buf.h"
#include "lib/base/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN ((size_t)64)

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

char *buf_room(struct buf *b, size_t n)
{
    if (b->overflow || b->len > b->max || n > b->max - b->len) {
        b->overflow = true;
        return NULL;
    }
    size_t need = b->len + n + 1; /* and a NUL */
    if (need > b->cap) {
        size_t cap = b->cap < CAPACITY_MIN ? CAPACITY_MIN : b->cap;
        while (cap < need) {
            cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        }
        b->data = mem_realloc(b->data, cap);
        b->cap = cap;
    }
    b->data[b->len + n] = '\0';
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    char *room = buf_room(b, n);
    if (room != NULL && n > 0) {
        memcpy(room, p, n);
        b->len += n;
    }
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_text(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_i64(struct buf *b, int64_t value)
{
    char digits[20];
    char *p = digits + sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        *--p = '-';
    }
    buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (n < 0) {
        die("buf_printf: bad format \"%s\"", format);
    }
    if ((size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
        return;
    }
    char *room = buf_room(b, (size_t)n);
    if (room != NULL) {
        va_start(args, format);
        (void)vsnprintf(room, (size_t)n + 1, format, args);
        va_end(args);
        b->len += (size_t)n;
    }
}

static bool is_plain_in_json(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void add_escape(struct buf *b, char c)
{
    switch (c) {
    case '"':
        buf_lit(b, "\\\"");
        break;
    case '\\':
        buf_lit(b, "\\\\");
        break;
    case '\b':
        buf_lit(b, "\\b");
        break;
    case '\f':
        buf_lit(b, "\\f");
        break;
    case '\n':
        buf_lit(b, "\\n");
        break;
    case '\r':
        buf_lit(b, "\\r");
        break;
    case '\t':
        buf_lit(b, "\\t");
        break;
    default:
        buf_printf(b, "\\u%04x", (unsigned)(unsigned char)c);
        break;
    }
}

void buf_json(struct buf *b, struct str s)
{
    if (s.p == NULL) {
        buf_lit(b, "null");
        return;
    }
    buf_char(b, '"');
    size_t done = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_plain_in_json(s.p[i])) {
            buf_add(b, s.p + done, i - done);
            add_escape(b, s.p[i]);
            done = i + 1;
        }
    }
    buf_add(b, s.p + done, s.n - done);
    buf_char(b, '"');
}

struct str buf_as_str(const struct buf *b)
{
    return b->data == NULL ? STR("") : (struct str){b->data, b->len};
}
