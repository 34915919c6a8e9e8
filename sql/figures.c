/*
 * figures.c - counts what waits, runs and failed, by indexes that hold all that is counted, and
 * stops at a limit. Who has work due is found first: what is not due, or over, is not read.
 */
#include "sql/figures.h"
#include "sql/destinations.h"

#include <string.h>

#define SUBJECTS_MAX 1000       /* agents, destinations: of more of them, these are counted */
#define CHUNK (DB_MANY_MAX - 1) /* and one that finds nothing: the connector repeats the last */

/* Agents with calls that are due, or destinations with deliveries that wait. */
struct subjects {
    struct {
        struct id id;
        bool batched;
    } all[SUBJECTS_MAX];
    size_t count;
    usec_t oldest; /* TIME_NONE: there are none */
};

struct counting {
    struct db *db;
    int64_t most;
    usec_t longest_lease;
    struct subjects subjects;
};

static usec_t age(usec_t since, usec_t now)
{
    return since == TIME_NONE || since > now ? 0 : now - since;
}

static int first_row(struct query *q, struct err *err)
{
    if (query_run_again(q, err))
        return -1;
    return query_next(q) ? 0 : err_set(err, ERR_INTERNAL, "a figure gave no row");
}

static int count_all(struct counting *c, enum stmt stmt, unsigned limits, int64_t *count_r,
                     struct err *err)
{
    struct query *q = db_use(c->db, stmt);
    while (limits-- > 0)
        query_bind_i64(q, c->most);
    if (first_row(q, err))
        return -1;
    int64_t count = query_i64(q);
    *count_r = count < c->most ? count : c->most;
    return 0;
}

/* ---- of those who have work ---- */

static int list_subjects(struct counting *c, enum stmt stmt, struct err *err)
{
    struct query *q = db_use(c->db, stmt);
    struct subjects *s = &c->subjects;
    s->count = 0;
    s->oldest = TIME_NONE;
    if (query_run_again(q, err))
        return -1;
    while (query_next(q)) {
        struct id id;
        query_id(q, &id);
        bool batched = stmt == STMT_FENCE_DUE_AGENTS && query_i64(q) != 0;
        usec_t first = query_time(q);
        if (s->oldest == TIME_NONE || first < s->oldest)
            s->oldest = first;
        if (s->count == SUBJECTS_MAX)
            continue;
        s->all[s->count].id = id;
        s->all[s->count++].batched = batched;
    }
    return 0;
}

static void bind_subject(struct query *q, const struct counting *c, enum stmt stmt,
                         const struct id *id, bool batched)
{
    query_bind_id(q, id);
    if (stmt == STMT_FIGURES_CALLS_DUE)
        query_bind_i64(q, batched);
    else
        query_bind_i64(q, c->longest_lease);
    query_bind_i64(q, c->most);
}

static int count_theirs(struct counting *c, enum stmt stmt, int64_t *count_r, struct err *err)
{
    static const struct id nobody = {{0}};
    const struct subjects *s = &c->subjects;
    *count_r = 0;
    for (size_t at = 0; at < s->count && *count_r < c->most;) {
        size_t n = s->count - at < CHUNK ? s->count - at : CHUNK;
        struct query *q = db_use_many(c->db, stmt, n + 1);
        for (size_t i = 0; i < n; i++)
            bind_subject(q, c, stmt, &s->all[at + i].id, s->all[at + i].batched);
        bind_subject(q, c, stmt, &nobody, false);
        if (first_row(q, err))
            return -1;
        *count_r += query_i64(q);
        at += n;
    }
    if (*count_r > c->most)
        *count_r = c->most;
    return 0;
}

/* ---- all of them ---- */

static int read_calls(struct counting *c, usec_t now, struct figures *f, struct err *err)
{
    if (list_subjects(c, STMT_FENCE_DUE_AGENTS, err) ||
        count_theirs(c, STMT_FIGURES_CALLS_DUE, &f->calls_due, err))
        return -1;
    f->oldest_due_call_age = age(c->subjects.oldest, now);
    return count_all(c, STMT_FIGURES_CALLS_ACTIVE, 3, &f->calls_active, err);
}

static int read_deliveries(struct counting *c, usec_t now, struct figures *f, struct err *err)
{
    if (list_subjects(c, STMT_DELIVERY_DUE, err) ||
        count_theirs(c, STMT_FIGURES_DELIVERIES_IN_FLIGHT, &f->deliveries_in_flight, err))
        return -1;
    f->oldest_waiting_delivery_age = age(c->subjects.oldest, now);
    if (count_all(c, STMT_FIGURES_DELIVERIES_WAITING, 1, &f->deliveries_waiting, err))
        return -1;
    return count_all(c, STMT_FIGURES_DELIVERIES_FAILED, 1, &f->deliveries_failed, err);
}

int figures_read(struct db *db, int64_t most, usec_t lease_grace, struct figures *figures_r,
                 struct err *err)
{
    struct counting c = {
        .db = db, .most = most, .longest_lease = ENDPOINT_TIMEOUT_MAX * USEC_PER_S + lease_grace};
    usec_t now = TIME_NONE;
    if (db_now(db, &now, err) || read_calls(&c, now, figures_r, err) ||
        read_deliveries(&c, now, figures_r, err))
        return -1;
    struct query *q = db_use(db, STMT_FIGURES_DESTINATIONS);
    if (first_row(q, err))
        return -1;
    figures_r->endpoints_held = query_i64(q);
    figures_r->endpoints_disabled = query_i64(q);
    return 0;
}
