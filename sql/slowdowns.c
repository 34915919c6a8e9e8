/*
 * slowdowns.c - see slowdowns.h.
 */
#include "sql/slowdowns.h"
#include "lib/base/crypto.h"
#include "lib/rules/slowdown.h"

#include <string.h>

#define SUBJECTS_MAX 4
/* No wait is written as one that is long over: who waited for the row's lock began before it. */
#define LONG_AGO USEC_PER_DAY

struct slowdown slowdown_of(const char *kind, struct str of, int64_t free, usec_t forgiven)
{
    struct slowdown s = {.free = free, .forgiven = forgiven};
    struct str parts[] = {str_of(kind), STR(":"), of};

    crypto_hmac_sha256(STR("slowdown"), parts, 3, s.subject);
    return s;
}

static int read_failures(struct db *db, const struct slowdown *s, int64_t *failures_r,
                         usec_t *wait_r, struct err *err)
{
    struct query *q = db_use(db, STMT_SLOWDOWN_READ);

    query_bind_i64(q, s->forgiven);
    query_bind_bytes(q, s->subject, sizeof s->subject);
    if (query_run(q, err) < 0)
        return -1;
    *failures_r = 0;
    *wait_r = 0;
    if (query_next(q)) {
        *failures_r = query_i64(q);
        *wait_r = query_i64(q);
    }
    return 0;
}

static int write_failures(struct db *db, const struct slowdown *s, int64_t failures,
                          struct err *err)
{
    struct query *q = db_use(db, STMT_SLOWDOWN_WRITE);
    usec_t wait = slowdown_wait(failures, s->free);

    query_bind_bytes(q, s->subject, sizeof s->subject);
    query_bind_i64(q, failures);
    query_bind_i64(q, wait > 0 ? wait : -LONG_AGO);
    return query_run(q, err);
}

static int count_all(struct db *db, const struct slowdown *subjects, size_t count, usec_t *wait_r,
                     struct err *err)
{
    int64_t failures[SUBJECTS_MAX];

    *wait_r = 0;
    for (size_t i = 0; i < count; i++) {
        usec_t wait;
        if (read_failures(db, &subjects[i], &failures[i], &wait, err) < 0)
            return -1;
        if (wait > *wait_r)
            *wait_r = wait;
    }
    for (size_t i = 0; i < count && *wait_r == 0; i++) {
        if (write_failures(db, &subjects[i], failures[i] + 1, err) < 0)
            return -1;
    }
    return 0;
}

int slowdowns_begin(struct db *db, const struct slowdown *subjects, size_t count, usec_t *wait_r,
                    struct err *err)
{
    if (count > SUBJECTS_MAX)
        die("slowdowns_begin: %zu subjects", count);
    if (db_begin(db, err) < 0)
        return -1;
    if (count_all(db, subjects, count, wait_r, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

static int run_with(struct db *db, enum stmt stmt, const struct slowdown *s, struct err *err)
{
    struct query *q = db_use(db, stmt);

    query_bind_bytes(q, s->subject, sizeof s->subject);
    return query_run_again(q, err);
}

int slowdowns_forget(struct db *db, const struct slowdown *subject, struct err *err)
{
    return run_with(db, STMT_SLOWDOWN_FORGET, subject, err);
}

int slowdowns_forgive(struct db *db, const struct slowdown *subject, struct err *err)
{
    return run_with(db, STMT_SLOWDOWN_FORGIVE, subject, err);
}
