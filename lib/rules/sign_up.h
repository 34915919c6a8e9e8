/*
 * sign_up.h - who may sign up.
 */
#ifndef HV_SIGN_UP_H
#define HV_SIGN_UP_H

#include "lib/base/str.h"

enum sign_up_mode { SIGN_UP_INVITATION, SIGN_UP_OPEN, SIGN_UP_CLOSED };

/* The setting sign_up; ERR_INVALID. */
int sign_up_parse(struct str text, enum sign_up_mode *mode_r, struct err *err) MUST_CHECK;

#endif
