/*
 * erasure.h - takes one person's data out of everything that a workspace keeps of their calls. The
 * calls and events themselves stay, and stay counted, with nothing of the person in them.
 */
#ifndef HV_ERASURE_H
#define HV_ERASURE_H

#include "sql/db.h"

struct erased {
    uint64_t calls, events;
};
/* Calls of the number that wait are cancelled first; one under way: ERR_CONFLICT, and nothing else
 * is done. Works in short transactions: after an error, what it had done is done, and it can be
 * repeated. What is not there any more is counted once. */
int erase_contact(struct db *db, struct pool *pool, const struct id *workspace_id,
                  struct str number, struct erased *erased_r, struct err *err) MUST_CHECK;

/* For who wrote runs of functions for these calls while they may have been erased: takes out what
 * the runs say of those that were. At most DB_MANY_MAX. */
int erase_runs(struct db *db, const struct id *calls, size_t count, struct err *err) MUST_CHECK;

#endif
