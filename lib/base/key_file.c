/*
 * key_file.c - the key file's lines, read and rewritten. Text of keys is wiped when it was used.
 */
#include "lib/base/key_file.h"
#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include "lib/base/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536

/* ---- reading ---- */

/* A line without its end and the blanks around it; false: nothing is left, or a comment. */
static bool line_says(struct str *line)
{
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    *line = str_trim(*line);
    return line->n > 0 && line->p[0] != '#';
}

/* Takes the word before what is left of the line. */
static struct str take_word(struct str *line)
{
    struct str word;

    (void)str_split(line, ' ', &word);
    *line = line->p ? str_trim(*line) : STR("");
    return word;
}

/* "<id> <64 hex digits>" into the next place of the list. */
static int add_key(struct key_list *list, struct str line, bool next, unsigned number,
                   struct err *err)
{
    uint64_t id;

    if (str_u64(take_word(&line), KEYS_MAX, &id) != 0 || id == 0)
        return err_set(err, ERR_INVALID, "line %u: a key id must be 1 to 255", number);
    if (key_list_find(list, (unsigned)id) < list->count)
        return err_set(err, ERR_INVALID, "line %u: key id %u is given twice", number, (unsigned)id);
    if (hex_decode(line, list->keys[list->count].key, KEY_SIZE) != 0)
        return err_set(err, ERR_INVALID, "line %u: a key must be 64 hex digits", number);
    list->keys[list->count].id = (unsigned char)id; /* ids differ, so there are at most 255 */
    list->keys[list->count].next = next;
    if (!next)
        list->newest = list->count;
    list->count++;
    return 0;
}

static int add_line(struct key_list *list, struct str line, bool *derived, unsigned number,
                    struct err *err)
{
    struct str rest = line, word = take_word(&rest);

    if (str_is(word, "next"))
        return add_key(list, rest, true, number, err);
    if (!str_is(word, "derive"))
        return add_key(list, line, false, number, err);
    if (*derived)
        return err_set(err, ERR_INVALID, "line %u: derive is given twice", number);
    *derived = true;
    return hex_decode(rest, list->root, KEY_SIZE) == 0
               ? 0
               : err_set(err, ERR_INVALID, "line %u: a key must be 64 hex digits", number);
}

/* Not the oldest key itself, so that what is derived can outlive it and tell nothing of it. */
static void derive_root(struct key_list *list)
{
    struct str what = STR("derive");

    crypto_hmac_sha256((struct str){(const char *)list->keys[0].key, KEY_SIZE}, &what, 1,
                       list->root);
}

static int parse_keys(struct key_list *list, struct str text, struct err *err)
{
    struct str line;
    bool derived = false;

    list->newest = KEYS_MAX;
    for (unsigned number = 1; str_split(&text, '\n', &line); number++)
        if (line_says(&line) && add_line(list, line, &derived, number, err) != 0)
            return -1;
    if (list->newest == KEYS_MAX)
        return err_set(err, ERR_INVALID, "there is no key in it");
    if (!derived)
        derive_root(list);
    return 0;
}

/* Reads the whole file; how much there was goes to *n_r. */
static int read_all(int fd, struct stat *st, char *text, size_t *n_r, struct err *err)
{
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
        return err_set(err, ERR_INVALID, "is no regular file");
    if ((st->st_mode & S_IRWXO) != 0)
        return err_set(err, ERR_INVALID, "others may read or write it: take that away (chmod o=)");
    size_t n = 0;
    while (n < KEY_FILE_MAX) {
        ssize_t got = read(fd, text + n, KEY_FILE_MAX - n);
        if (got < 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot be read: %s", strerror(errno));
        if (got == 0) {
            *n_r = n;
            return 0;
        }
        n += (size_t)got;
    }
    return err_set(err, ERR_INVALID, "is larger than %d bytes", KEY_FILE_MAX);
}

static void forget_text(char *text)
{
    crypto_wipe(text, KEY_FILE_MAX);
    free(text);
}

/* The text, KEY_FILE_MAX bytes on the heap: forget_text(). */
static int read_file(const char *path, char **text_r, size_t *n_r, struct stat *seen_r,
                     struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "key file %s: %s",
                       path, strerror(errno));
    char *text = mem_alloc(KEY_FILE_MAX);
    int result = read_all(fd, seen_r, text, n_r, err);
    close(fd);
    if (result != 0) {
        forget_text(text);
        return err_prefix(err, "key file %s", path);
    }
    *text_r = text;
    return 0;
}

