/*
 * batches_private.h - shared by sql/batches*.c.
 */
#ifndef HV_BATCHES_PRIVATE_H
#define HV_BATCHES_PRIVATE_H

#include "sql/batches.h"

/* Takes BATCH_COLUMNS. */
void batch_read_row(struct query *q, struct pool *pool, struct batch_row *row);

#endif
