/*
 * fault.h - points at which a test may let the dispatcher die, to see what the tables say then.
 *
 * Only in builds configured with --enable-fault-points: there HUSKYVOICE_FAULT=NAME[:N] in the
 * environment kills the process at the N-th passing of that point (default the first).
 */
#ifndef HV_FAULT_H
#define HV_FAULT_H

#ifdef HV_FAULT_POINTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
