/*
 * key_file.h - the file of keys that secrets at rest are sealed under: reading it, and changing it
 * while programs run. What is done with the keys is crypto.h's business.
 *
 * Lines, oldest key first; blank lines and # comments are skipped:
 *
 *     <id> <64 hex digits>          a key, id 1 to 255; the last of these seals what is new
 *     next <id> <64 hex digits>     a key that opens, and does not seal yet
 *     derive <64 hex digits>        what keys of other purposes are derived from, at most one;
 *                                   without it that comes from the oldest key
 *
 * A file that others may read is refused. No message shows a key.
 */
#ifndef HV_KEY_FILE_H
#define HV_KEY_FILE_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#include <sys/stat.h>

#define KEY_SIZE 32
#define KEYS_MAX 255

struct key_list {
    size_t count;
    struct {
        unsigned char id;
        bool next; /* does not seal yet */
        unsigned char key[KEY_SIZE];
    } keys[KEYS_MAX];
    size_t newest; /* the index of the one that seals */
    unsigned char root[KEY_SIZE];
};

/* *list_r is on the heap: key_list_free(). *seen_r: the file that was read. ERR_NOT_FOUND: there is
 * no such file; ERR_INVALID: what it says, or who may read it. */
int key_file_load(const char *path, struct key_list **list_r, struct stat *seen_r,
                  struct err *err) MUST_CHECK;
void key_list_free(struct key_list *list);
/* The index, or list->count. */
size_t key_list_find(const struct key_list *list, unsigned id);

/*
 * One change: keys to be taken out, keys that seal from now on, and a new one. It is written beside
 * the file and renamed over it, owner, group and mode kept: readers see the file before or after,
 * and so they do after a crash. Adding writes the `derive` line, which keeps what is derived as it
 * is. `lock`: of key_file_lock().
 */
struct key_change {
    unsigned add;     /* the id of a key to be made; 0: none */
    bool add_as_next; /* that does not seal yet */
    unsigned promote; /* the id of a `next` key that seals from now on; 0: none */
    const bool *drop; /* [256], by id; NULL: none */
};
int key_file_change(const char *path, int lock, const struct key_change *change,
                    struct err *err) MUST_CHECK;
/* Holds the file's folder against others that would change key files in it; close() lets it go.
 * ERR_CONFLICT: another does so now. */
int key_file_lock(const char *path, int *lock_r, struct err *err) MUST_CHECK;

#endif
