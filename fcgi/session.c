/*
 * session.c - see session.h.
 */
#include "fcgi/session.h"
#include "fcgi/auth.h"
#include "fcgi/member.h"
#include "lib/base/log.h"
#include "sql/members.h"

#include <string.h>

#define MINUTES(n) ((usec_t)(n)*60 * USEC_PER_S)

struct str session_hash_password(const struct responder *rs, struct request *rq,
                                 struct str password)
{
    char *hash = pool_alloc(rq->pool, PASSWORD_TEXT_SIZE);
    password_hash(password, (unsigned)rs->conf->password_cost, hash);
    return str_of(hash);
}

/* ---- attempts ---- */

int session_attempt(struct responder *rs, struct request *rq, struct answer *an, const char *kind,
                    struct str email, struct attempt_limits *limits_r, struct err *err)
{
    usec_t wait;

    limits_r->count = 1;
    limits_r->subjects[0] = slowdown_of("address", remote_address(rq, &rs->proxies),
                                        rs->conf->sign_in_failures_address, MINUTES(10));
    if (email.p != NULL)
        limits_r->subjects[limits_r->count++] =
            slowdown_of(kind, email, rs->conf->sign_in_failures, MINUTES(60));
    if (slowdowns_begin(rs->db, limits_r->subjects, limits_r->count, &wait, err) != 0)
        return -1;
    if (wait == 0)
        return 0;
    an->retry_after = (wait + USEC_PER_S - 1) / USEC_PER_S;
    return err_set(err, ERR_RATE_LIMITED, "Too many attempts failed. Try again in %lld s.",
                   (long long)an->retry_after);
}

int session_attempt_good(struct responder *rs, const struct attempt_limits *limits, struct err *err)
{
    if (limits->count > 1 && slowdowns_forget(rs->db, &limits->subjects[1], err) != 0)
        return -1;
    return slowdowns_forgive(rs->db, &limits->subjects[0], err);
}

/* ---- the cookie ---- */

static void set_cookie(const struct responder *rs, struct request *rq, struct answer *an,
                       const char *value, const char *more)
{
    const struct conf *conf = rs->conf;
    const char *path = conf->base_path[0] != '\0' ? conf->base_path : "/";
    const char *secure = strncmp(conf->public_url, "https://", 8) == 0 ? "; Secure" : "";
    answer_header(
        an, "Set-Cookie",
        str_of(pool_printf(rq->pool, SESSION_COOKIE "=%s; Path=%s%s; HttpOnly; SameSite=Strict%s",
                           value, path, more, secure)));
}

void session_clear_cookie(const struct responder *rs, struct request *rq, struct answer *an)
{
    set_cookie(rs, rq, an, "", "; Max-Age=0");
}

/* ---- showing ---- */

static void add_workspaces(struct buf *b, const struct membership *rows, size_t count)
{
    buf_lit(b, ",\"workspaces\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(b, ',');
        object_begin(b, "workspace_id", ID_WORKSPACE, &rows[i].workspace_id);
        member_text(b, "name", rows[i].workspace_name);
        member_text(b, "role", str_of(role_text(rows[i].role)));
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void add_workspace(struct buf *b, const struct session_row *s)
{
    if (id_is_zero(&s->who.workspace_id)) {
        member_null(b, "workspace");
        return;
    }
    buf_lit(b, ",\"workspace\":");
    object_begin(b, "workspace_id", ID_WORKSPACE, &s->who.workspace_id);
    member_text(b, "name", s->workspace_name);
    member_text(b, "status", s->who.active ? STR("active") : STR("suspended"));
    buf_char(b, '}');
}

static int show(struct responder *rs, struct request *rq, struct answer *an,
                const unsigned char hash[32], struct err *err)
{
    struct session_row s;
    struct membership *workspaces = NULL;
    size_t count;
    char csrf[CSRF_TEXT_SIZE];
    struct buf *b = &an->body;

    if (sessions_read(rs->db, rq->pool, hash, rs->conf->session_idle, rs->conf->session_max, &s,
                      err) != 0 ||
        memberships_list(rs->db, rq->pool, &s.who.user_id, &workspaces, &count, err) != 0)
        return -1;
    buf_lit(b, "{\"data\":{\"user\":");
    object_begin(b, "user_id", ID_USER, &s.who.user_id);
    member_text(b, "email", s.email);
    member_text(b, "name", s.name);
    buf_char(b, '}');
    add_workspace(b, &s);
    add_workspaces(b, workspaces, count);
    member_text(b, "role", s.who.role > ROLE_PERSON ? str_of(role_text(s.who.role)) : STR_NULL);
    auth_csrf_token(rs->csrf_key, hash, csrf);
    member_text(b, "csrf_token", str_of(csrf));
    member_time(b, "expires_at", s.expires_at);
    buf_lit(b, "}}");
    return 0;
}

int session_show(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    return show(rs, rq, an, rq->session_hash, err);
}

static struct str url_base(struct str url)
{
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

int session_begin(struct responder *rs, struct request *rq, struct answer *an,
                  const struct id *user_id, struct str password, struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    char token[TOKEN_TEXT_SIZE], user[ID_TEXT_SIZE];
    usec_t idle = rs->conf->session_idle;

    token_make(token);
    crypto_sha256(str_of(token), hash);
    if (sessions_create(rs->db, user_id, password, hash,
                        idle < rs->conf->session_max ? idle : rs->conf->session_max, err) != 0)
        return -1;
    an->status = STATUS_201;
    set_cookie(rs, rq, an, token, "");
    crypto_wipe(token, sizeof(token));
    answer_header(an, "Location",
                  str_of(pool_printf(rq->pool, "%.*s/v1/session",
                                     STR_ARG(url_base(str_of(rs->conf->public_url))))));
    id_format(ID_USER, user_id, user);
    log_write(LOG_INFO, "signed in", "request=%s user=%s", rq->id, user);
    return show(rs, rq, an, hash, err);
}

void session_answer_status(struct answer *an, enum answer_status status, const char *text)
{
    an->status = status;
    buf_lit(&an->body, "{\"data\":{\"status\":");
    buf_json(&an->body, str_of(text));
    buf_lit(&an->body, "}}");
}
