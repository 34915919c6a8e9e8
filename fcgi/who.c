/*
 * who.c - keys, sessions and hooks' tokens, each found where it is known.
 */
#include "fcgi/who.h"

#include "fcgi/auth.h"
#include "fcgi/limits.h"
#include "lib/base/log.h"
#include "sql/sessions.h"

static int find_hook(struct responder *rs, struct request *rq, struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    if (auth_read_hook_token(rq->match.args[0], hash, err) != 0 ||
        known_hook(rs->known, rs->db, rq->pool, hash, &rq->hook, err) != 0)
        return -1;
    rq->who = &rq->hook->who; /* from here on it counts against the hook's rate */
    return 0;
}

static int find_key_owner(struct responder *rs, struct request *rq, struct err *err)
{
    struct credential credential;
    if (auth_read_key(rq, &credential, err) != 0)
        return -1;
    return known_principal(rs->known, rs->db, &credential, &rq->who, err);
}

static int find_session(struct responder *rs, struct request *rq, struct err *err)
{
    struct session_row *session = pool_new(rq->pool, struct session_row, 1);
    crypto_sha256(auth_session_token(rq), rq->session_hash);
    if (sessions_read(rs->db, rq->pool, rq->session_hash, rs->conf->session_idle,
                      rs->conf->session_max, session, err) != 0)
        return -1;
    rq->session = session;
    rq->who = &session->who;
    return 0;
}

int who_find(struct responder *rs, struct request *rq, struct err *err)
{
    const struct route_info *route = route_info(rq->match.route);
    bool by_key = auth_bearer(rq).p != NULL;
    if (route->scope == SCOPE_NONE && route->role == ROLE_NONE)
        return 0;
    if (route->scope == SCOPE_HOOK)
        return find_hook(rs, rq, err);
    if (!by_key && route->role != ROLE_NONE && rs->ring != NULL && auth_session_token(rq).p != NULL)
        return find_session(rs, rq, err);
    if (!by_key && route->scope == SCOPE_NONE)
        return err_set(err, ERR_UNAUTHORIZED, "Sign in first: this takes a person's session.");
    return find_key_owner(rs, rq, err);
}

/* Spends a request of the subject and of its workspace. */
static int spend(struct responder *rs, struct request *rq, struct answer *an, enum rate_kind kind,
                 const struct id *subject, struct err *err)
{
    struct limits_ask ask = {.kind = kind,
                             .subject = *subject,
                             .workspace_id = rq->who->workspace_id,
                             .rates = rq->who->rates};
    struct err failed;
    int refused = limits_spend(rs->limits, rs->db, &ask, &rq->rate, &failed, err);

    if (failed.code != ERR_NONE) {
        char quoted[2 * sizeof(failed.message)];
        log_write(LOG_WARNING, "a request passed without regard to its limits",
                  "request=%s error=%s", rq->id,
                  log_quote(str_of(failed.message), quoted, sizeof(quoted)));
    }
    if (refused != 0)
        an->retry_after = rate_retry_after(&rq->rate);
    return refused;
}

int who_spend(struct responder *rs, struct request *rq, struct answer *an, struct err *err)
{
    const struct principal *who = rq->who;
    if (who == NULL)
        return 0;
    if (!id_is_zero(&who->key_id))
        return spend(rs, rq, an, RATE_KEY, &who->key_id, err);
    if (!id_is_zero(&who->session_id) && !id_is_zero(&who->workspace_id))
        return spend(rs, rq, an, RATE_SESSION, &who->session_id, err);
    if (!id_is_zero(&who->hook_id))
        return spend(rs, rq, an, RATE_HOOK, &who->hook_id, err);
    return 0;
}

static int check_session(const struct responder *rs, const struct request *rq,
                         const struct route_info *route, struct err *err)
{
    bool reads = rq->method == METHOD_GET || rq->method == METHOD_HEAD;
    if (!reads && auth_check_csrf(rq, rs->csrf_key, err) != 0)
        return -1;
    return principal_check_role(rq->who, route->role, err);
}

static int check_key(const struct request *rq, const struct route_info *route, struct err *err)
{
    if (route->scope == SCOPE_NONE)
        return err_set(err, ERR_FORBIDDEN, "No API key may do this: it takes a person's session.");
    return principal_check_scope(rq->who, route->scope, err);
}

int who_check_rights(const struct responder *rs, const struct request *rq, struct err *err)
{
    const struct route_info *route = route_info(rq->match.route);
    if (rq->who == NULL || route->scope == SCOPE_HOOK)
        return 0;
    return rq->session != NULL ? check_session(rs, rq, route, err) : check_key(rq, route, err);
}
