/*
 * workflow.c - see workflow.h.
 */
#include "daemon/workflow.h"

#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/functions.h"
#include "sql/signing.h"

static struct workflow *workflow_new(const struct id *workspace_id)
{
    struct pool *pool;

    pool_create(&pool);
    struct workflow *w = pool_new(pool, struct workflow, 1);
    w->pool = pool;
    w->references = 1;
    w->workspace_id = *workspace_id;
    return w;
}

static int read_secrets(const struct dispatcher *d, struct db *db, struct workflow *w,
                        struct err *err)
{
    return signing_secrets(db, w->pool, d->keys, &w->workspace_id, &w->secrets, &w->secret_count,
                           err);
}

static void tell_lost(const struct workflow *w)
{
    char id[ID_TEXT_SIZE];

    for (size_t i = 0; i < w->function_count; i++) {
        if (!w->functions[i].headers_lost)
            continue;
        id_format(ID_FUNCTION, &w->functions[i].function_id, id);
        log_write(LOG_ERROR, "a function's stored headers can't be read", "function=%s", id);
    }
}

int workflow_of_agent(const struct dispatcher *d, struct db *db, const struct id *workspace_id,
                      const struct id *agent_id, enum function_phase phase,
                      struct workflow **workflow_r, struct err *err)
{
    struct workflow *w = workflow_new(workspace_id);

    if (functions_to_run(db, w->pool, d->keys, agent_id, phase, &w->functions, &w->function_count,
                         err) != 0 ||
        read_secrets(d, db, w, err) != 0) {
        workflow_release(&w);
        return -1;
    }
    tell_lost(w);
    *workflow_r = w;
    return 0;
}

int workflow_of_function(const struct dispatcher *d, struct db *db, const struct id *workspace_id,
                         const struct id *function_id, struct workflow **workflow_r,
                         struct err *err)
{
    struct workflow *w = workflow_new(workspace_id);

    w->functions = pool_new(w->pool, struct function, 1);
    w->function_count = 1;
    if (functions_to_finish(db, w->pool, d->keys, workspace_id, function_id, w->functions, err) !=
            0 ||
        read_secrets(d, db, w, err) != 0) {
        workflow_release(&w);
        return -1;
    }
    tell_lost(w);
    *workflow_r = w;
    return 0;
}

struct workflow *workflow_keep(struct workflow *w)
{
    w->references++;
    return w;
}

void workflow_release(struct workflow **workflow)
{
    struct workflow *w = *workflow;

    *workflow = NULL;
    if (!w || --w->references > 0)
        return;
    for (size_t i = 0; i < w->secret_count; i++)
        crypto_wipe((void *)w->secrets[i].p, w->secrets[i].n);
    struct pool *pool = w->pool;
    pool_destroy(&pool);
}
