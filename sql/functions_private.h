/*
 * functions_private.h - what functions.c, which reads, and functions_change.c share.
 */
#ifndef HV_FUNCTIONS_PRIVATE_H
#define HV_FUNCTIONS_PRIVATE_H

#include "sql/functions.h"

int functions_not_found(struct err *err);
/* A row of FUNCTION_SELECT, headers in clear. -1: they can't be opened, and are NULL; all else is
 * read. */
int functions_read(struct query *q, struct pool *pool, const struct keyring *ring,
                   struct function *f, struct err *err) MUST_CHECK;

#endif
