/*
 * db.c - the connection to MariaDB and the transactions on it. It connects when it is used, finds
 * out that an idle connection has died before it is used, and never reconnects by itself inside a
 * transaction. Statements and their rows are sql/query.c.
 */
#include "sql/db_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MANY_SLOT 5 /* from 32 copies on */
#define HOSTS_MAX 16
#define CONNECT_TIMEOUT_MAX (60 * USEC_PER_S)

void db_create(struct db **db_r, const struct conf *conf)
{
    struct db *db = mem_alloc(sizeof(*db));

    db->conf = conf;
    *db_r = db;
}

void db_destroy(struct db **db)
{
    if (*db == NULL)
        return;
    if ((*db)->mysql != NULL)
        mysql_close((*db)->mysql);
    if ((*db)->lost != NULL)
        mysql_close((*db)->lost);
    for (size_t s = 0; s < STMT_COUNT; s++)
        for (size_t slot = 0; slot < DB_MANY_SLOTS; slot++)
            query_destroy(&(*db)->queries[s][slot]);
    free(*db);
    *db = NULL;
}

void db_forget_many(struct db *db)
{
    if (db->in_transaction)
        die("db_forget_many: a transaction is open");
    for (size_t s = 0; s < STMT_COUNT; s++)
        for (size_t slot = MANY_SLOT; slot < DB_MANY_SLOTS; slot++)
            query_destroy(&db->queries[s][slot]);
}

void db_set_wait(struct db *db, db_wait_fn *wait, void *ctx)
{
    if (db->mysql != NULL)
        die("db_set_wait: the connection is already in use");
    db->wait = wait;
    db->wait_ctx = ctx;
}

bool db_connected(const struct db *db)
{
    return db->mysql != NULL;
}

bool db_waited_out(const struct db *db)
{
    return db->waited_out;
}

unsigned db_generation(const struct db *db)
{
    return db->generation;
}

