/*
 * io_cgi.c - plain CGI (RFC 3875), for the cheapest hosting: one process, one request, taken from
 * the environment and stdin, answered on stdout.
 */
#include "fcgi/io.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct cgi {
    struct io io;
    bool taken;
    uint64_t left; /* of the body: stdin need not end where CONTENT_LENGTH says (section 4.2) */
};

static enum io_next cgi_next(struct io *io, char *const **environ_r, struct err *err)
{
    struct cgi *cgi = (struct cgi *)io;
    if (cgi->taken)
        return IO_STOP;
    if (getenv("REQUEST_METHOD") == NULL) {
        err_set(err, ERR_INVALID, "this is a FastCGI and CGI program: a web server starts it");
        return IO_FAILED;
    }
    cgi->taken = true;
    /* a chunked body has no length and ends with the stream; without either there is none */
    if (str_u64(str_of(getenv("CONTENT_LENGTH")), UINT64_MAX, &cgi->left) != 0)
        cgi->left = getenv("HTTP_TRANSFER_ENCODING") != NULL ? UINT64_MAX : 0;
    *environ_r = environ;
    return IO_REQUEST;
}

static ptrdiff_t cgi_read(struct io *io, char *p, size_t n)
{
    struct cgi *cgi = (struct cgi *)io;
    if (n > cgi->left)
        n = (size_t)cgi->left;
    if (n == 0)
        return 0;
    ssize_t got;
    do {
        got = read(STDIN_FILENO, p, n);
    } while (got < 0 && errno == EINTR);
    if (got > 0)
        cgi->left -= (uint64_t)got;
    return got;
}

static int cgi_write(struct io *io, struct str text)
{
    (void)io;
    while (text.n > 0) {
        ssize_t put = write(STDOUT_FILENO, text.p, text.n);
        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0) {
            text.p += put;
            text.n -= (size_t)put;
        }
    }
    return 0;
}

static void cgi_finish(struct io *io)
{
    (void)io;
}

struct io *io_cgi(void)
{
    static struct cgi cgi = {.io = {cgi_next, cgi_read, cgi_write, cgi_finish}};
    return &cgi.io;
}
