/*
 * session_handlers.c - signing in and out, the session as it is, another workspace, another
 * password.
 */
#include "fcgi/session.h"
#include "lib/base/log.h"
#include "lib/rules/email.h"
#include "lib/rules/fields.h"
#include "sql/sessions.h"

/* ---- signing in ---- */

struct sign_in {
    struct str email, password;
};

static const struct field sign_in_fields[] = {
    {FIELD(TEXT, struct sign_in, email), .required = true, .min = 1, .max = EMAIL_MAX},
    {FIELD(TEXT, struct sign_in, password), .required = true, .min = 1, .max = PASSWORD_MAX},
};

/* Whatever is wrong, the answer and the time it takes are those of a wrong password. */
static int check_password(struct responder *rs, struct request *rq, const struct sign_in *in,
                          struct user_row *user_r, bool *anew_r, struct err *err)
{
    bool found = users_by_email(rs->db, rq->pool, in->email, user_r, err) == 0;
    if (!found && err->code != ERR_NOT_FOUND)
        return -1;
    bool good = password_check(in->password, found ? user_r->password : STR_NULL,
                               (unsigned)rs->conf->password_cost, anew_r);
    if (found && good && user_r->status == USER_ACTIVE)
        return 0;
    log_write(LOG_INFO, "sign-in refused", "request=%s", rq->id);
    return err_set(err, ERR_UNAUTHORIZED, "Wrong email address or password.");
}

int session_create(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct sign_in in = {STR_NULL, STR_NULL};
    struct attempt_limits limits;
    struct fields_seen seen;
    struct user_row user;
    bool anew = false;

    if (fields_read(rq->json, sign_in_fields, sizeof(sign_in_fields) / sizeof(*sign_in_fields),
                    false, &in, &seen, err) != 0 ||
        email_read(rq->pool, "email", in.email, &in.email, err) != 0 ||
        session_attempt(rs, rq, an, "account", in.email, &limits, err) != 0 ||
        check_password(rs, rq, &in, &user, &anew, err) != 0 ||
        session_attempt_good(rs, &limits, err) != 0)
        return -1;
    struct str stored = user.password;
    if (anew) {
        stored = session_hash_password(rs, rq, in.password);
        if (users_rehash(rs->db, &user.user_id, user.password, stored, err) != 0)
            return -1;
    }
    return session_begin(rs, rq, an, &user.user_id, stored, err);
}

/* ---- the session ---- */

int session_get(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return session_show(rs, rq, an, err);
}

struct change {
    struct id workspace_id;
};

static const struct field change_fields[] = {
    {FIELD(ID, struct change, workspace_id), .required = true, .kind = ID_WORKSPACE},
};

int session_change(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct change change = {0};
    struct fields_seen seen;

    if (fields_read(rq->json, change_fields, 1, false, &change, &seen, err) != 0 ||
        sessions_switch(rs->db, rq->who, &change.workspace_id, err) != 0)
        return -1;
    return session_show(rs, rq, an, err);
}

int session_delete(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    if (sessions_end(rs->db, &rq->who->session_id, err) != 0)
        return -1;
    session_clear_cookie(rs, rq, an);
    buf_lit(&an->body, "{\"data\":{\"deleted\":true}}");
    return 0;
}

/* ---- another password ---- */

struct new_password {
    struct str current_password, new_password;
};

static const struct field password_fields[] = {
    {FIELD(TEXT, struct new_password, current_password), .required = true, .min = 1,
     .max = PASSWORD_MAX},
    {FIELD_PASSWORD(struct new_password, new_password), .required = true},
};

static int check_current(struct responder *rs, struct request *rq, struct str password,
                         struct err *err)
{
    struct user_row user;

    if (users_by_id(rs->db, rq->pool, &rq->who->user_id, &user, err) != 0)
        return -1;
    if (password_check(password, user.password, (unsigned)rs->conf->password_cost, NULL))
        return 0;
    return err_set(err, ERR_FORBIDDEN, "current_password is not your password.");
}

int session_password(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct new_password in = {STR_NULL, STR_NULL};
    struct attempt_limits limits;
    struct fields_seen seen;

    if (fields_read(rq->json, password_fields, sizeof(password_fields) / sizeof(*password_fields),
                    false, &in, &seen, err) != 0 ||
        session_attempt(rs, rq, an, "account", rq->session->email, &limits, err) != 0 ||
        check_current(rs, rq, in.current_password, err) != 0 ||
        session_attempt_good(rs, &limits, err) != 0 ||
        users_change_password(rs->db, &rq->who->user_id,
                              session_hash_password(rs, rq, in.new_password), &rq->who->session_id,
                              err) != 0)
        return -1;
    log_write(LOG_INFO, "password changed", "request=%s", rq->id);
    session_answer_status(an, STATUS_200, "changed");
    return 0;
}
