/*
 * admin_batch.c - `batch import|list|show|pause|resume|cancel`: calls that are made in one act.
 */
#include "daemon/csv_file.h"
#include "lib/base/crypto.h"
#include "sql/batches.h"
#include "sql/workspaces.h"

#include <string.h>
#include <sysexits.h>

/* A batch that an import made must never be made again, however late the import is repeated. */
#define KEY_KEPT (100 * 366 * USEC_PER_DAY)

/* known: was it made before, by the same import? NULL: nothing was imported. */
static void add_row(struct table *t, const struct batch_row *row, const bool *known)
{
    table_row(t);
    table_id(t, "batch_id", ID_BATCH, &row->batch_id);
    table_id(t, "agent_id", ID_AGENT, &row->agent_id);
    table_text(t, "status", str_of(batch_status_shown(row)));
    table_number(t, "total", row->total);
    table_number(t, "disallowed", row->disallowed);
    table_number(t, "refused", row->refused);
    table_bool(t, "test", row->test);
    table_text(t, "name", row->name);
    if (known != NULL)
        table_bool(t, "known", *known);
    table_time(t, "created_at", row->created_at);
    table_details(t);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_time(t, "scheduled_at", row->scheduled_at);
    table_time(t, "expires_at", row->expires_at);
}

/* ---- import ---- */

struct import {
    struct admin *a;
    struct csv_file file;
    struct principal who;
    struct agent_facts agent;
    struct batch_request request;
    struct seen_numbers *seen;
    struct table *made;
};

static int read_agent(struct import *in, struct err *err)
{
    const struct admin *a = in->a;
    struct workspace_view workspace;
    struct id agent_id;

    if (admin_id(a, "agent", ID_AGENT, &agent_id, err) != 0)
        return -1;
    if (agents_facts(a->db, &agent_id, &in->agent, err) != 0 ||
        workspaces_get(a->db, a->pool, &in->agent.workspace_id, &workspace, err) != 0)
        return err_prefix(err, "--agent");
    in->who = (struct principal){
        .workspace_id = in->agent.workspace_id,
        .test = admin_given(a, "test"),
        .active = workspace.status == WORKSPACE_ACTIVE,
    };
    struct batch_words words = {admin_value(a, "agent"), admin_value(a, "name"),
                                admin_value(a, "scheduled-at"), admin_value(a, "expires-at")};
    return batch_request_check_words(&words, clock_wall(), &in->request, err);
}

/* Of the portion's text, where it stands, and what the batch is for: not of its times, so that an
 * import that was broken off can be gone on with later. */
static const char *make_key(struct import *in, size_t from, size_t to)
{
    char text[2 * SHA256_SIZE + 1];
    unsigned char hash[SHA256_SIZE];
    struct buf b;

    crypto_sha256((struct str){in->file.text.p + from, to - from}, hash);
    buf_init(&b, 65536);
    buf_printf(&b, "%zu\n", from);
    buf_add(&b, hash, sizeof(hash));
    buf_add(&b, in->agent.agent_id.b, sizeof(in->agent.agent_id.b));
    buf_str(&b, in->request.name);
    crypto_sha256(buf_as_str(&b), in->request.fingerprint);
    buf_deinit(&b);
    hex_encode(in->request.fingerprint, sizeof(in->request.fingerprint), text);
    return pool_printf(in->file.pool, "import-%s", text);
}

static int make_batch(struct import *in, const char *key, struct err *err)
{
    unsigned char random[10];
    struct batch_made made;
    struct batch_new batch = {
        .who = &in->who,
        .agent = &in->agent,
        .request = &in->request,
        .idempotency_key = str_of(key),
        .idempotency_retention = KEY_KEPT,
    };

    crypto_random(random, sizeof(random));
    batch.batch_id = id_make(clock_wall(), random);
    if (batches_create(in->a->db, in->file.pool, &batch, &made, err) != 0)
        return -1;
    made.row.name = in->request.name; /* not the portion's memory */
    add_row(in->made, &made.row, &made.replayed);
    return 0;
}

static int import_portion(struct import *in, bool *more_r, struct err *err)
{
    struct csv_file *file = &in->file;
    size_t from = file->text.n - file->csv.rest.n;

    batch_request_take_rows(file->pool, &file->csv, in->seen, &in->request, more_r);
    const char *key = make_key(in, from, file->text.n - file->csv.rest.n);
    if (in->request.count > 0 && make_batch(in, key, err) != 0)
        return err_prefix(err, "%s, before line %llu", file->path,
                          (unsigned long long)file->csv.line);
    file->taken += in->request.count + in->request.refusal_count;
    for (size_t i = 0; i < in->request.refusal_count; i++)
        csv_file_refuse(file, in->request.refusals[i].line, in->request.refusals[i].message.p);
    csv_file_show(file, 1);
    csv_file_forget(file);
    return 0;
}

