/*
 * admin_rekey.c - `rekey`: a new key in the key file, and every stored secret sealed anew under it,
 * while programs run, seal and open. May be killed at any point: the next run finishes.
 *
 * Programs notice the new key within KEYRING_LOOK_INTERVAL; what they had sealed before may be
 * committed some time later. So a look that began before that is not the last one.
 */
#include "daemon/admin.h"
#include "daemon/fault.h"
#include "lib/base/key_file.h"
#include "sql/rekey.h"

#include <stdio.h>
#include <unistd.h>

#define BATCH 100
#define ROUNDS_MAX 10
#define UNREADABLE_SHOWN 20

struct rekey {
    struct admin *admin;
    int lock;
    struct rekey_figures figures; /* of the last round */
    size_t resealed;
    unsigned added;
};

/* ---- the key file ---- */

static int reload(struct rekey *r, struct err *err)
{
    keyring_destroy(&r->admin->keys);
    return keyring_load(&r->admin->keys, r->admin->conf->key_file, err);
}

/* Until this long after the file changed, programs may still write under the key before. */
static usec_t settle_time(const struct rekey *r)
{
    return KEYRING_LOOK_INTERVAL + 2 * r->admin->conf->database_timeout;
}

static int wait_settled(const struct rekey *r, struct err *err)
{
    struct stat st;

    if (stat(r->admin->conf->key_file, &st) != 0)
        return err_set(err, ERR_INTERNAL, "key file %s: it is gone", r->admin->conf->key_file);
    usec_t age = clock_wall() - (st.st_mtim.tv_sec * USEC_PER_S + st.st_mtim.tv_nsec / 1000);
    usec_t left = settle_time(r) - (age > 0 ? age : 0);
    if (left <= 0)
        return 0;
    if (!r->admin->json)
        printf("waiting %.1f s, until programs that run seal under the newest key\n",
               (double)left / (double)USEC_PER_S);
    fflush(stdout);
    clock_sleep(left);
    return 0;
}

/* A key that waits to be used, or else one of an id that no key and no secret has. */
static int plan_key(const struct rekey *r, bool may_promote, struct key_change *change,
                    struct err *err)
{
    struct key_list *list;
    struct stat seen;

    if (key_file_load(r->admin->conf->key_file, &list, &seen, err) != 0)
        return -1;
    for (size_t i = 0; i < list->count && may_promote; i++)
        if (list->keys[i].next)
            change->promote = list->keys[i].id;
    unsigned id = list->keys[list->newest].id, tries = KEYS_MAX;
    do
        id = id % KEYS_MAX + 1;
    while (tries-- > 0 && (key_list_find(list, id) < list->count || r->figures.under[id] > 0));
    bool full = key_list_find(list, id) < list->count;
    key_list_free(list);
    if (change->promote == 0 && full)
        return err_set(err, ERR_CONFLICT, "the key file is full: rekey --drop-old first");
    if (change->promote == 0)
        change->add = id;
    return 0;
}

static int add_key(struct rekey *r, bool as_next, struct err *err)
{
    struct key_change change = {.add_as_next = as_next};

    if (plan_key(r, !as_next, &change, err) != 0 ||
        key_file_change(r->admin->conf->key_file, r->lock, &change, err) != 0)
        return -1;
    r->added = change.promote != 0 ? change.promote : change.add;
    fault_point("rekey_added");
    return reload(r, err);
}

/* ---- rounds ---- */

static void tell_unreadable(void *ctx, const char *column, const struct id *row_id, const char *why)
{
    const struct rekey *r = ctx;
    char hex[2 * sizeof row_id->b + 1];

    if (r->figures.unreadable > UNREADABLE_SHOWN)
        return;
    hex_encode(row_id->b, sizeof row_id->b, hex);
    fprintf(stderr, ADMIN_PROGRAM ": %s of row %s: %s\n", column, hex, why);
}

static int do_column(struct rekey *r, size_t column, bool write, struct pool *pool, struct err *err)
{
    struct rekey_batch batch = {
        .column = column, .limit = BATCH, .write = write, .unreadable = tell_unreadable, .ctx = r};
    size_t before = r->figures.resealed;

    for (bool end = false; !end;) {
        pool_clear(pool);
        if (rekey_batch(r->admin->db, pool, r->admin->keys, &batch, &r->figures, &end, err) != 0)
            return -1;
        if (write)
            fault_point("rekey_batch");
    }
    if (!r->admin->json && r->figures.resealed > before)
        printf("%s: %zu sealed under key %u\n", sealed_column(column), r->figures.resealed - before,
               keyring_newest(r->admin->keys));
    fflush(stdout);
    return 0;
}

static int go_round(struct rekey *r, bool write, struct err *err)
{
    struct pool *pool;
    int result = 0;

    r->figures = (struct rekey_figures){0};
    pool_create(&pool);
    for (size_t i = 0; sealed_column(i) != NULL && result == 0; i++)
        result = do_column(r, i, write, pool, err);
    pool_destroy(&pool);
    r->resealed += r->figures.resealed;
    return result;
}

