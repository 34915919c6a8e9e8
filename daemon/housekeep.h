/*
 * housekeep.h - what is done now and then: what has expired is deleted, owners are told of
 * endpoints that fail. One lane goes through a table of jobs, in small steps, every
 * housekeeping_interval.
 */
#ifndef HV_HOUSEKEEP_H
#define HV_HOUSEKEEP_H

#include "daemon/dispatcher.h"

struct housekeeper;

void housekeeper_create(struct housekeeper **housekeeper_r, struct dispatcher *dispatcher);
void housekeeper_destroy(struct housekeeper **housekeeper);
/* A first round is over, or the last. */
bool housekeeper_idle(const struct housekeeper *housekeeper);
bool housekeeper_settled(const struct housekeeper *housekeeper);
/* The dispatcher stops: the lane is to see it. */
void housekeeper_look(struct housekeeper *housekeeper);

#endif