static int import_all(struct import *in, struct err *err)
{
    bool more = true;

    if (batch_request_check_columns(&in->file.csv, err) != 0)
        return err_prefix(err, "%s", in->file.path);
    while (more)
        if (import_portion(in, &more, err) != 0)
            return -1;
    return 0;
}

static int run_import(struct admin *a, struct err *err)
{
    struct import in = {.a = a, .made = table_new(a->pool)};
    struct err fault;

    if (read_agent(&in, err) != 0)
        return -1;
    seen_numbers_create(&in.seen);
    int failed = csv_file_open(&in.file, a, err) != 0 || import_all(&in, err) != 0 ? -1 : 0;
    if (csv_file_close(&in.file, &fault) != 0 && !failed) {
        *err = fault;
        failed = -1;
    }
    seen_numbers_destroy(&in.seen);
    /* Also those that were made before it failed. */
    table_print_list(in.made, a->json);
    a->exit_status = in.file.refused > 0 ? EX_DATAERR : 0;
    return failed;
}

/* ---- looking and switching ---- */

static int run_list(struct admin *a, struct err *err)
{
    struct batch_filter filter = {.by_agent = admin_given(a, "agent")};
    struct id workspace_id;
    const struct id *given;
    struct batch_row *rows;
    struct page_end end;
    int64_t limit;
    size_t count;

    if (admin_number(a, "limit", 1, 1000, 20, &limit, err) != 0 ||
        admin_id(a, "agent", ID_AGENT, &filter.agent_id, err) != 0 ||
        admin_workspace_id(a, &workspace_id, &given, err) != 0)
        return -1;
    filter.page.limit = (unsigned)limit;
    if (batches_list(a->db, a->pool, given, &filter, &rows, &count, &end, err) != 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, &rows[i], NULL);
    table_print_list(t, a->json);
    return 0;
}

static int show(struct admin *a, const struct id *batch_id, struct err *err)
{
    struct batch_counts counts;
    struct batch_row row;

    if (batches_get(a->db, a->pool, NULL, batch_id, &row, err) != 0)
        return err_prefix(err, "%s", a->operand);
    if (batches_count(a->db, batch_id, &counts, err) != 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, &row, NULL);
    table_number(t, "calls_scheduled", counts.scheduled);
    table_number(t, "calls_under_way", counts.under_way);
    table_number(t, "calls_completed", counts.completed);
    table_number(t, "calls_failed", counts.failed);
    table_number(t, "calls_cancelled", counts.cancelled);
    table_number(t, "calls_disallowed", counts.disallowed);
    table_print_object(t, a->json);
    return 0;
}

static int run_show(struct admin *a, struct err *err)
{
    struct id id;

    return admin_operand_id(a, ID_BATCH, &id, err) == 0 ? show(a, &id, err) : -1;
}

static int run_switch(struct admin *a, enum batch_status status, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_BATCH, &id, err) != 0)
        return -1;
    if (batches_switch(a->db, NULL, &id, status, err) != 0)
        return err_prefix(err, "%s", a->operand);
    return show(a, &id, err);
}

static int run_pause(struct admin *a, struct err *err)
{
    return run_switch(a, BATCH_PAUSED, err);
}

static int run_resume(struct admin *a, struct err *err)
{
    return run_switch(a, BATCH_RUNNING, err);
}

static int run_cancel(struct admin *a, struct err *err)
{
    return run_switch(a, BATCH_CANCELLED, err);
}

static const struct admin_option import_options[] = {
    {"agent", "ID", true, "Who calls"},
    {"name", "NAME", false, "What people call it"},
    {"scheduled-at", "TIME", false, "Not before this (2024-01-27T03:02:00Z); else now"},
    {"expires-at", "TIME", false, "What could not be placed by then fails"},
    {"test", NULL, false, "Makes test calls"},
    {"refused", "FILE", false, "Writes the rows that are refused there, with line and reason"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {"agent", "ID", false, "Only this agent's"},
    {"limit", "N", false, "How many, the newest first (20)"},
    {NULL, NULL, false, NULL},
};

#define DATABASE (NEEDS_CONF | NEEDS_DATABASE)
const struct admin_command admin_batch[] = {
    {"import", "FILE", DATABASE, "Calls the contacts of a CSV file", import_options, run_import},
    {"list", NULL, DATABASE, "Lists the newest batches", list_options, run_list},
    {"show", "ID", DATABASE, "Shows a batch and how far its calls are", NULL, run_show},
    {"pause", "ID", DATABASE, "Lets its calls wait", NULL, run_pause},
    {"resume", "ID", DATABASE, "Lets its calls go on", NULL, run_resume},
    {"cancel", "ID", DATABASE, "Cancels its calls that wait", NULL, run_cancel},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
