/*
 * rows.c - the result of a statement: its columns bound by their types, its rows read one by one.
 *
 * A result is stored on the client by query_run(), so that the connection is free at once. Texts
 * are copied out of it straight into the caller's pool, whatever their size.
 */
#include "sql/db_private.h"

#include <stdlib.h>
#include <string.h>

static enum column_kind kind_of(enum enum_field_types type)
{
    switch ((int)type) { /* the connector's enum has more members than a column can be of */
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        return COLUMN_INTEGER;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return COLUMN_TIME;
    default:
        return COLUMN_TEXT;
    }
}

static void bind_column(struct column *column, MYSQL_BIND *bind, const MYSQL_FIELD *field)
{
    column->type = field->type;
    column->kind = kind_of(field->type);
    column->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
    bind->is_null = &column->is_null;
    bind->error = &column->error;
    bind->length = &column->length;
    switch (column->kind) {
    case COLUMN_INTEGER:
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->is_unsigned = column->is_unsigned;
        bind->buffer = &column->value.integer;
        bind->buffer_length = sizeof(column->value.integer);
        break;
    case COLUMN_TIME:
        bind->buffer_type = MYSQL_TYPE_DATETIME;
        bind->buffer = &column->value.time;
        bind->buffer_length = sizeof(column->value.time);
        break;
    case COLUMN_TEXT: /* no room: query_str() fetches it, when it knows the length */
        bind->buffer_type = MYSQL_TYPE_BLOB;
        bind->buffer = &column->value;
        bind->buffer_length = 0;
        break;
    }
}

/* The types of a column can change with those of the values bound (COALESCE(?, ...)). */
static bool columns_fit(const struct query *q, const MYSQL_FIELD *fields, size_t count)
{
    if (q->column_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (q->columns[i].type != fields[i].type ||
            q->columns[i].is_unsigned != ((fields[i].flags & UNSIGNED_FLAG) != 0))
            return false;
    return true;
}

int rows_bind(struct query *q)
{
    size_t count = mysql_stmt_field_count(q->prepared);
    const MYSQL_FIELD *fields = mariadb_stmt_fetch_fields(q->prepared);

    if (columns_fit(q, fields, count))
        return 0;
    rows_forget(q);
    q->columns = mem_alloc(count * sizeof(*q->columns));
    q->results = mem_alloc(count * sizeof(*q->results));
    q->column_count = count;
    for (size_t i = 0; i < count; i++)
        bind_column(&q->columns[i], &q->results[i], &fields[i]);
    return mysql_stmt_bind_result(q->prepared, q->results);
}

void rows_forget(struct query *q)
{
    free(q->columns);
    free(q->results);
    q->columns = NULL;
    q->results = NULL;
    q->column_count = 0;
}

void rows_free(struct query *q)
{
    if (q->has_result)
        mysql_stmt_free_result(q->prepared);
    q->has_result = q->on_row = false;
}

bool query_next(struct query *q)
{
    if (!q->has_result)
        return false;
    if (q->generation != q->db->generation && q->generation != q->db->lost_generation)
        die("%s: rows of a connection that is long gone", stmt_name(q->stmt));
    q->next_column = 0;
    int status = mysql_stmt_fetch(q->prepared); /* "truncated" is what texts always are */
    q->on_row = status == 0 || status == MYSQL_DATA_TRUNCATED;
    if (!q->on_row) {
        if (status != MYSQL_NO_DATA)
            die("%s: fetch: %s", stmt_name(q->stmt), mysql_stmt_error(q->prepared));
        rows_free(q);
    }
    return q->on_row;
}

static struct column *peek_column(struct query *q)
{
    if (!q->on_row)
        die("%s: read without a row", stmt_name(q->stmt));
    if (q->next_column >= q->column_count)
        die("%s: read past its %zu columns", stmt_name(q->stmt), q->column_count);
    return &q->columns[q->next_column];
}

/* The next column, or NULL when it is SQL's NULL. */
static struct column *take_column(struct query *q, enum column_kind kind)
{
    struct column *column = peek_column(q);

    q->next_column++;
    if (column->is_null)
        return NULL;
    if (column->kind != kind)
        die("%s: column %zu is of another type than read", stmt_name(q->stmt), q->next_column);
    return column;
}

bool query_null(struct query *q)
{
    return peek_column(q)->is_null;
}

void query_skip(struct query *q, unsigned columns)
{
    while (columns-- > 0) {
        peek_column(q);
        q->next_column++;
    }
}

int64_t query_i64_or(struct query *q, int64_t null_value)
{
    const struct column *column = take_column(q, COLUMN_INTEGER);

    return column != NULL ? column->value.integer : null_value;
}

int64_t query_i64(struct query *q)
{
    return query_i64_or(q, 0);
}

/* Copies the text of the column just taken to where there is room for all of it. */
static void fetch_text(struct query *q, void *p, size_t n)
{
    MYSQL_BIND bind;

    if (n == 0)
        return;
    memset(&bind, 0, sizeof(bind));
    bind.buffer_type = MYSQL_TYPE_BLOB;
    bind.buffer = p;
    bind.buffer_length = (unsigned long)n;
    if (mysql_stmt_fetch_column(q->prepared, &bind, (unsigned)q->next_column - 1, 0) != 0)
        die("%s: fetch: %s", stmt_name(q->stmt), mysql_stmt_error(q->prepared));
}

struct str query_str(struct query *q, struct pool *pool)
{
    const struct column *column = take_column(q, COLUMN_TEXT);

    if (column == NULL)
        return STR_NULL;
    size_t n = column->length;
    char *p = pool_alloc(pool, n + 1);
    fetch_text(q, p, n);
    return (struct str){p, n};
}

bool query_id(struct query *q, struct id *id_r)
{
    const struct column *column = take_column(q, COLUMN_TEXT);

    memset(id_r, 0, sizeof(*id_r));
    if (column == NULL)
        return false;
    if (column->length != sizeof(id_r->b))
        die("%s: column %zu is no id", stmt_name(q->stmt), q->next_column);
    fetch_text(q, id_r->b, sizeof(id_r->b));
    return true;
}

usec_t query_time(struct query *q)
{
    const struct column *column = take_column(q, COLUMN_TIME);

    if (column == NULL || column->value.time.year == 0)
        return TIME_NONE;
    const MYSQL_TIME *time = &column->value.time;
    struct time_fields f = {
        .year = (int)time->year,
        .month = (int)time->month,
        .day = (int)time->day,
        .hour = (int)time->hour,
        .minute = (int)time->minute,
        .second = (int)time->second,
        .usec = (int)time->second_part,
    };
    return time_join(&f);
}
