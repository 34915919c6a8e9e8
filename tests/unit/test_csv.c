/*
 * test_csv.c - what is a row and what is none: rows are compared as "line:field|field", faults as
 * "line!sentence", one per line.
 */
#include "lib/base/buf.h"
#include "lib/rules/csv.h"
#include "tests/unit/check_main.h"

#include <stdio.h>
#include <string.h>

static struct pool *pool;

static void setup(void)
{
    pool_create(&pool);
}

static void teardown(void)
{
    pool_destroy(&pool);
}

#define TEXT(literal)                                                                              \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define CLOSES " nothing closes it."
static const struct {
    const char *name;
    struct str text;
    const char *rows;
} cases[] = {
    {"LF and CRLF", TEXT("a,b\n1,2\r\n3,4\n"), "2:1|2\n3:3|4\n"},
    {"no line break at the end", TEXT("a,b\n1,2"), "2:1|2\n"},
    {"a byte order mark",
     TEXT("\xef\xbb\xbf"
          "a\n1\n"),
     "2:1\n"},
    {"names with blanks around them", TEXT(" a , b\n 1 ,2\n"), "2: 1 |2\n"},
    {"empty fields", TEXT("a,b\n,\n\"\",x\n"), "2:|\n3:|x\n"},
    {"an empty field at the very end", TEXT("a,b\n1,"), "2:1|\n"},
    {"empty lines are passed over", TEXT("\n\r\na\n\n1\n\r\n\n2\n\n"), "5:1\n8:2\n"},
    {"comma, quote and line breaks in quotes", TEXT("a,b\n\"x,\"\"y\"\"\",\"1\n2\r\n3\"\nz,w\n"),
     "2:x,\"y\"|1\n2\r\n3\n5:z|w\n"},
    {"a quoted name", TEXT("\"a\"\n1\n"), "2:1\n"},
    {"nothing but a quote, doubled", TEXT("a\n\"\"\"\"\n"), "2:\"\n"},
    {"too few fields", TEXT("a,b\n1\n2,3\n"), "2!It has 1 field where the header has 2.\n3:2|3\n"},
    {"too many fields", TEXT("a\n1,2\n3\n"), "2!It has 2 fields where the header has 1.\n3:3\n"},
    {"a quote inside a field", TEXT("a\nx\"y\nz\n"),
     "2!A quote stands inside a field that does not begin with one.\n3:z\n"},
    {"text behind a closing quote", TEXT("a\n\"x\"y\nz\n"),
     "2!Something stands between a field's closing quote and the next comma.\n3:z\n"},
    {"text behind a quote of several lines", TEXT("a\n\"x\n\"y\nz\n"),
     "2!Something stands between a field's closing quote and the next comma.\n4:z\n"},
    {"a quote that nothing closes", TEXT("a\nx\n\"y\nz\n"),
     "2:x\n3!A quoted field begins here and" CLOSES "\n"},
    {"CR alone", TEXT("a\nx\ry\nz\n"), "2!A line ends in CR alone; it must be CRLF or LF.\n3:z\n"},
    {"not UTF-8, and a quoted field of two lines behind it", TEXT("a,b\n\xff,\"1\n2\"\nx,y\n"),
     "2!It is not UTF-8 text without NUL.\n4:x|y\n"},
    {"NUL", TEXT("a\n\0\nx\n"), "2!It is not UTF-8 text without NUL.\n3:x\n"},
    {"names alone", TEXT("a,b\n"), ""},
};

START_TEST(rows_are_read)
{
    struct csv csv;
    struct csv_row row;
    struct err err;
    struct buf b;

    buf_init(&b, 1000);
    ck_assert_msg(csv_open(&csv, pool, cases[_i].text, &err) == 0, "%s: %s", cases[_i].name,
                  err.message);
    for (;;) {
        enum csv_next next = csv_next(&csv, pool, &row, &err);
        if (next == CSV_END)
            break;
        buf_printf(&b, "%d", (int)row.line);
        if (next == CSV_FAULT)
            buf_printf(&b, "!%s", err.message);
        for (size_t i = 0; next == CSV_ROW && i < csv.column_count; i++) {
            buf_char(&b, i == 0 ? ':' : '|');
            buf_str(&b, row.fields[i]);
        }
        buf_char(&b, '\n');
    }
    ck_assert_msg(str_is(buf_as_str(&b), cases[_i].rows) ||
                      (b.len == 0 && cases[_i].rows[0] == '\0'),
                  "%s: %s", cases[_i].name, b.data);
    ck_assert(csv_next(&csv, pool, &row, &err) == CSV_END);
    buf_deinit(&b);
}
END_TEST

static const struct {
    const char *name, *text, *says;
} headers[] = {
    {"nothing", "", "There is no header row."},
    {"a mark alone", "\xef\xbb\xbf", "There is no header row."},
    {"empty lines alone", "\n\r\n", "There is no header row."},
    {"a column without a name", "a,,b\n", "Column 2 has no name."},
    {"a name of blanks", "a, \n", "Column 2 has no name."},
    {"a name twice", "a,b, a\n", "Columns 1 and 3 have the same name."},
    {"not of its form", "\n\"a\"b\n",
     "line 2: Something stands between a field's closing quote and the next comma."},
};

START_TEST(headers_are_refused)
{
    struct csv csv;
    struct err err;

    ck_assert_msg(csv_open(&csv, pool, str_of(headers[_i].text), &err) == -1, "%s",
                  headers[_i].name);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, headers[_i].says);
}
END_TEST

START_TEST(columns_are_limited)
{
    char text[4 * CSV_COLUMNS_MAX + 8];
    struct csv csv;
    struct err err;
    size_t n = 0;

    for (int i = 0; i <= CSV_COLUMNS_MAX; i++)
        n += (size_t)sprintf(text + n, "%sc%d", i > 0 ? "," : "", i);
    ck_assert(csv_open(&csv, pool, (struct str){text, n}, &err) == -1);
    ck_assert_str_eq(err.message, "There are 65 columns; 64 is the most.");
    ck_assert_ok(csv_open(&csv, pool, (struct str){text, n - 4}, &err), err);
    ck_assert_int_eq(csv_column(&csv, "c63"), 63);
    ck_assert_int_eq(csv_column(&csv, "c64"), -1);
}
END_TEST

static Suite *csv_suite(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, rows_are_read, 0, CASES(cases));
    tcase_add_loop_test(tcase, headers_are_refused, 0, CASES(headers));
    tcase_add_test(tcase, columns_are_limited);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(csv_suite)
