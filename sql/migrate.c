/*
 * migrate.c - finds the migration files, compares them with what schema_versions has, applies what
 * is missing.
 */
#include "sql/migrate.h"
#include "lib/base/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATION_BYTES_MAX (4u << 20)

struct migration {
    unsigned version;
    const char *name;
    struct str text;
    unsigned char sha256[SHA256_SIZE];
    bool recorded;
};

struct migrations {
    struct migration *at;
    size_t count;
};

/* ---- the files ---- */

static bool is_migration_name(const char *name)
{
    size_t n = strlen(name);

    return n > 9 && strspn(name, "0123456789") == 4 && name[4] == '_' &&
           strcmp(name + n - 4, ".sql") == 0 &&
           strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") == n - 9;
}

static int wanted(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".sql") == 0;
}

static int read_file(struct pool *pool, const char *path, struct str *text_r, struct err *err)
{
    FILE *f = fopen(path, "re");

    if (f == NULL)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    char *text = pool_alloc(pool, MIGRATION_BYTES_MAX);
    size_t n = fread(text, 1, MIGRATION_BYTES_MAX, f);
    bool bad = ferror(f) || n == MIGRATION_BYTES_MAX;
    fclose(f);
    if (bad)
        return err_set(err, ERR_INVALID, "%s: can't be read whole", path);
    *text_r = (struct str){text, n};
    return 0;
}

static int load_file(struct pool *pool, const char *dir, const char *name, unsigned version,
                     struct migration *m, struct err *err)
{
    if (!is_migration_name(name) || strtoul(name, NULL, 10) != version)
        return err_set(err, ERR_INVALID, "%s/%s: expected a file named %04u_....sql", dir, name,
                       version);
    m->version = version;
    m->name = pool_strdup(pool, name);
    if (read_file(pool, pool_printf(pool, "%s/%s", dir, name), &m->text, err) < 0)
        return -1;
    crypto_sha256(m->text, m->sha256);
    return 0;
}

static int load_files(struct pool *pool, const char *dir, struct migrations *found, struct err *err)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, wanted, alphasort), result = 0;

    if (n < 0)
        return err_set(err, ERR_INVALID, "%s: %s", dir, strerror(errno));
    found->at = pool_new(pool, struct migration, (size_t)n + 1);
    found->count = (size_t)n;
    for (int i = 0; i < n; i++) {
        if (result == 0)
            result = load_file(pool, dir, entries[i]->d_name, (unsigned)i + 1, &found->at[i], err);
        free(entries[i]);
    }
    free(entries);
    if (result == 0 && n == 0)
        return err_set(err, ERR_INVALID, "%s: no migrations there", dir);
    return result;
}

/* ---- what is recorded ---- */

static int compare_recorded(struct db *db, struct pool *pool, struct migrations *files,
                            struct err *err)
{
    struct query *q = db_use(db, STMT_MIGRATE_RECORDED);

    if (query_run(q, err) < 0)
        return -1;
    for (size_t i = 0; query_next(q); i++) {
        unsigned version = (unsigned)query_i64(q);
        struct str name = query_str(q, pool), sha256 = query_str(q, pool);
        if (version > files->count)
            return err_set(err, ERR_INVALID,
                           "the database has migration %u (%.*s), which this program does not "
                           "know: install the release that made it",
                           version, STR_ARG(name));
        if (version != i + 1)
            return err_set(err, ERR_INVALID, "migration %zu is not recorded, but a later one is",
                           i + 1);
        struct migration *m = &files->at[i];
        if (sha256.n != SHA256_SIZE || memcmp(sha256.p, m->sha256, SHA256_SIZE) != 0)
            return err_set(err, ERR_INVALID,
                           "%s is not the file that was applied: put the original back", m->name);
        m->recorded = true;
    }
    return 0;
}

static int apply(struct db *db, const struct migration *m, const char *program, unsigned generation,
                 struct err *err)
{
    if (db_script(db, m->text, err) < 0)
        return err_prefix(err, "%s", m->name);
    if (db_generation(db) != generation) /* the lock went with the connection */
        return err_set(err, ERR_UNAVAILABLE, "%s: the connection was lost; run it again", m->name);
    struct query *q = db_use(db, STMT_MIGRATE_RECORD);
    query_bind_i64(q, m->version);
    query_bind_str(q, str_of(m->name));
    query_bind_bytes(q, m->sha256, sizeof(m->sha256));
    query_bind_str(q, str_of(program));
    if (query_run(q, err) < 0)
        return err_prefix(err, "%s", m->name);
    return 0;
}

static int run_plain(struct db *db, enum stmt stmt, struct err *err)
{
    return query_run(db_use(db, stmt), err);
}

static int take_lock(struct db *db, struct err *err)
{
    struct query *q = db_use(db, STMT_MIGRATE_LOCK);

    if (query_run(q, err) < 0)
        return -1;
    if (query_next(q) && query_i64(q) == 1)
        return 0;
    return err_set(err, ERR_CONFLICT, "somebody else is migrating this database: try again later");
}

static int apply_missing(struct db *db, struct pool *pool, struct migrations *files,
                         const char *program, migrate_told_fn *told, void *ctx, unsigned *applied_r,
                         struct err *err)
{
    unsigned generation = db_generation(db);

    if (run_plain(db, STMT_MIGRATE_TABLE, err) < 0 || compare_recorded(db, pool, files, err) < 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        const struct migration *m = &files->at[i];
        if (m->recorded)
            continue;
        if (told != NULL)
            told(ctx, &(struct migration_step){m->version, m->name});
        if (apply(db, m, program, generation, err) < 0)
            return -1;
        (*applied_r)++;
    }
    return 0;
}

int migrate_apply(struct db *db, struct pool *pool, const char *dir, const char *program,
                  migrate_told_fn *told, void *ctx, unsigned *applied_r, struct err *err)
{
    struct migrations files = {0};
    struct err ignored;

    *applied_r = 0;
    if (load_files(pool, dir, &files, err) < 0 || take_lock(db, err) < 0)
        return -1;
    int result = apply_missing(db, pool, &files, program, told, ctx, applied_r, err);
    if (run_plain(db, STMT_MIGRATE_UNLOCK, &ignored) < 0) {
        /* it goes with the connection */
    }
    return result;
}

/* ---- the check ---- */

static int is_missing(struct db *db, bool *missing_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MIGRATE_TABLE_EXISTS);

    if (query_run_again(q, err) < 0)
        return -1;
    *missing_r = !query_next(q);
    return 0;
}

int migrate_check(struct db *db, struct err *err)
{
    struct query *q = db_use(db, STMT_MIGRATE_VERSION);
    int64_t version = 0;

    if (query_run_again(q, err) < 0) {
        bool missing;
        struct err second;
        if (err->code != ERR_INTERNAL || is_missing(db, &missing, &second) < 0 || !missing)
            return -1;
    } else if (query_next(q)) {
        version = query_i64(q);
    }
    if (version == SCHEMA_VERSION)
        return 0;
    if (version == 0)
        return err_set(err, ERR_CONFLICT,
                       "the database has no tables yet: run huskyvoice-admin migrate");
    if (version < SCHEMA_VERSION)
        return err_set(err, ERR_CONFLICT,
                       "the database's schema is version %lld, this program needs %d: run "
                       "huskyvoice-admin migrate",
                       (long long)version, SCHEMA_VERSION);
    return err_set(err, ERR_CONFLICT,
                   "the database's schema is version %lld, this program knows %d: install the "
                   "release that made it",
                   (long long)version, SCHEMA_VERSION);
}
