/*
 * agents.c - agents as they are made, read, changed, switched and deleted.
 */
#include "sql/agents.h"
#include "sql/accounts.h"
#include "sql/held_calls.h"
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/transaction.h"
#include "sql/workspaces.h"

#include <string.h>

static int no_such_agent(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such agent");
}

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

/* ---- binds: each value, or NULL ---- */

/* "busy,no_answer", as a SET column takes it. */
#define RETRY_TEXT_SIZE 64
static struct str retry_text(unsigned retry_on, char out[RETRY_TEXT_SIZE])
{
    struct buf b;
    size_t n;

    buf_init(&b, RETRY_TEXT_SIZE);
    for (unsigned i = 0; agent_retry_texts[i] != NULL; i++)
        if ((retry_on & (1u << i)) != 0) {
            buf_text(&b, b.len > 0 ? "," : "");
            buf_text(&b, agent_retry_texts[i]);
        }
    n = b.len;
    if (n > 0)
        memcpy(out, b.data, n);
    buf_deinit(&b);
    return (struct str){out, n};
}

static const struct id *carrier_of(const struct agent_settings *set)
{
    return id_is_zero(&set->carrier_id) ? NULL : &set->carrier_id;
}

static void bind_str_if(struct query *q, bool is, struct str value)
{
    query_bind_str(q, is ? value : STR_NULL);
}

int agents_create(struct db *db, struct agent_row *row, struct err *err)
{
    const struct agent_settings *s = &row->set;
    const struct calling_hours *h = &s->calling_hours;
    const struct id *carrier_id = carrier_of(s);
    char retry[RETRY_TEXT_SIZE];
    struct query *q = db_use(db, STMT_AGENT_INSERT);

    row->agent_id = id_new();
    query_bind_id(q, &row->agent_id);
    query_bind_str(q, s->name);
    query_bind_str(q, s->prompt);
    query_bind_str(q, s->greeting);
    query_bind_str(q, s->language);
    query_bind_str(q, s->voice);
    query_bind_id(q, carrier_id);
    query_bind_str(q, s->from_number);
    query_bind_i64(q, s->start_delay_seconds);
    query_bind_i64(q, s->ring_timeout_seconds);
    query_bind_i64(q, s->max_duration_seconds);
    query_bind_i64(q, s->max_attempts);
    query_bind_str(q, retry_text(s->retry_on, retry));
    query_bind_str(q, s->retry_gaps_minutes);
    query_bind_i64(q, s->redial_on_unknown);
    query_bind_i64_if(q, s->own_hours, h->from_minute);
    query_bind_i64_if(q, s->own_hours, h->to_minute);
    query_bind_i64_if(q, s->own_hours, h->days);
    query_bind_str(q, str_of(agent_outside_texts[s->outside_hours]));
    query_bind_i64_if(q, s->concurrent_calls > 0, s->concurrent_calls);
    query_bind_i64_if(q, s->calls_per_day > 0, s->calls_per_day);
    query_bind_i64(q, s->enabled);
    query_bind_id(q, &row->workspace_id);
    query_bind_id(q, carrier_id);
    query_bind_id(q, carrier_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return why_not_created(db, row, err);
    row->created_at = row->updated_at = query_time(q);
    return 0;
}

/* ---- reading ---- */

static void read_hours(struct query *q, struct agent_settings *s)
{
    s->own_hours = !query_null(q);
    s->calling_hours.from_minute = query_i64(q);
    s->calling_hours.to_minute = query_i64(q);
    s->calling_hours.days = (unsigned)query_i64(q);
}

static void read_agent(struct query *q, struct pool *pool, struct agent_row *row)
{
    struct agent_settings *s = &row->set;

    query_id(q, &row->agent_id);
    query_id(q, &row->workspace_id);
    s->name = query_str(q, pool);
    s->prompt = query_str(q, pool);
    s->greeting = query_str(q, pool);
    s->language = query_str(q, pool);
    s->voice = query_str(q, pool);
    query_id(q, &s->carrier_id);
    s->from_number = query_str(q, pool);
    s->start_delay_seconds = query_i64(q);
    s->ring_timeout_seconds = query_i64(q);
    s->max_duration_seconds = query_i64(q);
    s->max_attempts = query_i64(q);
    s->retry_on = (unsigned)query_i64(q);
    s->retry_gaps_minutes = query_str(q, pool);
    s->redial_on_unknown = query_i64(q) != 0;
    read_hours(q, s);
    s->outside_hours = (int)query_i64(q) - 1;
    s->concurrent_calls = query_i64(q);
    s->calls_per_day = query_i64(q);
    s->enabled = query_i64(q) != 0;
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
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

int agents_get(struct db *db, struct pool *pool, const struct id *workspace_id,
               const struct id *agent_id, struct agent_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_GET);

    query_bind_id(q, agent_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_such_agent(err);
    read_agent(q, pool, row_r);
    return 0;
}

int agents_page(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct agent_filter *filter, struct agent_row **rows_r, size_t *count_r,
                struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_PAGE);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, workspace_id);
    list_bind_page(q, &filter->page);
    query_bind_i64_if(q, filter->enabled >= 0, filter->enabled);
    query_bind_i64_if(q, filter->enabled >= 0, filter->enabled);
    query_bind_i64(q, filter->page.limit + 1);
    if (query_run_again(q, err) < 0)
        return -1;
    while (list_page_next(q, &filter->page, *count_r, end_r)) {
        struct agent_row *row = LIST_NEXT(pool, rows_r, count_r, &room);
        read_agent(q, pool, row);
        end_r->cursor = (struct cursor){row->created_at, row->agent_id};
    }
    return 0;
}

