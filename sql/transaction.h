/*
 * transaction.h - runs a piece of work in one transaction, and again whole when it deadlocked, when
 * the connection had died, or when nobody knows whether its commit happened; but not when it waited
 * for a lock as long as one may.
 */
#ifndef HV_TRANSACTION_H
#define HV_TRANSACTION_H

#include "sql/db.h"

/* Reads and writes on db, without begin and commit. Its first look at the rows must find out
 * whether it has been done already: it may be. */
typedef int transaction_fn(struct db *db, void *ctx, struct err *err);

/* ERR_UNAVAILABLE: it was tried often enough; else as the work fails. */
int transaction_run(struct db *db, transaction_fn *work, void *ctx, struct err *err) MUST_CHECK;

#endif
