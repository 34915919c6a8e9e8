/*
 * sendmail.c - see sendmail.h. The mail is handed over in a file without a name: however long it
 * is, nobody waits for anybody to read or write it.
 */
#include "daemon/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED 127

static int file_with(struct str mail, struct err *err)
{
    int fd = memfd_create("mail", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "no file for the mail: %s", strerror(errno));
    while (mail.n > 0) {
        ssize_t n = write(fd, mail.p, mail.n);
        if (n <= 0) {
            close(fd);
            return err_set(err, ERR_UNAVAILABLE, "the mail cannot be written: %s", strerror(errno));
        }
        mail.p += n;
        mail.n -= (size_t)n;
    }
    if (lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return err_set(err, ERR_UNAVAILABLE, "the mail cannot be read");
    }
    return fd;
}

/* In the child: only what is safe after a fork. */
static _Noreturn void become(const char *path, const char *from, const char *to, int fd)
{
    char *const arguments[] = {(char *)"sendmail", (char *)"-i", (char *)"-f", (char *)from,
                               (char *)"--",       (char *)to,   NULL};
    char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    static const int signals[] = {SIGTERM, SIGINT, SIGPIPE, SIGCHLD};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    setpgid(0, 0);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    if (null < 0 || dup2(fd, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(NOT_STARTED);
    close_range(3, ~0u, 0);
    execve(path, arguments, environment);
    _exit(NOT_STARTED);
}

int sendmail_start(struct sendmail *s, const char *path, const char *from, const char *to,
                   struct str mail, struct err *err)
{
    int fd = file_with(mail, err);
    if (fd < 0)
        return -1;
    *s = (struct sendmail){.pid = fork()};
    if (s->pid == 0)
        become(path, from, to, fd);
    close(fd);
    if (s->pid < 0)
        return err_set(err, ERR_UNAVAILABLE, "no process for it: %s", strerror(errno));
    return 0;
}

bool sendmail_ended(struct sendmail *s)
{
    pid_t pid = s->ended ? 0 : waitpid(s->pid, &s->status, WNOHANG);
    if (pid == s->pid || (pid < 0 && errno == ECHILD))
        s->ended = true;
    return s->ended;
}

void sendmail_kill(struct sendmail *s)
{
    /* Its group is its own as soon as it runs: the group first, itself if there is none yet. */
    if (!s->ended && kill(-s->pid, SIGKILL) != 0)
        kill(s->pid, SIGKILL);
    if (!s->ended)
        waitpid(s->pid, &s->status, 0);
    s->ended = true;
}

int sendmail_result(const struct sendmail *s, struct err *err)
{
    if (WIFSIGNALED(s->status))
        return err_set(err, ERR_UNAVAILABLE, "sendmail was ended by signal %d",
                       WTERMSIG(s->status));
    if (WEXITSTATUS(s->status) == NOT_STARTED)
        return err_set(err, ERR_UNAVAILABLE, "the program of sendmail_path cannot be run");
    if (WEXITSTATUS(s->status) != 0)
        return err_set(err, ERR_UNAVAILABLE, "sendmail ended with status %d",
                       WEXITSTATUS(s->status));
    return 0;
}