/* Nothing more can be said on it: the farewell of mysql_close() must not wait for a dead peer. */
static void hang_up(MYSQL *mysql)
{
    int fd = (int)mysql_get_socket(mysql);

    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

/* The connection before the last is given back; the last one's stored rows can still be read. */
void db_close(struct db *db)
{
    if (db->mysql == NULL)
        return;
    hang_up(db->mysql);
    if (db->lost != NULL)
        mysql_close(db->lost);
    db->lost = db->mysql;
    db->lost_generation = db->generation;
    db->mysql = NULL;
    db->broken = db->in_transaction;
}

/* Nothing may come from the server while nothing was asked: an end of file or a farewell message
 * means that it has closed the connection (idle time-out, KILL, restart). */
static bool seems_dead(struct db *db)
{
    char byte;
    int fd = (int)mysql_get_socket(db->mysql);

    if (fd < 0)
        return true;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* One entry of database_hosts: unix:PATH, HOST, HOST:PORT, [V6] or [V6]:PORT. */
static int parse_address(struct str entry, char *text, size_t size, struct db_address *at,
                         struct err *err)
{
    uint64_t port = 3306;

    if (entry.n == 0 || entry.n >= size)
        return err_set(err, ERR_UNAVAILABLE, "database_hosts: a host is empty or too long");
    memcpy(text, entry.p, entry.n);
    text[entry.n] = '\0';
    memset(at, 0, sizeof(*at));
    if (str_starts(entry, "unix:")) {
        at->path = text + 5;
        return 0;
    }
    char *colon = strrchr(text, ':');
    at->host = text;
    if (text[0] == '[') {
        char *close = strchr(text, ']');
        if (close == NULL || (close[1] != '\0' && close[1] != ':'))
            return err_set(err, ERR_UNAVAILABLE, "database_hosts: '%s' is not [ADDRESS]:PORT",
                           text);
        at->host = text + 1;
        colon = close[1] == ':' ? close + 1 : NULL;
        *close = '\0';
    } else if (colon != NULL && strchr(text, ':') != colon) {
        colon = NULL; /* an IPv6 address without brackets */
    }
    if (colon != NULL) {
        if (str_u64(str_of(colon + 1), 65535, &port) < 0)
            return err_set(err, ERR_UNAVAILABLE, "database_hosts: '%s' is no port", colon + 1);
        *colon = '\0';
    }
    at->port = (unsigned)port;
    return 0;
}

static unsigned seconds_up(usec_t t)
{
    return (unsigned)((t + USEC_PER_S - 1) / USEC_PER_S);
}

static void set_options(struct db *db, const struct db_address *at)
{
    usec_t answer = db->conf->database_timeout;
    unsigned answer_s = seconds_up(answer);
    unsigned connect_s = seconds_up(answer < CONNECT_TIMEOUT_MAX ? answer : CONNECT_TIMEOUT_MAX);
    unsigned no = 0;
    unsigned protocol = at->path != NULL ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

    mysql_optionsv(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_optionsv(db->mysql, MYSQL_OPT_READ_TIMEOUT, &answer_s);
    mysql_optionsv(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
    mysql_optionsv(db->mysql, MYSQL_OPT_LOCAL_INFILE, &no);
    mysql_optionsv(db->mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_optionsv(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (db->wait != NULL)
        mysql_optionsv(db->mysql, MYSQL_OPT_NONBLOCK, 0);
}

/* The server gives up a little before we do: an error from it is certain, a connection that we
 * drop is not. */
static int set_session(struct db *db)
{
    usec_t timeout = db->conf->database_timeout;
    usec_t lock_wait = timeout < CONNECT_TIMEOUT_MAX ? timeout : CONNECT_TIMEOUT_MAX;
    unsigned lock_s = lock_wait > 2 * USEC_PER_S ? (unsigned)(lock_wait / USEC_PER_S) - 1 : 1;
    char text[400];
    static const char isolation[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

    int n = snprintf(text, sizeof(text),
                     "SET SESSION time_zone = '+00:00', autocommit = 1, "
                     "sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,"
                     "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
                     "innodb_lock_wait_timeout = %u, max_statement_time = %.3f",
                     lock_s, (double)timeout * 0.9 / (double)USEC_PER_S);
    return db_io_query(db, isolation, sizeof(isolation) - 1) || db_io_query(db, text, (size_t)n);
}

static int connect_to(struct db *db, struct str entry, struct err *err)
{
    char text[300];
    struct db_address at;

    if (parse_address(entry, text, sizeof(text), &at, err) < 0)
        return -1;
    db->mysql = mysql_init(NULL);
    if (db->mysql == NULL)
        die("out of memory");
    set_options(db, &at);
    if (db_io_connect(db, &at) && set_session(db) == 0) {
        db->generation++;
        return 0;
    }
    err_set(err, ERR_UNAVAILABLE, "database at %.*s: (%u) %s", STR_ARG(entry),
            mysql_errno(db->mysql), mysql_error(db->mysql));
    hang_up(db->mysql);
    mysql_close(db->mysql);
    db->mysql = NULL;
    return -1;
}

/* Every host once, from the one after the last that refused to work. */
static int connect_to_any(struct db *db, struct err *err)
{
    struct str list = str_of(db->conf->database_hosts), entry, entries[HOSTS_MAX];
    size_t count = 0;

    while (count < HOSTS_MAX && str_split(&list, ',', &entry))
        entries[count++] = str_trim(entry);
    if (count == 0)
        return err_set(err, ERR_UNAVAILABLE, "database_hosts is empty");
    for (size_t i = 0; i < count; i++) {
        size_t host = (db->host + i) % count;
        if (connect_to(db, entries[host], err) == 0) {
            db->host = host;
            return 0;
        }
    }
    db->host = 0;
    return -1;
}

int db_connect(struct db *db, bool *fresh_r, struct err *err)
{
    *fresh_r = false;
    if (db->mysql != NULL && !seems_dead(db))
        return 0;
    db_close(db);
    *fresh_r = true;
    return connect_to_any(db, err);
}

static int fail_query(struct db *db, enum db_step step, const char *what, struct err *err)
{
    return db_failed(db, step, mysql_errno(db->mysql), mysql_error(db->mysql), what, err);
}

int db_ping(struct db *db, struct err *err)
{
    bool fresh;

    if (db->in_transaction)
        die("db_ping: inside a transaction");
    if (db_connect(db, &fresh, err) < 0)
        return -1;
    if (fresh || db_io_ping(db) == 0)
        return 0;
    return fail_query(db, DB_STEP_HARMLESS, "ping", err);
}

int db_server_version(struct db *db, struct pool *pool, const char **version_r, struct err *err)
{
    if (db_ping(db, err) < 0)
        return -1;
    *version_r = pool_strdup(pool, mysql_get_server_info(db->mysql));
    return 0;
}

int db_begin(struct db *db, struct err *err)
{
    static const char text[] = "START TRANSACTION";

    if (db->in_transaction && !db->broken)
        die("db_begin: a transaction is already open");
    db->waited_out = false;
    db_rollback(db);
    for (;;) {
        bool fresh;
        if (db_connect(db, &fresh, err) < 0)
            return -1;
        if (db_io_query(db, text, sizeof(text) - 1) == 0)
            break;
        fail_query(db, DB_STEP_HARMLESS, "begin", err);
        if (fresh || db->mysql != NULL)
            return -1;
    }
    db->in_transaction = true;
    return 0;
}

int db_commit(struct db *db, struct err *err)
{
    if (!db->in_transaction)
        die("db_commit: no transaction is open");
    if (db->broken) {
        db_rollback(db);
        return err_set(err, ERR_UNAVAILABLE, "commit: the transaction was already over");
    }
    int result = 0;
    if (db_io_query(db, "COMMIT", 6) != 0) {
        result = fail_query(db, DB_STEP_COMMIT, "commit", err);
        if (db->mysql != NULL) /* whatever is left of it must not reach the next one */
            db_rollback(db);
    }
    db->in_transaction = db->broken = false;
    return result;
}

void db_rollback(struct db *db)
{
    if (db->in_transaction && db->mysql != NULL && db_io_query(db, "ROLLBACK", 8) != 0)
        db_close(db);
    db->in_transaction = db->broken = false;
}

/* Where the statement that begins at p ends: a ';' outside quotes and comments, or the end. */
static const char *statement_end(const char *p, const char *end)
{
    while (p < end && *p != ';') {
        if (*p == '\'' || *p == '"' || *p == '`') {
            char quote = *p++;
            while (p < end && *p != quote)
                p += *p == '\\' && quote != '`' && p + 1 < end ? 2 : 1;
            if (p < end)
                p++;
        } else if (*p == '#' || (*p == '-' && end - p > 2 && p[1] == '-' && p[2] <= ' ')) {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            p = line != NULL ? line + 1 : end;
        } else if (*p == '/' && end - p > 1 && p[1] == '*') {
            const char *close = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
            p = close != NULL ? close + 2 : end;
        } else {
            p++;
        }
    }
    return p;
}

/* What is left of a statement without blanks and comments before it. */
static struct str skip_comments(const char *p, const char *end)
{
    for (;;) {
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
            p++;
        if (end - p > 1 && p[0] == '-' && p[1] == '-') {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            p = line != NULL ? line + 1 : end;
        } else if (end - p > 1 && p[0] == '/' && p[1] == '*' && (end - p == 2 || p[2] != '!')) {
            const char *close = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
            p = close != NULL ? close + 2 : end;
        } else {
            return (struct str){p, (size_t)(end - p)};
        }
    }
}

static int run_text(struct db *db, struct str text, unsigned number, struct err *err)
{
    char what[40];

    snprintf(what, sizeof(what), "statement %u", number);
    if (db_io_query(db, text.p, text.n) != 0)
        return fail_query(db, DB_STEP_WRITE, what, err);
    if (mysql_field_count(db->mysql) == 0)
        return 0;
    MYSQL_RES *result = db_io_result(db);
    if (result == NULL)
        return fail_query(db, DB_STEP_WRITE, what, err);
    mysql_free_result(result);
    return 0;
}

int db_script(struct db *db, struct str script, struct err *err)
{
    const char *p = script.p, *end = script.p + script.n;
    unsigned number = 0;
    bool fresh;

    if (db->in_transaction)
        die("db_script: inside a transaction");
    if (db_connect(db, &fresh, err) < 0)
        return -1;
    unsigned generation = db->generation;
    while (p < end) {
        const char *stop = statement_end(p, end);
        struct str text = skip_comments(p, stop);
        p = stop + 1;
        if (text.n == 0)
            continue;
        if (db->mysql == NULL || db->generation != generation)
            return err_set(err, ERR_UNAVAILABLE, "the connection was lost in a script");
        if (run_text(db, text, ++number, err) < 0)
            return -1;
    }
    return 0;
}
