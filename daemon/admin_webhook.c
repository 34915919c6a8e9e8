/*
 * admin_webhook.c - `webhook create|list|enable|disable|pause|resume|rotate-secret`.
 */
#include "daemon/admin.h"
#include "lib/base/wake.h"
#include "lib/rules/event.h"
#include "lib/rules/signature.h"
#include "sql/destinations.h"

#include <string.h>

#define IN_FLIGHT_MAX 1000
#define GRACE_MAX (SECRET_GRACE_SECONDS_MAX * USEC_PER_S)

static void add_events(struct table *t, struct pool *pool, unsigned mask)
{
    const char *json = "", *shown = "";

    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++) {
        if (!(mask & (1u << type)))
            continue;
        const char *text = event_type_text((enum event_type)type);
        json = pool_printf(pool, "%s%s\"%s\"", json, *json != '\0' ? ", " : "", text);
        shown = pool_printf(pool, "%s%s%s", shown, *shown != '\0' ? "," : "", text);
    }
    if ((mask & EVENT_MASK_ALL) == EVENT_MASK_ALL)
        shown = "all";
    table_json(t, "events", str_of(pool_printf(pool, "[%s]", json)), shown);
}

static void add_row(struct table *t, struct pool *pool, const struct endpoint_row *row)
{
    table_row(t);
    table_id(t, "webhook_id", ID_ENDPOINT, &row->endpoint_id);
    table_id(t, "workspace_id", ID_WORKSPACE, &row->workspace_id);
    table_text(t, "status", str_of(destination_status_text(row->status)));
    add_events(t, pool, row->events);
    table_text(t, "url", row->url);
    table_details(t);
    table_text(t, "description", row->description);
    table_number(t, "timeout_seconds", row->timeout_seconds);
    table_number(t, "max_in_flight", row->max_in_flight);
    table_time(t, "created_at", row->created_at);
}

/* --secret or STR_NULL. */
static int read_secret(const struct admin *a, struct str *secret_r, struct err *err)
{
    *secret_r = admin_value(a, "secret");
    return secret_r->p != NULL ? secret_check(*secret_r, "--secret", err) : 0;
}

static int read_endpoint(struct admin *a, struct endpoint_row *row, struct str *secret_r,
                         struct err *err)
{
    struct str events = admin_value(a, "events");
    const struct id *given;

    *row = (struct endpoint_row){.events = EVENT_MASK_ALL, .held_until = TIME_NONE};
    if (events.p != NULL && event_mask_parse(events, &row->events, err) < 0)
        return err_prefix(err, "--events");
    if (admin_url(a, "url", &row->url, err) < 0 ||
        admin_text(a, "description", DESTINATION_DESCRIPTION_MAX, STR(""), &row->description, err) <
            0 ||
        admin_number(a, "timeout", 1, ENDPOINT_TIMEOUT_MAX, 15, &row->timeout_seconds, err) < 0 ||
        admin_number(a, "max-in-flight", 1, IN_FLIGHT_MAX, 64, &row->max_in_flight, err) < 0 ||
        read_secret(a, secret_r, err) < 0)
        return -1;
    return admin_workspace_id(a, &row->workspace_id, &given, err);
}

static int run_create(struct admin *a, struct err *err)
{
    struct endpoint_row row;
    struct str given, secret;

    if (read_endpoint(a, &row, &given, err) < 0 ||
        endpoints_create(a->db, a->pool, a->keys, &row, given, &secret, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    add_row(t, a->pool, &row);
    table_text(t, "secret", secret);
    table_print_object(t, a->json);
    return 0;
}

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct endpoint_row *rows;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        endpoints_list(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++) {
        add_row(t, a->pool, &rows[i]);
        table_text(t, "status_reason", rows[i].status_reason);
        table_number(t, "failures", rows[i].failures);
        table_time(t, "held_until", rows[i].held_until);
    }
    table_print_list(t, a->json);
    return 0;
}

/* ---- switches ---- */

/* What was switched holds now, not at the next poll. */
static void wake_dispatchers(struct admin *a, const struct id *id)
{
    struct wake_item item = {.kind = WAKE_CHANGED};
    struct wake_sender *sender;

    memcpy(item.id, id->b, sizeof(item.id));
    wake_sender_create(&sender, a->conf->runtime_dir);
    wake_send(sender, &item, 1);
    wake_sender_destroy(&sender);
}

static int print_switched(struct admin *a, const struct id *id, enum destination_status status)
{
    struct table *t = table_new(a->pool);

    table_row(t);
    table_id(t, "webhook_id", ID_ENDPOINT, id);
    table_text(t, "status", str_of(destination_status_text(status)));
    table_print_object(t, a->json);
    return 0;
}

static int run_enable(struct admin *a, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_ENDPOINT, &id, err) < 0)
        return -1;
    if (endpoints_enable(a->db, NULL, &id, err) < 0)
        return err_prefix(err, "%s", a->operand);
    wake_dispatchers(a, &id);
    return print_switched(a, &id, DESTINATION_ENABLED);
}

