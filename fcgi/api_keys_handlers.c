/*
 * api_keys_handlers.c - a workspace's API keys: make, list, read, revoke. A key is shown once, in
 * the answer that made it. Nobody makes a key that may more than what they came with.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"
#include "sql/accounts.h"

/* Bits as those of SCOPE_CALLS and SCOPE_MANAGE. */
static const char *const scope_texts[] = {"calls", "manage", NULL};

/* key NULL: it is known to its owner alone. */
static void write_key(struct buf *b, const struct api_key_row *row, const char *key)
{
    object_begin(b, "key_id", ID_KEY, &row->key_id);
    member_text(b, "name", row->name);
    member_text(b, "prefix", row->prefix);
    if (key != NULL)
        member_text(b, "key", str_of(key));
    member_bool(b, "test", row->test);
    member_set(b, "scopes", row->scopes, scope_texts);
    member_rate(b, "rate_per_minute", row->rate_per_minute);
    member_time(b, "last_used_at", row->last_used_at);
    member_time(b, "revoked_at", row->revoked_at);
    member_time(b, "created_at", row->created_at);
    buf_char(b, '}');
}

/* What a key gives away: at most its own scopes, and a test key's are test keys. With "manage" a
 * key may what takes an owner among people, so that only owners make such. */
static int check_grant(const struct principal *who, const struct api_key_new *key, struct err *err)
{
    if (who->role != ROLE_NONE)
        return (key->scopes & SCOPE_MANAGE) != 0 ? principal_check_role(who, ROLE_OWNER, err) : 0;
    if ((key->scopes & ~who->scopes) != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "scopes must not go beyond those of the API key that asks.");
    if (who->test && !key->test)
        return err_set(err, ERR_FORBIDDEN, "test must be true: a test key asks.");
    return 0;
}

int api_key_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct field fields[] = {
        {FIELD(TEXT, struct api_key_new, name), .required = true, .min = 1,
         .max = WORKSPACE_NAME_MAX},
        {FIELD(BOOL, struct api_key_new, test)},
        {FIELD(SET, struct api_key_new, scopes), .required = true, .min = 1,
         .choices = scope_texts},
    };
    struct api_key_new key = {.workspace_id = rq->who->workspace_id};
    struct fields_seen seen;
    struct api_key_row row;
    struct id key_id;
    char text[API_KEY_TEXT_SIZE];

    if (fields_read(rq->json, fields, sizeof fields / sizeof *fields, false, &key, &seen, err) !=
            0 ||
        check_grant(rq->who, &key, err) != 0 ||
        api_keys_create(rs->db, &key, &key_id, text, err) != 0 ||
        api_keys_get(rs->db, rq->pool, &key.workspace_id, &key_id, &row, err) != 0)
        return -1;
    responder_created(rs, rq, an, "api_keys", ID_KEY, &key_id);
    buf_lit(&an->body, "{\"data\":");
    write_key(&an->body, &row, text);
    buf_char(&an->body, '}');
    crypto_wipe(text, sizeof text);
    return 0;
}

int api_key_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"revoked", list_read_bool, offsetof(struct api_key_filter, revoked)},
        LIST_PAGE(struct api_key_filter, page),
    };
    struct api_key_filter filter = {.revoked = -1, .page.limit = LIST_LIMIT};
    struct api_key_row *rows;
    size_t count;
    struct page_end end;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof parameters / sizeof *parameters, &filter, err) != 0 ||
        api_keys_page(rs->db, rq->pool, &rq->who->workspace_id, &filter, &rows, &count, &end,
                      err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_key(&an->body, &rows[i], NULL);
    }
    list_end(&an->body, &end);
    return 0;
}

static int no_such_key(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such API key.");
}

static int show(struct responder *rs, struct request *rq, const struct id *key_id,
                struct answer *an, struct err *err)
{
    struct api_key_row row;

    if (api_keys_get(rs->db, rq->pool, &rq->who->workspace_id, key_id, &row, err) != 0)
        return err->code == ERR_NOT_FOUND ? no_such_key(err) : -1;
    buf_lit(&an->body, "{\"data\":");
    write_key(&an->body, &row, NULL);
    buf_char(&an->body, '}');
    return 0;
}

int api_key_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id key_id;

    if (id_parse(ID_KEY, rq->match.args[0], &key_id) != 0)
        return no_such_key(err);
    return show(rs, rq, &key_id, an, err);
}

/* Also the one that asks. Answered when no responder can take it any more. */
int api_key_revoke(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id key_id;

    if (id_parse(ID_KEY, rq->match.args[0], &key_id) != 0)
        return no_such_key(err);
    if (fields_none(rq->json, err) != 0)
        return -1;
    if (api_keys_revoke_own(rs->db, &rq->who->workspace_id, &key_id, err) != 0)
        return err->code == ERR_NOT_FOUND ? no_such_key(err) : -1;
    clock_sleep(rs->conf->recheck_interval);
    return show(rs, rq, &key_id, an, err);
}
