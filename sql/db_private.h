/*
 * db_private.h - what sql/db.c (connection and transactions), sql/db_error.c, sql/db_io.c,
 * sql/query.c (statements, binds) and sql/rows.c share. Nobody else includes it, so that nobody
 * else sees Connector/C.
 */
#ifndef HV_DB_PRIVATE_H
#define HV_DB_PRIVATE_H

#include "sql/db.h"
#include "sql/statements.h"
#include <mysql.h>

#define DB_MANY_SLOTS 9 /* log2 of 1 to DB_MANY_MAX */
_Static_assert(1 << (DB_MANY_SLOTS - 1) == DB_MANY_MAX, "a slot per power of two");

struct db {
    const struct conf *conf;
    MYSQL *mysql;        /* NULL: not connected */
    unsigned generation; /* of the connection: 0 before the first */
    MYSQL *lost;         /* the last one, whose stored rows may still be read */
    unsigned lost_generation;
    size_t host; /* which of database_hosts is tried first */
    bool in_transaction;
    bool broken; /* the transaction is over although nobody has ended it yet */
    bool waited_out;
    db_wait_fn *wait;
    void *wait_ctx;
    usec_t deadline; /* of the operation under way; with wait only */
    struct query *queries[STMT_COUNT][DB_MANY_SLOTS];
};

/* One attempt to connect, if need be; a connection that died while idle is found out here. *fresh_r
 * says that it was made now. Not inside a transaction. */
int db_connect(struct db *db, bool *fresh_r, struct err *err) MUST_CHECK;

/* What was under way when it failed: decides what a lost connection means. */
enum db_step {
    DB_STEP_HARMLESS, /* can have had no effect: connect, prepare, SELECT, begin */
    DB_STEP_WRITE,    /* a statement that writes; in a transaction it is harmless too */
    DB_STEP_COMMIT
};
/* Sets err from an error of server or client, closes a connection that is of no more use, marks
 * the transaction as broken where it is. Always -1. `what` names the statement. */
int db_failed(struct db *db, enum db_step step, unsigned number, const char *text, const char *what,
              struct err *err);
/* Was it lost before the statement had left? Then it may be run again on a new connection. */
bool db_error_unsent(unsigned number);
bool db_error_duplicate(unsigned number);
/* Also inside a transaction, which is then broken. */
void db_close(struct db *db);

/* sql/db_io.c: what waits for the network, blocking or through the wait callback. 0 or not 0. */
struct db_address {
    const char *host, *path; /* one of them is NULL */
    unsigned port;
};
bool db_io_connect(struct db *db, const struct db_address *at);
int db_io_ping(struct db *db);
MYSQL_RES *db_io_result(struct db *db);
int db_io_query(struct db *db, const char *text, size_t n);
int db_io_prepare(struct db *db, MYSQL_STMT *stmt, const char *text, size_t n);
int db_io_execute(struct db *db, MYSQL_STMT *stmt);
int db_io_store(struct db *db, MYSQL_STMT *stmt);

union value {
    long long integer;
    MYSQL_TIME time;
};

enum column_kind { COLUMN_INTEGER, COLUMN_TIME, COLUMN_TEXT };

struct column {
    enum column_kind kind;
    enum enum_field_types type; /* the server's, which kind was made from */
    bool is_unsigned;
    my_bool is_null, error;
    unsigned long length;
    union value value;
};

struct query {
    struct db *db;
    enum stmt stmt;
    size_t copies; /* of the group; 1 without one */
    bool writes;

    MYSQL_STMT *prepared; /* NULL: not on this connection */
    unsigned generation;  /* of the connection that it is prepared on */

    struct stmt_shape shape;
    size_t used; /* how many copies the caller binds; the others repeat the last */
    size_t bound, param_count;
    MYSQL_BIND *params;
    union value *values;

    size_t column_count, next_column;
    struct column *columns;
    MYSQL_BIND *results;
    bool has_result, on_row;
    uint64_t affected;
    char duplicate_key[65];
};

void query_destroy(struct query **query); /* sql/query.c; the connection is closed before */

/* sql/rows.c: binds the columns of what was just executed, if their types are new. */
int rows_bind(struct query *q);
void rows_forget(struct query *q);
void rows_free(struct query *q); /* the result, not the columns */

#endif
