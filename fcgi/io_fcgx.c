/*
 * io_fcgx.c - FastCGI through libfcgi: accept on descriptor 0, one thread, one request at a time.
 * The only face of fcgiapp.h, and the place where a process learns that it shall stop.
 *
 * Stopping. A signal handler sets a flag and puts /dev/null in the place of descriptor 0. A signal
 * that comes between the test of the flag and accept() therefore loses nothing: that accept() fails
 * at once, and siblings that share the socket don't notice. The handlers are installed with
 * SA_RESTART, so that a body being read and an answer being written are not cut off; accept() is
 * restarted too, and then finds /dev/null.
 *
 * Accepting. On a UNIX socket libfcgi waits with poll() for the first byte of a new connection and
 * drops the connection when a signal interrupts that, which under load loses requests. So the
 * connection is accepted here and given to libfcgi as one that it has open.
 *
 * Connections. libfcgi can serve several requests over one connection, and then belongs to that
 * connection while it is idle. Each is closed after its request, whatever the web server asked for:
 * by libfcgi, which shuts it down and reads what still comes, so that a reset can't overtake the
 * answer; or, where nothing can come any more, by close() alone.
 */
#include "fcgi/io.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;
static volatile sig_atomic_t listening; /* descriptor 0 is the socket, not a request's body */
static int nothing = -1;                /* /dev/null: no connection ever comes from there */
static bool unix_socket;                /* what descriptor 0 is, if it is listening */
static bool all_was_read;               /* of the request under way, to its last record */
static FCGX_Request request;

static void stop(int signo)
{
    (void)signo;
    int saved = errno;
    stopping = 1;
    if (listening)
        (void)dup2(nothing, STDIN_FILENO);
    errno = saved;
}

static int handle_signals(struct err *err)
{
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0)
        return err_set(err, ERR_INTERNAL, "cannot open /dev/null: %s", strerror(errno));
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0 ||
        sigaction(SIGPIPE, &ignore, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "sigaction: %s", strerror(errno));
    return 0;
}

static bool is_unix_socket(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.ss_family == AF_UNIX;
}

/* 0, or errno. */
static int accept_unix(void)
{
    int fd;
    do {
        fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);
    } while (fd < 0 && !stopping && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return errno;
    /* as between two requests on one connection: FCGX_Accept_r() goes on with it */
    request.ipcFd = fd;
    request.keepConnection = 1;
    return 0;
}

static enum io_next fcgx_next(struct io *io, char *const **environ_r, struct err *err)
{
    (void)io;
    if (stopping)
        return IO_STOP;
    int rc = unix_socket ? -accept_unix() : 0;
    if (rc == 0)
        rc = FCGX_Accept_r(&request);
    if (rc == 0) {
        all_was_read = false;
        *environ_r = request.envp;
        return IO_REQUEST;
    }
    if (stopping)
        return IO_STOP;
    err_set(err, ERR_UNAVAILABLE, "no request can be accepted on descriptor 0: %s", strerror(-rc));
    return IO_FAILED;
}

static ptrdiff_t fcgx_read(struct io *io, char *p, size_t n)
{
    (void)io;
    int got = FCGX_GetStr(p, n > INT_MAX ? INT_MAX : (int)n, request.in);
    if (got == 0 && FCGX_GetError(request.in) != 0)
        return -1;
    all_was_read |= got == 0 && n > 0;
    return got;
}

static int fcgx_write(struct io *io, struct str text)
{
    (void)io;
    while (text.n > 0) {
        int part = text.n > INT_MAX ? INT_MAX : (int)text.n;
        if (FCGX_PutStr(text.p, part, request.out) != part)
            return -1;
        text.p += part;
        text.n -= (size_t)part;
    }
    return 0;
}

static void fcgx_finish(struct io *io)
{
    (void)io;
    bool ours = unix_socket && all_was_read;
    if (ours)
        request.keepConnection = 1;
    FCGX_Finish_r(&request);
    if (ours && request.ipcFd >= 0) { /* else the peer has gone, and libfcgi has closed it */
        (void)close(request.ipcFd);
        request.ipcFd = -1;
    }
    FCGX_Free(&request, 1);
}

int io_open(struct io **io_r, struct err *err)
{
    static struct io fcgx = {fcgx_next, fcgx_read, fcgx_write, fcgx_finish};

    if (handle_signals(err) != 0)
        return -1;
    unix_socket = is_unix_socket(STDIN_FILENO);
    /* Before it closes a connection, libfcgi waits until the peer has closed it, or 2 s. That keeps
     * a TCP reset from overtaking the answer; a UNIX socket has no such thing, and the wait would
     * be time in which this process serves nobody. */
    if (unix_socket)
        (void)setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 0);
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
        return err_set(err, ERR_INTERNAL, "libfcgi cannot be initialised");
    if (FCGX_IsCGI()) {
        *io_r = io_cgi();
        return 0;
    }
    listening = 1;
    if (stopping) /* came before the handler knew what descriptor 0 is */
        (void)dup2(nothing, STDIN_FILENO);
    *io_r = &fcgx;
    return 0;
}
