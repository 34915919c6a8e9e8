/*
 * admin_user.c - `user create|list|disable|enable|reset|invite`. Links are printed, so that all of
 * it works on a server that sends no mail.
 */
#include "daemon/admin.h"
#include "lib/rules/email.h"
#include "sql/accounts.h"
#include "sql/mails.h"
#include "sql/members.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_BYTES_MAX (4 * PASSWORD_MAX + 2)

static int read_email(const struct admin *a, struct str *email_r, struct err *err)
{
    return email_read(a->pool, "--email", admin_value(a, "email"), email_r, err);
}

static int read_role(const struct admin *a, enum role fallback, enum role *role_r, struct err *err)
{
    *role_r = fallback;
    if (!admin_given(a, "role"))
        return 0;
    return role_parse(admin_value(a, "role"), role_r, err) < 0 ? err_prefix(err, "--role") : 0;
}

/* The file's first line; "-": standard input's. */
static int read_password_file(const struct admin *a, struct str *password_r, struct err *err)
{
    const char *path = admin_value(a, "password-file").p;
    char *text = pool_alloc(a->pool, PASSWORD_BYTES_MAX + 1);
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = 1;

    if (fd < 0)
        return err_set(err, ERR_INVALID, "--password-file: %s: %s", path, strerror(errno));
    while (n < PASSWORD_BYTES_MAX && got > 0) {
        got = read(fd, text + n, PASSWORD_BYTES_MAX - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd != STDIN_FILENO)
        close(fd);
    if (got < 0)
        return err_set(err, ERR_INVALID, "--password-file: %s cannot be read", path);
    struct str rest = {text, n};
    if (!str_split(&rest, '\n', password_r))
        *password_r = STR("");
    if (password_r->n > 0 && password_r->p[password_r->n - 1] == '\r')
        password_r->n--;
    size_t length = str_utf8_valid(*password_r) ? str_utf8_count(*password_r) : 0;
    if (length < PASSWORD_MIN || length > PASSWORD_MAX)
        return err_set(err, ERR_INVALID,
                       "--password-file: a password must have %d to %d characters, in UTF-8",
                       PASSWORD_MIN, PASSWORD_MAX);
    return 0;
}

static const char *new_link(struct admin *a, const char *name, unsigned char hash_r[SHA256_SIZE])
{
    char token[TOKEN_TEXT_SIZE];

    token_make(token);
    crypto_sha256(str_of(token), hash_r);
    struct str link = mail_link(a->pool, str_of(a->conf->public_url), name, token);
    crypto_wipe(token, sizeof token);
    return pool_dup(a->pool, link.p, link.n);
}

/* ---- create ---- */

struct creation {
    struct str email, name, password;
    struct id workspace_id, user_id;
    enum role role;
    bool is_new;
    const char *link; /* NULL: none */
};

static int read_creation(struct admin *a, struct creation *c, struct err *err)
{
    const struct id *given;
    struct str password;
    bool file = admin_given(a, "password-file");

    if (read_email(a, &c->email, err) < 0 ||
        admin_text(a, "name", USER_NAME_MAX, STR(""), &c->name, err) < 0 ||
        admin_workspace_id(a, &c->workspace_id, &given, err) < 0 ||
        read_role(a, ROLE_OWNER, &c->role, err) < 0)
        return -1;
    if (file && admin_given(a, "invite"))
        return err_set(err, ERR_INVALID, "--password-file and --invite exclude each other");
    if (!file)
        return 0;
    if (read_password_file(a, &password, err) < 0)
        return -1;
    char *hash = pool_alloc(a->pool, PASSWORD_TEXT_SIZE);
    password_hash(password, (unsigned)a->conf->password_cost, hash);
    c->password = str_of(hash);
    return 0;
}

/* An account that is there already only becomes a member. */
static int find_or_make(struct admin *a, struct creation *c, struct err *err)
{
    struct user_row user;
    unsigned char hash[SHA256_SIZE];

    if (!c->is_new) {
        if (users_by_email(a->db, a->pool, c->email, &user, err) < 0)
            return -1;
        c->user_id = user.user_id;
        return 0;
    }
    if (users_create(a->db, c->email, c->name, c->password, &c->user_id, err) < 0)
        return -1;
    if (c->password.p != NULL)
        return 0;
    c->link = new_link(a, "reset", hash);
    return user_tokens_create(a->db, &c->user_id, hash, FIRST_PASSWORD_LIFETIME, err);
}

static int write_creation(struct admin *a, struct creation *c, struct err *err)
{
    if (db_begin(a->db, err) < 0)
        return -1;
    if (find_or_make(a, c, err) < 0 ||
        members_add(a->db, &c->workspace_id, &c->user_id, c->role, err) < 0) {
        db_rollback(a->db);
        return err_prefix(err, "%.*s", STR_ARG(c->email));
    }
    return db_commit(a->db, err);
}

static int check_account(struct admin *a, struct creation *c, struct err *err)
{
    struct user_row user;
    bool password = admin_given(a, "password-file") || admin_given(a, "invite");

    c->is_new = users_by_email(a->db, a->pool, c->email, &user, err) < 0;
    if (c->is_new && err->code != ERR_NOT_FOUND)
        return -1;
    if (c->is_new && !password)
        return err_set(err, ERR_INVALID, "--password-file or --invite: one of them is missing");
    if (!c->is_new && password)
        return err_set(err, ERR_CONFLICT,
                       "%.*s has an account: leave out --password-file and --invite to make it a "
                       "member",
                       STR_ARG(c->email));
    return 0;
}

static int run_create(struct admin *a, struct err *err)
{
    struct creation c = {.password = STR_NULL};

    if (read_creation(a, &c, err) < 0 || check_account(a, &c, err) < 0 ||
        write_creation(a, &c, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "user_id", ID_USER, &c.user_id);
    table_text(t, "email", c.email);
    table_id(t, "workspace_id", ID_WORKSPACE, &c.workspace_id);
    table_text(t, "role", str_of(role_text(c.role)));
    table_text(t, "link", str_of(c.link));
    table_print_object(t, a->json);
    return 0;
}

/* ---- list, disable, enable ---- */

static int run_list(struct admin *a, struct err *err)
{
    struct id workspace_id;
    const struct id *given;
    struct user_row *rows = NULL;
    size_t count;

    if (admin_workspace_id(a, &workspace_id, &given, err) < 0 ||
        users_list(a->db, a->pool, given, &rows, &count, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    for (size_t i = 0; i < count; i++) {
        table_row(t);
        table_id(t, "user_id", ID_USER, &rows[i].user_id);
        table_text(t, "email", rows[i].email);
        table_text(t, "name", rows[i].name);
        table_text(t, "status", str_of(user_status_text(rows[i].status)));
        table_bool(t, "has_password", rows[i].password.p != NULL);
        table_time(t, "created_at", rows[i].created_at);
    }
    table_print_list(t, a->json);
    return 0;
}

static int set_status(struct admin *a, enum user_status status, struct err *err)
{
    struct id id;

    if (admin_operand_id(a, ID_USER, &id, err) < 0)
        return -1;
    if (users_set_status(a->db, &id, status, err) < 0)
        return err_prefix(err, "%s", a->operand);
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "user_id", ID_USER, &id);
    table_text(t, "status", str_of(user_status_text(status)));
    table_print_object(t, a->json);
    return 0;
}

static int run_disable(struct admin *a, struct err *err)
{
    return set_status(a, USER_DISABLED, err);
}

static int run_enable(struct admin *a, struct err *err)
{
    return set_status(a, USER_ACTIVE, err);
}

/* ---- reset, invite ---- */

static int write_token(struct admin *a, const struct id *user_id,
                       const unsigned char hash[SHA256_SIZE], struct err *err)
{
    if (db_begin(a->db, err) < 0)
        return -1;
    if (user_tokens_create(a->db, user_id, hash, RESET_LIFETIME, err) < 0) {
        db_rollback(a->db);
        return -1;
    }
    return db_commit(a->db, err);
}

static int run_reset(struct admin *a, struct err *err)
{
    unsigned char hash[SHA256_SIZE];
    struct user_row user;
    struct id id;

    if (admin_operand_id(a, ID_USER, &id, err) < 0)
        return -1;
    if (users_by_id(a->db, a->pool, &id, &user, err) < 0)
        return err_prefix(err, "%s", a->operand);
    const char *link = new_link(a, "reset", hash);
    if (write_token(a, &id, hash, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "user_id", ID_USER, &id);
    table_text(t, "email", user.email);
    table_text(t, "link", str_of(link));
    table_print_object(t, a->json);
    return 0;
}

static int write_invitation(struct admin *a, struct invitation_row *row,
                            const unsigned char hash[SHA256_SIZE], const struct mail *mail,
                            struct err *err)
{
    if (db_begin(a->db, err) < 0)
        return -1;
    if (invitations_create(a->db, row, hash, err) < 0 ||
        (a->conf->sendmail_path[0] != '\0' &&
         mails_write(a->db, a->pool, a->keys, mail, err) < 0)) {
        db_rollback(a->db);
        return -1;
    }
    return db_commit(a->db, err);
}

static int run_invite(struct admin *a, struct err *err)
{
    struct invitation_row row = {.role = ROLE_OWNER};
    unsigned char hash[SHA256_SIZE];
    const struct id *given;

    if (read_email(a, &row.email, err) < 0 ||
        admin_workspace_id(a, &row.workspace_id, &given, err) < 0 ||
        read_role(a, ROLE_OWNER, &row.role, err) < 0)
        return -1;
    const char *link = new_link(a, "invitation", hash);
    struct mail mail = mail_invitation(a->pool, row.email, STR_NULL, STR_NULL, str_of(link));
    if (given == NULL)
        row.workspace_id = (struct id){0};
    if (write_invitation(a, &row, hash, &mail, err) < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_id(t, "invitation_id", ID_INVITATION, &row.invitation_id);
    table_text(t, "email", row.email);
    table_id(t, "workspace_id", ID_WORKSPACE, &row.workspace_id);
    table_text(t, "role", str_of(role_text(row.role)));
    table_text(t, "link", str_of(link));
    table_time(t, "expires_at", row.expires_at);
    table_print_object(t, a->json);
    return 0;
}

static const struct admin_option create_options[] = {
    {"email", "ADDRESS", true, "The person's address, with which they sign in"},
    {"workspace", "ID", true, "Where the person becomes a member"},
    {"role", "ROLE", false, "viewer, admin or owner (owner)"},
    {"name", "NAME", false, "The person's name"},
    {"password-file", "FILE", false, "Its first line is the password; -: standard input"},
    {"invite", NULL, false, "No password yet: print a link with which one is chosen, once"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option list_options[] = {
    {"workspace", "ID", false, "Only this workspace's members"},
    {NULL, NULL, false, NULL},
};

static const struct admin_option invite_options[] = {
    {"email", "ADDRESS", true, "Whom to invite"},
    {"workspace", "ID", false, "Where to; without it the person makes a workspace of their own"},
    {"role", "ROLE", false, "viewer, admin or owner (owner)"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_user[] = {
    {"create", NULL, NEEDS_CONF | NEEDS_DATABASE,
     "Makes an account, or a member of who has one already", create_options, run_create},
    {"list", NULL, NEEDS_CONF | NEEDS_DATABASE, "Lists people", list_options, run_list},
    {"disable", "ID", NEEDS_CONF | NEEDS_DATABASE, "Ends all sessions, and lets nobody sign in",
     NULL, run_disable},
    {"enable", "ID", NEEDS_CONF | NEEDS_DATABASE, "Ends that", NULL, run_enable},
    {"reset", "ID", NEEDS_CONF | NEEDS_DATABASE,
     "Prints a link with which a new password is chosen, once, within an hour", NULL, run_reset},
    {"invite", NULL, NEEDS_CONF | NEEDS_DATABASE | NEEDS_KEYS,
     "Invites by mail, and prints the link of the invitation", invite_options, run_invite},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
