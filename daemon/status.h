/*
 * status.h - `huskyvoice-dispatch --status`: what waits, as a line for people or as JSON.
 */
#ifndef HV_STATUS_H
#define HV_STATUS_H

#include "lib/base/conf.h"

/* Returns the exit status: 0, or 75 when the database is away. */
int status_print(const struct conf *conf, bool json);

#endif
