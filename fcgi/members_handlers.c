/*
 * members_handlers.c - who belongs to the workspace, and who is invited to it.
 */
#include "fcgi/list_query.h"
#include "fcgi/member.h"
#include "fcgi/responder.h"
#include "lib/base/log.h"
#include "lib/rules/email.h"
#include "lib/rules/fields.h"
#include "lib/rules/sign_up.h"
#include "sql/mails.h"
#include "sql/members.h"

static const char *const roles[] = {"viewer", "admin", "owner", NULL};

static enum role role_of_choice(int choice)
{
    return (enum role)(ROLE_VIEWER + choice);
}

static int read_page(struct request *rq, struct page *page_r, struct err *err)
{
    struct list {
        struct page page;
    } list = {.page.limit = LIST_LIMIT};
    static const struct list_parameter parameters[] = {LIST_PAGE(struct list, page)};

    if (list_query_read(rq->pool, rq->param[PARAM_QUERY], parameters,
                        sizeof(parameters) / sizeof(*parameters), &list, err) != 0)
        return -1;
    *page_r = list.page;
    return 0;
}

/* ---- members ---- */

static void member_object(struct buf *b, const struct member_row *row)
{
    object_begin(b, "user_id", ID_USER, &row->user_id);
    member_text(b, "email", row->email);
    member_text(b, "name", row->name);
    member_text(b, "role", str_of(role_text(row->role)));
    member_text(b, "status", str_of(user_status_text(row->status)));
    member_time(b, "created_at", row->created_at);
    member_time(b, "updated_at", row->updated_at);
    buf_char(b, '}');
}

int member_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct member_row *rows;
    struct page page;
    struct page_end end;
    size_t count;

    if (read_page(rq, &page, err) != 0 || members_list(rs->db, rq->pool, &rq->who->workspace_id,
                                                       &page, &rows, &count, &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        member_object(&an->body, &rows[i]);
    }
    list_end(&an->body, &end);
    return 0;
}