/* ---- changing ---- */

/* In the order of AGENT_CHANGE: NULL leaves a column as it is; before those that NULL is a value
 * of stands whether they are written. */
static void bind_change(struct query *q, const struct agent_settings *s, uint64_t given,
                        char retry[RETRY_TEXT_SIZE])
{
    const struct calling_hours *h = &s->calling_hours;
    bool hours = field_in(given, AGENT_CALLING_HOURS);

    bind_str_if(q, field_in(given, AGENT_NAME), s->name);
    bind_str_if(q, field_in(given, AGENT_PROMPT), s->prompt);
    bind_str_if(q, field_in(given, AGENT_GREETING), s->greeting);
    bind_str_if(q, field_in(given, AGENT_LANGUAGE), s->language);
    bind_str_if(q, field_in(given, AGENT_VOICE), s->voice);
    query_bind_i64(q, field_in(given, AGENT_CARRIER));
    query_bind_id(q, carrier_of(s));
    bind_str_if(q, field_in(given, AGENT_FROM_NUMBER), s->from_number);
    query_bind_i64_if(q, field_in(given, AGENT_START_DELAY), s->start_delay_seconds);
    query_bind_i64_if(q, field_in(given, AGENT_RING_TIMEOUT), s->ring_timeout_seconds);
    query_bind_i64_if(q, field_in(given, AGENT_MAX_DURATION), s->max_duration_seconds);
    query_bind_i64_if(q, field_in(given, AGENT_MAX_ATTEMPTS), s->max_attempts);
    bind_str_if(q, field_in(given, AGENT_RETRY_ON), retry_text(s->retry_on, retry));
    bind_str_if(q, field_in(given, AGENT_RETRY_GAPS), s->retry_gaps_minutes);
    query_bind_i64_if(q, field_in(given, AGENT_REDIAL_ON_UNKNOWN), s->redial_on_unknown);
    query_bind_i64(q, hours);
    query_bind_i64_if(q, s->own_hours, h->from_minute);
    query_bind_i64(q, hours);
    query_bind_i64_if(q, s->own_hours, h->to_minute);
    query_bind_i64(q, hours);
    query_bind_i64_if(q, s->own_hours, h->days);
    bind_str_if(q, field_in(given, AGENT_OUTSIDE_HOURS),
                str_of(agent_outside_texts[s->outside_hours]));
    query_bind_i64(q, field_in(given, AGENT_CONCURRENT_CALLS));
    query_bind_i64_if(q, s->concurrent_calls > 0, s->concurrent_calls);
    query_bind_i64(q, field_in(given, AGENT_CALLS_PER_DAY));
    query_bind_i64_if(q, s->calls_per_day > 0, s->calls_per_day);
    query_bind_i64_if(q, field_in(given, AGENT_ENABLED), s->enabled);
}

/* Nothing was written: is it the agent, or the carrier that it should get? */
static int why_not_changed(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                           bool *no_carrier_r, struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_EXISTS);

    query_bind_id(q, agent_id);
    query_bind_id(q, workspace_id);
    if (query_run_again(q, err) < 0)
        return -1;
    *no_carrier_r = query_next(q);
    if (!*no_carrier_r)
        return no_such_agent(err);
    return err_set(err, ERR_NOT_FOUND, "the workspace has no such carrier");
}

