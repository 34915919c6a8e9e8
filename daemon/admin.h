/*
 * admin.h - what the commands of huskyvoice-admin share. A command is an entry of its noun's table
 * (daemon/admin_<noun>.c); daemon/admin.c finds it, reads its options and prints its failure.
 */
#ifndef HV_ADMIN_H
#define HV_ADMIN_H

#include "daemon/admin_table.h"
#include "lib/base/conf.h"
#include "lib/base/crypto.h"
#include "sql/db.h"

#define ADMIN_PROGRAM "huskyvoice-admin"

struct admin;

struct admin_option {
    const char *name;  /* without "--" */
    const char *value; /* what stands for it in the help; NULL: a switch without a value */
    bool required;
    const char *help;
};

#define NEEDS_CONF 1u
#define NEEDS_DATABASE 2u /* of the schema that this build knows */
#define NEEDS_KEYS 4u

struct admin_command {
    const char *verb;    /* NULL: the noun alone is the command */
    const char *operand; /* "ID": exactly one is expected; NULL: none */
    unsigned needs;
    const char *help;
    const struct admin_option *options; /* ends with a NULL name; may be NULL */
    int (*run)(struct admin *a, struct err *err);
};

struct admin_noun {
    const char *noun, *help;
    const struct admin_command *commands; /* ends with a NULL run */
};

#define ADMIN_VALUES_MAX 24
struct admin {
    struct pool *pool;
    const char *config_path; /* NULL: the default */
    bool json;
    const struct admin_command *command;
    const char *operand;
    struct {
        const char *name, *value;
    } values[ADMIN_VALUES_MAX];
    size_t value_count;
    const struct conf *conf;
    struct db *db;
    struct keyring *keys;
    int exit_status; /* of a command that ran but has bad news */
};

extern const struct admin_command admin_migrate[], admin_config[], admin_workspace[], admin_agent[],
    admin_key[], admin_keyfile[], admin_webhook[], admin_hook[], admin_carrier[], admin_call[],
    admin_doctor[], admin_user[], admin_suppress[], admin_batch[], admin_rekey[];

/* ---- daemon/admin_args.c ---- */

/* Reads noun, verb, options and operand. -1: a fault of usage. *noun_r NULL: none was given. */
struct admin_request {
    const struct admin_noun *noun;
    bool help, version;
};
int admin_read(struct admin *a, const struct admin_noun *nouns, int argc, char **argv,
               struct admin_request *request_r, struct err *err) MUST_CHECK;

bool admin_given(const struct admin *a, const char *name);
struct str admin_value(const struct admin *a, const char *name); /* STR_NULL: not given */
/* Of these, each failure is ERR_INVALID and names the option. */
/* UTF-8 without control characters, at most max code points, at least one; not given: fallback. */
int admin_text(const struct admin *a, const char *name, size_t max, struct str fallback,
               struct str *text_r, struct err *err) MUST_CHECK;
/* The same with line breaks and tabs, and it may be empty. */
int admin_long_text(const struct admin *a, const char *name, struct str *text_r,
                    struct err *err) MUST_CHECK;
int admin_number(const struct admin *a, const char *name, int64_t min, int64_t max,
                 int64_t fallback, int64_t *number_r, struct err *err) MUST_CHECK;
int admin_duration(const struct admin *a, const char *name, usec_t max, usec_t fallback,
                   usec_t *duration_r, struct err *err) MUST_CHECK;
/* A limit of requests per minute (lib/rules/rate.h): a number, "none" or "default". */
int admin_rate(const struct admin *a, const char *name, int64_t *rate_r,
               struct err *err) MUST_CHECK;
/* *id_r zero: not given. */
int admin_id(const struct admin *a, const char *name, enum id_kind kind, struct id *id_r,
             struct err *err) MUST_CHECK;
int admin_operand_id(const struct admin *a, enum id_kind kind, struct id *id_r,
                     struct err *err) MUST_CHECK;
/* --workspace, which must exist. *given_r NULL: not given; else it points to *id_r. */
int admin_workspace_id(const struct admin *a, struct id *id_r, const struct id **given_r,
                       struct err *err) MUST_CHECK;
/* A URL that this server may send to, by the settings. */
int admin_url(const struct admin *a, const char *name, struct str *url_r,
              struct err *err) MUST_CHECK;

/* ---- daemon/admin.c ---- */

/* After what takes a right away, or gives it: waits until no responder goes by what was before. */
void admin_settle(const struct admin *a);

/* ---- daemon/admin_help.c ---- */

void admin_help(const struct admin_noun *nouns, const struct admin_noun *noun);

#endif
