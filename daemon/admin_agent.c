/*
 * admin_agent.c - `agent create|list|enable|disable`.
 */
#include "daemon/admin.h"
#include "sql/accounts.h"
#include "sql/agents.h"

#include <string.h>

static void add_row(struct table *t, const struct agent_row *row)
{
    table_row(t);
    table_id(t, "agent_id", ID_AGENT, &row->agent_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "name", row->set.name);
    table_id(t, "carrier_id", ID_CARRIER, &row->set.carrier_id);
    table_bool(t, "enabled", row->set.enabled);
    table_time(t, "created_at", row->created_at);
    table_details(t);
    table_text(t, "from_number", row->set.from_number.n > 0 ? row->set.from_number : STR_NULL);
    table_text(t, "greeting", row->set.greeting);
    table_text(t, "prompt", row->set.prompt);
    table_number(t, "start_delay_seconds", row->set.start_delay_seconds);
    table_number(t, "ring_timeout_seconds", row->set.ring_timeout_seconds);
    table_number(t, "max_duration_seconds", row->set.max_duration_seconds);
    table_bool(t, "redial_on_unknown", row->set.redial_on_unknown);
}

static int read_from_number(const struct admin *a, struct str *number_r, struct err *err)
{
    struct str number = admin_value(a, "from-number");

    if (number.p == NULL)
        return 0;
    *number_r = number;
    if (!agent_from_number_good(number))
        return err_set(err, ERR_INVALID,
                       "--from-number: must be digits, with a + before them if "
                       "they begin with a country code");
    return 0;
}

static int read_agent(struct admin *a, struct agent_row *row, struct err *err)
{
    struct agent_settings *s = &row->set;
    const struct id *given;

    memset(row, 0, sizeof(*row));
    agent_settings_init(s);
    if (admin_text(a, "name", WORKSPACE_NAME_MAX, STR_NULL, &s->name, err) < 0 ||
        admin_long_text(a, "greeting", &s->greeting, err) < 0 ||
        admin_long_text(a, "prompt", &s->prompt, err) < 0 ||
        agent_words_check(a->pool, "--greeting", s->greeting, err) < 0 ||
        agent_words_check(a->pool, "--prompt", s->prompt, err) < 0 ||
        read_from_number(a, &s->from_number, err) < 0 ||
        admin_number(a, "start-delay", 0, AGENT_START_DELAY_MAX, 0, &s->start_delay_seconds, err) <
            0 ||
        admin_number(a, "ring-timeout", 1, AGENT_RING_TIMEOUT_MAX, 45, &s->ring_timeout_seconds,
                     err) < 0 ||
        admin_number(a, "max-duration", 1, AGENT_MAX_DURATION_MAX, 900, &s->max_duration_seconds,
                     err) < 0 ||
        admin_id(a, "carrier", ID_CARRIER, &s->carrier_id, err) < 0 ||
        admin_workspace_id(a, &row->workspace_id, &given, err) < 0)
        return -1;
    s->redial_on_unknown = admin_given(a, "redial-on-unknown");
    return 0;
}

static int run_create(struct admin *a, struct err *err)
{
    struct agent_row row;

    if (read_agent(a, &row, err) < 0)
        return -1;
    if (agents_create(a->db, &row, err) < 0)
        return err->code == ERR_NOT_FOUND ? err_prefix(err, "--carrier") : -1;
    struct table *t = table_new(a->pool);
    add_row(t, &row);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct agent_row *rows;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        agents_list(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++)
        add_row(t, &rows[i]);
    table_print_list(t, a->json);
    return 0;
}

static int set_enabled(struct admin *a, bool enabled, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_AGENT, &id, err) < 0)
        return -1;
    if (agents_set_enabled(a->db, &id, enabled, err) < 0)
        return err_prefix(err, "%s", a->operand);
    admin_settle(a);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "agent_id", ID_AGENT, &id);
    table_bool(t, "enabled", enabled);
    table_print_object(t, a->json);
    return 0;
}

static int run_enable(struct admin *a, struct err *err)
{
    return set_enabled(a, true, err);
}

static int run_disable(struct admin *a, struct err *err)
{
    return set_enabled(a, false, err);
}

static const struct admin_option create_options[] = {
    {"workspace", "ID", true, "Whose agent it is"},
    {"name", "NAME", true, "What people call it"},
    {"carrier", "ID", false, "Places its calls; else the simulator does"},
    {"greeting", "TEXT", false, "What it says first"},
    {"prompt", "TEXT", false, "What it is told to do"},
    {"from-number", "NUMBER", false, "What the called person sees"},
    {"start-delay", "SECONDS", false, "Between making a call and placing it (0)"},
    {"ring-timeout", "SECONDS", false, "How long it lets ring (45)"},
    {"max-duration", "SECONDS", false, "How long a conversation may last (900)"},
    {"redial-on-unknown", NULL, false, "Dial again when nobody knows whether a call was placed"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_agent[] = {
    {"create", NULL, NEEDS_CONF | NEEDS_DATABASE, "Makes an agent", create_options, run_create},
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists agents", list_options, run_list},
    {"enable", "ID", NEEDS_CONF | NEEDS_DATABASE, "Lets it call again", NULL, run_enable},
    {"disable", "ID", NEEDS_CONF | NEEDS_DATABASE,
     "From now on its calls become disallowed; running ones go on", NULL, run_disable},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
