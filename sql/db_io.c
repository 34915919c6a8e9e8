/*
 * db_io.c - the calls of Connector/C that wait for the network: plain ones, which block, or, with
 * db_set_wait(), their _start and _cont halves with the caller's wait between them.
 */
#include "sql/db_private.h"

#include <poll.h>

/* Waits for what the connector asks for and says which of it came. */
static int wait_for(struct db *db, int wanted)
{
    short events = 0;
    int got = 0;

    if (wanted & MYSQL_WAIT_READ)
        events |= POLLIN;
    if (wanted & MYSQL_WAIT_WRITE)
        events |= POLLOUT;
    if (wanted & MYSQL_WAIT_EXCEPT)
        events |= POLLPRI;
    short seen = db->wait(db->wait_ctx, mysql_get_socket(db->mysql), events, db->deadline);
    if (seen & POLLIN)
        got |= MYSQL_WAIT_READ;
    if (seen & POLLOUT)
        got |= MYSQL_WAIT_WRITE;
    if (seen & POLLPRI)
        got |= MYSQL_WAIT_EXCEPT;
    if (seen & (POLLERR | POLLHUP | POLLNVAL))
        got |= wanted & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
    return got != 0 ? got : MYSQL_WAIT_TIMEOUT;
}

/* start and cont are expressions; cont uses `status`. */
#define AWAIT(db, start, cont)                                                                     \
    do {                                                                                           \
        (db)->deadline = clock_monotonic() + (db)->conf->database_timeout;                         \
        int status = (start);                                                                      \
        while (status != 0) {                                                                      \
            status = wait_for((db), status);                                                       \
            status = (cont);                                                                       \
        }                                                                                          \
    } while (0)

bool db_io_connect(struct db *db, const struct db_address *at)
{
    MYSQL *m = db->mysql, *done = NULL;
    const struct conf *c = db->conf;
    unsigned port = at->port;
    unsigned long flags = CLIENT_FOUND_ROWS;

    if (db->wait == NULL)
        return mysql_real_connect(m, at->host, c->database_user, c->database_password,
                                  c->database_name, port, at->path, flags) != NULL;
    AWAIT(db,
          mysql_real_connect_start(&done, m, at->host, c->database_user, c->database_password,
                                   c->database_name, port, at->path, flags),
          mysql_real_connect_cont(&done, m, status));
    return done != NULL;
}

int db_io_query(struct db *db, const char *text, size_t n)
{
    int failed = 0;

    if (db->wait == NULL)
        return mysql_real_query(db->mysql, text, n);
    AWAIT(db, mysql_real_query_start(&failed, db->mysql, text, n),
          mysql_real_query_cont(&failed, db->mysql, status));
    return failed;
}

int db_io_ping(struct db *db)
{
    int failed = 0;

    if (db->wait == NULL)
        return mysql_ping(db->mysql);
    AWAIT(db, mysql_ping_start(&failed, db->mysql), mysql_ping_cont(&failed, db->mysql, status));
    return failed;
}

MYSQL_RES *db_io_result(struct db *db)
{
    MYSQL_RES *result = NULL;

    if (db->wait == NULL)
        return mysql_store_result(db->mysql);
    AWAIT(db, mysql_store_result_start(&result, db->mysql),
          mysql_store_result_cont(&result, db->mysql, status));
    return result;
}

int db_io_prepare(struct db *db, MYSQL_STMT *stmt, const char *text, size_t n)
{
    int failed = 0;

    if (db->wait == NULL)
        return mysql_stmt_prepare(stmt, text, n);
    AWAIT(db, mysql_stmt_prepare_start(&failed, stmt, text, n),
          mysql_stmt_prepare_cont(&failed, stmt, status));
    return failed;
}

int db_io_execute(struct db *db, MYSQL_STMT *stmt)
{
    int failed = 0;

    if (db->wait == NULL)
        return mysql_stmt_execute(stmt);
    AWAIT(db, mysql_stmt_execute_start(&failed, stmt),
          mysql_stmt_execute_cont(&failed, stmt, status));
    return failed;
}

int db_io_store(struct db *db, MYSQL_STMT *stmt)
{
    int failed = 0;

    if (db->wait == NULL)
        return mysql_stmt_store_result(stmt);
    AWAIT(db, mysql_stmt_store_result_start(&failed, stmt),
          mysql_stmt_store_result_cont(&failed, stmt, status));
    return failed;
}
