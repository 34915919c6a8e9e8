/*
 * figures.h - the numbers of /metrics, of `huskyvoice-dispatch --status` and of doctor.
 */
#ifndef HV_FIGURES_H
#define HV_FIGURES_H

#include "sql/db.h"

/* Counts stop here: it says "that many or more", and what waits does not make reading them slow. */
#define FIGURES_MOST 20000

struct figures {
    int64_t calls_due;          /* scheduled and due now */
    int64_t calls_active;       /* initiated, ringing or in progress */
    usec_t oldest_due_call_age; /* 0: none */
    int64_t deliveries_waiting; /* waiting and nobody has them under way */
    int64_t deliveries_in_flight;
    int64_t deliveries_failed; /* schedule used up */
    usec_t oldest_waiting_delivery_age;
    int64_t endpoints_held, endpoints_disabled;
};
/* Each count of calls and deliveries is at most `most`. lease_grace: the setting. */
int figures_read(struct db *db, int64_t most, usec_t lease_grace, struct figures *figures_r,
                 struct err *err) MUST_CHECK;

#endif
