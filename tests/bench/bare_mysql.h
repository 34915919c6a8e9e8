/*
 * bare_mysql.h - what the two bare programs share: a connection with the product's session
 * settings, prepared statements, binds. Any failure ends the program: it is a measuring stick.
 */
#ifndef BARE_MYSQL_H
#define BARE_MYSQL_H

#include <mysql.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void bare_fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline void bare_run(MYSQL *db, const char *text)
{
    if (mysql_query(db, text))
        bare_fail(text, mysql_error(db));
}

static inline MYSQL *bare_connect(const char *socket, const char *name)
{
    MYSQL *db = mysql_init(NULL);
    mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(db, NULL, "root", "", name, 0, socket, 0))
        bare_fail("connect", mysql_error(db));
    bare_run(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    bare_run(db, "SET SESSION time_zone = '+00:00'");
    return db;
}

static inline MYSQL_STMT *bare_prepare(MYSQL *db, const char *text)
{
    MYSQL_STMT *stmt = mysql_stmt_init(db);
    if (!stmt || mysql_stmt_prepare(stmt, text, strlen(text)))
        bare_fail(text, mysql_error(db));
    return stmt;
}

static inline MYSQL_BIND bare_blob(void *p, unsigned long size, unsigned long *length)
{
    MYSQL_BIND b;
    memset(&b, 0, sizeof b);
    b.buffer_type = MYSQL_TYPE_BLOB;
    b.buffer = p;
    b.buffer_length = size;
    b.length = length;
    return b;
}

#endif
