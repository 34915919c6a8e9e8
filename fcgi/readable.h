/*
 * readable.h - bytes that somebody answered, as text that JSON can hold.
 */
#ifndef HV_READABLE_H
#define HV_READABLE_H

#include "lib/base/pool.h"

/* The character that a cut went through is left out, and when it is no UTF-8 at all, each byte that
 * is not ASCII becomes a question mark. */
struct str readable(struct pool *pool, struct str s);

#endif
