/*
 * shared.h - memory that all processes of this host share: a file in the runtime folder, mapped
 * into each. Losing it loses what is in it, so nothing that matters may be.
 *
 * The file begins with its shape; one of another shape is replaced, and who has that mapped keeps
 * the old one. New bytes are zero. What changes them does so with atomic operations: a process may
 * die between any two instructions.
 */
#ifndef HV_SHARED_H
#define HV_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shared_shape {
    uint64_t magic, rows, columns;
};

/* size bytes that begin with a struct shared_shape. Without a usable folder (runtime_dir NULL, or
 * not writable) they are the process's own; *shared_r says which. */
void *shared_map(const char *runtime_dir, const char *name, const struct shared_shape *shape,
                 size_t size, bool *shared_r);
void shared_unmap(void *map, size_t size);

#endif
