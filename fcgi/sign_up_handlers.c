/*
 * sign_up_handlers.c - accounts made by invitation or, where that is open, by anybody; passwords
 * chosen anew through a mail.
 *
 * What is answered, and when, never tells whether an address has an account: the same statements
 * are run for one that has and for one that has not, and the answer waits for the slower.
 */
#include "fcgi/session.h"
#include "lib/base/log.h"
#include "lib/rules/email.h"
#include "lib/rules/fields.h"
#include "lib/rules/sign_up.h"
#include "sql/ids.h"
#include "sql/mails.h"
#include "sql/members.h"

/* What is left of a difference is hidden behind this. */
#define SAME_TIME (250 * USEC_PER_MS)

static void wait_since(usec_t started)
{
    usec_t left = started + SAME_TIME - clock_monotonic();
    if (left > 0)
        clock_sleep(left);
}

static int one_field(const struct request *rq, const struct field *fields, size_t count, void *into,
                     struct err *err)
{
    struct fields_seen seen;
    return fields_read(rq->json, fields, count, false, into, &seen, err);
}

/* Writes one mail, with a row that stands for its token before it, in one transaction. */
typedef int token_row_fn(struct responder *rs, const void *what, const unsigned char hash[32],
                         struct err *err);
static int write_mail(struct responder *rs, struct request *rq, const struct mail *mail,
                      token_row_fn *row, const void *what, const unsigned char *hash,
                      struct err *err)
{
    if (db_begin(rs->db, err) != 0)
        return -1;
    if (row(rs, what, hash, err) != 0 || mails_write(rs->db, rq->pool, rs->ring, mail, err) != 0) {
        db_rollback(rs->db);
        return -1;
    }
    return db_commit(rs->db, err);
}

static struct str link_to(struct responder *rs, struct request *rq, const char *name,
                          const char *token)
{
    return mail_link(rq->pool, str_of(rs->conf->public_url), name, token);
}

/* ---- signing up ---- */

struct sign_up_request {
    struct str token, email, name, password, workspace_name;
};

static const struct field invited_fields[] = {
    {FIELD_TOKEN(struct sign_up_request, token)},
    {FIELD(TEXT, struct sign_up_request, name), .required = true, .min = 1, .max = USER_NAME_MAX},
    {FIELD_PASSWORD(struct sign_up_request, password), .required = true},
    {FIELD(TEXT, struct sign_up_request, workspace_name), .min = 1, .max = 200},
};

static const struct field open_fields[] = {
    {FIELD(TEXT, struct sign_up_request, email), .required = true, .min = 1, .max = EMAIL_MAX},
    {FIELD(TEXT, struct sign_up_request, name), .required = true, .min = 1, .max = USER_NAME_MAX},
    {FIELD_PASSWORD(struct sign_up_request, password), .required = true},
    {FIELD(TEXT, struct sign_up_request, workspace_name), .required = true, .min = 1, .max = 200},
};

static int sign_up_invited(struct responder *rs, struct request *rq, struct answer *an,
                           struct err *err)
{
    struct sign_up_request in = {0};
    struct attempt_limits limits;
    unsigned char hash[SHA256_SIZE];
    struct id workspace_id;

    if (one_field(rq, invited_fields, sizeof(invited_fields) / sizeof(*invited_fields), &in, err) !=
            0 ||
        session_attempt(rs, rq, an, NULL, STR_NULL, &limits, err) != 0)
        return -1;
    crypto_sha256(in.token, hash);
    struct acceptance by = {
        .name = in.name,
        .password = session_hash_password(rs, rq, in.password),
        .workspace_name = in.workspace_name,
    };
    if (invitations_accept(rs->db, rq->pool, hash, &by, &workspace_id, err) != 0 ||
        session_attempt_good(rs, &limits, err) != 0)
        return -1;
    return session_begin(rs, rq, an, &by.user_id, by.password, err);
}

static int sign_up_row(struct responder *rs, const void *what, const unsigned char hash[32],
                       struct err *err)
{
    return sign_ups_create(rs->db, what, hash, err);
}

/* The mail to who has no account yet brings a token; to who has one, the news, and nobody ever gets
 * the token that is written all the same. */
static int send_confirmation(struct responder *rs, struct request *rq,
                             const struct sign_up_request *in, struct str password, struct err *err)
{
    struct sign_up sign_up = {in->email, in->name, password, in->workspace_name};
    unsigned char hash[SHA256_SIZE];
    char token[TOKEN_TEXT_SIZE];
    struct user_row user;
    struct mail mail;

    bool known = users_by_email(rs->db, rq->pool, in->email, &user, err) == 0;
    if (!known && err->code != ERR_NOT_FOUND)
        return -1;
    token_make(token);
    crypto_sha256(str_of(token), hash);
    mail = known ? mail_already_registered(rq->pool, in->email, str_of(rs->conf->public_url))
                 : mail_confirmation(rq->pool, in->email, link_to(rs, rq, "confirm", token));
    return write_mail(rs, rq, &mail, sign_up_row, &sign_up, hash, err);
}

static int sign_up_open(struct responder *rs, struct request *rq, struct answer *an,
                        struct err *err)
{
    struct sign_up_request in = {0};
    struct attempt_limits limits;

