/*
 * buf.h - a byte buffer that grows up to a stated maximum.
 *
 * What would go over the maximum is not written and sets `overflow`, which is looked at once,
 * at the end; after it nothing more is added. The bytes are NUL-terminated for the debugger only.
 */
#ifndef HV_BUF_H
#define HV_BUF_H

#include "lib/base/err.h"
#include "lib/base/str.h"

struct buf {
    char *data;
    size_t len, cap, max;
    bool overflow;
};

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
/* Makes room for n more bytes and returns where they go, or NULL (overflow). Then add to len. */
char *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_char(struct buf *b, char c);
void buf_text(struct buf *b, const char *s);
void buf_str(struct buf *b, struct str s);
#define buf_lit(b, literal) buf_add((b), "" literal, sizeof(literal) - 1)
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* "..." with the escapes of RFC 8259; s must be valid UTF-8. STR_NULL writes null. */
void buf_json(struct buf *b, struct str s);
struct str buf_as_str(const struct buf *b);

#endif
