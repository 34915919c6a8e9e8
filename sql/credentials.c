/*
 * credentials.c - reads what a key stands for.
 */
#include "sql/credentials.h"

static const char *const role_texts[] = {"none", "person",
#define X(name, text) text,
                                         ROLES(X)
#undef X
};
_Static_assert(sizeof role_texts / sizeof *role_texts == ROLE_COUNT, "a text per role");

const char *role_text(enum role role)
{
    return role < ROLE_COUNT ? role_texts[role] : "?";
}

int role_parse(struct str s, enum role *role_r, struct err *err)
{
    for (enum role role = ROLE_VIEWER; role < ROLE_COUNT; role++) {
        if (str_is(s, role_texts[role])) {
            *role_r = role;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "a role is viewer, admin or owner");
}

enum role role_of_column(int64_t value)
{
    return (enum role)(ROLE_PERSON + value);
}

static int mark_used(struct db *db, const struct id *key_id, struct err *err)
{
    struct query *q = db_use(db, STMT_CREDENTIAL_USED);
    query_bind_id(q, key_id);
    return query_run_again(q, err);
}

int credentials_read(struct db *db, const struct credential *credential,
                     struct principal *principal_r, struct err *err)
{
    struct query *q = db_use(db, STMT_CREDENTIAL_READ);
    query_bind_bytes(q, credential->key_hash, sizeof credential->key_hash);
    if (query_run_again(q, err))
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_UNAUTHORIZED, "Invalid API key.");
    *principal_r = (struct principal){.role = ROLE_NONE};
    query_id(q, &principal_r->key_id);
    query_id(q, &principal_r->workspace_id);
    principal_r->scopes = (unsigned)query_i64(q);
    principal_r->test = query_i64(q) != 0;
    principal_r->active = query_i64(q) != 0;
    principal_r->rates.subject = rates_column(q);
    principal_r->rates.workspace = rates_column(q);
    bool use_is_old = query_i64(q) != 0;
    return use_is_old ? mark_used(db, &principal_r->key_id, err) : 0;
}

int principal_check_scope(const struct principal *principal, unsigned scope, struct err *err)
{
    if ((principal->scopes & scope) == scope)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "This API key does not have the scope \"%s\".",
                   scope == SCOPE_CALLS ? "calls" : "manage");
}

int principal_check_role(const struct principal *principal, enum role role, struct err *err)
{
    if (principal->role >= role)
        return 0;
    if (principal->role == ROLE_PERSON)
        return err_set(err, ERR_FORBIDDEN, "You are not a member of this workspace any more.");
    return err_set(err, ERR_FORBIDDEN, "This needs the role \"%s\"; yours is \"%s\".",
                   role_text(role), role_text(principal->role));
}
