/*
 * suppressed_numbers.h - the numbers of a workspace that must not be called, in the order of the
 * numbers.
 */
#ifndef HV_SUPPRESSED_NUMBERS_H
#define HV_SUPPRESSED_NUMBERS_H

#include "lib/rules/suppression.h"
#include "sql/db.h"

struct suppressed_number {
    struct suppression set;
    usec_t created_at;
};

/* Puts a number onto the list and reads it back; what stands there already stays as it is
 * (*made_r false). ERR_NOT_FOUND: no such workspace. */
int suppressed_numbers_put(struct db *db, struct pool *pool, const struct id *workspace_id,
                           const struct suppression *suppression, struct suppressed_number *row_r,
                           bool *made_r, struct err *err) MUST_CHECK;
/* Puts many there, at most SUPPRESSED_MANY_MAX, in one transaction; what stands there already stays
 * as it is. Repeating it does no harm. *made_r: how many are new. */
#define SUPPRESSED_MANY_MAX 4096
int suppressed_numbers_put_many(struct db *db, const struct id *workspace_id,
                                const struct suppression *suppressions, size_t count,
                                size_t *made_r, struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND: it is not on the list. */
int suppressed_numbers_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                           struct str contact_number, struct suppressed_number *row_r,
                           struct err *err) MUST_CHECK;
int suppressed_numbers_delete(struct db *db, const struct id *workspace_id,
                              struct str contact_number, struct err *err) MUST_CHECK;

/* Is there any? */
int suppressed_numbers_any(struct db *db, const struct id *workspace_id, bool *any_r,
                           struct err *err) MUST_CHECK;
/* Which of these numbers are on the list: suppressed_r, all false before, gets a true for each. */
int suppressed_numbers_among(struct db *db, struct pool *pool, const struct id *workspace_id,
                             const struct str *numbers, size_t count, bool *suppressed_r,
                             struct err *err) MUST_CHECK;

/* Up to limit of those after the number `after` (STR_NULL: from the first). */
int suppressed_numbers_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                            struct str after, unsigned limit, struct suppressed_number **rows_r,
                            size_t *count_r, bool *more_r, struct err *err) MUST_CHECK;

#endif
