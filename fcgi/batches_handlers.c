/*
 * batches_handlers.c - calls in batches: made from JSON or CSV, listed, watched, paused, resumed,
 * cancelled.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"
#include "sql/batches.h"

#define REFUSALS_SHOWN 100 /* in the answer that makes a batch */

static int read_batch_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_BATCH, rq->match.args[0], id_r) == 0
               ? 0
               : err_set(err, ERR_NOT_FOUND, "No such batch.");
}

/* ---- written ---- */

/* The object is left open. */
static void begin_batch(struct buf *b, const struct batch_row *row)
{
    object_begin(b, "batch_id", ID_BATCH, &row->batch_id);
    member_text(b, "status", str_of(batch_status_shown(row)));
    member_id(b, "agent_id", ID_AGENT, &row->agent_id);
    member_text(b, "name", row->name);
    member_i64(b, "total", row->total);
    member_i64(b, "disallowed", row->disallowed);
    member_i64(b, "refused", row->refused);
    member_time(b, "scheduled_at", row->scheduled_at);
    member_time(b, "expires_at", row->expires_at);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    if (row->test)
        member_bool(b, "test", true);
}

static void write_counts(struct buf *b, const struct batch_counts *counts)
{
    buf_printf(b, ",\"calls\":{\"scheduled\":%lld", (long long)counts->scheduled);
    member_i64(b, "under_way", counts->under_way);
    member_i64(b, "completed", counts->completed);
    member_i64(b, "failed", counts->failed);
    member_i64(b, "cancelled", counts->cancelled);
    member_i64(b, "disallowed", counts->disallowed);
    buf_char(b, '}');
}

static void write_refusal(struct buf *b, const struct batch_refusal *refusal)
{
    buf_printf(b, "{\"line\":%llu", (unsigned long long)refusal->line);
    member_text(b, "message", refusal->message);
    buf_char(b, '}');
}

/* As it is now, with its calls counted. */
static int answer_batch(struct responder *rs, struct request *rq, struct answer *an,
                        const struct id *batch_id, struct batch_row *row_r, struct err *err)
{
    struct batch_counts counts;

    if (batches_get(rs->db, rq->pool, &rq->who->workspace_id, batch_id, row_r, err) != 0 ||
        batches_count(rs->db, batch_id, &counts, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    begin_batch(&an->body, row_r);
    write_counts(&an->body, &counts);
    buf_lit(&an->body, "}}");
    return 0;
}

/* ---- made ---- */

static int read_word(struct pool *pool, const char *name, struct str value, void *place,
                     struct err *err)
{
    (void)pool, (void)name, (void)err;
    *(struct str *)place = value;
    return 0;
}

/* The '+' of an offset comes as a blank from clients that forget to encode it. */
static int read_time_word(struct pool *pool, const char *name, struct str value, void *place,
                          struct err *err)
{
    (void)name, (void)err;
    *(struct str *)place = value.n > 6 ? list_blank_to_plus(pool, value, value.n - 6) : value;
    return 0;
}

static int read_words(const struct request *rq, struct batch_words *words, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"agent_id", read_word, offsetof(struct batch_words, agent_id)},
        {"name", read_word, offsetof(struct batch_words, name)},
        {"scheduled_at", read_time_word, offsetof(struct batch_words, scheduled_at)},
        {"expires_at", read_time_word, offsetof(struct batch_words, expires_at)},
    };

    *words = (struct batch_words){STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    return list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                           sizeof(parameters) / sizeof(*parameters), words, err);
}

static int read_request(const struct request *rq, usec_t now, struct batch_request *request_r,
                        struct err *err)
{
    struct batch_words words;

    if (rq->json != NULL && rq->param[PARAM_QUERY].n > 0)
        return err_set(err, ERR_INVALID,
                       "Parameters in the URL go with CSV; JSON has all in the body.");
    if (rq->json != NULL)
        return batch_request_read_json(rq->pool, rq->json, now, request_r, err);
    if (read_words(rq, &words, err) != 0)
        return -1;
    return batch_request_read_csv(rq->pool, &words, rq->body, now, request_r, err);
}

static int answer_made(struct responder *rs, struct request *rq, struct answer *an,
                       const struct batch_made *made, struct err *err)
{
    struct batch_refusal *refusals;
    size_t count;
    bool more;

    if (batches_refusals(rs->db, rq->pool, &made->row.batch_id, 0, REFUSALS_SHOWN, &refusals,
                         &count, &more, err) != 0)
        return -1;
    responder_created(rs, rq, an, "batches", ID_BATCH, &made->row.batch_id);
    if (made->replayed)
        answer_header(an, "Idempotent-Replayed", STR("true"));
    buf_lit(&an->body, "{\"data\":");
    begin_batch(&an->body, &made->row);
    buf_lit(&an->body, ",\"refusals\":[");
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_refusal(&an->body, &refusals[i]);
    }
    buf_lit(&an->body, "]}}");
    return 0;
}