    if (one_field(rq, open_fields, sizeof(open_fields) / sizeof(*open_fields), &in, err) != 0 ||
        email_read(rq->pool, "email", in.email, &in.email, err) != 0 ||
        session_attempt(rs, rq, an, "mail", in.email, &limits, err) != 0)
        return -1;
    struct str password = session_hash_password(rs, rq, in.password);
    usec_t started = clock_monotonic();
    if (send_confirmation(rs, rq, &in, password, err) != 0)
        return -1;
    wait_since(started);
    session_answer_status(an, STATUS_202, "sent");
    return 0;
}

int session_sign_up(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    enum sign_up_mode mode;

    if (json_get(rq->json, "token") != NULL)
        return sign_up_invited(rs, rq, an, err);
    if (sign_up_parse(str_of(rs->conf->sign_up), &mode, err) != 0) {
        err->code = ERR_INTERNAL;
        return -1;
    }
    if (mode == SIGN_UP_OPEN && rs->conf->sendmail_path[0] != '\0')
        return sign_up_open(rs, rq, an, err);
    return err_set(err, ERR_FORBIDDEN,
                   mode == SIGN_UP_INVITATION ? "Signing up takes an invitation: send its token."
                                              : "Nobody can sign up here.");
}

struct token_request {
    struct str token, password, workspace_name;
};

static const struct field token_fields[] = {{FIELD_TOKEN(struct token_request, token)}};

int session_confirm(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct token_request in = {0};
    struct attempt_limits limits;
    unsigned char hash[SHA256_SIZE];
    struct str email;

    if (one_field(rq, token_fields, 1, &in, err) != 0 ||
        session_attempt(rs, rq, an, NULL, STR_NULL, &limits, err) != 0)
        return -1;
    crypto_sha256(in.token, hash);
    if (sign_ups_confirm(rs->db, rq->pool, hash, &email, err) != 0 ||
        session_attempt_good(rs, &limits, err) != 0)
        return -1;
    log_write(LOG_INFO, "account confirmed", "request=%s", rq->id);
    session_answer_status(an, STATUS_200, "confirmed");
    return 0;
}

static const struct field accept_fields[] = {
    {FIELD_TOKEN(struct token_request, token)},
    {FIELD(TEXT, struct token_request, workspace_name), .min = 1, .max = 200},
};

/* Accepted, and gone to. */
int session_accept(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct token_request in = {0};
    unsigned char hash[SHA256_SIZE];
    struct id workspace_id;

    if (one_field(rq, accept_fields, 2, &in, err) != 0)
        return -1;
    crypto_sha256(in.token, hash);
    struct acceptance by = {
        .user_id = rq->who->user_id,
        .email = rq->session->email,
        .workspace_name = in.workspace_name,
    };
    if (invitations_accept(rs->db, rq->pool, hash, &by, &workspace_id, err) != 0 ||
        sessions_switch(rs->db, rq->who, &workspace_id, err) != 0)
        return -1;
    return session_show(rs, rq, an, err);
}

/* ---- a forgotten password ---- */

struct forgot_request {
    struct str email;
};

static const struct field forgot_fields[] = {
    {FIELD(TEXT, struct forgot_request, email), .required = true, .min = 1, .max = EMAIL_MAX},
};

static int reset_row(struct responder *rs, const void *what, const unsigned char hash[32],
                     struct err *err)
{
    return user_tokens_create(rs->db, what, hash, RESET_LIFETIME, err);
}

/* Who has no account gets no mail: one to nobody is written in its place, which the mailer drops,
 * with a token of a user that is not there. */
static int send_reset(struct responder *rs, struct request *rq, struct str email, struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    char token[TOKEN_TEXT_SIZE];
    struct user_row user;

    if (rs->conf->sendmail_path[0] == '\0')
        return 0;
    bool known = users_by_email(rs->db, rq->pool, email, &user, err) == 0;
    if (!known && err->code != ERR_NOT_FOUND)
        return -1;
    known = known && user.status == USER_ACTIVE;
    token_make(token);
    crypto_sha256(str_of(token), hash);
    struct id user_id = known ? user.user_id : id_new();
    struct mail mail = mail_reset(rq->pool, email, link_to(rs, rq, "reset", token));
    if (!known)
        mail.to = STR("");
    return write_mail(rs, rq, &mail, reset_row, &user_id, hash, err);
}

int session_forgot(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct forgot_request in = {STR_NULL};
    struct attempt_limits limits;

    if (one_field(rq, forgot_fields, 1, &in, err) != 0 ||
        email_read(rq->pool, "email", in.email, &in.email, err) != 0 ||
        session_attempt(rs, rq, an, "mail", in.email, &limits, err) != 0)
        return -1;
    usec_t started = clock_monotonic();
    if (send_reset(rs, rq, in.email, err) != 0)
        return -1;
    wait_since(started);
    session_answer_status(an, STATUS_202, "sent");
    return 0;
}

static const struct field reset_fields[] = {
    {FIELD_TOKEN(struct token_request, token)},
    {FIELD_PASSWORD(struct token_request, password), .required = true},
};

int session_reset(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    struct token_request in = {0};
    struct attempt_limits limits;
    unsigned char hash[SHA256_SIZE];

    if (one_field(rq, reset_fields, 2, &in, err) != 0 ||
        session_attempt(rs, rq, an, NULL, STR_NULL, &limits, err) != 0)
        return -1;
    crypto_sha256(in.token, hash);
    if (user_tokens_use(rs->db, hash, session_hash_password(rs, rq, in.password), err) != 0 ||
        session_attempt_good(rs, &limits, err) != 0)
        return -1;
    log_write(LOG_INFO, "password reset", "request=%s", rq->id);
    session_answer_status(an, STATUS_200, "changed");
    return 0;
}
