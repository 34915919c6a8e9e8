/*
 * transaction.c - the loop around begin, work and commit.
 */
#include "sql/transaction.h"

#define TRIES 5
#define TRIES_DISCONNECTED 2

static int run_once(struct db *db, transaction_fn *work, void *ctx, struct err *err)
{
    if (db_begin(db, err) != 0)
        return -1;
    if (work(db, ctx, err) != 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

int transaction_run(struct db *db, transaction_fn *work, void *ctx, struct err *err)
{
    unsigned disconnected = 0;

    for (unsigned n = 0; n < TRIES; n++) {
        err_clear(err);
        if (run_once(db, work, ctx, err) == 0)
            return 0;
        if (err->code != ERR_UNAVAILABLE && err->code != ERR_UNCERTAIN)
            return -1;
        if (db_waited_out(db)) /* another try may wait as long again */
            break;
        if (!db_connected(db) && ++disconnected == TRIES_DISCONNECTED)
            break;
    }
    if (err->code == ERR_UNCERTAIN)
        err->code = ERR_UNAVAILABLE;
    return -1;
}