static int run_disable(struct admin *a, struct err *err)
{
    struct str reason;
    struct id id;

    if (admin_operand_id(a, ID_ENDPOINT, &id, err) < 0 ||
        admin_text(a, "reason", DESTINATION_REASON_MAX, STR("by the operator"), &reason, err) < 0)
        return -1;
    if (endpoints_disable(a->db, NULL, &id, reason, err) < 0)
        return err_prefix(err, "%s", a->operand);
    wake_dispatchers(a, &id);
    return print_switched(a, &id, DESTINATION_DISABLED);
}

static int run_pause(struct admin *a, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_ENDPOINT, &id, err) < 0)
        return -1;
    if (endpoints_pause(a->db, NULL, &id, err) < 0)
        return err_prefix(err, "%s", a->operand);
    wake_dispatchers(a, &id);
    return print_switched(a, &id, DESTINATION_PAUSED);
}

static int run_resume(struct admin *a, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_ENDPOINT, &id, err) < 0)
        return -1;
    if (endpoints_resume(a->db, NULL, &id, err) < 0)
        return err_prefix(err, "%s", a->operand);
    wake_dispatchers(a, &id);
    return print_switched(a, &id, DESTINATION_ENABLED);
}

static int run_rotate(struct admin *a, struct err *err)
{
    struct id id;
    usec_t grace, previous_until;
    struct str given, secret;

    if (admin_operand_id(a, ID_ENDPOINT, &id, err) < 0 ||
        admin_duration(a, "grace", GRACE_MAX, a->conf->secret_grace, &grace, err) < 0 ||
        read_secret(a, &given, err) < 0)
        return -1;
    if (endpoints_rotate_secret(a->db, a->pool, a->keys, NULL, &id, given, grace, &secret,
                                &previous_until, err) < 0)
        return err_prefix(err, "%s", a->operand);
    wake_dispatchers(a, &id);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "webhook_id", ID_ENDPOINT, &id);
    table_text(t, "secret", secret);
    table_time(t, "previous_secret_until", previous_until);
    table_print_object(t, a->json);
    return 0;
}

/* ---- the table ---- */

static const struct admin_option create_options[] = {
    {"workspace", "ID", true, "Whose events are sent"},
    {"url", "URL", true, "Where they are sent"},
    {"events", "LIST", false, "Types with commas, such as call.completed,call.failed (all)"},
    {"description", "TEXT", false, "A note for people"},
    {"secret", "whsec_...", false, "A signing secret of your own; else one is made"},
    {"timeout", "SECONDS", false, "How long a request may take (15)"},
    {"max-in-flight", "N", false, "Requests under way at once, at most (64)"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option disable_options[] = {
    {"reason", "TEXT", false, "Why, for its owner"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option rotate_options[] = {
    {"grace", "DURATION", false, "How long the old secret signs too, such as 24h (secret_grace)"},
    {"secret", "whsec_...", false, "A signing secret of your own; else one is made"},
    {NULL, NULL, false, NULL},
};

#define DATABASE (NEEDS_CONF | NEEDS_DATABASE)
const struct admin_command admin_webhook[] = {
    {"create", NULL, DATABASE | NEEDS_KEYS,
     "Makes an endpoint and shows its signing secret, this once", create_options, run_create},
    {"list", NULL, DATABASE, "Lists endpoints", list_options, run_list},
    {"enable", "ID", DATABASE, "Sends again, what waits included; failures are forgotten", NULL,
     run_enable},
    {"disable", "ID", DATABASE, "Sends nothing more until it is enabled; deliveries wait",
     disable_options, run_disable},
    {"pause", "ID", DATABASE, "Sends nothing for a while; deliveries wait", NULL, run_pause},
    {"resume", "ID", DATABASE, "Ends a pause", NULL, run_resume},
    {"rotate-secret", "ID", DATABASE | NEEDS_KEYS,
     "Makes a new signing secret and shows it, this once", rotate_options, run_rotate},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
