/*
 * simulator.h - the carrier that dials nobody: what it plays for which number.
 */
#ifndef HV_SIMULATOR_H
#define HV_SIMULATOR_H

#include "lib/voice/carrier.h"

extern const struct carrier_ops simulator_ops;

#endif
