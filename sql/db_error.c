/*
 * db_error.c - what an error number of MariaDB or of its client means to us: try again, found out
 * by key, a duplicate, or our own bug. The numbers are of MariaDB's error reference and of
 * Connector/C's errmsg.h.
 */
#include "sql/db_private.h"

#include <errmsg.h>
#include <mysqld_error.h>

#define ER_MYSQL_STATEMENT_TIMEOUT 3024

enum meaning {
    MEANS_LOST,      /* no connection any more */
    MEANS_UNSENT,    /* the same, and the statement had not left */
    MEANS_OVER,      /* the transaction is over: repeat it */
    MEANS_ELSEWHERE, /* this server can't do it now, another one may */
    MEANS_STOPPED,   /* the statement was ended and undone */
    MEANS_DUPLICATE,
    MEANS_BUG
};

static const struct {
    unsigned number;
    enum meaning meaning;
} meanings[] = {
    {CR_SERVER_GONE_ERROR, MEANS_UNSENT},
    {CR_ERR_NET_READ, MEANS_LOST},
    {CR_ERR_NET_WRITE, MEANS_LOST},
    {CR_ERR_NET_UNCOMPRESS, MEANS_LOST},
    {ER_DUP_ENTRY, MEANS_DUPLICATE},
    {ER_DUP_ENTRY_WITH_KEY_NAME, MEANS_DUPLICATE},
    {ER_LOCK_DEADLOCK, MEANS_OVER},
    {ER_LOCK_WAIT_TIMEOUT, MEANS_OVER},
    {ER_CHECKREAD, MEANS_OVER},              /* innodb_snapshot_isolation */
    {ER_UNKNOWN_COM_ERROR, MEANS_ELSEWHERE}, /* 1047: a Galera node outside the primary component */
    {ER_OPTION_PREVENTS_STATEMENT, MEANS_ELSEWHERE}, /* 1290: --read-only */
    {ER_READ_ONLY_MODE, MEANS_ELSEWHERE},
    {ER_CON_COUNT_ERROR, MEANS_ELSEWHERE},
    {ER_TOO_MANY_USER_CONNECTIONS, MEANS_ELSEWHERE},
    {ER_USER_LIMIT_REACHED, MEANS_ELSEWHERE},
    {ER_SERVER_SHUTDOWN, MEANS_ELSEWHERE},
    {ER_NORMAL_SHUTDOWN, MEANS_ELSEWHERE},
    {ER_CONNECTION_KILLED, MEANS_LOST},
    {ER_NET_READ_ERROR, MEANS_LOST},
    {ER_NET_READ_INTERRUPTED, MEANS_LOST},
    {ER_NET_ERROR_ON_WRITE, MEANS_LOST},
    {ER_NET_WRITE_INTERRUPTED, MEANS_LOST},
    {ER_NEW_ABORTING_CONNECTION, MEANS_LOST},
    {ER_UNKNOWN_STMT_HANDLER, MEANS_LOST}, /* a proxy has changed the server below us */
    {ER_QUERY_INTERRUPTED, MEANS_STOPPED},
    {ER_STATEMENT_TIMEOUT, MEANS_STOPPED},       /* max_statement_time */
    {ER_MYSQL_STATEMENT_TIMEOUT, MEANS_STOPPED}, /* the same, as MySQL and proxies call it */
    {ER_NEED_REPREPARE, MEANS_STOPPED},
    {ER_DISK_FULL, MEANS_STOPPED},
    {ER_RECORD_FILE_FULL, MEANS_STOPPED},
    {ER_OUT_OF_RESOURCES, MEANS_STOPPED},
    {ER_OUTOFMEMORY, MEANS_STOPPED},
    {ER_MAX_PREPARED_STMT_COUNT_REACHED, MEANS_STOPPED},
    {ER_TOO_MANY_CONCURRENT_TRXS, MEANS_STOPPED},
};

static enum meaning meaning_of(unsigned number)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (meanings[i].number == number)
            return meanings[i].meaning;
    if (number == CR_COMMANDS_OUT_OF_SYNC || number == CR_PARAMS_NOT_BOUND)
        return MEANS_BUG;
    return number >= CR_MIN_ERROR && number <= CR_MAX_ERROR ? MEANS_LOST : MEANS_BUG;
}

bool db_error_unsent(unsigned number)
{
    return meaning_of(number) == MEANS_UNSENT;
}

bool db_error_duplicate(unsigned number)
{
    return meaning_of(number) == MEANS_DUPLICATE;
}

/* What the meaning does to the connection and to a transaction on it. */
static void apply(struct db *db, enum meaning meaning)
{
    switch (meaning) {
    case MEANS_ELSEWHERE:
        db->host++;
        db_close(db);
        break;
    case MEANS_LOST:
    case MEANS_UNSENT:
        db_close(db);
        break;
    case MEANS_OVER:
    case MEANS_STOPPED:
        break;
    case MEANS_DUPLICATE:
    case MEANS_BUG:
        return;
    }
    db->broken = db->in_transaction;
}

static enum err_code code_of(enum meaning meaning, enum db_step step, bool in_transaction)
{
    switch (meaning) {
    case MEANS_LOST:
        if (step == DB_STEP_COMMIT || (step == DB_STEP_WRITE && !in_transaction))
            return ERR_UNCERTAIN;
        return ERR_UNAVAILABLE;
    case MEANS_STOPPED:
    case MEANS_ELSEWHERE:
        return step == DB_STEP_COMMIT ? ERR_UNCERTAIN : ERR_UNAVAILABLE;
    case MEANS_UNSENT:
    case MEANS_OVER:
        return ERR_UNAVAILABLE;
    case MEANS_DUPLICATE:
        return ERR_CONFLICT;
    case MEANS_BUG:
        return step == DB_STEP_COMMIT ? ERR_UNCERTAIN : ERR_INTERNAL;
    }
    die("unknown meaning %d of a database error", (int)meaning);
}

int db_failed(struct db *db, enum db_step step, unsigned number, const char *text, const char *what,
              struct err *err)
{
    enum meaning meaning = meaning_of(number);
    enum err_code code = code_of(meaning, step, db->in_transaction);

    db->waited_out = number == ER_LOCK_WAIT_TIMEOUT || number == ER_STATEMENT_TIMEOUT ||
                     number == ER_MYSQL_STATEMENT_TIMEOUT;
    if (meaning == MEANS_DUPLICATE) /* the text would quote the value */
        err_set(err, code, "%s: (%u) duplicate key", what, number);
    else
        err_set(err, code, "%s: (%u) %s", what, number, text);
    apply(db, meaning);
    return -1;
}
