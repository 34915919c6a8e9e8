/*
 * invitations.c - who is invited to a workspace, or to make one; see members.h.
 */
#include "sql/ids.h"
#include "sql/list.h"
#include "sql/members.h"

static const struct id *or_null(const struct id *id)
{
    return id_is_zero(id) ? NULL : id;
}

int invitations_create(struct db *db, struct invitation_row *row, const unsigned char hash[32],
                       struct err *err)
{
    struct query *q = db_use(db, STMT_INVITATION_REPLACED);

    query_bind_id(q, or_null(&row->workspace_id));
    query_bind_str(q, row->email);
    if (query_run(q, err) < 0)
        return -1;
    row->invitation_id = id_new();
    q = db_use(db, STMT_INVITATION_INSERT);
    query_bind_id(q, &row->invitation_id);
    query_bind_id(q, or_null(&row->workspace_id));
    query_bind_str(q, row->email);
    query_bind_str(q, str_of(role_text(row->role)));
    query_bind_bytes(q, hash, 32);
    query_bind_i64(q, INVITATION_LIFETIME);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_INTERNAL, "a new invitation gave no row");
    row->created_at = query_time(q);
    row->expires_at = query_time(q);
    return 0;
}

static void read_invitation(struct query *q, struct pool *pool, struct invitation_row *row)
{
    query_id(q, &row->invitation_id);
    query_id(q, &row->workspace_id);
    row->email = query_str(q, pool);
    row->role = role_of_column(query_i64(q));
    row->created_at = query_time(q);
    row->expires_at = query_time(q);
}

int invitations_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                     const struct page *page, struct invitation_row **rows_r, size_t *count_r,
                     struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_INVITATION_LIST);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    list_bind_page(q, page);
    query_bind_i64(q, page->limit + 1);
    if (query_run_again(q, err) < 0)
        return -1;
    struct invitation_row *rows = pool_new(pool, struct invitation_row, page->limit);
    while (list_page_next(q, page, count, end_r))
        read_invitation(q, pool, &rows[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].invitation_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

static int no_invitation(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such invitation.");
}

int invitations_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                    const struct id *invitation_id, struct invitation_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_INVITATION_GET);

    query_bind_id(q, workspace_id);
    query_bind_id(q, invitation_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_invitation(err);
    read_invitation(q, pool, row_r);
    return 0;
}

int invitations_delete(struct db *db, const struct id *workspace_id, const struct id *invitation_id,
                       struct err *err)
{
    struct query *q = db_use(db, STMT_INVITATION_DELETE);

    query_bind_id(q, workspace_id);
    query_bind_id(q, invitation_id);
    if (query_run_again(q, err) < 0)
        return -1;
    return query_affected(q) > 0 ? 0 : no_invitation(err);
}

/* ---- accepting ---- */

static int find(struct db *db, struct pool *pool, const unsigned char hash[32],
                struct invitation_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_INVITATION_BY_TOKEN);

    query_bind_bytes(q, hash, 32);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return err_set(err, ERR_NOT_FOUND,
                       "This invitation was used already, was taken back, or is too old.");
    read_invitation(q, pool, row_r);
    return 0;
}

static int check_workspace_name(const struct invitation_row *invitation,
                                const struct acceptance *by, struct err *err)
{
    bool own = id_is_zero(&invitation->workspace_id);

    if (own && by->workspace_name.p == NULL)
        return err_set(err, ERR_INVALID, "workspace_name is required.");
    if (!own && by->workspace_name.p != NULL)
        return err_set(err, ERR_INVALID,
                       "workspace_name must not be given: the invitation is to a workspace.");
    return 0;
}

/* The account of who accepts, made if it is somebody new. */
static int take_user(struct db *db, const struct invitation_row *invitation, struct acceptance *by,
                     struct err *err)
{
    if (!id_is_zero(&by->user_id)) {
        if (str_eq(by->email, invitation->email))
            return 0;
        return err_set(err, ERR_FORBIDDEN, "This invitation is for another email address.");
    }
    if (users_create(db, invitation->email, by->name, by->password, &by->user_id, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT,
                       "This email address has an account already: sign in, then accept.");
    return -1;
}

static int join(struct db *db, const struct invitation_row *invitation, const struct acceptance *by,
                struct id *workspace_id_r, struct err *err)
{
    if (id_is_zero(&invitation->workspace_id))
        return members_found(db, by->workspace_name, &by->user_id, workspace_id_r, err);
    *workspace_id_r = invitation->workspace_id;
    if (members_add(db, workspace_id_r, &by->user_id, invitation->role, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "You are a member of this workspace already.");
    return -1;
}

static int accept_one(struct db *db, struct pool *pool, const unsigned char hash[32],
                      struct acceptance *by, struct id *workspace_id_r, struct err *err)
{
    struct invitation_row invitation;

    if (find(db, pool, hash, &invitation, err) < 0 ||
        check_workspace_name(&invitation, by, err) < 0 || take_user(db, &invitation, by, err) < 0 ||
        join(db, &invitation, by, workspace_id_r, err) < 0)
        return -1;
    struct query *q = db_use(db, STMT_INVITATION_ACCEPTED);
    query_bind_id(q, &invitation.invitation_id);
    by->email = invitation.email;
    return query_run(q, err);
}

int invitations_accept(struct db *db, struct pool *pool, const unsigned char hash[32],
                       struct acceptance *by, struct id *workspace_id_r, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (accept_one(db, pool, hash, by, workspace_id_r, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}
