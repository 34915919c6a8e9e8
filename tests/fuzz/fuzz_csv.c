/*
 * fuzz_csv.c - CSV: rows come with growing line numbers and an end, and each field is text.
 */
#include "lib/rules/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct csv *csv, struct pool *pool)
{
    struct csv_row row;
    struct err err;
    enum csv_next next;
    uint64_t line = 0;

    while ((next = csv_next(csv, pool, &row, &err)) != CSV_END) {
        if (row.line <= line || (next == CSV_FAULT && err.message[0] == '\0'))
            abort();
        line = row.line;
        for (size_t i = 0; next == CSV_ROW && i < csv->column_count; i++)
            if (row.fields[i].p == NULL || !str_utf8_valid(row.fields[i]))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool *pool;
    struct csv csv;
    struct err err;

    pool_create(&pool);
    if (csv_open(&csv, pool, (struct str){(const char *)data, size}, &err) == 0)
        read_all(&csv, pool);
    pool_destroy(&pool);
    return 0;
}
