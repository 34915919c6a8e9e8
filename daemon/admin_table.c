/*
 * admin_table.c - rows as JSON or as columns.
 */
#include "daemon/admin_table.h"
#include "lib/rules/rate.h"
#include "sql/list.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define CELLS_MAX 40
#define TEXT_MAX (64u << 20)

struct cell {
    const char *name;
    struct str json, shown; /* shown NULL: in JSON only */
    bool detail;
};

struct row {
    struct cell cells[CELLS_MAX];
    size_t count;
    bool details;
};

struct table {
    struct pool *pool;
    struct row *rows;
    size_t count, room;
};

/* ---- values ---- */

struct table *table_new(struct pool *pool)
{
    struct table *t = pool_new(pool, struct table, 1);

    t->pool = pool;
    return t;
}

void table_row(struct table *t)
{
    LIST_NEXT(t->pool, &t->rows, &t->count, &t->room);
}

void table_details(struct table *t)
{
    t->rows[t->count - 1].details = true;
}

static void add(struct table *t, const char *name, struct str json, struct str shown)
{
    struct row *row = &t->rows[t->count - 1];

    if (row->count == CELLS_MAX)
        die("a table's row has more than %d cells", CELLS_MAX);
    row->cells[row->count++] = (struct cell){name, json, shown, row->details};
}

static void add_plain(struct table *t, const char *name, const char *text)
{
    struct str copy = str_of(pool_strdup(t->pool, text));

    add(t, name, copy, copy);
}

/* For people: control characters could play tricks on a terminal, line breaks break lines. */
static struct str printable(struct pool *pool, struct str text)
{
    char *copy = pool_dup(pool, text.p, text.n);

    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
            copy[i] = ' ';
    return (struct str){copy, text.n};
}

void table_text(struct table *t, const char *name, struct str text)
{
    struct buf json;

    if (text.p == NULL) {
        add(t, name, STR("null"), STR("-"));
        return;
    }
    buf_init(&json, TEXT_MAX);
    buf_json(&json, text);
    add(t, name, pool_str(t->pool, buf_as_str(&json)), printable(t->pool, text));
    buf_deinit(&json);
}

void table_id(struct table *t, const char *name, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (id_is_zero(id)) {
        table_text(t, name, STR_NULL);
        return;
    }
    id_format(kind, id, text);
    table_text(t, name, str_of(text));
}

void table_time(struct table *t, const char *name, usec_t time)
{
    char text[TIME_TEXT_SIZE];

    if (time == TIME_NONE) {
        table_text(t, name, STR_NULL);
        return;
    }
    time_format(time, text);
    table_text(t, name, str_of(text));
}

void table_number(struct table *t, const char *name, int64_t number)
{
    add_plain(t, name, pool_printf(t->pool, "%lld", (long long)number));
}

void table_rate(struct table *t, const char *name, int64_t rate)
{
    if (rate == RATE_DEFAULT)
        add(t, name, STR("null"), STR("default"));
    else if (rate == RATE_NONE)
        add(t, name, STR("0"), STR("none"));
    else
        table_number(t, name, rate);
}

void table_bool(struct table *t, const char *name, bool value)
{
    add(t, name, value ? STR("true") : STR("false"), value ? STR("yes") : STR("no"));
}

void table_json(struct table *t, const char *name, struct str json, const char *shown)
{
    add(t, name, json.p != NULL ? json : STR("null"), str_of(pool_strdup(t->pool, shown)));
}

/* ---- JSON ---- */

static void write_object(struct buf *b, const struct row *row)
{
    buf_char(b, '{');
    for (size_t i = 0; i < row->count; i++) {
        if (i > 0)
            buf_lit(b, ", ");
        buf_json(b, str_of(row->cells[i].name));
        buf_lit(b, ": ");
        buf_str(b, row->cells[i].json);
    }
    buf_char(b, '}');
}