static int parse_file(const char *path, const char *text, size_t n, struct key_list **list_r,
                      struct err *err)
{
    struct key_list *list = mem_alloc(sizeof(*list));

    if (parse_keys(list, (struct str){text, n}, err) != 0) {
        key_list_free(list);
        return err_prefix(err, "key file %s", path);
    }
    *list_r = list;
    return 0;
}

int key_file_load(const char *path, struct key_list **list_r, struct stat *seen_r, struct err *err)
{
    char *text;
    size_t n;

    if (read_file(path, &text, &n, seen_r, err) != 0)
        return -1;
    int result = parse_file(path, text, n, list_r, err);
    forget_text(text);
    return result;
}

void key_list_free(struct key_list *list)
{
    crypto_wipe(list, sizeof(*list));
    free(list);
}

size_t key_list_find(const struct key_list *list, unsigned id)
{
    size_t i = 0;

    while (i < list->count && list->keys[i].id != id)
        i++;
    return i;
}

/* ---- changing ---- */

static void put_key(struct buf *b, const char *before, const unsigned char key[KEY_SIZE])
{
    char hex[2 * KEY_SIZE + 1];

    hex_encode(key, KEY_SIZE, hex);
    buf_printf(b, "%s%s\n", before, hex);
    crypto_wipe(hex, sizeof(hex));
}

/* The id of the key in a line; 0: the line has none. */
static unsigned id_of(struct str line, bool *next_r, bool *derive_r)
{
    uint64_t id = 0;
    struct str word = STR("");

    *next_r = *derive_r = false;
    if (line_says(&line))
        word = take_word(&line);
    *derive_r = str_is(word, "derive");
    *next_r = str_is(word, "next");
    if (*next_r)
        word = take_word(&line);
    return str_u64(word, KEYS_MAX, &id) == 0 ? (unsigned)id : 0;
}

static void keep_lines(struct buf *b, struct str text, const struct key_change *change,
                       bool *derived_r)
{
    struct str line;

    *derived_r = false;
    while (str_split(&text, '\n', &line)) {
        bool next, derive;
        unsigned id = id_of(line, &next, &derive);
        *derived_r = *derived_r || derive;
        if (id != 0 && ((change->drop != NULL && change->drop[id]) || id == change->promote))
            continue;
        if (line.n > 0 || text.p != NULL) { /* what follows the last line's end is no line */
            buf_str(b, line);
            buf_char(b, '\n');
        }
    }
}

static void write_text(struct buf *b, const struct key_list *list, struct str text,
                       const struct key_change *change)
{
    unsigned char key[KEY_SIZE];
    char before[32];
    bool derived;

    keep_lines(b, text, change, &derived);
    if (!derived)
        put_key(b, "derive ", list->root);
    if (change->promote != 0) {
        snprintf(before, sizeof(before), "%u ", change->promote);
        put_key(b, before, list->keys[key_list_find(list, change->promote)].key);
    }
    if (change->add != 0) {
        snprintf(before, sizeof(before), "%s%u ", change->add_as_next ? "next " : "", change->add);
        crypto_random(key, sizeof(key));
        put_key(b, before, key);
        crypto_wipe(key, sizeof(key));
    }
}

