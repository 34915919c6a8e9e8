/*
 * admin_setup.c - `migrate`, `config` and `keyfile`: what is done before the first call.
 */
#include "daemon/admin.h"
#include "sql/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef HV_VERSION
#define HV_VERSION "unknown"
#endif
#define MIGRATION_TIMEOUT (3600 * USEC_PER_S) /* a change of a big table takes its time */
#define CONF_TEXT_MAX (1u << 20)

/* ---- migrate ---- */

static void tell(void *ctx, const struct migration_step *step)
{
    const struct admin *a = ctx;

    if (!a->json)
        printf("applying %s\n", step->name);
    fflush(stdout);
}

static int run_migrate(struct admin *a, struct err *err)
{
    struct conf patient = *a->conf;
    struct db *db;
    unsigned applied = 0;

    patient.database_timeout = MIGRATION_TIMEOUT;
    db_create(&db, &patient);
    int result = migrate_apply(db, a->pool, a->conf->migrations_dir, ADMIN_PROGRAM " " HV_VERSION,
                               tell, a, &applied, err);
    if (result == 0)
        result = migrate_check(db, err);
    db_destroy(&db);
    if (result < 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_number(t, "version", SCHEMA_VERSION);
    table_number(t, "applied", applied);
    table_print_object(t, a->json);
    return 0;
}

const struct admin_command admin_migrate[] = {
    {NULL, NULL, NEEDS_CONF,
     "Applies the migrations that the database does not have yet; safe to repeat", NULL,
     run_migrate},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

/* ---- config ---- */

static int run_check(struct admin *a, struct err *err)
{
    struct table *t = table_new(a->pool);

    (void)err; /* a bad configuration has not come this far */
    table_row(t);
    table_text(t, "configuration", STR("ok"));
    table_print_object(t, a->json);
    return 0;
}

static int run_show(struct admin *a, struct err *err)
{
    struct buf text;
    struct str rest, entry, name;
    struct table *t = table_new(a->pool);

    (void)err;
    buf_init(&text, CONF_TEXT_MAX);
    conf_print(a->conf, &text);
    rest = buf_as_str(&text);
    if (!a->json)
        fwrite(rest.p, 1, rest.n, stdout);
    while (str_split(&rest, '\n', &entry)) {
        if (entry.n == 0 || !str_split(&entry, '=', &name))
            continue;
        table_row(t);
        table_text(t, "name", str_trim(name));
        table_text(t, "value", entry.p != NULL ? str_trim(entry) : STR(""));
    }
    if (a->json)
        table_print_list(t, true);
    buf_deinit(&text);
    return 0;
}

const struct admin_command admin_config[] = {
    {"check", NULL, NEEDS_CONF, "Reads the configuration and names the first fault", NULL,
     run_check},
    {"show", NULL, NEEDS_CONF, "Prints every setting in force, secrets hidden", NULL, run_show},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

/* ---- keyfile ---- */

static int hand_to_group(int fd, const char *group, struct err *err)
{
    const struct group *g = getgrnam(group);

    if (g == NULL)
        return err_set(err, ERR_INVALID, "--group: there is no group '%s'", group);
    if (fchown(fd, (uid_t)-1, g->gr_gid) < 0 || fchmod(fd, 0640) < 0)
        return err_set(err, ERR_INTERNAL, "--group: %s", strerror(errno));
    return 0;
}

static int write_key(int fd, const char *path, struct err *err)
{
    unsigned char key[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    crypto_random(key, sizeof(key));
    hex_encode(key, sizeof(key), hex);
    int written = dprintf(fd,
                          "# Stored secrets are encrypted under this key: keep a copy in a "
                          "safe place.\n1 %s\n",
                          hex);
    crypto_wipe(key, sizeof(key));
    crypto_wipe(hex, sizeof(hex));
    if (written < 0 || fsync(fd) < 0)
        return err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    return 0;
}

static int run_keyfile_create(struct admin *a, struct err *err)
{
    struct str group = admin_value(a, "group");
    int fd = open(a->operand, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", a->operand, strerror(errno));
    int result = fchmod(fd, 0600);
    if (result < 0)
        err_set(err, ERR_INTERNAL, "%s: %s", a->operand, strerror(errno));
    if (result == 0 && group.p != NULL)
        result = hand_to_group(fd, group.p, err);
    if (result == 0)
        result = write_key(fd, a->operand, err);
    close(fd);
    if (result < 0) {
        unlink(a->operand);
        return -1;
    }
    struct table *t = table_new(a->pool);
    table_row(t);
    table_text(t, "key_file", str_of(a->operand));
    table_print_object(t, a->json);
    return 0;
}

static const struct admin_option keyfile_options[] = {
    {"group", "GROUP", false, "Lets this group read it (mode 0640 instead of 0600)"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_keyfile[] = {
    {"create", "PATH", 0, "Makes a key file with a new key; an existing file is left alone",
     keyfile_options, run_keyfile_create},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
