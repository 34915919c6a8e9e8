/*
 * deliver.h - deliveries: drawn per destination as far as its window allows, sent, and what became
 * of them written in batches. Two lanes: one draws, one writes.
 */
#ifndef HV_DELIVER_H
#define HV_DELIVER_H

#include "daemon/dispatcher.h"
#include "lib/rules/id.h"

void deliverer_create(struct deliverer **deliverer_r, struct dispatcher *dispatcher);
void deliverer_destroy(struct deliverer **deliverer);
/* These destinations have something due now. */
void deliverer_wake(struct deliverer *deliverer, const struct id *destinations, size_t count);
/* It was changed by its owner: reads it anew, and looks whether it has something due. */
void deliverer_reload(struct deliverer *deliverer, const struct id *destination);
/* Something may be due: look again. */
void deliverer_look(struct deliverer *deliverer);
/* Nothing is due, under way or to be written. */
bool deliverer_idle(const struct deliverer *deliverer);
/* Nothing is under way or to be written, whatever may be due. */
bool deliverer_settled(const struct deliverer *deliverer);

#endif
