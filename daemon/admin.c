/*
 * admin.c - huskyvoice-admin: the operator's tool. Finds the command, opens what it needs, runs
 * it, and says in one line on stderr what failed.
 *
 * Exit status, as in sysexits.h: 0, 64 usage, 65 a bad value, 75 the database is away, 1 anything
 * else.
 */
#include "daemon/admin.h"
#include "sql/migrate.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#ifndef HV_VERSION
#define HV_VERSION "unknown"
#endif

static const struct admin_noun nouns[] = {
    {"migrate", "Bring the database's tables to this release's version", admin_migrate},
    {"config", "The configuration: check it, show what is in force", admin_config},
    {"doctor", "Look for what is wrong with this installation", admin_doctor},
    {"keyfile", "The key file under which stored secrets are encrypted", admin_keyfile},
    {"rekey", "Rotate the key file while everything runs", admin_rekey},
    {"workspace", "Workspaces: who has agents, keys, endpoints and calls", admin_workspace},
    {"user", "People: who can sign in, and where they are members", admin_user},
    {"agent", "Agents: who calls", admin_agent},
    {"carrier", "Carriers: what calls are placed through", admin_carrier},
    {"key", "API keys", admin_key},
    {"webhook", "Webhook endpoints: who is told of events", admin_webhook},
    {"hook", "Inbound hooks: URLs that other systems make calls through", admin_hook},
    {"call", "Calls: list them, see what became of one", admin_call},
    {"batch", "Batches: many calls of an agent, made in one act", admin_batch},
    {"suppress", "Numbers that must not be called", admin_suppress},
    {NULL, NULL, NULL},
};

static int complain(const struct err *err, int status)
{
    fflush(stdout);
    fprintf(stderr, ADMIN_PROGRAM ": %s\n", err->message);
    return status;
}

static int exit_status(const struct err *err)
{
    switch (err->code) {
    case ERR_INVALID:
        return EX_DATAERR;
    case ERR_UNAVAILABLE:
        return EX_TEMPFAIL;
    case ERR_NONE:
    case ERR_UNAUTHORIZED:
    case ERR_FORBIDDEN:
    case ERR_NOT_FOUND:
    case ERR_METHOD:
    case ERR_NOT_CANCELLABLE:
    case ERR_CONFLICT:
    case ERR_TOO_LARGE:
    case ERR_MEDIA_TYPE:
    case ERR_KEY_REUSED:
    case ERR_RATE_LIMITED:
    case ERR_INTERNAL:
    case ERR_UNCERTAIN:
    case ERR_CODE_COUNT:
        break;
    }
    return EXIT_FAILURE;
}

static int open_needs(struct admin *a, struct err *err)
{
    unsigned needs = a->command->needs;

    if (needs != 0 && conf_load(a->pool, a->config_path, &a->conf, err) < 0)
        return -1;
    if ((needs & NEEDS_KEYS) && keyring_load(&a->keys, a->conf->key_file, err) < 0)
        return err_prefix(err, "key_file");
    if (!(needs & NEEDS_DATABASE))
        return 0;
    db_create(&a->db, a->conf);
    return migrate_check(a->db, err);
}

void admin_settle(const struct admin *a)
{
    clock_sleep(a->conf->recheck_interval);
}

static int run(struct admin *a, int argc, char **argv)
{
    struct admin_request request;
    struct err err;

    if (admin_read(a, nouns, argc, argv, &request, &err) < 0)
        return complain(&err, EX_USAGE);
    if (request.help) {
        admin_help(nouns, request.noun);
        return EXIT_SUCCESS;
    }
    if (request.version) {
        puts(ADMIN_PROGRAM " " HV_VERSION);
        return EXIT_SUCCESS;
    }
    if (open_needs(a, &err) < 0)
        return complain(&err, err.code == ERR_UNAVAILABLE ? EX_TEMPFAIL : EX_CONFIG);
    if (a->command->run(a, &err) < 0)
        return complain(&err, exit_status(&err));
    return a->exit_status;
}

int main(int argc, char **argv)
{
    struct admin a = {0};

    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters in columns */
    pool_create(&a.pool);
    int status = run(&a, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror(ADMIN_PROGRAM ": output");
        status = EX_IOERR;
    }
    db_destroy(&a.db);
    keyring_destroy(&a.keys);
    pool_destroy(&a.pool);
    return status;
}
