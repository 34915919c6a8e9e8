/*
 * function_counters.c - a row per phase, a column per outcome.
 */
#include "sql/function_counters.h"

int function_counters_open(struct counters **counters_r, const char *runtime_dir, struct err *err)
{
    return counters_open(counters_r, runtime_dir, "functions", FUNCTION_PHASE_COUNT,
                         RUN_ERROR_COUNT, err);
}

void function_counters_add(struct counters *counters, enum function_phase phase, struct str error)
{
    for (int e = 0; e < RUN_ERROR_COUNT; e++) {
        const char *text = run_error_text((enum run_error)e);
        if (error.p == NULL ? e == RUN_GOOD : str_is(error, text)) {
            counters_add(counters, phase, (size_t)e, 1);
            return;
        }
    }
}

uint64_t function_counters_read(const struct counters *counters, enum function_phase phase,
                                enum run_error error)
{
    return counters_read(counters, phase, error);
}
