/*
 * suppressed_numbers_handlers.c - the numbers that a workspace must not call: put onto the list,
 * listed, looked up, taken off it.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/rules/phone.h"
#include "sql/suppressed_numbers.h"

static void write_number(struct buf *b, const struct suppressed_number *row)
{
    buf_lit(b, "{\"contact_number\":");
    buf_json(b, row->set.contact_number);
    member_text(b, "source", str_of(suppression_source_text(row->set.source)));
    member_text(b, "note", row->set.note);
    member_time(b, "created_at", row->created_at);
    buf_char(b, '}');
}

static void answer_number(struct answer *an, const struct suppressed_number *row)
{
    buf_lit(&an->body, "{\"data\":");
    write_number(&an->body, row);
    buf_char(&an->body, '}');
}

/* What is no number is on nobody's list; the message says what is wrong with it. */
static int read_number(struct request *rq, struct str *number_r, struct err *err)
{
    enum phone_kind kind;

    *number_r = list_blank_to_plus(rq->pool, rq->match.args[0], 0);
    if (phone_check(*number_r, "The number", &kind, err) == 0)
        return 0;
    err->code = ERR_NOT_FOUND;
    return -1;
}

int suppressed_number_create(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    struct suppression suppression;
    struct suppressed_number row;
    bool made, any;

    if (suppression_read(rq->json, &suppression, err) != 0 ||
        suppressed_numbers_any(rs->db, &rq->who->workspace_id, &any, err) != 0 ||
        suppressed_numbers_put(rs->db, rq->pool, &rq->who->workspace_id, &suppression, &row, &made,
                               err) != 0)
        return -1;
    /* That a workspace has a list at all is known for a moment (known.h). */
    if (!any)
        clock_sleep(rs->conf->recheck_interval);
    if (made)
        responder_created_at(rs, rq, an, "suppressed_numbers", row.set.contact_number);
    answer_number(an, &row);
    return 0;
}

/* Such a list goes on after a number; as a cursor it is the moment of no row. */
static struct str number_of(struct pool *pool, const struct page *page)
{
    if (!page->from_cursor)
        return STR_NULL;
    return str_of(pool_printf(pool, "+%lld", (long long)page->cursor.created_at));
}

static void end_page(const struct suppressed_number *last, bool more, struct page_end *end)
{
    uint64_t digits = 0;

    *end = (struct page_end){.more = more};
    if (!more)
        return;
    struct str number = last->set.contact_number;
    if (str_u64((struct str){number.p + 1, number.n - 1}, INT64_MAX, &digits) != 0)
        die("a suppressed number that is none");
    end->cursor.created_at = (usec_t)digits;
}

int suppressed_number_list(struct responder *rs, struct request *rq, struct answer *an,
                           struct err *err)
{
    static const struct list_parameter parameters[] = {
        {"cursor", list_read_cursor, 0},
        {"limit", list_read_limit, 0},
    };
    struct page page = {.limit = LIST_LIMIT};
    struct suppressed_number *rows;
    size_t count;
    struct page_end end;
    bool more;

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &page, err) != 0 ||
        suppressed_numbers_list(rs->db, rq->pool, &rq->who->workspace_id,
                                number_of(rq->pool, &page), page.limit, &rows, &count, &more,
                                err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        buf_text(&an->body, i > 0 ? "," : "");
        write_number(&an->body, &rows[i]);
    }
    end_page(count > 0 ? &rows[count - 1] : NULL, more, &end);
    list_end(&an->body, &end);
    return 0;
}

int suppressed_number_get(struct responder *rs, struct request *rq, struct answer *an,
                          struct err *err)
{
    struct suppressed_number row;
    struct str number;

    if (read_number(rq, &number, err) != 0 ||
        suppressed_numbers_get(rs->db, rq->pool, &rq->who->workspace_id, number, &row, err) != 0)
        return -1;
    answer_number(an, &row);
    return 0;
}

int suppressed_number_delete(struct responder *rs, struct request *rq, struct answer *an,
                             struct err *err)
{
    struct str number;

    if (read_number(rq, &number, err) != 0 ||
        suppressed_numbers_delete(rs->db, &rq->who->workspace_id, number, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":{\"contact_number\":");
    buf_json(&an->body, number);
    buf_lit(&an->body, ",\"deleted\":true}}");
    return 0;
}
