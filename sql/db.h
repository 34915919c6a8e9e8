/*
 * db.h - a connection to MariaDB and the prepared statements that run on it. The only face of
 * Connector/C, and no place for SQL text: that is sql/statements.def.
 *
 * Use: q = db_use(db, STMT_X); bind the placeholders in their order; query_run(q, err); for rows:
 * while (query_next(q)) read the columns in their order. A statement is prepared at its first use
 * on a connection and kept; a new connection prepares anew.
 *
 * Waiting: by default calls block, at most `database_timeout`. With db_set_wait() the connection
 * waits through a callback instead, so that a fiber can yield to its loop.
 */
#ifndef HV_DB_H
#define HV_DB_H

#include "lib/base/clock.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/rules/id.h"

enum stmt {
#define X(name, text) STMT_##name,
#include "sql/statements.def"
#undef X
    STMT_COUNT
};
const char *stmt_name(enum stmt s);
const char *stmt_text(enum stmt s);

struct db;
struct query;

/* Not connected yet: the first use connects (db_use never fails; the failure comes from
 * query_run). conf and its texts must outlive it. */
void db_create(struct db **db_r, const struct conf *conf);
void db_destroy(struct db **db);

/* Waits until fd has one of `events` (poll(2)'s) or the deadline (monotonic) passes; returns what
 * it has, 0 for the deadline. Set before the first use. */
typedef short db_wait_fn(void *ctx, int fd, short events, usec_t deadline);
void db_set_wait(struct db *db, db_wait_fn *wait, void *ctx);

/* Connects if need be and checks that the connection lives: for health checks and for start. */
int db_ping(struct db *db, struct err *err) MUST_CHECK;
/* After an error: does the connection still stand? ERR_UNAVAILABLE then means a deadlock or a lock
 * waited for too long, and the same work may be tried again at once. */
bool db_connected(const struct db *db);
/* The last failure was that a lock, or a statement, took as long as one may. */
bool db_waited_out(const struct db *db);
/* Grows with each new connection: what was prepared or begun on an older one is gone. */
unsigned db_generation(const struct db *db);
/* "10.11.19-MariaDB-...", for doctor. */
int db_server_version(struct db *db, struct pool *pool, const char **version_r,
                      struct err *err) MUST_CHECK;

/*
 * Errors of query_run() and of the transaction calls:
 * - ERR_UNAVAILABLE: no connection, or it broke before the statement can have had an effect, or a
 *   deadlock or lock time-out (1213, 1205: the transaction is over, repeat it whole)
 * - ERR_UNCERTAIN: the connection broke while a statement outside a transaction that writes, or a
 *   commit, was under way: it may have happened
 * - ERR_CONFLICT: a duplicate key (1062); query_duplicate_key() says which
 * - ERR_INTERNAL: anything else: our own bug or a broken schema; the message has number and text
 *
 * Session of every connection: READ COMMITTED, UTC, utf8mb4, strict mode, autocommit,
 * CLIENT_FOUND_ROWS (matched rows count as affected).
 */
int db_begin(struct db *db, struct err *err) MUST_CHECK;
int db_commit(struct db *db, struct err *err) MUST_CHECK;
void db_rollback(struct db *db); /* also when the connection is gone */

/*
 * A statement's text may have one repeated group, {?} or {(?, ?)}: db_use_many() runs it with n
 * copies, separated by commas (or by UNION ALL, for a group that begins with "(SELECT"). To keep
 * few statements prepared, n is rounded up to a power of two, up to DB_MANY_MAX: the missing copies
 * are filled by repeating the binds of the last, which is right for IN lists (and for SELECTs whose
 * caller bound a last copy that finds nothing). For INSERTs use db_many_chunk().
 */
#define DB_MANY_MAX 256
struct query *db_use(struct db *db, enum stmt stmt);
struct query *db_use_many(struct db *db, enum stmt stmt, size_t n);
/* Gives back what was prepared for many rows at a time, half a megabyte a statement, with what was
 * read by it; outside of transactions. It is prepared again when it is used. */
void db_forget_many(struct db *db);
/* The largest power of two that is at most n and DB_MANY_MAX: insert that many, then the rest. */
size_t db_many_chunk(size_t n);

/* Binds: they copy nothing; what they point to must live until query_run() returns. */
void query_bind_i64(struct query *q, int64_t value);
void query_bind_i64_if(struct query *q, bool is, int64_t value); /* is false: NULL */
void query_bind_str(struct query *q, struct str s);              /* STR_NULL binds NULL */
void query_bind_bytes(struct query *q, const void *p, size_t n);
void query_bind_blob(struct query *q, struct str s);      /* bytes, not text; STR_NULL binds NULL */
void query_bind_id(struct query *q, const struct id *id); /* NULL binds NULL */
void query_bind_time(struct query *q, usec_t t);          /* TIME_NONE binds NULL */
void query_bind_null(struct query *q);

/* The number of bound values must be the statement's: anything else dies. */
int query_run(struct query *q, struct err *err) MUST_CHECK;
/* As query_run, and when the connection proved dead before the statement was sent (idle time-out,
 * restart of the server), connects anew and runs it once more; for single statements outside a
 * transaction that are safe to repeat (SELECTs, and writes keyed by an id that the caller made). */
int query_run_again(struct query *q, struct err *err) MUST_CHECK;

bool query_next(struct query *q); /* the next row; false when there is none */
uint64_t query_affected(const struct query *q);
/* After ERR_CONFLICT: the name of the key that was hit ("PRIMARY", "idempotency"). */
const char *query_duplicate_key(const struct query *q);

/* Columns of the current row, in their order; texts live in the pool. Reading one of another type
 * than selected, or past the last, dies. */
int64_t query_i64(struct query *q); /* NULL: 0 */
int64_t query_i64_or(struct query *q, int64_t null_value);
bool query_null(struct query *q); /* looks at the next column without taking it */
struct str query_str(struct query *q, struct pool *pool); /* NULL: STR_NULL */
bool query_id(struct query *q, struct id *id_r);          /* false: NULL, zeroed */
usec_t query_time(struct query *q);                       /* NULL: TIME_NONE */
void query_skip(struct query *q, unsigned columns);

/* The database's clock, which every time in a row is from; inside a transaction, too. */
int db_now(struct db *db, usec_t *now_r, struct err *err) MUST_CHECK;

/* Text that is no prepared statement: migrations and doctor only. Runs the statements of a script
 * one by one. */
int db_script(struct db *db, struct str script, struct err *err) MUST_CHECK;

#endif
