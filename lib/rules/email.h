/*
 * email.h - addresses of people: one spelling of each, and none that a header or a command line
 * could take for anything else.
 */
#ifndef HV_EMAIL_H
#define HV_EMAIL_H

#include "lib/base/pool.h"

#define EMAIL_MAX 254

/* The address in lower case, in the pool. A dot-atom, '@' and a name of a host (RFC 5321 section
 * 4.1.2, without quoted forms and literals), in ASCII. ERR_INVALID names the field. */
int email_read(struct pool *pool, const char *field, struct str s, struct str *email_r,
               struct err *err) MUST_CHECK;

#endif
