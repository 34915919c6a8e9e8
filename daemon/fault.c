/*
 * fault.c - dies where a test asked for it.
 */
#include "daemon/fault.h"

#ifdef HV_FAULT_POINTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fault_point(const char *name)
{
    static long passed;
    const char *wanted = getenv("HUSKYVOICE_FAULT");
    size_t n = strlen(name);
    if (!wanted || strncmp(wanted, name, n) != 0 || (wanted[n] != '\0' && wanted[n] != ':'))
        return;
    long at = wanted[n] == ':' ? strtol(wanted + n + 1, NULL, 10) : 1;
    if (++passed >= at)
        kill(getpid(), SIGKILL);
}
#else
typedef int fault_points_are_off;
#endif