static int read_user_id(const struct request *rq, struct id *id_r, struct err *err)
{
    if (id_parse(ID_USER, rq->match.args[0], id_r) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such member.");
    return 0;
}

struct role_request {
    struct str email;
    int role;
};

static const struct field role_fields[] = {
    {FIELD(CHOICE, struct role_request, role), .required = true, .choices = roles},
};

int member_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct role_request in = {0};
    struct fields_seen seen;
    struct member_row row;
    struct id user_id;

    if (read_user_id(rq, &user_id, err) != 0 ||
        fields_read(rq->json, role_fields, 1, true, &in, &seen, err) != 0 ||
        members_set_role(rs->db, &rq->who->workspace_id, &user_id, role_of_choice(in.role), err) !=
            0 ||
        members_get(rs->db, rq->pool, &rq->who->workspace_id, &user_id, &row, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    member_object(&an->body, &row);
    buf_char(&an->body, '}');
    return 0;
}

/* Everybody may leave; owners may send away. */
int member_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id user_id;

    if (read_user_id(rq, &user_id, err) != 0)
        return -1;
    if (!id_eq(&user_id, &rq->who->user_id) && principal_check_role(rq->who, ROLE_OWNER, err) != 0)
        return -1;
    if (members_remove(rs->db, &rq->who->workspace_id, &user_id, err) != 0)
        return -1;
    answer_deleted(an, "user_id", ID_USER, &user_id);
    return 0;
}

/* ---- invitations ---- */

static void invitation_object(struct buf *b, const struct invitation_row *row)
{
    object_begin(b, "invitation_id", ID_INVITATION, &row->invitation_id);
    member_text(b, "email", row->email);
    member_text(b, "role", str_of(role_text(row->role)));
    member_time(b, "created_at", row->created_at);
    member_time(b, "expires_at", row->expires_at);
    buf_char(b, '}');
}

static const struct field invite_fields[] = {
    {FIELD(TEXT, struct role_request, email), .required = true, .min = 1, .max = EMAIL_MAX},
    {FIELD(CHOICE, struct role_request, role), .required = true, .choices = roles},
};

static int check_may_invite(const struct responder *rs, struct err *err)
{
    enum sign_up_mode mode;

    if (sign_up_parse(str_of(rs->conf->sign_up), &mode, err) != 0) {
        err->code = ERR_INTERNAL;
        return -1;
    }
    if (mode == SIGN_UP_CLOSED)
        return err_set(err, ERR_FORBIDDEN,
                       "Nobody can be invited here: accounts are made by the server's operator.");
    if (rs->conf->sendmail_path[0] == '\0')
        return err_set(err, ERR_CONFLICT,
                       "This server sends no mail: ask its operator for an invitation.");
    return 0;
}

static int write_invitation(struct responder *rs, struct request *rq, struct invitation_row *row,
                            struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    char token[TOKEN_TEXT_SIZE];

    token_make(token);
    crypto_sha256(str_of(token), hash);
    struct mail mail =
        mail_invitation(rq->pool, row->email, rq->session->workspace_name, rq->session->email,
                        mail_link(rq->pool, str_of(rs->conf->public_url), "invitation", token));
    if (db_begin(rs->db, err) != 0)
        return -1;
    if (invitations_create(rs->db, row, hash, err) != 0 ||
        mails_write(rs->db, rq->pool, rs->ring, &mail, err) != 0) {
        db_rollback(rs->db);
        return -1;
    }
    return db_commit(rs->db, err);
}

int member_invite(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct role_request in = {0};
    struct fields_seen seen;
    struct invitation_row row = {.workspace_id = rq->who->workspace_id};
    bool is_member;

    if (fields_read(rq->json, invite_fields, 2, false, &in, &seen, err) != 0 ||
        email_read(rq->pool, "email", in.email, &row.email, err) != 0 ||
        check_may_invite(rs, err) != 0 ||
        members_has(rs->db, &row.workspace_id, row.email, &is_member, err) != 0)
        return -1;
    if (is_member)
        return err_set(err, ERR_CONFLICT, "This email address is a member's already.");
    row.role = role_of_choice(in.role);
    if (write_invitation(rs, rq, &row, err) != 0)
        return -1;
    responder_created(rs, rq, an, "invitations", ID_INVITATION, &row.invitation_id);
    buf_lit(&an->body, "{\"data\":");
    invitation_object(&an->body, &row);
    buf_char(&an->body, '}');
    return 0;
}

int invitation_list(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct invitation_row *rows;
    struct page page;
    struct page_end end;
    size_t count;

    if (read_page(rq, &page, err) != 0 || invitations_list(rs->db, rq->pool, &rq->who->workspace_id,
                                                           &page, &rows, &count, &end, err) != 0)
        return -1;
    list_begin(&an->body);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&an->body, ',');
        invitation_object(&an->body, &rows[i]);
    }
    list_end(&an->body, &end);
    return 0;
}

static int read_invitation_id(const struct request *rq, struct id *id_r, struct err *err)
{
    if (id_parse(ID_INVITATION, rq->match.args[0], id_r) != 0)
        return err_set(err, ERR_NOT_FOUND, "No such invitation.");
    return 0;
}

int invitation_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct invitation_row row;
    struct id id;

    if (read_invitation_id(rq, &id, err) != 0 ||
        invitations_get(rs->db, rq->pool, &rq->who->workspace_id, &id, &row, err) != 0)
        return -1;
    buf_lit(&an->body, "{\"data\":");
    invitation_object(&an->body, &row);
    buf_char(&an->body, '}');
    return 0;
}

int invitation_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct id id;

    if (read_invitation_id(rq, &id, err) != 0 ||
        invitations_delete(rs->db, &rq->who->workspace_id, &id, err) != 0)
        return -1;
    answer_deleted(an, "invitation_id", ID_INVITATION, &id);
    return 0;
}
