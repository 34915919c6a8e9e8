/*
 * members.h - who belongs to which workspace as what, and who is invited to.
 *
 * A workspace always has an owner who can sign in: changes of members wait for one another.
 */
#ifndef HV_MEMBERS_H
#define HV_MEMBERS_H

#include "lib/base/crypto.h"
#include "lib/rules/cursor.h"
#include "sql/credentials.h"
#include "sql/users.h"

struct membership {
    struct id workspace_id;
    struct str workspace_name;
    enum role role;
};
int memberships_list(struct db *db, struct pool *pool, const struct id *user_id,
                     struct membership **rows_r, size_t *count_r, struct err *err) MUST_CHECK;

struct member_row {
    struct id user_id;
    struct str email, name;
    enum role role;
    enum user_status status;
    usec_t created_at, updated_at;
};
int members_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct page *page, struct member_row **rows_r, size_t *count_r,
                 struct page_end *end_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: no member. */
int members_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct id *user_id, struct member_row *row_r, struct err *err) MUST_CHECK;
/* In a transaction. ERR_CONFLICT: is one already. */
int members_add(struct db *db, const struct id *workspace_id, const struct id *user_id,
                enum role role, struct err *err) MUST_CHECK;
/* In a transaction: a new workspace with its first owner. */
int members_found(struct db *db, struct str workspace_name, const struct id *user_id,
                  struct id *workspace_id_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: no member; ERR_CONFLICT: the last owner. */
int members_set_role(struct db *db, const struct id *workspace_id, const struct id *user_id,
                     enum role role, struct err *err) MUST_CHECK;
int members_remove(struct db *db, const struct id *workspace_id, const struct id *user_id,
                   struct err *err) MUST_CHECK;
/* *is_r: somebody with this address is a member. */
int members_has(struct db *db, const struct id *workspace_id, struct str email, bool *is_r,
                struct err *err) MUST_CHECK;

/* ---- invitations ---- */

#define INVITATION_LIFETIME (7 * USEC_PER_DAY)

struct invitation_row {
    struct id invitation_id, workspace_id; /* workspace_id zero: to make one's own */
    struct str email;
    enum role role;
    usec_t created_at, expires_at;
};
/* In a transaction, of workspace_id, email and role; an older one of the same address is no good
 * from then on. */
int invitations_create(struct db *db, struct invitation_row *row, const unsigned char hash[32],
                       struct err *err) MUST_CHECK;
/* Those that can still be accepted. */
int invitations_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                     const struct page *page, struct invitation_row **rows_r, size_t *count_r,
                     struct page_end *end_r, struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: none that can still be accepted. */
int invitations_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct id *invitation_id, struct invitation_row *row_r,
                    struct err *err) MUST_CHECK;
int invitations_delete(struct db *db, const struct id *workspace_id, const struct id *invitation_id,
                       struct err *err) MUST_CHECK;

/* Who accepts: somebody new (user_id zero: email is the invitation's, which makes the account) or
 * somebody with an account, who must have the address that was invited. */
struct acceptance {
    struct id user_id;
    struct str email;          /* of somebody with an account */
    struct str name, password; /* of somebody new */
    struct str workspace_name; /* of an own one; STR_NULL: not given */
};
/* ERR_NOT_FOUND: no such invitation; ERR_FORBIDDEN: it is another's; ERR_CONFLICT: the address has
 * an account, or is a member; ERR_INVALID: workspace_name is missing or not wanted. */
int invitations_accept(struct db *db, struct pool *pool, const unsigned char hash[32],
                       struct acceptance *by, struct id *workspace_id_r,
                       struct err *err) MUST_CHECK;

#endif
