/*
 * admin_help.c - `--help`, written from the tables of commands and options.
 */
#include "daemon/admin.h"

#include <stdio.h>

#define COLUMN 30

static void line(const char *left, const char *right)
{
    int n = printf("  %s", left);

    printf("%*s%s\n", n < COLUMN ? COLUMN - n : 2, "", right);
}

static void general_options(void)
{
    puts("\nOptions of every command:");
    line("--config FILE", "Configuration; else $HUSKYVOICE_CONFIG or the built-in path");
    line("--json", "Print JSON, {\"data\": ...}");
    line("--help", "Print this, or the help of one command");
    line("--version", "Print the version");
}

static void program_help(const struct admin_noun *nouns)
{
    puts("Usage: " ADMIN_PROGRAM " [--config FILE] [--json] COMMAND ...\n"
         "\nSets up and looks after a HuskyVoice server.\n\nCommands:");
    for (; nouns->noun != NULL; nouns++)
        line(nouns->noun, nouns->help);
    general_options();
    puts("\nSee " ADMIN_PROGRAM " COMMAND --help.");
}

static void command_help(const char *noun, const struct admin_command *c)
{
    char left[120];

    printf("\n%s%s%s%s%s\n  %s\n", noun, c->verb != NULL ? " " : "", c->verb != NULL ? c->verb : "",
           c->operand != NULL ? " " : "", c->operand != NULL ? c->operand : "", c->help);
    for (const struct admin_option *o = c->options; o != NULL && o->name != NULL; o++) {
        snprintf(left, sizeof(left), "  --%s%s%s", o->name, o->value != NULL ? " " : "",
                 o->value != NULL ? o->value : "");
        line(left, o->help);
    }
}

void admin_help(const struct admin_noun *nouns, const struct admin_noun *noun)
{
    if (noun == NULL) {
        program_help(nouns);
        return;
    }
    bool has_verbs = noun->commands[0].verb != NULL;
    printf("Usage: " ADMIN_PROGRAM " %s%s [options]\n\n%s.\n", noun->noun,
           has_verbs ? " COMMAND" : "", noun->help);
    for (const struct admin_command *c = noun->commands; c->run != NULL; c++)
        command_help(noun->noun, c);
    general_options();
}
