/*
 * fiber.c - fibers over ucontext: a mapped stack each with a guard page below, and a few stacks
 * kept for the next ones. Who runs when is decided by the callers of fiber_resume().
 *
 * AddressSanitizer must be told of every switch, or it takes the other stack for wild memory.
 */
#include "lib/base/fiber.h"
#include "lib/base/pool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define __sanitizer_start_switch_fiber(save, bottom, size)                                         \
    ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(fake, bottom, size)                                        \
    ((void)(fake), (void)(bottom), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define STACK_SIZE ((size_t)262144)
#define SPARE_STACKS_MAX 16

enum state { MADE, RUNNING, SUSPENDED, ENDED };

struct fiber {
    enum state state;
    fiber_fn *fn;
    void *ctx;
    char *stack; /* STACK_SIZE bytes, above the guard page */
    ucontext_t context, resumer;
    const void *resumer_stack; /* for AddressSanitizer, as the next two */
    size_t resumer_stack_size;
    void *fake_stack;
};

static struct fiber *current;
static char *spare_stacks[SPARE_STACKS_MAX];
static size_t spare_count;

static size_t guard_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *stack_take(void)
{
    if (spare_count > 0) {
        return spare_stacks[--spare_count];
    }
    char *map = mmap(NULL, STACK_SIZE + guard_size(), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED || mprotect(map, guard_size(), PROT_NONE) != 0) {
        die("out of memory (a fiber's stack)");
    }
    return map + guard_size();
}

static void stack_give(char *stack)
{
    /* A fiber that ended left its frames' red zones behind. */
    ASAN_UNPOISON_MEMORY_REGION(stack, STACK_SIZE);
    if (spare_count < SPARE_STACKS_MAX) {
        spare_stacks[spare_count++] = stack;
    } else {
        munmap(stack - guard_size(), STACK_SIZE + guard_size());
    }
}

/* The first frame of every fiber. makecontext() passes no pointers, so it looks at current. */
static void start(void)
{
    struct fiber *fiber = current;
    __sanitizer_finish_switch_fiber(NULL, &fiber->resumer_stack, &fiber->resumer_stack_size);
    fiber->fn(fiber->ctx);
    fiber->state = ENDED;
    /* NULL: this stack is not come back to. */
    __sanitizer_start_switch_fiber(NULL, fiber->resumer_stack, fiber->resumer_stack_size);
    setcontext(&fiber->resumer);
    die("setcontext failed");
}

void fiber_create(struct fiber **fiber_r, fiber_fn *fn, void *ctx)
{
    struct fiber *fiber = mem_alloc(sizeof(*fiber));
    fiber->state = MADE;
    fiber->fn = fn;
    fiber->ctx = ctx;
    fiber->stack = stack_take();
    if (getcontext(&fiber->context) != 0) {
        die("getcontext failed");
    }
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_SIZE;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, start, 0);
    *fiber_r = fiber;
}

void fiber_destroy(struct fiber **fiber)
{
    if (*fiber == NULL) {
        return;
    }
    if ((*fiber)->state != ENDED && (*fiber)->state != MADE) {
        die("fiber_destroy: it has not ended");
    }
    stack_give((*fiber)->stack);
    free(*fiber);
    *fiber = NULL;
}

void fiber_resume(struct fiber *fiber)
{
    if (current != NULL || (fiber->state != MADE && fiber->state != SUSPENDED)) {
        die("fiber_resume: called in a fiber, or for one that ended");
    }
    void *fake_stack = NULL;
    current = fiber;
    fiber->state = RUNNING;
    __sanitizer_start_switch_fiber(&fake_stack, fiber->stack, STACK_SIZE);
    if (swapcontext(&fiber->resumer, &fiber->context) != 0) {
        die("swapcontext failed");
    }
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
    current = NULL;
}

bool fiber_ended(const struct fiber *fiber)
{
    return fiber->state == ENDED;
}

void fiber_yield(void)
{
    struct fiber *fiber = current;
    if (fiber == NULL) {
        die("fiber_yield: called outside any fiber");
    }
    fiber->state = SUSPENDED;
    __sanitizer_start_switch_fiber(&fiber->fake_stack, fiber->resumer_stack,
                                   fiber->resumer_stack_size);
    if (swapcontext(&fiber->context, &fiber->resumer) != 0) {
        die("swapcontext failed");
    }
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->resumer_stack,
                                    &fiber->resumer_stack_size);
}

struct fiber *fiber_current(void)
{
    return current;
}
