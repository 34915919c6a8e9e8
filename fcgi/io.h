/*
 * io.h - "a request came, answer it": the one face of whatever carries requests, so that nothing
 * behind it knows whether FastCGI, plain CGI or a test did.
 *
 * io_fcgx.c speaks FastCGI through libfcgi, io_cgi.c plain CGI; tests bring a struct of their own.
 * One request at a time: next, read the body as far as wanted, write the answer, finish.
 */
#ifndef HV_IO_H
#define HV_IO_H

#include "lib/base/err.h"
#include "lib/base/str.h"

enum io_next { IO_REQUEST, IO_STOP, IO_FAILED };

struct io {
    /* Waits for a request. IO_REQUEST: *environ_r are its parameters, "NAME=value" each, NULL at
     * the end; they live until finish. IO_STOP: asked to end (TERM or USR1), or there was only one
     * request to come. IO_FAILED: err says why no request can come any more. */
    enum io_next (*next)(struct io *io, char *const **environ_r, struct err *err);
    /* Up to n bytes of the body, as many as there are: 0 at its end, -1 when it broke off. At the
     * end it can be called again. */
    ptrdiff_t (*read)(struct io *io, char *p, size_t n);
    /* The whole answer, with CGI's header lines. -1: the peer is gone, which is no fault of ours.
     */
    int (*write)(struct io *io, struct str text);
    /* The answer is complete and goes out. */
    void (*finish)(struct io *io);
};

/*
 * Which of the two carries requests is told by descriptor 0: FastCGI when it is a listening
 * socket. Called once, before any descriptor is opened that could take the place of 0. Installs
 * the handlers of TERM and USR1 (the request under way is finished, then IO_STOP) and ignores
 * PIPE.
 */
int io_open(struct io **io_r, struct err *err) MUST_CHECK;

/* io_cgi.c: the one request of this process's environment, stdin and stdout. */
struct io *io_cgi(void);

#endif
