/*
 * cursor.h - the place where a list goes on: (created_at, id) of the last row, as opaque text.
 */
#ifndef HV_CURSOR_H
#define HV_CURSOR_H

#include "lib/rules/id.h"

struct cursor {
    usec_t created_at;
    struct id id;
};
#define CURSOR_TEXT_SIZE 48

/* Which part of a list, the newest first: `limit` rows after those that were shown. */
struct page {
    bool from_cursor;
    struct cursor cursor; /* with from_cursor: of the last row that was shown */
    unsigned limit;       /* 1 to 100 */
};
/* How it goes on. */
struct page_end {
    bool more;
    struct cursor cursor; /* with more: of the last row */
};

void cursor_format(const struct cursor *c, char out[CURSOR_TEXT_SIZE]);
int cursor_parse(struct str s, struct cursor *c_r) MUST_CHECK;

#endif
