/*
 * admin_args.c - the command line: which command, and its options as values of the right type.
 */
#include "daemon/admin.h"
#include "lib/rules/rate.h"
#include "lib/rules/url_guard.h"
#include "sql/accounts.h"

#include <string.h>

/* ---- reading ---- */

static const struct admin_option general[] = {
    {"config", "FILE", false, NULL}, {"json", NULL, false, NULL}, {"help", NULL, false, NULL},
    {"version", NULL, false, NULL},  {NULL, NULL, false, NULL},
};

static const struct admin_option *find_option(const struct admin_option *options, struct str name)
{
    for (; options != NULL && options->name != NULL; options++)
        if (str_is(name, options->name))
            return options;
    return NULL;
}

static int keep_value(struct admin *a, const struct admin_option *option, const char *value,
                      struct admin_request *request, struct err *err)
{
    if (strcmp(option->name, "config") == 0) {
        a->config_path = value;
    } else if (strcmp(option->name, "json") == 0) {
        a->json = true;
    } else if (strcmp(option->name, "help") == 0) {
        request->help = true;
    } else if (strcmp(option->name, "version") == 0) {
        request->version = true;
    } else {
        if (admin_given(a, option->name))
            return err_set(err, ERR_INVALID, "--%s: is given twice", option->name);
        if (a->value_count == ADMIN_VALUES_MAX)
            die("more options than a command can have");
        a->values[a->value_count].name = option->name;
        a->values[a->value_count++].value = value;
    }
    return 0;
}

/* argv[*i] is an option: --name, --name VALUE or --name=VALUE. */
static int read_option(struct admin *a, int argc, char **argv, int *i,
                       struct admin_request *request, struct err *err)
{
    struct str rest = str_of(argv[*i] + 2), name;
    const char *equals = strchr(argv[*i], '=');
    const struct admin_option *option;

    if (strcmp(argv[*i], "-h") == 0)
        rest = STR("help");
    else if (strncmp(argv[*i], "--", 2) != 0)
        return err_set(err, ERR_INVALID, "%s: options begin with two dashes", argv[*i]);
    if (!str_split(&rest, '=', &name))
        name = rest;
    option = find_option(general, name);
    if (option == NULL && a->command != NULL)
        option = find_option(a->command->options, name);
    if (option == NULL)
        return err_set(err, ERR_INVALID, "--%.*s: there is no such option%s", STR_ARG(name),
                       a->command != NULL ? " here" : " before a command");
    if (option->value == NULL) {
        if (equals != NULL)
            return err_set(err, ERR_INVALID, "--%s: takes no value", option->name);
        return keep_value(a, option, "", request, err);
    }
    if (equals != NULL)
        return keep_value(a, option, equals + 1, request, err);
    if (*i + 1 >= argc)
        return err_set(err, ERR_INVALID, "--%s: %s is missing", option->name, option->value);
    return keep_value(a, option, argv[++*i], request, err);
}

static const struct admin_command *find_command(const struct admin_command *commands,
                                                const char *verb)
{
    for (; commands->run != NULL; commands++)
        if (commands->verb != NULL && strcmp(commands->verb, verb) == 0)
            return commands;
    return NULL;
}

static int read_word(struct admin *a, const struct admin_noun *nouns, const char *word,
                     struct admin_request *request, struct err *err)
{
    if (request->noun == NULL) {
        while (nouns->noun != NULL && strcmp(nouns->noun, word) != 0)
            nouns++;
        if (nouns->noun == NULL)
            return err_set(err, ERR_INVALID, "%s: there is no such command; see --help", word);
        request->noun = nouns;
        if (nouns->commands[0].verb == NULL)
            a->command = &nouns->commands[0];
        return 0;
    }
    if (a->command == NULL) {
        a->command = find_command(request->noun->commands, word);
        if (a->command == NULL)
            return err_set(err, ERR_INVALID, "%s %s: there is no such command; see %s --help",
                           request->noun->noun, word, request->noun->noun);
        return 0;
    }
    if (a->command->operand == NULL || a->operand != NULL)
        return err_set(err, ERR_INVALID, "%s: one word too many", word);
    a->operand = word;
    return 0;
}

static int check_complete(const struct admin *a, const struct admin_request *request,
                          struct err *err)
{
    if (request->help || request->version)
        return 0;
    if (request->noun == NULL)
        return err_set(err, ERR_INVALID, "a command is missing; see --help");
    if (a->command == NULL)
        return err_set(err, ERR_INVALID, "%s: what to do with it is missing; see %s --help",
                       request->noun->noun, request->noun->noun);
    if (a->command->operand != NULL && a->operand == NULL)
        return err_set(err, ERR_INVALID, "%s is missing", a->command->operand);
    for (const struct admin_option *o = a->command->options; o != NULL && o->name != NULL; o++)
        if (o->required && !admin_given(a, o->name))
            return err_set(err, ERR_INVALID, "--%s: is missing", o->name);
    return 0;
}

int admin_read(struct admin *a, const struct admin_noun *nouns, int argc, char **argv,
               struct admin_request *request_r, struct err *err)
{
    bool only_words = false;

    *request_r = (struct admin_request){0};
    for (int i = 1; i < argc; i++) {
        int result;
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0')
            result = read_option(a, argc, argv, &i, request_r, err);
        else
            result = read_word(a, nouns, argv[i], request_r, err);
        if (result < 0)
            return -1;
    }
    return check_complete(a, request_r, err);
}

/* ---- values ---- */

bool admin_given(const struct admin *a, const char *name)
{
    return admin_value(a, name).p != NULL;
}

struct str admin_value(const struct admin *a, const char *name)
{
    for (size_t i = 0; i < a->value_count; i++)
        if (strcmp(a->values[i].name, name) == 0)
            return str_of(a->values[i].value);
    return STR_NULL;
}

