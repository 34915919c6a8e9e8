/*
 * http_hosts.c - looking up one name in a file of the hosts(5) form: an address, blanks, names, and
 * a comment behind '#'. Read anew for every look-up, so that a change counts from the next request.
 */
#include "lib/base/http_private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HOSTS_FILE_MAX ((size_t)1048576)

static bool next_word(struct str *line, struct str *word_r)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t') {
        n++;
    }
    *word_r = (struct str){line->p, n};
    *line = (struct str){line->p + n, line->n - n};
    return n > 0;
}

static void add_address(struct buf *addresses, struct str word)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (word.n >= sizeof(text)) {
        return;
    }
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    bool ipv6 = inet_pton(AF_INET6, text, address) == 1;
    if (!ipv6 && inet_pton(AF_INET, text, address) != 1) {
        return;
    }
    buf_text(addresses, addresses->len > 0 ? "," : "");
    buf_printf(addresses, ipv6 ? "[%s]" : "%s", text);
}

static void find_in_text(struct str text, const char *host, struct buf *addresses)
{
    struct str line, rest, address, name;
    while (str_split(&text, '\n', &rest)) {
        (void)str_split(&rest, '#', &line);
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        bool found = false;
        if (next_word(&line, &address)) {
            while (!found && next_word(&line, &name)) {
                found = str_is_nocase(name, host);
            }
        }
        if (found) {
            add_address(addresses, address);
        }
    }
}

void http_hosts_find(const char *path, struct str host, struct buf *addresses)
{
    struct buf text, name, found;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return;
    }
    buf_init(&text, HOSTS_FILE_MAX);
    buf_init(&name, 256);
    buf_init(&found, 4096);
    ssize_t n = 0;
    char *room;
    while ((room = buf_room(&text, 4096)) != NULL && (n = read(fd, room, 4096)) > 0) {
        text.len += (size_t)n;
    }
    close(fd);
    buf_str(&name, host);
    if (n == 0 && !name.overflow) {
        find_in_text(buf_as_str(&text), name.data, &found);
        buf_str(addresses, buf_as_str(&found));
    }
    buf_deinit(&found);
    buf_deinit(&name);
    buf_deinit(&text);
}
