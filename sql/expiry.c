/*
 * expiry.c - see expiry.h.
 */
#include "sql/expiry.h"

int expiry_run(struct db *db, unsigned batch, bool *more_r, struct err *err)
{
    static const enum stmt kinds[] = {STMT_EXPIRED_SESSIONS,  STMT_EXPIRED_USER_TOKENS,
                                      STMT_EXPIRED_SIGN_UPS,  STMT_EXPIRED_INVITATIONS,
                                      STMT_EXPIRED_SLOWDOWNS, STMT_EXPIRED_DIAL_DAYS};

    *more_r = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct query *q = db_use(db, kinds[i]);
        query_bind_i64(q, batch);
        if (query_run_again(q, err) < 0)
            return -1;
        *more_r = *more_r || query_affected(q) == batch;
    }
    return 0;
}
