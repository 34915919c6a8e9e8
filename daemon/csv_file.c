/*
 * csv_file.c - maps the file, walks over it, shows how far.
 */
#include "daemon/csv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE 65536
#define INPUT_MAX ((size_t)4 << 30)
#define TOLD_MAX 20 /* refusals on stderr */

/* ---- the file ---- */

static int cannot_read(const char *path, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
}

/* What can't be mapped is read to its end. */
static int read_all(struct csv_file *file, int fd, struct pool *pool, struct err *err)
{
    struct buf b;
    ssize_t got = 1;

    buf_init(&b, INPUT_MAX);
    while (got > 0) {
        char *p = buf_room(&b, READ_SIZE);
        if (p == NULL) {
            buf_deinit(&b);
            return err_set(err, ERR_INVALID, "%s: is too large", file->path);
        }
        do {
            got = read(fd, p, READ_SIZE);
        } while (got < 0 && errno == EINTR);
        b.len += got > 0 ? (size_t)got : 0;
    }
    int failed = got < 0 ? cannot_read(file->path, err) : 0;
    file->text = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return failed;
}

static int take_text(struct csv_file *file, int fd, struct pool *pool, struct err *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return cannot_read(file->path, err);
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return read_all(file, fd, pool, err);
    void *p = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return cannot_read(file->path, err);
    file->text = (struct str){p, (size_t)status.st_size};
    file->mapped = true;
    return 0;
}

static int open_text(struct csv_file *file, struct pool *pool, struct err *err)
{
    if (strcmp(file->path, "-") == 0) {
        file->path = "standard input";
        return take_text(file, STDIN_FILENO, pool, err);
    }
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cannot_read(file->path, err);
    int failed = take_text(file, fd, pool, err);
    close(fd);
    return failed;
}

static int open_refused(struct csv_file *file, const struct admin *a, struct err *err)
{
    struct str path = admin_value(a, "refused");

    if (path.p == NULL)
        return 0;
    file->refused_file = fopen(path.p, "we");
    if (file->refused_file == NULL)
        return err_set(err, ERR_INVALID, "--refused: %s: %s", path.p, strerror(errno));
    fputs("line,message\n", file->refused_file);
    return 0;
}

int csv_file_open(struct csv_file *file, const struct admin *a, struct err *err)
{
    memset(file, 0, sizeof(*file));
    file->path = a->operand;
    if (open_text(file, a->pool, err) != 0)
        return -1;
    if (csv_open(&file->csv, a->pool, file->text, err) != 0)
        return err_prefix(err, "%s", file->path);
    pool_create(&file->pool);
    progress_init(&file->progress);
    return open_refused(file, a, err);
}

/* ---- the rows ---- */

bool csv_file_next(struct csv_file *file, struct csv_row *row_r)
{
    struct err err;

    for (;;) {
        switch (csv_next(&file->csv, file->pool, row_r, &err)) {
        case CSV_ROW:
            file->taken++;
            return true;
        case CSV_END:
            return false;
        case CSV_FAULT:
            file->taken++;
            csv_file_refuse(file, row_r->line, err.message);
            break;
        }
    }
}

void csv_file_refuse(struct csv_file *file, uint64_t line, const char *message)
{
    file->refused++;
    if (file->refused_file != NULL) {
        fprintf(file->refused_file, "%llu,\"", (unsigned long long)line);
        for (; *message != '\0'; message++)
            fputs(*message == '"' ? "\"\"" : (char[]){*message, '\0'}, file->refused_file);
        fputs("\"\n", file->refused_file);
        return;
    }
    if (file->refused > TOLD_MAX)
        return;
    progress_clear(&file->progress);
    fprintf(stderr, "%s:%llu: %s\n", file->path, (unsigned long long)line, message);
}

static void show(struct csv_file *file, double part)
{
    char note[64];
    size_t read = file->text.n - file->csv.rest.n - file->settled_bytes;
    double bytes = (double)file->settled_bytes + part * (double)read;
    double done = file->text.n > 0 ? bytes / (double)file->text.n : 1;
    double rows = (double)file->settled + part * (double)(file->taken - file->settled);

    snprintf(note, sizeof note, ", %llu refused", (unsigned long long)file->refused);
    progress_show(&file->progress, done, rows, note);
}

void csv_file_show(struct csv_file *file, double part)
{
    if (progress_due(&file->progress))
        show(file, part);
}

void csv_file_forget(struct csv_file *file)
{
    pool_clear(file->pool);
    file->settled = file->taken;
    file->settled_bytes = file->text.n - file->csv.rest.n;
}

int csv_file_close(struct csv_file *file, struct err *err)
{
    if (file->pool != NULL) {
        show(file, 0);
        progress_end(&file->progress);
    }
    if (file->refused_file == NULL && file->refused > TOLD_MAX)
        fprintf(stderr, "%s: %llu more rows were refused; --refused FILE keeps them all\n",
                file->path, (unsigned long long)(file->refused - TOLD_MAX));
    bool broken = file->refused_file != NULL && ferror(file->refused_file) != 0;
    if (file->refused_file != NULL && fclose(file->refused_file) != 0)
        broken = true;
    if (file->pool != NULL)
        pool_destroy(&file->pool);
    if (file->mapped)
        munmap((void *)(uintptr_t)file->text.p, file->text.n);
    return broken ? err_set(err, ERR_INTERNAL, "--refused: it could not be written") : 0;
}
