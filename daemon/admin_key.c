/*
 * admin_key.c - `key create|list|limit|revoke`.
 */
#include "daemon/admin.h"
#include "sql/accounts.h"

static void add_scopes(struct table *t, struct pool *pool, unsigned scopes)
{
    char text[SCOPES_TEXT_SIZE];
    const char *json = "";
    struct str rest, one;

    scopes_format(scopes, text);
    rest = str_of(text);
    while (str_split(&rest, ',', &one))
        json = pool_printf(pool, "%s%s\"%.*s\"", json, *json != '\0' ? ", " : "", STR_ARG(one));
    table_json(t, "scopes", str_of(pool_printf(pool, "[%s]", json)), pool_printf(pool, "%s", text));
}

static int run_create(struct admin *a, struct err *err)
{
    struct api_key_new key = {.test = admin_given(a, "test"), .scopes = SCOPE_ALL};
    struct str scopes = admin_value(a, "scopes");
    const struct id *given;
    struct id key_id;
    char text[API_KEY_TEXT_SIZE];

    if (scopes.p != NULL && scopes_parse(scopes, &key.scopes, err) < 0)
        return err_prefix(err, "--scopes");
    if (admin_text(a, "name", WORKSPACE_NAME_MAX, STR(""), &key.name, err) < 0 ||
        admin_workspace_id(a, &key.workspace_id, &given, err) < 0 ||
        api_keys_create(a->db, &key, &key_id, text, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "key_id", ID_KEY, &key_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &key.workspace_id);
    table_text(t, "key", str_of(text));
    table_text(t, "name", key.name);
    table_bool(t, "test", key.test);
    add_scopes(t, a->pool, key.scopes);
    table_print_object(t, a->json);
    crypto_wipe(text, sizeof(text));
    return 0;
}

static void add_row(struct table *t, struct pool *pool, const struct api_key_row *row)
{
    table_row(t);
    table_id(t, "key_id", ID_KEY, &row->key_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "prefix", row->prefix);
    table_text(t, "name", row->name);
    table_bool(t, "test", row->test);
    add_scopes(t, pool, row->scopes);
    table_rate(t, "rate_per_minute", row->rate_per_minute);
    table_time(t, "created_at", row->created_at);
    table_time(t, "last_used_at", row->last_used_at);
    table_time(t, "revoked_at", row->revoked_at);
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct api_key_row *rows;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        api_keys_list(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, a->pool, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

static int run_limit(struct admin *a, struct err *err)
{
    struct id id;
    int64_t rate;

    if (admin_operand_id(a, ID_KEY, &id, err) < 0 || admin_rate(a, "rate", &rate, err) < 0)
        return -1;
    if (api_keys_set_rate(a->db, &id, rate, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "key_id", ID_KEY, &id);
    table_rate(t, "rate_per_minute", rate);
    table_print_object(t, a->json);
    return 0;
}

static int run_revoke(struct admin *a, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_KEY, &id, err) < 0)
        return -1;
    if (api_keys_revoke(a->db, &id, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "key_id", ID_KEY, &id);
    table_bool(t, "revoked", true);
    table_print_object(t, a->json);
    return 0;
}

static const struct admin_option create_options[] = {
    {"workspace", "ID", true, "Whose key it is"},
    {"test", NULL, false, "A test key: its calls go to the simulator only"},
    {"name", "NAME", false, "What people call it"},
    {"scopes", "LIST", false, "calls, manage or calls,manage (both)"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option limit_options[] = {
    {"rate", "N", true, "Requests per minute, none or default (its workspace's)"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_key[] = {
    {"create", NULL, NEEDS_CONF | NEEDS_DATABASE, "Makes a key and shows it, this once",
     create_options, run_create},
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists keys, by their first characters",
     list_options, run_list},
    {"limit", "ID", NEEDS_CONF | NEEDS_DATABASE, "Limits how many requests it may make",
     limit_options, run_limit},
    {"revoke", "ID", NEEDS_CONF | NEEDS_DATABASE, "Ends a key, at once and for good", NULL,
     run_revoke},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
