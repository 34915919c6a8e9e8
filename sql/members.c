/*
 * members.c - members of workspaces. Invitations are invitations.c's.
 */
#include "sql/members.h"
#include "sql/accounts.h"
#include "sql/list.h"

int memberships_list(struct db *db, struct pool *pool, const struct id *user_id,
                     struct membership **rows_r, size_t *count_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBERSHIP_LIST);
    size_t room = 0;

    *count_r = 0;
    query_bind_id(q, user_id);
    if (query_run_again(q, err) < 0)
        return -1;
    while (query_next(q)) {
        struct membership *row = LIST_NEXT(pool, rows_r, count_r, &room);
        query_id(q, &row->workspace_id);
        row->workspace_name = query_str(q, pool);
        row->role = role_of_column(query_i64(q));
    }
    return 0;
}

static void read_member(struct query *q, struct pool *pool, struct member_row *row)
{
    query_id(q, &row->user_id);
    row->email = query_str(q, pool);
    row->name = query_str(q, pool);
    row->role = role_of_column(query_i64(q));
    row->status = (enum user_status)(query_i64(q) - 1);
    row->created_at = query_time(q);
    row->updated_at = query_time(q);
}

int members_list(struct db *db, struct pool *pool, const struct id *workspace_id,
                 const struct page *page, struct member_row **rows_r, size_t *count_r,
                 struct page_end *end_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBER_LIST);
    size_t count = 0;

    query_bind_id(q, workspace_id);
    list_bind_page(q, page);
    query_bind_i64(q, page->limit + 1);
    if (query_run_again(q, err) < 0)
        return -1;
    struct member_row *rows = pool_new(pool, struct member_row, page->limit);
    while (list_page_next(q, page, count, end_r))
        read_member(q, pool, &rows[count++]);
    if (count > 0)
        end_r->cursor = (struct cursor){rows[count - 1].created_at, rows[count - 1].user_id};
    *rows_r = rows;
    *count_r = count;
    return 0;
}

static int no_member(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "No such member.");
}

int members_get(struct db *db, struct pool *pool, const struct id *workspace_id,
                const struct id *user_id, struct member_row *row_r, struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBER_GET);

    query_bind_id(q, workspace_id);
    query_bind_id(q, user_id);
    if (query_run_again(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_member(err);
    read_member(q, pool, row_r);
    return 0;
}

int members_add(struct db *db, const struct id *workspace_id, const struct id *user_id,
                enum role role, struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBER_INSERT);

    query_bind_id(q, workspace_id);
    query_bind_id(q, user_id);
    query_bind_str(q, str_of(role_text(role)));
    if (query_run(q, err) == 0)
        return 0;
    if (err->code == ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "is a member of the workspace already");
    return -1;
}

int members_found(struct db *db, struct str workspace_name, const struct id *user_id,
                  struct id *workspace_id_r, struct err *err)
{
    struct workspace_row workspace;

    if (workspaces_create(db, workspace_name, &workspace, err) < 0)
        return -1;
    *workspace_id_r = workspace.workspace_id;
    return members_add(db, workspace_id_r, user_id, ROLE_OWNER, err);
}

int members_has(struct db *db, const struct id *workspace_id, struct str email, bool *is_r,
                struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBER_BY_EMAIL);

    query_bind_id(q, workspace_id);
    query_bind_str(q, email);
    if (query_run_again(q, err) < 0)
        return -1;
    *is_r = query_next(q);
    return 0;
}

/* ---- changes that wait for one another ---- */

/* From here to the commit nobody else changes the workspace's members. */
static int lock(struct db *db, const struct id *workspace_id, struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBERS_LOCK);

    query_bind_id(q, workspace_id);
    if (query_run(q, err) < 0)
        return -1;
    return query_next(q) ? 0 : no_member(err);
}

static int check_other_owner(struct db *db, const struct id *workspace_id, const struct id *user_id,
                             struct err *err)
{
    struct query *q = db_use(db, STMT_MEMBERS_OTHER_OWNERS);

    query_bind_id(q, workspace_id);
    query_bind_id(q, user_id);
    if (query_run(q, err) < 0)
        return -1;
    if (query_next(q) && query_i64(q) > 0)
        return 0;
    return err_set(err, ERR_CONFLICT,
                   "This is the last owner of the workspace: make another member owner first.");
}

/* role NONE: remove. */
static int change(struct db *db, const struct id *workspace_id, const struct id *user_id,
                  enum role role, struct err *err)
{
    struct query *q;

    if (lock(db, workspace_id, err) < 0)
        return -1;
    q = db_use(db, STMT_MEMBER_ROLE);
    query_bind_id(q, workspace_id);
    query_bind_id(q, user_id);
    if (query_run(q, err) < 0)
        return -1;
    if (!query_next(q))
        return no_member(err);
    bool was_owner = role_of_column(query_i64(q)) == ROLE_OWNER;
    if (was_owner && role != ROLE_OWNER && check_other_owner(db, workspace_id, user_id, err) < 0)
        return -1;
    if (role == ROLE_NONE) {
        q = db_use(db, STMT_MEMBER_DELETE);
    } else {
        q = db_use(db, STMT_MEMBER_SET_ROLE);
        query_bind_str(q, str_of(role_text(role)));
    }
    query_bind_id(q, workspace_id);
    query_bind_id(q, user_id);
    return query_run(q, err);
}

int members_set_role(struct db *db, const struct id *workspace_id, const struct id *user_id,
                     enum role role, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (change(db, workspace_id, user_id, role, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

int members_remove(struct db *db, const struct id *workspace_id, const struct id *user_id,
                   struct err *err)
{
    return members_set_role(db, workspace_id, user_id, ROLE_NONE, err);
}
