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

void cursor_format(const struct cursor *c, char out[CURSOR_TEXT_SIZE]);
int cursor_parse(struct str s, struct cursor *c_r) MUST_CHECK;

#endif
