/*
 * admin_carrier.c - `carrier create|list|set`.
 */
#include "daemon/admin.h"
#include "sql/accounts.h"
#include "sql/carriers.h"

static void add_row(struct table *t, const struct carrier_row *row)
{
    table_row(t);
    table_id(t, "carrier_id", ID_CARRIER, &row->carrier_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "kind", str_of(carrier_kind_text(row->kind)));
    table_text(t, "name", row->name);
    table_text(t, "url", row->url.n > 0 ? row->url : STR_NULL);
    table_number(t, "concurrent_calls", row->concurrent_calls);
    table_number(t, "calls_per_second", row->calls_per_second);
    table_time(t, "created_at", row->created_at);
}

/* "none", or a number; not given: it stays. */
static int read_limit(const struct admin *a, const char *name, int64_t max, int64_t *limit_r,
                      struct err *err)
{
    if (str_is(admin_value(a, name), "none")) {
        *limit_r = 0;
        return 0;
    }
    return admin_number(a, name, 1, max, *limit_r, limit_r, err);
}

static int read_limits(const struct admin *a, struct carrier_row *row, struct err *err)
{
    if (read_limit(a, "concurrent-calls", CARRIER_CONCURRENT_CALLS_MAX, &row->concurrent_calls,
                   err) < 0)
        return -1;
    return read_limit(a, "calls-per-second", CARRIER_CALLS_PER_SECOND_MAX, &row->calls_per_second,
                      err);
}

static int read_carrier(struct admin *a, struct carrier_row *row, struct err *err)
{
    const struct id *given;

    *row = (struct carrier_row){.url = STR("")};
    if (carrier_kind_parse(admin_value(a, "kind"), &row->kind) < 0)
        return err_set(err, ERR_INVALID, "--kind: must be http or simulator");
    if (row->kind == CARRIER_HTTP && !admin_given(a, "url"))
        return err_set(err, ERR_INVALID, "--url: is needed with --kind http");
    if (row->kind == CARRIER_SIMULATOR && admin_given(a, "url"))
        return err_set(err, ERR_INVALID, "--url: the simulator has none");
    if (row->kind == CARRIER_HTTP && admin_url(a, "url", &row->url, err) < 0)
        return -1;
    if (admin_text(a, "name", CARRIER_NAME_MAX, STR(""), &row->name, err) < 0 ||
        read_limits(a, row, err) < 0)
        return -1;
    return admin_workspace_id(a, &row->workspace_id, &given, err);
}

static int run_create(struct admin *a, struct err *err)
{
    struct carrier_row row;
    struct str secret;

    if (read_carrier(a, &row, err) < 0 ||
        carriers_create(a->db, a->pool, a->keys, &row, STR_NULL, &secret, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, &row);
    table_text(t, "secret", secret);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct carrier_row *rows;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        carriers_list(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

static int edit(struct carrier_row *row, void *ctx, struct err *err)
{
    const struct admin *a = ctx;

    if (row->kind == CARRIER_SIMULATOR && admin_given(a, "url"))
        return err_set(err, ERR_INVALID, "--url: the simulator has none");
    if ((admin_given(a, "url") && admin_url(a, "url", &row->url, err) < 0) ||
        (admin_given(a, "name") &&
         admin_text(a, "name", CARRIER_NAME_MAX, row->name, &row->name, err) < 0))
        return -1;
    return read_limits(a, row, err);
}

static int run_set(struct admin *a, struct err *err)
{
    struct carrier_row row;
    struct id carrier_id;

    if (admin_operand_id(a, ID_CARRIER, &carrier_id, err) < 0 ||
        carriers_change(a->db, a->pool, NULL, &carrier_id, edit, a, err) < 0 ||
        carriers_get(a->db, a->pool, NULL, &carrier_id, &row, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, &row);
    table_print_object(t, a->json);
    return 0;
}

#define LIMIT_OPTIONS                                                                              \
    {"concurrent-calls", "N", false, "Calls at once at most; none: no limit of its own"},          \
    {                                                                                              \
        "calls-per-second", "N", false, "Calls begun per second at most; none: as fast as it goes" \
    }

static const struct admin_option create_options[] = {
    {"workspace", "ID", true, "Whose carrier it is"},
    {"kind", "KIND", true, "http: a voice engine of your own; or simulator"},
    {"url", "URL", false, "With http: where calls are placed"},
    {"name", "NAME", false, "What people call it"},
    LIMIT_OPTIONS,
    {NULL, NULL, false, NULL},
};

static const struct admin_option set_options[] = {
    {"url", "URL", false, "Where calls are placed"},
    {"name", "NAME", false, "What people call it"},
    LIMIT_OPTIONS,
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_carrier[] = {
    {"create", NULL, NEEDS_CONF | NEEDS_DATABASE | NEEDS_KEYS,
     "Makes a carrier and shows the secret that both sides sign with, this once", create_options,
     run_create},
    {"set", "ID", NEEDS_CONF | NEEDS_DATABASE, "Changes what is given of a carrier", set_options,
     run_set},
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists carriers", list_options, run_list},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
