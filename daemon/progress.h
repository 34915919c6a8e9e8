/*
 * progress.h - the line on the operator's terminal that says how far a long command has come. It
 * goes to standard error, and only where that is a terminal.
 */
#ifndef HV_PROGRESS_H
#define HV_PROGRESS_H

#include "lib/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_UNKNOWN (-1.0)

struct progress {
    bool on_terminal;
    usec_t began_at, shown_at; /* monotonic */
};

void progress_init(struct progress *progress);
/* Is it time for another line? Cheap: may be asked for each row. */
bool progress_due(const struct progress *progress);
/* part: 0 to 1 of the whole, as a bar; or PROGRESS_UNKNOWN. note: behind the rows, or "". */
void progress_show(struct progress *progress, double part, double rows, const char *note);
/* Takes the line away, so that something else can be said. */
void progress_clear(const struct progress *progress);
/* The line stays as it is. */
void progress_end(const struct progress *progress);

#endif
