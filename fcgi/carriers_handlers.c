/*
 * carriers_handlers.c - a workspace's carriers: made, read, changed, given another secret, deleted.
 */
#include "fcgi/customer_url.h"
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/fields.h"
#include "lib/rules/signature.h"
#include "sql/carriers.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* ---- what callers send ---- */

struct carrier_fields {
    int kind;
    struct str name, url, secret;
    int64_t concurrent_calls, calls_per_second;
};

static const char *const kind_texts[] = {
#define X(name, text) [name] = text,
    CARRIER_KINDS(X)
#undef X
    /* ends with */ NULL};

/* clang-format off */
#define CHANGEABLE_FIELDS                                                                          \
    {FIELD(TEXT, struct carrier_fields, name), .max = CARRIER_NAME_MAX},                           \
    {FIELD(TEXT, struct carrier_fields, url), .min = 1, .max = URL_LENGTH_MAX},                           \
    {FIELD(INT, struct carrier_fields, concurrent_calls), .nullable = true, .min = 1,              \
     .max = CARRIER_CONCURRENT_CALLS_MAX},                                                         \
    {FIELD(INT, struct carrier_fields, calls_per_second), .nullable = true, .min = 1,              \
     .max = CARRIER_CALLS_PER_SECOND_MAX}
/* clang-format on */
enum { FIELD_NAME, FIELD_URL, FIELD_CONCURRENT_CALLS, FIELD_CALLS_PER_SECOND };

static const struct field create_fields[] = {
    CHANGEABLE_FIELDS,
    {FIELD(CHOICE, struct carrier_fields, kind), .required = true, .choices = kind_texts},
    {FIELD(TEXT, struct carrier_fields, secret), .min = 1, .max = SECRET_TEXT_MAX},
};
static const struct field change_fields[] = {CHANGEABLE_FIELDS};

struct edit {
    const struct responder *rs;
    const struct request *rq;
    bool making;
    struct str secret; /* STR_NULL: none was given */
};

static int check_kind(const struct edit *e, enum carrier_kind kind, const struct carrier_fields *f,
                      uint64_t given, struct err *err)
{
    if (kind == CARRIER_SIMULATOR && field_in(given, FIELD_URL))
        return err_set(err, ERR_INVALID, "url must be left out: the simulator has none.");
    if (kind == CARRIER_SIMULATOR && f->secret.p != NULL)
        return err_set(err, ERR_INVALID, "secret must be left out: the simulator has none.");
    if (kind != CARRIER_SIMULATOR && e->making && !field_in(given, FIELD_URL))
        return err_set(err, ERR_INVALID, "url is required.");
    return 0;
}

/* Lets what the caller sent change the row; for one that is made the row has the defaults. */
static int edit_row(struct carrier_row *row, void *ctx, struct err *err)
{
    struct edit *e = ctx;
    struct pool *pool = e->rq->pool;
    struct fields_seen seen;
    struct carrier_fields f = {
        .kind = (int)row->kind,
        .name = row->name,
        .url = row->url,
        .secret = STR_NULL,
        .concurrent_calls = row->concurrent_calls,
        .calls_per_second = row->calls_per_second,
    };

    if (fields_read(e->rq->json, e->making ? create_fields : change_fields,
                    e->making ? COUNT(create_fields) : COUNT(change_fields), !e->making, &f, &seen,
                    err) != 0 ||
        check_kind(e, (enum carrier_kind)f.kind, &f, seen.given, err) != 0 ||
        (field_in(seen.given, FIELD_URL) &&
         customer_url_check(e->rs->conf, pool, f.url, err) != 0) ||
        (f.secret.p != NULL && secret_check(f.secret, "secret", err) != 0))
        return -1;
    row->kind = (enum carrier_kind)f.kind;
    row->name = f.name;
    row->url = f.url;
    row->concurrent_calls = field_in(seen.nulls, FIELD_CONCURRENT_CALLS) ? 0 : f.concurrent_calls;
    row->calls_per_second = field_in(seen.nulls, FIELD_CALLS_PER_SECOND) ? 0 : f.calls_per_second;
    e->secret = f.secret;
    return 0;
}

