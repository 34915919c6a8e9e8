/*
 * admin_doctor.h - the findings of `doctor`: what was looked at, how it is, how to mend it.
 */
#ifndef HV_ADMIN_DOCTOR_H
#define HV_ADMIN_DOCTOR_H

#include "daemon/admin.h"

/* For programs, for people. */
#define FINDINGS(X)                                                                                \
    X(FINDING_OK, "ok", "ok")                                                                      \
    X(FINDING_WARN, "warn", "warn")                                                                \
    X(FINDING_FAIL, "fail", "FAIL")
enum finding {
#define X(name, text, shown) name,
    FINDINGS(X)
#undef X
        FINDING_COUNT
};

struct doctor;

/* mend: what to do about it; NULL with FINDING_OK. found: how it is. */
void doctor_found(struct doctor *d, enum finding finding, const char *what, const char *mend,
                  const char *found, ...) PRINTF_LIKE(5, 6);

void doctor_database(struct doctor *d, struct admin *a); /* daemon/admin_doctor_database.c */
void doctor_host(struct doctor *d, struct admin *a);     /* daemon/admin_doctor_host.c */

#endif
