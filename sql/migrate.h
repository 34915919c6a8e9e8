/*
 * migrate.h - the numbered changes of the schema: applying them, and refusing one that is unknown.
 *
 * Files NNNN_name.sql are applied in their order under GET_LOCK, one at a time, each recorded in
 * schema_versions with its SHA-256. Each can be run again after a crash in its middle (MariaDB
 * commits DDL by itself). A recorded file that changed, or a version this program does not know, is
 * refused.
 */
#ifndef HV_MIGRATE_H
#define HV_MIGRATE_H

#include "sql/db.h"

/* The version the programs of this build need: the number of the newest migration. */
#define SCHEMA_VERSION 4

struct migration_step { /* told before each file is applied */
    unsigned version;
    const char *name; /* of the file */
};
typedef void migrate_told_fn(void *ctx, const struct migration_step *step);

/* Applies what is missing, in the files' order; *applied_r counts. A change of a big table takes
 * its time: db's database_timeout must allow for it. ERR_CONFLICT: somebody else is migrating.
 * ERR_INVALID: the files don't fit each other or what is recorded. told may be NULL. */
int migrate_apply(struct db *db, struct pool *pool, const char *dir, const char *program,
                  migrate_told_fn *told, void *ctx, unsigned *applied_r,
                  struct err *err) MUST_CHECK;
/* Is the schema the one this build knows? ERR_CONFLICT: no; the message says which command mends
 * it. */
int migrate_check(struct db *db, struct err *err) MUST_CHECK;

#endif