static bool has_control(struct str text, const char *allowed)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < 0x20 && strchr(allowed, c) == NULL) || c == 0x7f)
            return true;
    }
    return false;
}

static int check_text(const char *name, struct str text, const char *allowed, struct err *err)
{
    if (!str_utf8_valid(text))
        return err_set(err, ERR_INVALID, "--%s: is not valid UTF-8", name);
    if (has_control(text, allowed))
        return err_set(err, ERR_INVALID, "--%s: must not have control characters", name);
    return 0;
}

int admin_text(const struct admin *a, const char *name, size_t max, struct str fallback,
               struct str *text_r, struct err *err)
{
    struct str text = admin_value(a, name);

    *text_r = text.p != NULL ? text : fallback;
    if (text.p == NULL)
        return 0;
    if (check_text(name, text, "", err) < 0)
        return -1;
    if (text.n == 0 || str_utf8_count(text) > max)
        return err_set(err, ERR_INVALID, "--%s: must have 1 to %zu characters", name, max);
    return 0;
}

#define LONG_TEXT_MAX 60000

int admin_long_text(const struct admin *a, const char *name, struct str *text_r, struct err *err)
{
    struct str text = admin_value(a, name);

    *text_r = text.p != NULL ? text : STR("");
    if (check_text(name, *text_r, "\n\r\t", err) < 0)
        return -1;
    if (text_r->n > LONG_TEXT_MAX)
        return err_set(err, ERR_INVALID, "--%s: must have at most %d bytes", name, LONG_TEXT_MAX);
    return 0;
}

int admin_number(const struct admin *a, const char *name, int64_t min, int64_t max,
                 int64_t fallback, int64_t *number_r, struct err *err)
{
    struct str text = admin_value(a, name);
    uint64_t number;

    *number_r = fallback;
    if (text.p == NULL)
        return 0;
    if (str_u64(text, (uint64_t)max, &number) < 0 || (int64_t)number < min)
        return err_set(err, ERR_INVALID, "--%s: must be a whole number from %lld to %lld", name,
                       (long long)min, (long long)max);
    *number_r = (int64_t)number;
    return 0;
}

int admin_rate(const struct admin *a, const char *name, int64_t *rate_r, struct err *err)
{
    struct str text = admin_value(a, name);

    *rate_r = str_is(text, "none") ? RATE_NONE : RATE_DEFAULT;
    if (text.p == NULL || str_is(text, "none") || str_is(text, "default"))
        return 0;
    if (admin_number(a, name, 1, RATE_PER_MINUTE_MAX, RATE_DEFAULT, rate_r, err) < 0)
        return err_set(err, ERR_INVALID,
                       "--%s: must be a whole number from 1 to %d, none or default", name,
                       RATE_PER_MINUTE_MAX);
    return 0;
}

int admin_duration(const struct admin *a, const char *name, usec_t max, usec_t fallback,
                   usec_t *duration_r, struct err *err)
{
    static const struct {
        const char *text;
        usec_t usec;
    } units[] = {{"ms", USEC_PER_MS},
                 {"s", USEC_PER_S},
                 {"m", 60 * USEC_PER_S},
                 {"h", 3600 * USEC_PER_S},
                 {"d", USEC_PER_DAY}};
    struct str text = admin_value(a, name), digits = text;
    uint64_t number;

    *duration_r = fallback;
    if (text.p == NULL)
        return 0;
    digits.n = strspn(text.p, "0123456789");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text.p + digits.n, units[i].text) != 0)
            continue;
        if (str_u64(digits, (uint64_t)(max / units[i].usec), &number) < 0)
            break;
        *duration_r = (usec_t)number * units[i].usec;
        return 0;
    }
    return err_set(err, ERR_INVALID, "--%s: must be a number with ms, s, m, h or d, at most %lldh",
                   name, (long long)(max / units[3].usec));
}

int admin_id(const struct admin *a, const char *name, enum id_kind kind, struct id *id_r,
             struct err *err)
{
    struct str text = admin_value(a, name);

    memset(id_r, 0, sizeof(*id_r));
    if (text.p != NULL && (id_parse(kind, text, id_r) < 0 || id_is_zero(id_r)))
        return err_set(err, ERR_INVALID, "--%s: '%s' is not the id of one", name, text.p);
    return 0;
}

int admin_operand_id(const struct admin *a, enum id_kind kind, struct id *id_r, struct err *err)
{
    if (id_parse(kind, str_of(a->operand), id_r) < 0)
        return err_set(err, ERR_INVALID, "ID: '%s' is not the id of one", a->operand);
    return 0;
}

int admin_workspace_id(const struct admin *a, struct id *id_r, const struct id **given_r,
                       struct err *err)
{
    *given_r = NULL;
    if (admin_id(a, "workspace", ID_WORKSPACE, id_r, err) < 0)
        return -1;
    if (!admin_given(a, "workspace"))
        return 0;
    int there = workspaces_exists(a->db, id_r, err);
    if (there < 0)
        return -1;
    if (there == 0)
        return err_set(err, ERR_NOT_FOUND, "--workspace: there is no workspace %s",
                       admin_value(a, "workspace").p);
    *given_r = id_r;
    return 0;
}

int admin_url(const struct admin *a, const char *name, struct str *url_r, struct err *err)
{
    struct url_guard *guard;
    char field[40] = "--";

    strncat(field, name, sizeof(field) - 3);
    *url_r = admin_value(a, name);
    if (url_guard_parse(a->pool, str_of(a->conf->deliver_allow_cidrs), &guard, err) < 0)
        return err_prefix(err, "deliver_allow_cidrs");
    return url_guard_check(guard, *url_r, field, err);
}
