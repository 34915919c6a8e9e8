/*
 * steps.h - the simulator's timeline: callbacks that wait for their moment, as rows, so that any
 * dispatcher, now or from cron in a minute, plays them.
 */
#ifndef HV_STEPS_H
#define HV_STEPS_H

#include "lib/rules/attempt.h"
#include "sql/db.h"

struct step_row {
    struct id step_id;
    unsigned char token[ATTEMPT_TOKEN_SIZE];
    struct str body;
};
/* One statement: all of them or none. */
int steps_insert(struct db *db, const unsigned char *token, const struct simulated_step *steps,
                 size_t count, struct err *err) MUST_CHECK;
/* Takes what is due for `lease`; one that is not deleted by then is taken again. */
int steps_draw(struct db *db, struct pool *pool, size_t limit, usec_t lease,
               struct step_row **rows_r, size_t *count_r, struct err *err) MUST_CHECK;
int steps_delete(struct db *db, const struct id *ids, size_t count, struct err *err) MUST_CHECK;
/* Microseconds until the next is due, 0 when one is; TIME_NONE: there is none. */
int steps_next(struct db *db, usec_t *wait_r, struct err *err) MUST_CHECK;

#endif
