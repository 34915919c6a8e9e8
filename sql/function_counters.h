/*
 * function_counters.h - how many requests of functions this host made, by phase and outcome: for
 * /metrics, shared by responders and dispatchers.
 */
#ifndef HV_FUNCTION_COUNTERS_H
#define HV_FUNCTION_COUNTERS_H

#include "lib/base/counters.h"
#include "lib/rules/function_run.h"

int function_counters_open(struct counters **counters_r, const char *runtime_dir,
                           struct err *err) MUST_CHECK;
/* error: as in function_runs; STR_NULL: it succeeded. */
void function_counters_add(struct counters *counters, enum function_phase phase, struct str error);
uint64_t function_counters_read(const struct counters *counters, enum function_phase phase,
                                enum run_error error);

#endif
