/*
 * pool.c - a bump allocator: blocks that grow from 4 to 64 KiB, one more block of its own size for
 * anything bigger. Clearing keeps the largest ordinary block.
 *
 * Under AddressSanitizer the unused part of each block is poisoned, so that reading what an
 * earlier request left behind is reported.
 */
#include "lib/base/pool.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifdef __has_feature
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define BLOCK_SIZE_MIN ((size_t)4096)
#define BLOCK_SIZE_MAX ((size_t)65536)
#define ALIGNMENT alignof(max_align_t)

struct block {
    struct block *older;
    size_t size, used; /* of data */
    alignas(max_align_t) unsigned char data[];
};

struct cleanup {
    struct cleanup *older;
    void (*fn)(void *ctx);
    void *ctx;
};

struct pool {
    struct block *newest; /* the one that small things are cut from */
    struct cleanup *cleanups;
    size_t next_size;
};

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size == 0 ? 1 : size);
    if (p == NULL) {
        die("out of memory (%zu bytes)", size);
    }
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    void *q = realloc(p, size == 0 ? 1 : size);
    if (q == NULL) {
        die("out of memory (%zu bytes)", size);
    }
    return q;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

void mem_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void pool_create(struct pool **pool_r)
{
    struct pool *pool = mem_alloc(sizeof(*pool));
    pool->next_size = BLOCK_SIZE_MIN;
    *pool_r = pool;
}

static struct block *block_create(size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);
    if (block == NULL) {
        die("out of memory (%zu bytes)", size);
    }
    block->older = NULL;
    block->size = size;
    block->used = 0;
    ASAN_POISON_MEMORY_REGION(block->data, size);
    return block;
}

void pool_clear(struct pool *pool)
{
    for (struct cleanup *c = pool->cleanups; c != NULL; c = c->older) {
        c->fn(c->ctx);
    }
    pool->cleanups = NULL;
    struct block *kept = NULL;
    struct block *older;
    for (struct block *block = pool->newest; block != NULL; block = older) {
        older = block->older;
        if (block->size <= BLOCK_SIZE_MAX && (kept == NULL || block->size > kept->size)) {
            free(kept);
            kept = block;
        } else {
            free(block);
        }
    }
    if (kept != NULL) {
        kept->older = NULL;
        kept->used = 0;
        ASAN_POISON_MEMORY_REGION(kept->data, kept->size);
    }
    pool->newest = kept;
}

void pool_destroy(struct pool **pool)
{
    if (*pool == NULL) {
        return;
    }
    pool_clear(*pool);
    free((*pool)->newest);
    free(*pool);
    *pool = NULL;
}

/* A block for something that the newest one has no room for. */
static struct block *block_for(struct pool *pool, size_t size)
{
    if (size > BLOCK_SIZE_MAX / 4) {
        /* Goes behind the newest, whose rest is still good for small things. */
        struct block *block = block_create(size);
        if (pool->newest == NULL) {
            pool->newest = block;
        } else {
            block->older = pool->newest->older;
            pool->newest->older = block;
        }
        return block;
    }
    while (pool->next_size < size) {
        pool->next_size *= 2;
    }
    struct block *block = block_create(pool->next_size);
    if (pool->next_size < BLOCK_SIZE_MAX) {
        pool->next_size *= 2;
    }
    block->older = pool->newest;
    pool->newest = block;
    return block;
}

void *pool_alloc(struct pool *pool, size_t size)
{
    if (size > SIZE_MAX / 2) {
        die("pool_alloc: impossible size");
    }
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded == 0) {
        rounded = ALIGNMENT;
    }
    struct block *block = pool->newest;
    if (block == NULL || block->size - block->used < rounded) {
        block = block_for(pool, rounded);
    }
    unsigned char *p = block->data + block->used;
    block->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return memset(p, 0, size);
}

void *pool_alloc_array(struct pool *pool, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        die("pool_alloc_array: %zu of %zu bytes", count, size);
    }
    return pool_alloc(pool, total);
}

char *pool_dup(struct pool *pool, const void *p, size_t n)
{
    char *copy = pool_alloc(pool, n + 1);
    if (n > 0) {
        memcpy(copy, p, n);
    }
    return copy;
}

char *pool_strdup(struct pool *pool, const char *s)
{
    return s == NULL ? NULL : pool_dup(pool, s, strlen(s));
}

struct str pool_str(struct pool *pool, struct str s)
{
    return s.p == NULL ? STR_NULL : (struct str){pool_dup(pool, s.p, s.n), s.n};
}

char *pool_printf(struct pool *pool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        die("pool_printf: bad format \"%s\"", format);
    }
    char *text = pool_alloc(pool, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void pool_on_clear(struct pool *pool, void (*fn)(void *ctx), void *ctx)
{
    struct cleanup *c = pool_new(pool, struct cleanup, 1);
    *c = (struct cleanup){.older = pool->cleanups, .fn = fn, .ctx = ctx};
    pool->cleanups = c;
}
