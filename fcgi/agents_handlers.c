/*
 * agents_handlers.c - a workspace's agents: make, list, read, change, switch, delete.
 *
 * Responders remember agents for a moment: what was changed is answered when none of them can go by
 * the old any more.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"

static void write_agent(struct buf *b, const struct agent_row *row)
{
    const struct agent_settings *s = &row->set;

    object_begin(b, "agent_id", ID_AGENT, &row->agent_id);
    member_text(b, "name", s->name);
    member_text(b, "prompt", s->prompt);
    member_text(b, "greeting", s->greeting);
    member_text(b, "language", s->language);
    member_text(b, "voice", s->voice);
    member_id(b, "carrier_id", ID_CARRIER, &s->carrier_id);
    member_text(b, "from_number", s->from_number.n > 0 ? s->from_number : STR_NULL);
    member_i64(b, "start_delay_seconds", s->start_delay_seconds);
    member_i64(b, "ring_timeout_seconds", s->ring_timeout_seconds);
    member_i64(b, "max_duration_seconds", s->max_duration_seconds);
    member_i64(b, "max_attempts", s->max_attempts);
    member_set(b, "retry_on", s->retry_on, agent_retry_texts);
    buf_lit(b, ",\"retry_gaps_minutes\":[");
    buf_str(b, s->retry_gaps_minutes);
    buf_char(b, ']');
    member_bool(b, "redial_on_unknown", s->redial_on_unknown);
    member_hours(b, "calling_hours", s->own_hours ? &s->calling_hours : NULL);
    member_text(b, "outside_hours", str_of(agent_outside_texts[s->outside_hours]));
    member_count(b, "concurrent_calls", s->concurrent_calls);
    member_count(b, "calls_per_day", s->calls_per_day);
    member_bool(b, "enabled", s->enabled);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    buf_char(b, '}');
}

static void answer_agent(struct answer *an, const struct agent_row *row)
{
    buf_lit(&an->body, "{\"data\":");
    write_agent(&an->body, row);
    buf_char(&an->body, '}');
}

static int no_such_agent(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such agent.");
}

static int read_agent_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_AGENT, rq->match.args[0], id_r) == 0 ? 0 : no_such_agent(err);
}

static int no_such_carrier(const struct id *carrier_id, struct err *err)
{
    char text[ID_TEXT_SIZE];

    id_format(ID_CARRIER, carrier_id, text);
    return err_set(err, ERR_NOT_FOUND, "carrier_id \"%s\" does not exist in this workspace.", text);
}

int agent_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct agent_row row = {.workspace_id = rq->who->workspace_id};
    uint64_t given;

    agent_settings_init(&row.set);
    if (agent_settings_read(rq->pool, rq->json, false, &row.set, &given, err) != 0)
        return -1;
    if (agents_create(rs->db, &row, err) != 0)
        return err->code == ERR_NOT_FOUND ? no_such_carrier(&row.set.carrier_id, err) : -1;
    responder_created(rs, rq, an, "agents", ID_AGENT, &row.agent_id);
    answer_agent(an, &row);
    return 0;
}

int agent_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"enabled", list_read_bool, offsetof(struct agent_filter, enabled)},
        LIST_PAGE(struct agent_filter, page),
    };
    struct agent_filter filter = {.enabled = -1, .page.limit = LIST_LIMIT};
    struct agent_row *rows;
    size_t count;
    struct page_end end;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof parameters / sizeof *parameters, &filter, err) != 0 ||
        agents_page(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end, err) !=
            0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_agent(&an->body, &rows[i]);
    }
    list_end(&an->body, &end);
    return 0;
}

/* The agent as it stands now. */
static int show(struct responder *rs, struct request *rq, const struct id *agent_id,
                struct answer *an, struct err *err)
{
    struct agent_row row;

    if (agents_get(rs->db, rq->pool, &rq->who->workspace_id, agent_id, &row, err) != 0)
        return err->code == ERR_NOT_FOUND ? no_such_agent(err) : -1;
    answer_agent(an, &row);
    return 0;
}

int agent_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id agent_id;

    if (read_agent_id(rq, &agent_id, err) != 0)
        return -1;
    return show(rs, rq, &agent_id, an, err);
}

static int change(struct responder *rs, struct request *rq, const struct id *agent_id,
                  const struct agent_settings *set, uint64_t given, struct answer *an,
                  struct err *err)
{
    bool no_carrier;

    if (agents_change(rs->db, &rq->who->workspace_id, agent_id, set, given, &no_carrier, err) !=
        0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        return no_carrier ? no_such_carrier(&set->carrier_id, err) : no_such_agent(err);
    }
    clock_sleep(rs->conf->recheck_interval);
    return show(rs, rq, agent_id, an, err);
}

int agent_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct agent_settings set;
    struct id agent_id;
    uint64_t given;

    agent_settings_init(&set);
    if (read_agent_id(rq, &agent_id, err) != 0 ||
        agent_settings_read(rq->pool, rq->json, true, &set, &given, err) != 0)
        return -1;
    return change(rs, rq, &agent_id, &set, given, an, err);
}

static int switch_agent(struct responder *rs, struct request *rq, bool enabled, struct answer *an,
                        struct err *err)
{
    struct agent_settings set;
    struct id agent_id;

    agent_settings_init(&set);
    set.enabled = enabled;
    if (read_agent_id(rq, &agent_id, err) != 0 || fields_none(rq->json, err) != 0)
        return -1;
    return change(rs, rq, &agent_id, &set, UINT64_C(1) << AGENT_ENABLED, an, err);
}

int agent_enable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_agent(rs, rq, true, an, err);
}

int agent_disable(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_agent(rs, rq, false, an, err);
}

int agent_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id agent_id;

    if (read_agent_id(rq, &agent_id, err) != 0)
        return -1;
    if (agents_delete(rs->db, &rq->who->workspace_id, &agent_id, err) != 0)
        return err->code == ERR_NOT_FOUND ? no_such_agent(err) : -1;
    clock_sleep(rs->conf->recheck_interval);
    answer_deleted(an, "agent_id", ID_AGENT, &agent_id);
    return 0;
}
