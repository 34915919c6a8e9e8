/*
 * inbound_hooks_handlers.c - a workspace's inbound hooks, for their owner: made, listed, changed,
 * given new URLs. What is sent to their URLs is in hooks_handlers.c.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"
#include "sql/hooks.h"

static int read_hook_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_HOOK, rq->match.args[0], id_r) == 0 ? 0 : hooks_not_found(err);
}

/* ---- written ---- */

/* The URL and the secret, which are shown once; STR_NULL: not now. */
struct shown_once {
    struct str url, signing_secret;
};

static struct str hook_url(const struct responder *rs, struct pool *pool, const char *token)
{
    struct str base = str_of(rs->conf->public_url);
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    return str_of(pool_printf(pool, "%.*s/v1/hooks/%s", STR_ARG(base), token));
}

static void write_hook(struct buf *b, struct pool *pool, const struct hook_row *row,
                       const struct shown_once *once)
{
    object_begin(b, "hook_id", ID_HOOK, &row->hook_id);
    member_text(b, "name", row->name);
    member_text(b, "status", str_of(hook_status_text(row->status)));
    member_bool(b, "signed", row->is_signed);
    if (once != NULL && once->url.p != NULL)
        member_text(b, "url", once->url);
    if (once != NULL && once->signing_secret.p != NULL)
        member_text(b, "signing_secret", once->signing_secret);
    member_text(b, "hint",
                row->hint.p == NULL ? STR_NULL
                                    : str_of(pool_printf(pool, "%.*s…", STR_ARG(row->hint))));
    member_time(b, "previous_until", row->previous_until);
    member_time(b, "last_used_at", row->last_used_at);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    buf_char(b, '}');
}

static void answer_hook(struct request *rq, struct answer *an, const struct hook_row *row,
                        const struct shown_once *once)
{
    buf_lit(&an->body, "{\"data\":");
    write_hook(&an->body, rq->pool, row, once);
    buf_char(&an->body, '}');
}

/* As it is now, after what was done to it. */
static int answer_as_stored(struct responder *rs, struct request *rq, struct answer *an,
                            const struct id *hook_id, const struct shown_once *once,
                            struct err *err)
{
    struct hook_row row;
    if (hooks_get(rs->db, rq->pool, &rq->who->workspace_id, hook_id, &row, err) != 0)
        return -1;
    answer_hook(rq, an, &row, once);
    return 0;
}

/* Until no responder goes by what was before. */
static void settle(const struct responder *rs)
{
    clock_sleep(rs->conf->recheck_interval);
}

/* ---- read from the body ---- */

struct hook_fields {
    struct str name;
    const struct json *signing_secret;
};
enum { FIELD_NAME, FIELD_SIGNING_SECRET };

static const struct field hook_table[] = {
    [FIELD_NAME] = {FIELD(TEXT, struct hook_fields, name), .required = true, .min = 1,
                    .max = HOOK_NAME_MAX},
    [FIELD_SIGNING_SECRET] = {FIELD(JSON, struct hook_fields, signing_secret)},
};

/* A string, true (one is made), or null and false (none). */
static int read_secret(struct pool *pool, const struct json *value, struct str *secret_r,
                       struct err *err)
{
    *secret_r = STR_NULL;
    if (json_type(value) == JSON_NULL)
        return 0;
    if (json_type(value) == JSON_BOOL) {
        if (json_bool(value))
            *secret_r = secret_new(pool);
        return 0;
    }
    *secret_r = json_str(value);
    return secret_check(*secret_r, "signing_secret", err);
}

static int read_change(struct request *rq, bool changing, struct hook_change *change_r,
                       struct err *err)
{
    struct hook_fields fields = {.name = STR("")};
    struct fields_seen seen;

    if (fields_read(rq->json, hook_table, sizeof(hook_table) / sizeof(*hook_table), changing,
                    &fields, &seen, err) != 0)
        return -1;
    *change_r = (struct hook_change){
        .set_name = (seen.given & (1u << FIELD_NAME)) != 0,
        .set_secret = (seen.given & (1u << FIELD_SIGNING_SECRET)) != 0,
        .name = fields.name,
        .secret = STR_NULL,
    };
    return change_r->set_secret
               ? read_secret(rq->pool, fields.signing_secret, &change_r->secret, err)
               : 0;
}

/* ---- the routes ---- */