static int read_carrier_id(const struct request *rq, struct id *id_r, struct err *err)
{
    return id_parse(ID_CARRIER, rq->match.args[0], id_r) == 0
               ? 0
               : err_set(err, ERR_NOT_FOUND, "There is no such carrier.");
}

/* ---- what they get ---- */

/* The object without its end. */
static void begin_carrier(struct buf *b, const struct carrier_row *row)
{
    object_begin(b, "carrier_id", ID_CARRIER, &row->carrier_id);
    member_text(b, "kind", str_of(carrier_kind_text(row->kind)));
    member_text(b, "name", row->name);
    member_text(b, "url", row->url.n > 0 ? row->url : STR_NULL);
    member_count(b, "concurrent_calls", row->concurrent_calls);
    member_count(b, "calls_per_second", row->calls_per_second);
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
}

static int answer_current(struct responder *rs, struct request *rq, struct answer *an,
                          const struct id *id, struct err *err)
{
    struct carrier_row row;

    if (carriers_get(rs->db, rq->pool, &rq->who->workspace_id, id, &row, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    begin_carrier(&an->body, &row);
    buf_lit(&an->body, "}}");
    return 0;
}

/* ---- handlers ---- */

int carrier_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct carrier_row row = {
        .workspace_id = rq->who->workspace_id, .name = STR(""), .url = STR("")};
    struct edit edit = {.rs = rs, .rq = rq, .making = true};
    struct str secret;

    if (edit_row(&row, &edit, err) != 0 ||
        carriers_create(rs->db, rq->pool, rs->ring, &row, edit.secret, &secret, err) != 0)
        return -1;
    responder_created(rs, rq, an, "carriers", ID_CARRIER, &row.carrier_id);
    buf_lit(&an->body, "{\"data\":");
    begin_carrier(&an->body, &row);
    member_text(&an->body, "secret", secret);
    buf_lit(&an->body, "}}");
    return 0;
}

int carrier_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    static const struct list_parameter parameters[] = {{"cursor", list_read_cursor, 0},
                                                       {"limit", list_read_limit, 0}};
    struct page page = {.limit = LIST_LIMIT};
    struct carrier_row *rows;
    struct page_end end;
    size_t count;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters, COUNT(parameters), &page,
                        err) != 0 ||
        carriers_page(rs->db, rq->pool, &rq->who->workspace_id, &page, &rows, &count, &end, err) !=
            0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        begin_carrier(&an->body, &rows[i]);
        buf_char(&an->body, '}');
    }
    list_end(&an->body, &end);
    return 0;
}

int carrier_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;

    if (read_carrier_id(rq, &id, err) != 0)
        return -1;
    return answer_current(rs, rq, an, &id, err);
}

int carrier_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct edit edit = {.rs = rs, .rq = rq};
    struct id id;

    if (read_carrier_id(rq, &id, err) != 0 ||
        carriers_change(rs->db, rq->pool, &rq->who->workspace_id, &id, edit_row, &edit, err) != 0)
        return -1;
    return answer_current(rs, rq, an, &id, err);
}

struct rotate_fields {
    struct str secret;
};
static const struct field rotate_fields[] = {
    {FIELD(TEXT, struct rotate_fields, secret), .min = 1, .max = SECRET_TEXT_MAX},
};

int carrier_rotate(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct rotate_fields f = {STR_NULL};
    struct fields_seen seen;
    struct str secret;
    struct id id;

    if (read_carrier_id(rq, &id, err) != 0 ||
        fields_read(rq->json, rotate_fields, COUNT(rotate_fields), false, &f, &seen, err) != 0 ||
        (f.secret.p != NULL && secret_check(f.secret, "secret", err) != 0) ||
        carriers_rotate_secret(rs->db, rq->pool, rs->ring, &rq->who->workspace_id, &id, f.secret,
                               &secret, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    object_begin(&an->body, "carrier_id", ID_CARRIER, &id);
    member_text(&an->body, "secret", secret);
    buf_lit(&an->body, "}}");
    return 0;
}

int carrier_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;

    if (read_carrier_id(rq, &id, err) != 0 ||
        carriers_delete(rs->db, &rq->who->workspace_id, &id, err) != 0)
        return -1;
    answer_deleted(an, "carrier_id", ID_CARRIER, &id);
    return 0;
}
