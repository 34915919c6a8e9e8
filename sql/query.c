/*
 * query.c - prepared statements: finding them, binding values, running. A struct query is kept
 * for as long as its db; what the server knows of it is made anew on every connection. The rows
 * that come back are sql/rows.c.
 */
#include "sql/db_private.h"

#include <stdlib.h>
#include <string.h>

#define STATEMENT_TEXT_MAX (1024 * 1024)

/* ---- which query ---- */

static size_t slot_of(size_t n)
{
    size_t slot = 0;

    while (((size_t)1 << slot) < n)
        slot++;
    return slot;
}

static struct query *query_create(struct db *db, enum stmt stmt, size_t slot)
{
    struct query *q = mem_alloc(sizeof(*q));

    q->db = db;
    q->stmt = stmt;
    q->copies = (size_t)1 << slot;
    q->writes = stmt_writes(stmt);
    stmt_shape(stmt, &q->shape);
    q->param_count = q->shape.before + q->shape.group * q->copies + q->shape.after;
    q->params = mem_alloc((q->param_count + 1) * sizeof(*q->params));
    q->values = mem_alloc((q->param_count + 1) * sizeof(*q->values));
    return q;
}

static void forget_prepared(struct query *q)
{
    if (q->prepared != NULL)
        mysql_stmt_close(q->prepared);
    q->prepared = NULL;
    q->has_result = q->on_row = false;
    rows_forget(q);
}

void query_destroy(struct query **query)
{
    struct query *q = *query;

    if (q == NULL)
        return;
    forget_prepared(q);
    free(q->params);
    free(q->values);
    free(q);
    *query = NULL;
}

/* These must be read from one group of an index to the next. When MariaDB (10.11) prepares a
 * statement again by itself, because a table was flushed (as backups do) or analyzed since, it does
 * not find that way any more, and walks through millions of rows: so we prepare them each time. */
static bool is_loose_scan(enum stmt stmt)
{
    return stmt == STMT_FENCE_DUE_AGENTS || stmt == STMT_DELIVERY_DUE;
}

struct query *db_use_many(struct db *db, enum stmt stmt, size_t n)
{
    if (n == 0 || n > DB_MANY_MAX)
        die("%s: used with %zu copies", stmt_name(stmt), n);
    size_t slot = slot_of(n);
    struct query **place = &db->queries[stmt][slot];
    if (*place == NULL)
        *place = query_create(db, stmt, slot);
    struct query *q = *place;
    if (n > 1 && !q->shape.has_group)
        die("%s: has no group to repeat", stmt_name(stmt));
    rows_free(q);
    if (is_loose_scan(stmt))
        forget_prepared(q);
    q->used = n;
    q->bound = 0;
    return q;
}

struct query *db_use(struct db *db, enum stmt stmt)
{
    return db_use_many(db, stmt, 1);
}

size_t db_many_chunk(size_t n)
{
    size_t chunk = DB_MANY_MAX;

    while (chunk > n && chunk > 1)
        chunk /= 2;
    return chunk;
}

/* ---- binds ---- */

/* The caller has bound its last copy of the group: the copies that are too many repeat it. */
static void fill_group(struct query *q)
{
    for (size_t copy = q->used; copy < q->copies; copy++)
        for (size_t i = 0; i < q->shape.group; i++, q->bound++)
            q->params[q->bound] = q->params[q->bound - q->shape.group];
}

static MYSQL_BIND *next_bind(struct query *q, enum enum_field_types type)
{
    if (q->bound >= q->param_count)
        die("%s: more values than its %zu placeholders", stmt_name(q->stmt), q->param_count);
    MYSQL_BIND *bind = &q->params[q->bound];
    memset(bind, 0, sizeof(*bind));
    bind->buffer_type = type;
    bind->buffer = &q->values[q->bound];
    return bind;
}

static void bind_done(struct query *q)
{
    q->bound++;
    if (q->used < q->copies && q->bound == q->shape.before + q->shape.group * q->used)
        fill_group(q);
}

static void set_null(MYSQL_BIND *bind)
{
    static my_bool yes = 1;

    bind->is_null = &yes;
}

void query_bind_i64(struct query *q, int64_t value)
{
    next_bind(q, MYSQL_TYPE_LONGLONG);
    q->values[q->bound].integer = value;
    bind_done(q);
}

static void bind_data(struct query *q, enum enum_field_types type, const void *p, size_t n)
{
    MYSQL_BIND *bind = next_bind(q, type);

    if (p == NULL)
        set_null(bind);
    bind->buffer = (void *)(uintptr_t)p; /* read only: the connector copies from it */
    bind->buffer_length = (unsigned long)n;
    bind_done(q);
}

void query_bind_str(struct query *q, struct str s)
{
    bind_data(q, MYSQL_TYPE_STRING, s.p, s.n);
}

void query_bind_bytes(struct query *q, const void *p, size_t n)
{
    bind_data(q, MYSQL_TYPE_BLOB, p, n);
}

void query_bind_blob(struct query *q, struct str s)
{
    bind_data(q, MYSQL_TYPE_BLOB, s.p, s.n);
}

void query_bind_id(struct query *q, const struct id *id)
{
    bind_data(q, MYSQL_TYPE_BLOB, id != NULL ? id->b : NULL, sizeof(id->b));
}

