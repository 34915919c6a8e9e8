/*
 * sendmail.h - one run of a program that takes mail as sendmail(8) does, without a shell: its
 * arguments are -i -f FROM -- TO, the mail is its input.
 */
#ifndef HV_SENDMAIL_H
#define HV_SENDMAIL_H

#include "lib/base/str.h"

#include <sys/types.h>

struct sendmail {
    pid_t pid;
    bool ended;
    int status; /* waitpid(2)'s */
};

/* The program's output goes nowhere: it may repeat what it was given. */
int sendmail_start(struct sendmail *s, const char *path, const char *from, const char *to,
                   struct str mail, struct err *err) MUST_CHECK;
bool sendmail_ended(struct sendmail *s);
/* Ends it and all that it has started. */
void sendmail_kill(struct sendmail *s);
/* Has it taken the mail? ERR_UNAVAILABLE says how it ended. */
int sendmail_result(const struct sendmail *s, struct err *err) MUST_CHECK;

#endif