/* A file of ours beside the real one, with what is right of it kept. */
static int write_beside(const char *at, struct str text, const struct stat *like, struct err *err)
{
    (void)unlink(at); /* of one that died here: nobody else may be, the folder is locked */
    int fd = open(at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", at, strerror(errno));
    bool ours = geteuid() == like->st_uid && getegid() == like->st_gid;
    int result = 0;
    if ((!ours && fchown(fd, like->st_uid, like->st_gid) != 0) ||
        fchmod(fd, like->st_mode & 07777) != 0)
        result = err_set(err, ERR_INVALID, "%s: cannot be given the owner and mode of the file: %s",
                         at, strerror(errno));
    size_t done = 0;
    while (result == 0 && done < text.n) {
        ssize_t n = write(fd, text.p + done, text.n - done);
        if (n < 0)
            result = err_set(err, ERR_INTERNAL, "%s: %s", at, strerror(errno));
        else
            done += (size_t)n;
    }
    if (result == 0 && fsync(fd) != 0)
        result = err_set(err, ERR_INTERNAL, "%s: %s", at, strerror(errno));
    close(fd);
    if (result != 0)
        (void)unlink(at);
    return result;
}

/* The file that a link stands for is replaced, not the link. */
static int replace(const char *path, int lock, struct str text, const struct stat *like,
                   struct err *err)
{
    char real[PATH_MAX], at[PATH_MAX + 8];

    if (realpath(path, real) == NULL)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    snprintf(at, sizeof(at), "%s.new", real);
    if (write_beside(at, text, like, err) != 0)
        return -1;
    if (rename(at, real) != 0) {
        err_set(err, ERR_INTERNAL, "%s: %s", real, strerror(errno));
        (void)unlink(at);
        return -1;
    }
    return fsync(lock) == 0 ? 0 : err_set(err, ERR_INTERNAL, "%s: %s", real, strerror(errno));
}

static int check_change(const struct key_list *list, const struct key_change *change,
                        struct err *err)
{
    if (change->add > KEYS_MAX || (change->add && key_list_find(list, change->add) < list->count))
        return err_set(err, ERR_CONFLICT, "key id %u is taken", change->add);
    if (change->promote && key_list_find(list, change->promote) == list->count)
        return err_set(err, ERR_NOT_FOUND, "there is no key %u", change->promote);
    if (change->drop && change->drop[list->keys[list->newest].id])
        return err_set(err, ERR_CONFLICT, "key %u is in use", list->keys[list->newest].id);
    return 0;
}

int key_file_change(const char *path, int lock, const struct key_change *change, struct err *err)
{
    struct key_list *list = NULL;
    struct stat seen;
    char *text;
    size_t n;

    if (read_file(path, &text, &n, &seen, err) != 0)
        return -1;
    int result = parse_file(path, text, n, &list, err);
    if (result == 0) {
        struct buf b;
        buf_init(&b, KEY_FILE_MAX - 1);
        (void)buf_room(&b, KEY_FILE_MAX - 1); /* all at once: what grows leaves copies behind */
        result = check_change(list, change, err);
        if (result == 0)
            write_text(&b, list, (struct str){text, n}, change);
        if (result == 0 && b.overflow)
            result = err_set(err, ERR_INVALID, "key file %s: would be too large", path);
        if (result == 0)
            result = replace(path, lock, buf_as_str(&b), &seen, err);
        if (b.data != NULL)
            crypto_wipe(b.data, b.len);
        buf_deinit(&b);
        key_list_free(list);
    }
    forget_text(text);
    return result;
}

int key_file_lock(const char *path, int *lock_r, struct err *err)
{
    char real[PATH_MAX];

    if (realpath(path, real) == NULL)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "key file %s: %s", path,
                       strerror(errno));
    char *name = strrchr(real, '/');
    name[name == real ? 1 : 0] = '\0';
    int fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INVALID, "%s: %s", real, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return err_set(err, ERR_CONFLICT, "another program is changing a key file in %s", real);
    }
    *lock_r = fd;
    return 0;
}
