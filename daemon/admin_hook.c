/*
 * admin_hook.c - `hook create|list|rotate|enable|disable`: inbound hooks.
 */
#include "daemon/admin.h"
#include "lib/rules/signature.h"
#include "sql/hooks.h"

static struct str url_of(const struct admin *a, const char *token)
{
    struct str base = str_of(a->conf->public_url);

    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    return str_of(pool_printf(a->pool, "%.*s/v1/hooks/%s", STR_ARG(base), token));
}

static void add_row(struct table *t, struct pool *pool, const struct hook_row *row)
{
    table_row(t);
    table_id(t, "hook_id", ID_HOOK, &row->hook_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "status", str_of(hook_status_text(row->status)));
    table_bool(t, "signed", row->is_signed);
    table_text(t, "hint",
               row->hint.p != NULL ? str_of(pool_printf(pool, "%.*s…", STR_ARG(row->hint)))
                                   : STR_NULL);
    table_text(t, "name", row->name);
    table_time(t, "last_used_at", row->last_used_at);
    table_details(t);
    table_time(t, "previous_until", row->previous_until);
    table_time(t, "created_at", row->created_at);
}

/* --secret, or one that is made for --signed; STR_NULL: neither. */
static int read_secret(const struct admin *a, struct str *secret_r, struct err *err)
{
    *secret_r = admin_value(a, "secret");
    if (secret_r->p != NULL)
        return secret_check(*secret_r, "--secret", err);
    if (admin_given(a, "signed"))
        *secret_r = secret_new(a->pool);
    return 0;
}

static int run_create(struct admin *a, struct err *err)
{
    struct hook_change hook = {.set_name = true, .set_secret = true};
    struct hook_row row = {0};
    const struct id *given;
    char token[HOOK_TOKEN_TEXT_SIZE];

    if (admin_text(a, "name", HOOK_NAME_MAX, STR(""), &hook.name, err) < 0 ||
        read_secret(a, &hook.secret, err) < 0 ||
        admin_workspace_id(a, &row.workspace_id, &given, err) < 0 ||
        hooks_create(a->db, a->pool, a->keys, &hook, &row, token, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, a->pool, &row);
    table_text(t, "url", url_of(a, token));
    table_text(t, "signing_secret", hook.secret);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct hook_row *rows;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        hooks_list_operator(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, a->pool, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

static int run_rotate(struct admin *a, struct err *err)
{
    struct id id;
    usec_t grace;
    struct hook_row row;
    char token[HOOK_TOKEN_TEXT_SIZE];

    if (admin_operand_id(a, ID_HOOK, &id, err) < 0 ||
        admin_duration(a, "grace", HOOK_GRACE_MAX, 0, &grace, err) < 0)
        return -1;
    if (hooks_rotate(a->db, NULL, &id, grace, token, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    if (hooks_get(a->db, a->pool, NULL, &id, &row, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "hook_id", ID_HOOK, &id);
    table_text(t, "url", url_of(a, token));
    table_time(t, "previous_until", row.previous_until);
    table_print_object(t, a->json);
    return 0;
}

static int run_switch(struct admin *a, enum hook_status status, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_HOOK, &id, err) < 0)
        return -1;
    if (hooks_switch(a->db, NULL, &id, status, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "hook_id", ID_HOOK, &id);
    table_text(t, "status", str_of(hook_status_text(status)));
    table_print_object(t, a->json);
    return 0;
}

static int run_enable(struct admin *a, struct err *err)
{
    return run_switch(a, HOOK_ENABLED, err);
}

static int run_disable(struct admin *a, struct err *err)
{
    return run_switch(a, HOOK_DISABLED, err);
}

static const struct admin_option create_options[] = {
    {"workspace", "ID", true, "Whose calls it makes and cancels"},
    {"name", "NAME", false, "What people call it"},
    {"signed", NULL, false, "Requests must be signed; a signing secret is made"},
    {"secret", "whsec_...", false, "The same, with a signing secret of your own"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option rotate_options[] = {
    {"grace", "DURATION", false, "How long the old URL lives on, such as 24h; 48h at most (0s)"},
    {NULL, NULL, false, NULL},
};

#define DATABASE (NEEDS_CONF | NEEDS_DATABASE)
const struct admin_command admin_hook[] = {
    {"create", NULL, DATABASE | NEEDS_KEYS, "Makes an inbound hook and shows its URL, this once",
     create_options, run_create},
    {"list", NULL, DATABASE, "Lists inbound hooks, by the first characters of their tokens",
     list_options, run_list},
    {"rotate", "ID", DATABASE, "Makes a new URL and shows it, this once", rotate_options,
     run_rotate},
    {"enable", "ID", DATABASE, "Lets its URL be used again", NULL, run_enable},
    {"disable", "ID", DATABASE, "Takes its URL out of use until it is enabled", NULL, run_disable},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