static void write_array(struct buf *b, const struct table *t)
{
    buf_char(b, '[');
    for (size_t i = 0; i < t->count; i++) {
        if (i > 0)
            buf_lit(b, ",\n  ");
        write_object(b, &t->rows[i]);
    }
    buf_char(b, ']');
}

static void print(const struct buf *b)
{
    if (b->overflow)
        die("the answer is over %u bytes", TEXT_MAX);
    fwrite(b->data, 1, b->len, stdout);
}

struct str table_as_array(const struct table *t)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    write_array(&b, t);
    struct str text = pool_str(t->pool, buf_as_str(&b));
    buf_deinit(&b);
    return text;
}

static void print_json(const struct table *t, bool list)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    buf_lit(&b, "{\"data\": ");
    if (list)
        write_array(&b, t);
    else
        write_object(&b, &t->rows[0]);
    buf_lit(&b, "}\n");
    print(&b);
    buf_deinit(&b);
}

/* ---- columns ---- */

/* How many columns of a terminal; what is no character of the locale counts as one per byte. */
static size_t width(struct str text)
{
    mbstate_t state;
    size_t columns = 0;

    memset(&state, 0, sizeof(state));
    while (text.n > 0) {
        wchar_t c;
        size_t n = mbrtowc(&c, text.p, text.n, &state);
        if (n == 0 || n > text.n)
            return columns + text.n;
        int w = wcwidth(c);
        columns += w >= 0 ? (size_t)w : 1;
        text.p += n;
        text.n -= n;
    }
    return columns;
}

static void put(struct str text, size_t columns, bool last)
{
    fwrite(text.p, 1, text.n, stdout);
    for (size_t w = width(text); !last && w < columns + 2; w++)
        putchar(' ');
}

static struct str title(struct pool *pool, const char *name)
{
    char *text = pool_strdup(pool, name);

    for (char *p = text; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : (char)toupper((unsigned char)*p);
    return str_of(text);
}

static bool in_list(const struct cell *cell)
{
    return !cell->detail && cell->shown.p != NULL;
}

static void put_row(const struct row *row, const struct row *titles, const size_t *widths)
{
    size_t last = 0;

    for (size_t i = 0; i < row->count; i++)
        if (in_list(&row->cells[i]))
            last = i;
    for (size_t i = 0; i < row->count; i++)
        if (in_list(&row->cells[i]))
            put((titles != NULL ? titles : row)->cells[i].shown, widths[i], i == last);
    putchar('\n');
}

static void print_columns(const struct table *t)
{
    size_t widths[CELLS_MAX] = {0};
    struct row titles;

    if (t->count == 0)
        return;
    titles = t->rows[0];
    for (size_t i = 0; i < titles.count; i++) {
        titles.cells[i].shown = title(t->pool, titles.cells[i].name);
        widths[i] = width(titles.cells[i].shown);
        for (size_t r = 0; r < t->count; r++) {
            size_t w = width(t->rows[r].cells[i].shown);
            widths[i] = w > widths[i] ? w : widths[i];
        }
    }
    put_row(&t->rows[0], &titles, widths);
    for (size_t r = 0; r < t->count; r++)
        put_row(&t->rows[r], NULL, widths);
}

static void print_lines(const struct row *row)
{
    size_t widest = 0;

    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].shown.p != NULL && strlen(row->cells[i].name) > widest)
            widest = strlen(row->cells[i].name);
    for (size_t i = 0; i < row->count; i++) {
        if (row->cells[i].shown.p == NULL)
            continue;
        put(str_of(row->cells[i].name), widest, false);
        put(row->cells[i].shown, 0, true);
        putchar('\n');
    }
}

void table_print_list(const struct table *t, bool json)
{
    if (json)
        print_json(t, true);
    else
        print_columns(t);
}

void table_print_object(const struct table *t, bool json)
{
    if (t->count != 1)
        die("an object has one row, not %zu", t->count);
    if (json)
        print_json(t, false);
    else
        print_lines(&t->rows[0]);
}