/* What policy held calls by. */
#define POLICY_SETTINGS                                                                            \
    (UINT64_C(1) << AGENT_CALLING_HOURS | UINT64_C(1) << AGENT_OUTSIDE_HOURS |                     \
     UINT64_C(1) << AGENT_CARRIER | UINT64_C(1) << AGENT_CALLS_PER_DAY)
/* And what it stops them by: who sets this knows, when it is answered, what no fence passed by. */
#define FENCE_SETTINGS (POLICY_SETTINGS | UINT64_C(1) << AGENT_ENABLED)

struct change {
    const struct id *workspace_id, *agent_id;
    const struct agent_settings *set;
    uint64_t given;
    bool *no_carrier;
};

static int change(struct db *db, void *ctx, struct err *err)
{
    const struct change *c = ctx;
    const struct id *carrier_id = field_in(c->given, AGENT_CARRIER) ? carrier_of(c->set) : NULL;
    char retry[RETRY_TEXT_SIZE];
    bool judge_anew = (c->given & POLICY_SETTINGS) != 0;

    if ((c->given & FENCE_SETTINGS) != 0 && workspaces_lock(db, c->workspace_id, err) != 0)
        return -1;
    struct query *q = db_use(db, STMT_AGENT_CHANGE);
    bind_change(q, c->set, c->given, retry);
    query_bind_id(q, c->agent_id);
    query_bind_id(q, c->workspace_id);
    query_bind_id(q, carrier_id);
    query_bind_id(q, carrier_id);
    if (query_run(q, err) < 0)
        return -1;
    if (query_affected(q) == 0)
        return why_not_changed(db, c->workspace_id, c->agent_id, c->no_carrier, err);
    return judge_anew ? held_calls_want_recheck(db, c->workspace_id, c->agent_id, err) : 0;
}

int agents_change(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                  const struct agent_settings *set, uint64_t given, bool *no_carrier_r,
                  struct err *err)
{
    struct change c = {workspace_id, agent_id, set, given, no_carrier_r};

    *no_carrier_r = false;
    return transaction_run(db, change, &c, err);
}

struct switching {
    const struct id *workspace_id, *agent_id;
    bool enabled;
};

static int delete (struct db *db, void *ctx, struct err *err)
{
    const struct switching *s = ctx;

    if (workspaces_lock(db, s->workspace_id, err) != 0)
        return -1;
    struct query *q = db_use(db, STMT_AGENT_DELETE);
    query_bind_id(q, s->agent_id);
    query_bind_id(q, s->workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : no_such_agent(err);
}

int agents_delete(struct db *db, const struct id *workspace_id, const struct id *agent_id,
                  struct err *err)
{
    struct switching s = {.workspace_id = workspace_id, .agent_id = agent_id};

    return transaction_run(db, delete, &s, err);
}

static int set_enabled(struct db *db, void *ctx, struct err *err)
{
    const struct switching *s = ctx;
    struct query *q = db_use(db, STMT_AGENT_LOCK_WORKSPACE);

    query_bind_id(q, s->agent_id);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_such_agent(err);
    q = db_use(db, STMT_AGENT_SET_ENABLED);
    query_bind_i64(q, s->enabled);
    query_bind_id(q, s->agent_id);
    if (query_run(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : no_such_agent(err);
}

int agents_set_enabled(struct db *db, const struct id *agent_id, bool enabled, struct err *err)
{
    struct switching s = {.agent_id = agent_id, .enabled = enabled};

    return transaction_run(db, set_enabled, &s, err);
}

int agents_facts(struct db *db, const struct id *agent_id, struct agent_facts *facts_r,
                 struct err *err)
{
    struct query *q = db_use(db, STMT_AGENT_FACTS);

    query_bind_id(q, agent_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_such_agent(err);
    facts_r->agent_id = *agent_id;
    query_id(q, &facts_r->workspace_id);
    facts_r->enabled = query_i64(q) != 0;
    facts_r->start_delay_seconds = (unsigned)query_i64(q);
    facts_r->number_types = (unsigned)query_i64(q);
    facts_r->suppresses = query_i64(q) != 0;
    return 0;
}
