/*
 * calls_private.h - what calls.c and calls_read.c share: the words for a credential that won't do.
 */
#ifndef HV_CALLS_PRIVATE_H
#define HV_CALLS_PRIVATE_H

#include "sql/calls.h"

int credentials_unknown(struct err *err);
int credentials_too_small(unsigned scope, struct err *err);

#endif
