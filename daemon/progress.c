/*
 * progress.c - see progress.h.
 */
#include "daemon/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOW_EVERY (200 * USEC_PER_MS)
#define BAR_WIDTH 30

void progress_init(struct progress *p)
{
    p->on_terminal = isatty(STDERR_FILENO) == 1;
    p->began_at = clock_monotonic();
    p->shown_at = 0;
}

bool progress_due(const struct progress *p)
{
    return p->on_terminal && clock_monotonic() - p->shown_at >= SHOW_EVERY;
}

static void show_bar(double part)
{
    char bar[BAR_WIDTH + 1];

    memset(bar, '-', BAR_WIDTH);
    memset(bar, '#', (size_t)(part * BAR_WIDTH));
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "[%s] %3d %%  ", bar, (int)(part * 100));
}

void progress_show(struct progress *p, double part, double rows, const char *note)
{
    if (!p->on_terminal)
        return;
    p->shown_at = clock_monotonic();
    usec_t took = p->shown_at > p->began_at ? p->shown_at - p->began_at : 1;
    progress_clear(p);
    if (part >= 0)
        show_bar(part);
    fprintf(stderr, "%.0f rows, %.0f rows/s%s", rows, rows * (double)USEC_PER_S / (double)took,
            note);
    fflush(stderr);
}

void progress_clear(const struct progress *p)
{
    if (p->on_terminal)
        fputs("\r\033[K", stderr);
}

void progress_end(const struct progress *p)
{
    if (p->on_terminal)
        fputc('\n', stderr);
}
