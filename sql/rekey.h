/*
 * rekey.h - stored secrets sealed anew under the newest key, a batch of rows at a time.
 *
 * Each row is compared and set, so whoever changes it meanwhile wins; a batch may be repeated, and
 * left off anywhere.
 */
#ifndef HV_REKEY_H
#define HV_REKEY_H

#include "lib/base/crypto.h"
#include "lib/base/pool.h"
#include "lib/rules/id.h"
#include "sql/db.h"

/* "destinations.secret"; NULL past the last. */
const char *sealed_column(size_t column);

struct rekey_figures {
    size_t under[256]; /* secrets by key id, as they were found */
    size_t resealed;   /* of them, now under the newest key */
    size_t unreadable; /* of them, for want of the key that they were sealed with */
};

struct rekey_batch {
    size_t column, limit;
    bool write;      /* false: they are counted only */
    struct id after; /* begins as zero; moves on with each batch */
    /* Told of each secret that cannot be opened; NULL: nobody is. */
    void (*unreadable)(void *ctx, const char *column, const struct id *row_id, const char *why);
    void *ctx;
};
/* The next batch of the column; figures grow. *end_r: it was the last. */
int rekey_batch(struct db *db, struct pool *pool, const struct keyring *ring,
                struct rekey_batch *batch, struct rekey_figures *figures, bool *end_r,
                struct err *err) MUST_CHECK;

#endif