/* Rounds until one that began when every program sealed under the newest key finds nothing. */
static int go_on(struct rekey *r, struct err *err)
{
    if (go_round(r, true, err) != 0 || wait_settled(r, err) != 0)
        return -1;
    for (unsigned n = 0; n < ROUNDS_MAX; n++) {
        if (go_round(r, true, err) != 0)
            return -1;
        if (r->figures.resealed == 0)
            return 0;
    }
    return err_set(
        err, ERR_CONFLICT,
        "secrets still come under an older key: is the key file the same on every host?");
}

/* How many secrets are under keys that the file lacks. */
static int check_known(const struct rekey *r, struct err *err)
{
    for (unsigned id = 1; id <= KEYS_MAX; id++)
        if (r->figures.under[id] > 0 && !keyring_has(r->admin->keys, id) &&
            !admin_given(r->admin, "leave-unknown"))
            return err_set(
                err, ERR_CONFLICT,
                "%zu secrets are sealed under key %u, which the key file lacks: take the "
                "key file of the host that has it, or --leave-unknown",
                r->figures.under[id], id);
    return 0;
}

/* ---- what is asked for ---- */

static int reseal(struct rekey *r, struct err *err)
{
    if (go_on(r, err) != 0)
        return -1;
    if (r->resealed > 0)
        return 0; /* a run that was broken off is finished */
    if (add_key(r, false, err) != 0)
        return -1;
    if (!r->admin->json)
        printf("key %u is the newest now\n", r->added);
    return go_on(r, err);
}

static int drop_old(struct rekey *r, size_t *dropped_r, struct err *err)
{
    bool drop[256] = {false};
    unsigned newest = keyring_newest(r->admin->keys);
    struct key_list *list;
    struct stat seen;

    *dropped_r = 0;
    if (wait_settled(r, err) != 0 || go_round(r, false, err) != 0 ||
        key_file_load(r->admin->conf->key_file, &list, &seen, err) != 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < list->count && result == 0; i++) {
        unsigned id = list->keys[i].id;
        if (id == newest || list->keys[i].next)
            continue;
        drop[id] = true;
        ++*dropped_r;
        if (r->figures.under[id] > 0)
            result = err_set(err, ERR_CONFLICT, "%zu secrets are sealed under key %u: rekey first",
                             r->figures.under[id], id);
    }
    key_list_free(list);
    if (result != 0 || *dropped_r == 0)
        return result;
    struct key_change change = {.drop = drop};
    return key_file_change(r->admin->conf->key_file, r->lock, &change, err);
}

static int act(struct rekey *r, size_t *dropped_r, struct err *err)
{
    *dropped_r = 0;
    if (reload(r, err) != 0 || go_round(r, false, err) != 0 || check_known(r, err) != 0)
        return -1;
    if (admin_given(r->admin, "next"))
        return add_key(r, true, err);
    if (admin_given(r->admin, "drop-old"))
        return drop_old(r, dropped_r, err);
    return reseal(r, err);
}

static int run_rekey(struct admin *a, struct err *err)
{
    struct rekey r = {.admin = a};
    size_t dropped;

    if (admin_given(a, "next") && admin_given(a, "drop-old"))
        return err_set(err, ERR_INVALID, "--next and --drop-old: one at a time");
    if (key_file_lock(a->conf->key_file, &r.lock, err) != 0)
        return -1;
    int result = act(&r, &dropped, err);
    close(r.lock);
    if (result != 0)
        return -1;
    struct table *t = table_new(a->pool);
    table_row(t);
    table_number(t, "newest_key", keyring_newest(a->keys));
    table_number(t, "added_key", r.added);
    table_number(t, "resealed", (int64_t)r.resealed);
    table_number(t, "unreadable", (int64_t)r.figures.unreadable);
    table_number(t, "dropped_keys", (int64_t)dropped);
    table_print_object(t, a->json);
    if (r.figures.unreadable > 0)
        a->exit_status = 1;
    return 0;
}

static const struct admin_option rekey_options[] = {
    {"next", NULL, false,
     "Only adds a key that opens and does not seal yet: copy the key file to every host, then "
     "rekey"},
    {"drop-old", NULL, false,
     "Only takes keys out of the key file that no secret is sealed under any more"},
    {"leave-unknown", NULL, false,
     "Goes on although secrets are sealed under keys that the key file lacks"},
    {NULL, NULL, false, NULL},
};

const struct admin_command admin_rekey[] = {
    {NULL, NULL, NEEDS_CONF | NEEDS_DATABASE | NEEDS_KEYS,
     "Adds a key to the key file and seals every stored secret under it; finishes a run that was "
     "broken off",
     rekey_options, run_rekey},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
