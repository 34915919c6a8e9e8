/*
 * admin_workspace.c - `workspace create|list|limit|suspend|resume`.
 */
#include "daemon/admin.h"
#include "sql/accounts.h"

static void add_row(struct table *t, const struct workspace_row *row)
{
    table_row(t);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "name", row->name);
    table_text(t, "status", str_of(workspace_status_text(row->status)));
    table_text(t, "time_zone", row->time_zone);
    table_rate(t, "key_rate_per_minute", row->rates.subject);
    table_rate(t, "rate_per_minute", row->rates.workspace);
    table_time(t, "created_at", row->created_at);
}

static int run_create(struct admin *a, struct err *err)
{
    struct workspace_row row;
    struct str name;

    if (admin_text(a, "name", WORKSPACE_NAME_MAX, STR_NULL, &name, err) < 0 ||
        workspaces_create(a->db, name, &row, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, &row);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct workspace_row *rows;
    size_t count;

    if (workspaces_list(a->db, a->pool, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

static int run_limit(struct admin *a, struct err *err)
{
    struct id id;
    struct rates rates;
    int64_t key_rate, rate;

    if (!admin_given(a, "key-rate") && !admin_given(a, "rate"))
        return err_set(err, ERR_INVALID, "at least one of --key-rate and --rate is needed");
    if (admin_operand_id(a, ID_WORKSPACE, &id, err) < 0 ||
        admin_rate(a, "key-rate", &key_rate, err) < 0 || admin_rate(a, "rate", &rate, err) < 0)
        return -1;
    if (workspaces_set_rates(a->db, &id, admin_given(a, "key-rate") ? &key_rate : NULL,
                             admin_given(a, "rate") ? &rate : NULL, &rates, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "workspace_id", ID_WORKSPACE, &id);
    table_rate(t, "key_rate_per_minute", rates.subject);
    table_rate(t, "rate_per_minute", rates.workspace);
    table_print_object(t, a->json);
    return 0;
}

static int set_status(struct admin *a, enum workspace_status status, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_WORKSPACE, &id, err) < 0)
        return -1;
    if (workspaces_set_status(a->db, &id, status, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "workspace_id", ID_WORKSPACE, &id);
    table_text(t, "status", str_of(workspace_status_text(status)));
    table_print_object(t, a->json);
    return 0;
}

static int run_suspend(struct admin *a, struct err *err)
{
    return set_status(a, WORKSPACE_SUSPENDED, err);
}

static int run_resume(struct admin *a, struct err *err)
{
    return set_status(a, WORKSPACE_ACTIVE, err);
}

static const struct admin_option create_options[] = {
    {"name", "NAME", true, "What people call it"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option limit_options[] = {
    {"key-rate", "N", false,
     "Of each of its keys, sessions and hooks: requests per minute, none or default"},
    {"rate", "N", false, "Of the whole workspace, likewise"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_workspace[] = {
    {"create", NULL, NEEDS_CONF | NEEDS_DATABASE, "Makes a workspace", create_options, run_create},
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists all workspaces", NULL, run_list},
    {"limit", "ID", NEEDS_CONF | NEEDS_DATABASE, "Limits how many requests it may make",
     limit_options, run_limit},
    {"suspend", "ID", NEEDS_CONF | NEEDS_DATABASE,
     "From now on its calls become disallowed; running ones go on", NULL, run_suspend},
    {"resume", "ID", NEEDS_CONF | NEEDS_DATABASE, "Ends a suspension", NULL, run_resume},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