/* A request that was right when it was first sent gets its first answer again; otherwise what is
 * wrong with it stands in err. */
static int replay_refused(struct responder *rs, struct request *rq, struct answer *an,
                          const struct batch_new *batch, struct err *err)
{
    struct batch_made made;
    struct err fault;
    bool found;

    if (batch->idempotency_key.p == NULL)
        return -1;
    if (batches_replay(rs->db, rq->pool, batch, &made, &found, &fault) != 0) {
        *err = fault;
        return -1;
    }
    return found ? answer_made(rs, rq, an, &made, err) : -1;
}

static int make(struct responder *rs, struct request *rq, struct answer *an,
                struct batch_new *batch, struct err *err)
{
    struct batch_made made;

    if (known_agent(rs->known, rs->db, &batch->request->agent_id, &batch->agent, err) != 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        batch->agent = NULL;
    }
    if (batches_create(rs->db, rq->pool, batch, &made, err) != 0)
        return -1;
    responder_wake(rs, NULL, made.wakes.ids, made.wakes.count);
    if (made.due_now)
        responder_wake_batch(rs, &made.row.agent_id);
    return answer_made(rs, rq, an, &made, err);
}

int batch_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct str header = rq->param[PARAM_IDEMPOTENCY_KEY];
    usec_t now = clock_wall();
    struct batch_request request;
    unsigned char random[10];
    struct batch_new batch = {
        .who = rq->who,
        .request = &request,
        .idempotency_retention = rs->conf->idempotency_retention,
    };

    if (header.p != NULL &&
        idempotency_key_read(rq->pool, header, &batch.idempotency_key, err) != 0)
        return -1;
    if (read_request(rq, now, &request, err) != 0)
        return replay_refused(rs, rq, an, &batch, err);
    crypto_random(random, sizeof(random));
    batch.batch_id = id_make(now, random);
    return make(rs, rq, an, &batch, err);
}

/* ---- looked at ---- */

static int read_agent(struct pool *pool, const char *name, struct str value, void *place,
                      struct err *err)
{
    struct batch_filter *filter = place;

    (void)pool;
    if (id_parse(ID_AGENT, value, &filter->agent_id) != 0)
        return err_set(err, ERR_INVALID, "%s must be the id of an agent.", name);
    filter->by_agent = true;
    return 0;
}

int batch_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"agent_id", read_agent, 0},
        LIST_PAGE(struct batch_filter, page),
    };
    struct batch_filter filter = {.page.limit = LIST_LIMIT};
    struct batch_row *rows;
    size_t count;
    struct page_end end;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &filter, err) != 0 ||
        batches_list(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end, err) !=
            0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        begin_batch(&an->body, &rows[i]);
        buf_char(&an->body, '}');
    }
    list_end(&an->body, &end);
    return 0;
}

int batch_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct batch_row row;
    struct id batch_id;

    if (read_batch_id(rq, &batch_id, err) != 0)
        return -1;
    return answer_batch(rs, rq, an, &batch_id, &row, err);
}

int batch_refusals(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"cursor", list_read_cursor, 0},
        {"limit", list_read_limit, 0},
    };
    struct page page = {.limit = LIST_LIMIT};
    struct batch_refusal *rows;
    struct batch_row row;
    struct id batch_id;
    struct page_end end;
    size_t count;

    /* Such a list goes on after a line; as a cursor it is the moment of no row. */
    if (read_batch_id(rq, &batch_id, err) != 0 ||
        list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &page, err) != 0 ||
        batches_get(rs->db, rq->pool, &rq->who->workspace_id, &batch_id, &row, err) != 0 ||
        batches_refusals(rs->db, rq->pool, &batch_id, (uint64_t)page.cursor.created_at, page.limit,
                         &rows, &count, &end.more, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_refusal(&an->body, &rows[i]);
    }
    end.cursor = (struct cursor){.created_at = count > 0 ? (usec_t)rows[count - 1].line : 0};
    list_end(&an->body, &end);
    return 0;
}

/* ---- switched ---- */

static int switch_batch(struct responder *rs, struct request *rq, enum batch_status status,
                        struct answer *an, struct err *err)
{
    struct batch_row row;
    struct id batch_id;

    if (read_batch_id(rq, &batch_id, err) != 0 || fields_none(rq->json, err) != 0 ||
        batches_switch(rs->db, &rq->who->workspace_id, &batch_id, status, err) != 0 ||
        answer_batch(rs, rq, an, &batch_id, &row, err) != 0)
        return -1;
    if (status == BATCH_RUNNING)
        responder_wake_batch(rs, &row.agent_id);
    return 0;
}

int batch_pause(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_batch(rs, rq, BATCH_PAUSED, an, err);
}

int batch_resume(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_batch(rs, rq, BATCH_RUNNING, an, err);
}

int batch_cancel(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return switch_batch(rs, rq, BATCH_CANCELLED, an, err);
}
