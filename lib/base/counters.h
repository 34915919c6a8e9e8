/*
 * counters.h - counters that all processes of this host share: a file in the runtime folder,
 * mapped into each. Losing it loses counts, nothing else.
 *
 * One counter per (row, column): for requests, row = route and column = status. Without a usable
 * runtime folder the counters are the process's own; counters_shared() says which.
 */
#ifndef HV_COUNTERS_H
#define HV_COUNTERS_H

#include "lib/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counters;

/* shape changes with the program's tables: a file of another shape is replaced. */
int counters_open(struct counters **counters_r, const char *runtime_dir, const char *name,
                  size_t rows, size_t columns, struct err *err) MUST_CHECK;
void counters_close(struct counters **counters);
bool counters_shared(const struct counters *counters);
void counters_add(struct counters *counters, size_t row, size_t column, uint64_t n);
uint64_t counters_read(const struct counters *counters, size_t row, size_t column);

#endif
