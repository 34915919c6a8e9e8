/*
 * admin_doctor_host.c - the checks of `doctor` on this host: key file, runtime folder, sockets of
 * pools and dispatchers, and settings whose values make no sense together.
 */
#include "daemon/admin_doctor.h"
#include "lib/base/http.h"
#include "lib/rules/url_guard.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- files ---- */

static void check_key_file(struct doctor *d, const struct conf *conf)
{
    struct keyring *ring;
    struct err err;
    struct stat st;

    if (stat(conf->key_file, &st) < 0)
        doctor_found(d, FINDING_FAIL, "key file", "huskyvoice-admin keyfile create PATH", "%s: %s",
                     conf->key_file, strerror(errno));
    else if (keyring_load(&ring, conf->key_file, &err) < 0)
        doctor_found(d, FINDING_FAIL, "key file",
                     "make it readable for the server's user or group, and for nobody else", "%s",
                     err.message);
    else {
        keyring_destroy(&ring);
        if (st.st_mode & (S_IWGRP | S_IXGRP))
            doctor_found(d, FINDING_WARN, "key file", "chmod 0640 (or 0600)",
                         "%s: its group may change it", conf->key_file);
        else
            doctor_found(d, FINDING_OK, "key file", NULL, "%s", conf->key_file);
    }
}

static bool check_runtime_dir(struct doctor *d, const struct conf *conf)
{
    const char *dir = conf->runtime_dir;
    struct stat st;

    if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
        doctor_found(d, FINDING_FAIL, "runtime folder",
                     "create it, owned by the user of responders and dispatcher (mode 0770)",
                     "%s is no folder", dir);
        return false;
    }
    if (access(dir, W_OK | X_OK) < 0)
        doctor_found(d, FINDING_WARN, "runtime folder",
                     "run doctor as the user of responders and dispatcher",
                     "%s is not writable for this user", dir);
    else if (st.st_mode & S_IWOTH)
        doctor_found(d, FINDING_FAIL, "runtime folder", "chmod 0770",
                     "%s: every user of this host may write there", dir);
    else
        doctor_found(d, FINDING_OK, "runtime folder", NULL, "%s", dir);
    return true;
}

/* ---- sockets ---- */

/* FastCGI is trusted input: whoever may write there speaks as the web server does. The sockets of
 * the units of systemd, and those that stand in the runtime folder. */
static void check_pool_sockets(struct doctor *d, struct admin *a)
{
    static const char *const pools[] = {"api", "hooks", "voice"};
    unsigned closed = 0;

    for (size_t i = 0; i < 2 * sizeof(pools) / sizeof(*pools); i++) {
        const char *pool = pools[i / 2];
        const char *path = i % 2 ? pool_printf(a->pool, "%s/%s.sock", a->conf->runtime_dir, pool)
                                 : pool_printf(a->pool, "/run/huskyvoice-%s.sock", pool);
        struct stat st;
        if (stat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
            continue;
        if (st.st_mode & S_IWOTH)
            doctor_found(d, FINDING_FAIL, "pool sockets", "chmod 0660, with the web server's group",
                         "%s: every user of this host may write there", path);
        else
            closed++;
    }
    if (closed > 0)
        doctor_found(d, FINDING_OK, "pool sockets", NULL, "%u closed to other users", closed);
}

static bool somebody_listens(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool listens = n > 0 && (size_t)n < sizeof(address.sun_path) &&
                   connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    return listens;
}

static void check_wake_sockets(struct doctor *d, struct admin *a)
{
    const char *folder = pool_printf(a->pool, "%s/wake", a->conf->runtime_dir);
    DIR *dir = opendir(folder);
    unsigned alive = 0, stale = 0;

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        size_t n = strlen(entry->d_name);
        if (n < 6 || strcmp(entry->d_name + n - 5, ".sock") != 0)
            continue;
        if (somebody_listens(folder, entry->d_name))
            alive++;
        else
            stale++;
    }
    if (dir != NULL)
        closedir(dir);
    if (stale > 0)
        doctor_found(d, FINDING_WARN, "wake sockets",
                     "none needed: the next one who sends removes them",
                     "%u left behind in %s by dispatchers that died", stale, folder);
    if (alive > 0)
        doctor_found(d, FINDING_OK, "dispatcher", NULL, "%u resident on this host", alive);
    else
        doctor_found(d, FINDING_WARN, "dispatcher",
                     "start huskyvoice-dispatch, unless cron or another host runs it",
                     "none is resident on this host");
}

