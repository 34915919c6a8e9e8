/*
 * agents.c - agents as the operator makes and switches them.
 */
#include "sql/agents.h"
#include "sql/accounts.h"
#include "sql/ids.h"
#include "sql/list.h"

/* The INSERT found no row to start from: which of the two it names is not there? */
static int why_not_created(struct db *db, const struct agent_row *row, struct err *err)
{
    int there = workspaces_exists(db, &row->workspace_id, err);

    if (there < 0)
        return -1;
    if (there == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such workspace");
    return err_set(err, ERR_NOT_FOUND, "the workspace has no such carrier");
}

int agents_create(struct db *db, struct agent_row *row, struct err *err)
{
    const struct id *carrier_id = id_is_zero(&row->carrier_id) ? NULL : &row->carrier_id;
    struct query *q = db_use(db, STMT_AGENT_INSERT);

    row->agent_id = id_new();
    row->enabled = true;
    query_bind_id(q, &row->agent_id);
    query_bind_str(q, row->name);
    query_bind_str(q, row->prompt);
    query_bind_str(q, row->greeting);
    query_bind_id(q, carrier_id);
    query_bind_str(q, row->from_number);
    query_bind_i64(q, row->start_delay_seconds);
    query_bind_i64(q, row->ring_timeout_seconds);
    query_bind_i64(q, row->max_duration_seconds);
    query_bind_i64(q, row->redial_on_unknown);
    query_bind_id(q, &row->workspace_id);
    query_bind_id(q, carrier_id);
    query_bind_id(q, carrier_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return why_not_created(db, row, err);
    row->created_at = query_time(q);
    return 0;
}

static void read_agent(struct query *q, struct pool *pool, struct agent_row *row)
{
    query_id(q, &row->agent_id);
    query_id(q, &row->workspace_id);
    query_id(q, &row->carrier_id);
    row->name = query_str(q, pool);
    row->prompt = query_str(q, pool);
    row->greeting = query_str(q, pool);
    row->from_number = query_str(q, pool);
    row->enabled = query_i64(q) != 0;
    row->redial_on_unknown = query_i64(q) != 0;
    row->start_delay_seconds = query_i64(q);
    row->ring_timeout_seconds = query_i64(q);
    row->max_duration_seconds = query_i64(q);
    row->created_at = query_time(q);
}

int agents_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                struct agent_row **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q))
        read_agent(q, pool, LIST_NEXT(pool, rows_r, count_r, &room));
    return 0;
}

int agents_set_enabled(struct db *db, const struct id *agent_id, bool enabled, struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_SET_ENABLED);

    query_bind_i64(q, enabled);
    query_bind_id(q, agent_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such agent");
    return 0;
}

int agents_facts(struct db *db, const struct id *agent_id, struct agent_facts *facts_r,
                 struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_FACTS);

    query_bind_id(q, agent_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND, "there is no such agent");
    facts_r->agent_id = *agent_id;
    query_id(q, &facts_r->workspace_id);
    facts_r->enabled = query_i64(q) != 0;
    facts_r->start_delay_seconds = (unsigned)query_i64(q);
    return 0;
}
