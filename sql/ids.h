/*
 * ids.h - ids for rows that are made now.
 */
#ifndef HV_IDS_H
#define HV_IDS_H

#include "lib/rules/id.h"

/* Its milliseconds are this host's clock: ids only have to differ and to sort roughly. */
struct id id_new(void);

#endif
