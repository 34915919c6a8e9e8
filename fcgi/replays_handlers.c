/*
 * replays_handlers.c - what failed is made anew: the order, and how far it has come.
 */
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"
#include "sql/replays.h"

struct replay_fields {
    usec_t since, until;
    int state;
};
static const char *const states[] = {"failed", NULL};
static const struct field replay_fields[] = {
    {FIELD(TIME, struct replay_fields, since), .required = true},
    {FIELD(TIME, struct replay_fields, until)},
    {FIELD(CHOICE, struct replay_fields, state), .choices = states},
};

static void answer_replay(struct answer *an, const struct replay_row *row)
{
    struct buf *b = &an->body;

    buf_lit(b, "{\"data\":");
    object_begin(b, "replay_id", ID_REPLAY, &row->replay_id);
    member_id(b, "webhook_id", ID_ENDPOINT, &row->endpoint_id);
    member_text(b, "status", row->done ? STR("done") : STR("running"));
    member_text(b, "state", STR("failed"));
    member_time(b, "since", row->since);
    member_time(b, "until", row->until);
    member_i64(b, "replayed", row->replayed);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    buf_lit(b, "}}");
}

int webhook_replay(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct replay_fields f = {.until = TIME_NONE};
    struct fields_seen seen;
    struct replay_row row;
    struct id id;

    if (id_parse(ID_ENDPOINT, rq->match.args[0], &id) != 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such webhook endpoint.");
    if (fields_read(rq->json, replay_fields, sizeof(replay_fields) / sizeof(*replay_fields), false,
                    &f, &seen, err) != 0 ||
        replays_create(rs->db, &rq->who->workspace_id, &id, f.since, f.until, &row, err) != 0)
        return -1;
    responder_wake_changed(rs, &id);
    responder_created(rs, rq, an, "replays", ID_REPLAY, &row.replay_id);
    an->status = STATUS_202;
    answer_replay(an, &row);
    return 0;
}

int replay_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct replay_row row;
    struct id id;

    if (id_parse(ID_REPLAY, rq->match.args[0], &id) != 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such replay.");
    if (replays_get(rs->db, &rq->who->workspace_id, &id, &row, err) != 0)
        return -1;
    answer_replay(an, &row);
    return 0;
}
