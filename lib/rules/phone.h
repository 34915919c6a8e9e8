/*
 * phone.h - Indian phone numbers: is it one, of what kind, and if not, what is wrong with it.
 */
#ifndef HV_PHONE_H
#define HV_PHONE_H

#include "lib/base/err.h"
#include "lib/base/str.h"

enum phone_kind { PHONE_MOBILE, PHONE_LANDLINE };

/* ERR_INVALID with the reference's sentence, "contact_number must be a valid +91 E.164 phone
 * number.", and after it what is wrong with this one; `field` replaces "contact_number". */
int phone_check(struct str number, const char *field, enum phone_kind *kind_r,
                struct err *err) MUST_CHECK;

#endif
