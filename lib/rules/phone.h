/*
 * phone.h - Indian phone numbers: is it one, of what kind, and if not, what is wrong with it.
 * Whether it may be called is policy.h's.
 */
#ifndef HV_PHONE_H
#define HV_PHONE_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/* The order of the first two is the order of workspaces.number_types. */
enum phone_kind {
    PHONE_MOBILE,
    PHONE_LANDLINE,
    PHONE_SERVICE /* a series whose numbers are services' and not people's: nobody may call them */
};
#define PHONE_KINDS_ALL 3u /* a bit for each that may be called */

/* ERR_INVALID with the reference's sentence, "contact_number must be a valid +91 E.164 phone
 * number.", and after it what is wrong with this one; `field` replaces "contact_number". */
int phone_check(struct str number, const char *field, enum phone_kind *kind_r,
                struct err *err) MUST_CHECK;

#endif
