/*
 * seen_numbers.h - which called numbers came before in a file, and where, however long it is: 32
 * bytes of memory for each.
 */
#ifndef HV_SEEN_NUMBERS_H
#define HV_SEEN_NUMBERS_H

#include "lib/base/str.h"

struct seen_numbers;

void seen_numbers_create(struct seen_numbers **seen_r);
void seen_numbers_destroy(struct seen_numbers **seen);

/* number: +91 and ten digits; line: at least 1. The line at which it came first, or 0: here. */
uint64_t seen_numbers_add(struct seen_numbers *seen, struct str number, uint64_t line);

#endif
