/*
 * fence_offer.c - the functions that a voice engine may offer its model during a call, as JSON.
 */
#include "lib/rules/function.h"
#include "sql/fence_private.h"
#include "sql/list.h"

#define OFFER_MAX ((size_t)4 << 20)

int fence_read_offer(struct db *db, struct pool *pool, const struct id *agent_id,
                     struct str *offer_r, struct err *err)
{
    struct function *functions = NULL;
    size_t count = 0, room = 0;
    struct query *q = db_use(db, STMT_FENCE_OFFER);

    query_bind_id(q, agent_id);
    if (query_run(q, err) != 0)
        return -1;
    while (query_next(q)) {
        struct function *f = LIST_NEXT(pool, &functions, &count, &room);
        f->name = query_str(q, pool);
        f->description = query_str(q, pool);
        f->parameters = query_str(q, pool);
        f->say_while_running = query_str(q, pool);
    }
    struct buf b;
    buf_init(&b, OFFER_MAX);
    functions_offer(&b, functions, count);
    bool overflow = b.overflow;
    *offer_r = overflow ? STR_NULL : pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return overflow
               ? err_set(err, ERR_INTERNAL, "an agent's functions are over %zu bytes", OFFER_MAX)
               : 0;
}
