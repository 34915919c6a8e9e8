/*
 * mailer.h - mail that is due is given to the program of sendmail_path, one at a time, in a lane of
 * its own.
 */
#ifndef HV_MAILER_H
#define HV_MAILER_H

#include "daemon/dispatcher.h"

struct mailer;

void mailer_create(struct mailer **mailer_r, struct dispatcher *dispatcher);
void mailer_destroy(struct mailer **mailer);
/* There may be mail: look now. */
void mailer_look(struct mailer *mailer);
/* As deliverer_idle() and deliverer_settled(). */
bool mailer_idle(const struct mailer *mailer);
bool mailer_settled(const struct mailer *mailer);

#endif
