/*
 * statements.h - the texts of sql/statements.def, with their one repeated group written out.
 * For sql/query.c and for tests; everybody else names statements and lets db.h run them.
 */
#ifndef HV_STATEMENTS_H
#define HV_STATEMENTS_H

#include "lib/base/buf.h"
#include "sql/db.h"

/* How many placeholders stand before, in and after the group; without one all are `before`. */
struct stmt_shape {
    bool has_group;
    size_t before, group, after;
};
void stmt_shape(enum stmt stmt, struct stmt_shape *shape_r);

/* The text that is prepared: with a group, `copies` of it. */
void stmt_expand(struct buf *b, enum stmt stmt, size_t copies);

/* May running it change anything? SELECT ... FOR UPDATE counts as no. */
bool stmt_writes(enum stmt stmt);

#endif