/* What comes to a hook's URL makes live calls. */
static int check_live(const struct request *rq, struct err *err)
{
    if (!rq->who->test)
        return 0;
    return err_set(err, ERR_FORBIDDEN,
                   "A test key makes and changes no inbound hooks: their calls are live.");
}

int inbound_hook_create(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    struct hook_change hook;
    struct hook_row row = {.workspace_id = rq->who->workspace_id};
    char token[HOOK_TOKEN_TEXT_SIZE];

    if (check_live(rq, err) != 0 || read_change(rq, false, &hook, err) != 0 ||
        hooks_create(rs->db, rq->pool, rs->ring, &hook, &row, token, err) != 0)
        return -1;
    struct shown_once once = {hook_url(rs, rq->pool, token), hook.secret};
    responder_created(rs, rq, an, "inbound_hooks", ID_HOOK, &row.hook_id);
    answer_hook(rq, an, &row, &once);
    return 0;
}

int inbound_hook_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"cursor", list_read_cursor, 0},
        {"limit", list_read_limit, 0},
    };
    struct page page = {.limit = LIST_LIMIT};
    struct hook_row *rows;
    size_t count;
    struct page_end end;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &page, err) != 0 ||
        hooks_list(rs->db, rq->pool, &rq->who->workspace_id, &page, &rows, &count, &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        write_hook(&an->body, rq->pool, &rows[i], NULL);
    }
    list_end(&an->body, &end);
    return 0;
}

int inbound_hook_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;
    return read_hook_id(rq, &id, err) == 0 ? answer_as_stored(rs, rq, an, &id, NULL, err) : -1;
}

int inbound_hook_change(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    struct hook_change change;
    struct id id;

    if (check_live(rq, err) != 0 || read_hook_id(rq, &id, err) != 0 ||
        read_change(rq, true, &change, err) != 0 ||
        hooks_change(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &id, &change, err) != 0)
        return -1;
    if (change.set_secret)
        settle(rs);
    struct shown_once once = {STR_NULL, change.secret};
    return answer_as_stored(rs, rq, an, &id, &once, err);
}

static int switch_hook(struct responder *rs, struct request *rq, struct answer *an,
                       enum hook_status status, struct err *err)
{
    struct id id;

    if (check_live(rq, err) != 0 || read_hook_id(rq, &id, err) != 0 ||
        fields_none(rq->json, err) != 0 ||
        hooks_switch(rs->db, &rq->who->workspace_id, &id, status, err) != 0)
        return -1;
    if (status == HOOK_DISABLED)
        settle(rs);
    return answer_as_stored(rs, rq, an, &id, NULL, err);
}

int inbound_hook_enable(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    return switch_hook(rs, rq, an, HOOK_ENABLED, err);
}

int inbound_hook_disable(struct responder *rs, struct request *rq, struct answer *an,
                         struct err *err)
{
    return switch_hook(rs, rq, an, HOOK_DISABLED, err);
}

int inbound_hook_delete(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    struct id id;

    if (check_live(rq, err) != 0 || read_hook_id(rq, &id, err) != 0 ||
        hooks_delete(rs->db, &rq->who->workspace_id, &id, err) != 0)
        return -1;
    settle(rs);
    answer_deleted(an, "hook_id", ID_HOOK, &id);
    return 0;
}

struct rotation {
    int64_t grace_seconds;
};

int inbound_hook_rotate(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    static const struct field table[] = {
        {FIELD(INT, struct rotation, grace_seconds), .max = HOOK_GRACE_MAX / USEC_PER_S},
    };
    struct rotation rotation = {0};
    struct fields_seen seen;
    struct id id;
    char token[HOOK_TOKEN_TEXT_SIZE];

    if (check_live(rq, err) != 0 || read_hook_id(rq, &id, err) != 0 ||
        (rq->json != NULL && fields_read(rq->json, table, 1, false, &rotation, &seen, err) != 0))
        return -1;
    usec_t grace = rotation.grace_seconds * USEC_PER_S;
    if (hooks_rotate(rs->db, &rq->who->workspace_id, &id, grace, token, err) != 0)
        return -1;
    if (grace < rs->conf->recheck_interval)
        settle(rs);
    struct shown_once once = {hook_url(rs, rq->pool, token), STR_NULL};
    return answer_as_stored(rs, rq, an, &id, &once, err);
}
