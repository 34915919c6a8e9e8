/*
 * test_http_tls.c - https: a certificate that is trusted, one that is not, and one for another
 * name. The peer is openssl(1); without that program the tests are left out.
 */
#include "lib/base/http.h"
#include "lib/base/pool.h"
#include "tests/unit/check_main.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], key[80], certificate[80];
static pid_t peer;
static unsigned peer_port;
static struct pool *pool;
static struct http_client *client;
static struct err err;

/* Starts openssl(1); what it prints can be read from *output_r. */
static pid_t start_openssl(const char *const arguments[], int *output_r)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(ends[0]);
        execvp("openssl", (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    *output_r = ends[0];
    return pid;
}

static void make_certificate(void)
{
    const char *const arguments[] = {
        "openssl", "req", "-x509", "-newkey",       "rsa:2048", "-nodes",
        "-days",   "2",   "-subj", "/CN=localhost", "-addext",  "subjectAltName=DNS:localhost",
        "-keyout", key,   "-out",  certificate,     NULL};
    int output, status = -1;
    pid_t pid = start_openssl(arguments, &output);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close(output);
}

/* s_server prints "ACCEPT 127.0.0.1:PORT" once it listens. */
static void start_peer(void)
{
    const char *const arguments[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
                                     "-key",    key,        "-cert",   certificate,   NULL};
    int output;
    peer = start_openssl(arguments, &output);
    FILE *lines = fdopen(output, "r");
    char line[200];
    while (peer_port == 0 && fgets(line, sizeof(line), lines) != NULL) {
        if (sscanf(line, "ACCEPT 127.0.0.1:%u", &peer_port) != 1) {
            peer_port = 0;
        }
    }
    ck_assert_uint_ne(peer_port, 0);
    /* left open: a peer that prints more must not die of it */
}

static void setup(void)
{
    strcpy(folder, "/tmp/huskyvoice-test-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(key, sizeof(key), "%s/key", folder);
    snprintf(certificate, sizeof(certificate), "%s/cert", folder);
    pool_create(&pool);
    make_certificate();
    start_peer();
}

static void teardown(void)
{
    http_client_destroy(&client);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    unlink(key);
    unlink(certificate);
    rmdir(folder);
    pool_destroy(&pool);
}

static const struct {
    const char *name, *host;
    bool trusted;
    enum http_outcome outcome;
} cases[] = {
    {"trusted", "localhost", true, HTTP_ANSWERED},
    {"not trusted", "localhost", false, HTTP_TLS_FAILED},
    {"another name", "127.0.0.1", true, HTTP_TLS_FAILED},
};

START_TEST(certificates)
{
    struct http_client_conf settings = {.ca_file = cases[_i].trusted ? certificate : NULL};
    ck_assert_ok(http_client_create(&client, &settings, &err), err);
    struct http_answer answer;
    struct http_request request = {
        .method = "GET",
        .url = pool_printf(pool, "https://%s:%u/", cases[_i].host, peer_port),
        .timeout = 20 * USEC_PER_S,
        .response_max = 100000,
    };
    ck_assert_ok(http_once(client, &request, pool, &answer, &err), err);
    ck_assert_msg(answer.outcome == cases[_i].outcome, "%s: %s (%s)", cases[_i].name,
                  http_outcome_text(answer.outcome), answer.detail);
    ck_assert_int_eq(answer.status, cases[_i].outcome == HTTP_ANSWERED ? 200 : 0);
}
END_TEST

START_TEST(a_missing_ca_file_is_named)
{
    struct http_client_conf settings = {.ca_file = "/nonexistent/ca.pem"};
    ck_assert_int_eq(http_client_create(&client, &settings, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/ca.pem"));
}
END_TEST

static Suite *http_tls_suite(void)
{
    Suite *suite = suite_create("http_tls");
    TCase *tc = tcase_create("http_tls");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_missing_ca_file_is_named);
    suite_add_tcase(suite, tc);
    if (system("openssl version >/dev/null 2>&1") == 0) {
        TCase *peers = tcase_create("peers");
        tcase_set_timeout(peers, 60);
        tcase_add_checked_fixture(peers, setup, teardown);
        tcase_add_loop_test(peers, certificates, 0, CASES(cases));
        suite_add_tcase(suite, peers);
    } else {
        fprintf(stderr, "openssl(1) is missing: the certificate tests were left out.\n");
    }
    return suite;
}

CHECK_MAIN(http_tls_suite)
