/*
 * expiry.h - deletes what has had its time: sessions, tokens, sign-ups, invitations, slowdowns.
 */
#ifndef HV_EXPIRY_H
#define HV_EXPIRY_H

#include "sql/db.h"

/* At most `batch` rows of each kind. *more_r: there may be more. */
int expiry_run(struct db *db, unsigned batch, bool *more_r, struct err *err) MUST_CHECK;

#endif