/* ---- settings ---- */

static bool is_loopback(struct str host)
{
    return str_is(host, "localhost") || str_is(host, "::1") || str_starts(host, "127.");
}

static void check_public_url(struct doctor *d, struct admin *a)
{
    static const char *const mend = "set public_url to what callers use, such as "
                                    "https://voice.example.com";
    struct str url = str_of(a->conf->public_url);
    struct url_parts parts;
    struct err err;

    if (http_url_split(a->pool, url, &parts, &err) < 0)
        doctor_found(d, FINDING_FAIL, "public_url", mend, "%s", err.message);
    else if (!str_is(parts.scheme, "https") && !str_is(parts.scheme, "http"))
        doctor_found(d, FINDING_FAIL, "public_url", mend, "%.*s is no http or https URL",
                     STR_ARG(url));
    else if (parts.has_user || parts.has_fragment || url.p[url.n - 1] == '/' ||
             memchr(url.p, '?', url.n) != NULL)
        doctor_found(d, FINDING_FAIL, "public_url", mend,
                     "%.*s must end with its host or path, without a slash", STR_ARG(url));
    else if (str_is(parts.scheme, "http") && !is_loopback(parts.host))
        doctor_found(d, FINDING_WARN, "public_url", mend, "%.*s: API keys travel unencrypted",
                     STR_ARG(url));
    else if (is_loopback(parts.host))
        doctor_found(d, FINDING_WARN, "public_url", mend, "%.*s is reachable from this host only",
                     STR_ARG(url));
    else
        doctor_found(d, FINDING_OK, "public_url", NULL, "%.*s", STR_ARG(url));
}

/* The address that clouds give their machines' credentials under. */
static bool allows_metadata(struct url_guard *guard)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};

    inet_pton(AF_INET, "169.254.169.254", &address.sin_addr);
    return url_guard_address(guard, false, (const struct sockaddr *)&address);
}

/* "10.0.0.0/8" is as wide as a private network gets. */
static bool has_wide_range(struct str cidrs)
{
    struct str range, address;
    uint64_t bits;

    while (str_split(&cidrs, ',', &range)) {
        range = str_trim(range);
        if (str_split(&range, '/', &address) && str_u64(range, 128, &bits) == 0 && bits < 7)
            return true;
    }
    return false;
}

static void check_allowed_ranges(struct doctor *d, struct admin *a)
{
    static const char *const mend = "name only the hosts that are meant, such as 10.1.2.3/32";
    struct str cidrs = str_of(a->conf->deliver_allow_cidrs);
    struct url_guard *guard;
    struct err err;

    if (url_guard_parse(a->pool, cidrs, &guard, &err) < 0)
        doctor_found(d, FINDING_FAIL, "deliver_allow_cidrs", mend, "%s", err.message);
    else if (has_wide_range(cidrs))
        doctor_found(d, FINDING_WARN, "deliver_allow_cidrs", mend,
                     "%.*s opens whole networks to whoever may save a URL", STR_ARG(cidrs));
    else if (allows_metadata(guard))
        doctor_found(d, FINDING_WARN, "deliver_allow_cidrs", mend,
                     "%.*s covers 169.254.169.254, where clouds keep credentials", STR_ARG(cidrs));
    else
        doctor_found(d, FINDING_OK, "deliver_allow_cidrs", NULL, "%s",
                     cidrs.n > 0 ? a->conf->deliver_allow_cidrs : "public addresses only");
}

void doctor_host(struct doctor *d, struct admin *a)
{
    check_key_file(d, a->conf);
    if (check_runtime_dir(d, a->conf))
        check_wake_sockets(d, a);
    check_pool_sockets(d, a);
    check_public_url(d, a);
    check_allowed_ranges(d, a);
}
