/*
 * program.c - arguments, settings, set-up, and the loop over requests.
 */
#include "fcgi/program.h"

#include "lib/base/log.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#ifndef PACKAGE_VERSION /* config.h's, which the build includes everywhere */
#define PACKAGE_VERSION "development"
#endif

static void help(const struct program *program, FILE *to)
{
    fprintf(to,
            "Usage: %s [--config FILE] [--check | --version | --help]\n"
            "%s\n"
            "\n"
            "A web server starts it, by FastCGI or plain CGI; see the README.\n"
            "\n"
            "  --config FILE  settings; else $HUSKYVOICE_CONFIG, else the default file\n"
            "  --check        say whether the settings can be used, print them, and end\n"
            "  --version      print the version and end\n"
            "  --help         print this and end\n",
            program->name, program->purpose);
}

static int complain(const struct program *program, int status, const struct err *err)
{
    fprintf(stderr, "%s: %s\n", program->name, err->message);
    return status;
}

/* What conf_parse() cannot know: values that end up in header lines and paths. */
static int check_conf(const struct conf *conf, struct err *err)
{
    struct str base_path = str_of(conf->base_path);
    if (base_path.n > 0 && (base_path.p[0] != '/' || base_path.p[base_path.n - 1] == '/'))
        return err_set(err, ERR_INVALID, "base_path must begin with / and not end in one");
    struct str url = str_of(conf->public_url);
    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return err_set(err, ERR_INVALID, "public_url must begin with https:// or http://");
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~')
            return err_set(err, ERR_INVALID, "public_url must be printable ASCII without blanks");
    if (conf->rate_window % USEC_PER_S != 0)
        return err_set(err, ERR_INVALID, "rate_window must be whole seconds");
    enum log_level level;
    if (log_level_parse(str_of(conf->log_level), &level) != 0)
        return err_set(err, ERR_INVALID, "log_level must be error, warning, info or debug");
    return 0;
}

static int check(const struct program *program, const struct conf *conf)
{
    struct keyring *ring = NULL;
    struct err err;
    if (program->needs_keys) {
        if (keyring_load(&ring, conf->key_file, &err) != 0)
            return complain(program, EX_CONFIG, &err);
        keyring_destroy(&ring);
    }
    struct buf b;
    buf_init(&b, 1048576);
    conf_print(conf, &b);
    fwrite(b.data, 1, b.len, stdout);
    buf_deinit(&b);
    return 0;
}

static int serve(const struct program *program, const struct conf *conf)
{
    struct responder rs;
    struct io *io;
    struct err err;

    if (io_open(&io, &err) != 0)
        return complain(program, EX_OSERR, &err);
    if (responder_init(&rs, program, conf, &err) != 0)
        return complain(program, EX_CONFIG, &err);

    enum log_level level;
    log_init(program->name,
             log_level_parse(str_of(conf->log_level), &level) == 0 ? level : LOG_INFO);
    if (io != io_cgi() && !counters_shared(rs.counters))
        log_write(LOG_WARNING, "requests are counted in this process alone", "runtime_dir=%s",
                  conf->runtime_dir);
    if (io != io_cgi() && !limits_shared(rs.limits))
        log_write(LOG_WARNING, "rate limits cost a write to the database per request",
                  "runtime_dir=%s", conf->runtime_dir);

    char *const *environ_;
    enum io_next next;
    while ((next = io->next(io, &environ_, &err)) == IO_REQUEST)
        responder_serve(&rs, io, environ_);
    responder_deinit(&rs);
    return next == IO_STOP ? 0 : complain(program, EX_OSERR, &err);
}

int program_main(const struct program *program, int argc, char **argv)
{
    const char *config = NULL;
    bool check_only = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s %s\n", program->name, PACKAGE_VERSION);
            return 0;
        }
        if (strcmp(argv[i], "--help") == 0) {
            help(program, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--check") == 0) {
            check_only = true;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            config = argv[++i];
        } else {
            help(program, stderr);
            return EX_USAGE;
        }
    }

    struct pool *pool;
    const struct conf *conf;
    struct err err;
    pool_create(&pool);
    int status;
    if (conf_load(pool, config, &conf, &err) != 0 || check_conf(conf, &err) != 0)
        status = complain(program, EX_CONFIG, &err);
    else
        status = check_only ? check(program, conf) : serve(program, conf);
    pool_destroy(&pool);
    return status;
}
