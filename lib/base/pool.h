/*
 * pool.h - memory that dies together: one pool per request, per tick, per turn.
 *
 * What takes a pool argument returns memory that the pool owns; nobody frees it singly.
 * Out of memory ends the process.
 */
#ifndef HV_POOL_H
#define HV_POOL_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include <stddef.h>

struct pool;

void pool_create(struct pool **pool_r);
void pool_destroy(struct pool **pool);
/* Forgets everything in it; keeps one block, so that a loop of requests does not touch malloc. */
void pool_clear(struct pool *pool);

void *pool_alloc(struct pool *pool, size_t size); /* zeroed, aligned for any type */
#define pool_new(pool, type, count) ((type *)pool_alloc_array((pool), (count), sizeof(type)))
void *pool_alloc_array(struct pool *pool, size_t count, size_t size); /* overflow dies */
char *pool_dup(struct pool *pool, const void *p, size_t n);           /* NUL is added */
char *pool_strdup(struct pool *pool, const char *s);                  /* NULL stays NULL */
struct str pool_str(struct pool *pool, struct str s);                 /* NULL stays NULL */
char *pool_printf(struct pool *pool, const char *format, ...) PRINTF_LIKE(2, 3);
/* Runs fn(ctx) when the pool is cleared or destroyed, newest first. */
void pool_on_clear(struct pool *pool, void (*fn)(void *ctx), void *ctx);

/* For what outlives every pool: malloc and realloc that never return NULL. */
void *mem_alloc(size_t size); /* zeroed */
void *mem_realloc(void *p, size_t size);
char *mem_strdup(const char *s);
/* After something big was freed: gives what malloc keeps of it back to the system, where it can. */
void mem_give_back(void);

#endif