void query_bind_time(struct query *q, usec_t t)
{
    MYSQL_BIND *bind = next_bind(q, MYSQL_TYPE_DATETIME);
    MYSQL_TIME *time = &q->values[q->bound].time;

    memset(time, 0, sizeof(*time));
    if (t == TIME_NONE) {
        set_null(bind);
    } else {
        struct time_fields f;
        time_split(t, &f);
        time->year = (unsigned)f.year;
        time->month = (unsigned)f.month;
        time->day = (unsigned)f.day;
        time->hour = (unsigned)f.hour;
        time->minute = (unsigned)f.minute;
        time->second = (unsigned)f.second;
        time->second_part = (unsigned long)f.usec;
        time->time_type = MYSQL_TIMESTAMP_DATETIME;
    }
    bind_done(q);
}

void query_bind_null(struct query *q)
{
    set_null(next_bind(q, MYSQL_TYPE_STRING));
    bind_done(q);
}

void query_bind_i64_if(struct query *q, bool is, int64_t value)
{
    if (is)
        query_bind_i64(q, value);
    else
        query_bind_null(q);
}

/* ---- running ---- */

static int prepare(struct query *q, struct err *err)
{
    struct db *db = q->db;
    struct buf text;

    if (q->prepared != NULL && q->generation == db->generation)
        return 0;
    forget_prepared(q);
    buf_init(&text, STATEMENT_TEXT_MAX);
    stmt_expand(&text, q->stmt, q->copies);
    if (text.overflow)
        die("%s: the text of %zu copies is too long", stmt_name(q->stmt), q->copies);
    q->prepared = mysql_stmt_init(db->mysql);
    if (q->prepared == NULL)
        die("out of memory");
    q->generation = db->generation;
    int failed = db_io_prepare(db, q->prepared, text.data, text.len);
    buf_deinit(&text);
    if (failed) {
        db_failed(db, DB_STEP_HARMLESS, mysql_stmt_errno(q->prepared),
                  mysql_stmt_error(q->prepared), stmt_name(q->stmt), err);
        forget_prepared(q);
        return -1;
    }
    if (mysql_stmt_param_count(q->prepared) != q->param_count)
        die("%s: the server counts %lu placeholders, not %zu", stmt_name(q->stmt),
            mysql_stmt_param_count(q->prepared), q->param_count);
    return 0;
}

/* "Duplicate entry '...' for key 'idempotency'": the entry may hold anything, so from the end. */
static void keep_duplicate_key(struct query *q, const char *message)
{
    static const char before[] = " for key '";
    const char *found = NULL;

    for (const char *p = message; (p = strstr(p, before)) != NULL; p++)
        found = p + sizeof(before) - 1;
    size_t n = found != NULL ? strcspn(found, "'") : 0;
    if (n >= sizeof(q->duplicate_key))
        n = sizeof(q->duplicate_key) - 1;
    if (n > 0)
        memcpy(q->duplicate_key, found, n);
    q->duplicate_key[n] = '\0';
}

/* *unsent_r: the connection was gone before the statement had left. */
static int fail(struct query *q, bool *unsent_r, struct err *err)
{
    unsigned number = mysql_stmt_errno(q->prepared);
    const char *message = mysql_stmt_error(q->prepared);

    *unsent_r = db_error_unsent(number);
    if (db_error_duplicate(number))
        keep_duplicate_key(q, message);
    return db_failed(q->db, q->writes ? DB_STEP_WRITE : DB_STEP_HARMLESS, number, message,
                     stmt_name(q->stmt), err);
}

static int execute(struct query *q, bool *unsent_r, struct err *err)
{
    *unsent_r = false;
    if (prepare(q, err) < 0) {
        *unsent_r = q->db->mysql == NULL;
        return -1;
    }
    if (q->param_count > 0 && mysql_stmt_bind_param(q->prepared, q->params))
        return fail(q, unsent_r, err);
    if (db_io_execute(q->db, q->prepared) != 0)
        return fail(q, unsent_r, err);
    if (mysql_stmt_field_count(q->prepared) == 0) {
        q->affected = mysql_stmt_affected_rows(q->prepared);
        return 0;
    }
    if (rows_bind(q) != 0 || db_io_store(q->db, q->prepared) != 0) {
        bool after_sending;
        return fail(q, &after_sending, err);
    }
    q->has_result = true;
    q->affected = mysql_stmt_num_rows(q->prepared);
    return 0;
}

static int run(struct query *q, bool again, struct err *err)
{
    struct db *db = q->db;
    bool fresh = false, unsent = false;

    if (q->bound != q->param_count)
        die("%s: %zu values for %zu placeholders", stmt_name(q->stmt), q->bound, q->param_count);
    q->affected = 0;
    q->duplicate_key[0] = '\0';
    if (db->in_transaction) {
        if (db->broken)
            return err_set(err, ERR_UNAVAILABLE, "%s: the transaction is already over",
                           stmt_name(q->stmt));
        return execute(q, &unsent, err);
    }
    if (db_connect(db, &fresh, err) < 0)
        return -1;
    int result = execute(q, &unsent, err);
    if (result < 0 && again && !fresh && unsent) {
        if (db_connect(db, &fresh, err) < 0)
            return -1;
        result = execute(q, &unsent, err);
    }
    return result;
}

int query_run(struct query *q, struct err *err)
{
    return run(q, false, err);
}

int query_run_again(struct query *q, struct err *err)
{
    return run(q, true, err);
}

int db_now(struct db *db, usec_t *now_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CLOCK);

    if (query_run_again(q, err) != 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "the database has no clock");
    *now_r = query_time(q);
    return 0;
}

uint64_t query_affected(const struct query *q)
{
    return q->affected;
}

const char *query_duplicate_key(const struct query *q)
{
    return q->duplicate_key;
}
