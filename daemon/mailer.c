/*
 * mailer.c - draws mails and gives each to sendmail(8).
 *
 * A mail is claimed before it is sent and deleted after, so several dispatchers send it once; one
 * that dies in between lets it be sent again when its lease is over.
 */
#include "daemon/mailer.h"
#include "daemon/sendmail.h"
#include "lib/base/log.h"
#include "lib/base/pool.h"
#include "sql/mails.h"

#include <stdlib.h>

#define LOOK_WHILE_SENDING (20 * USEC_PER_MS)

struct mailer {
    struct dispatcher *dispatcher;
    struct lane *lane;
    bool looked;  /* at least once */
    bool sending; /* has one in hand */
    bool drawn_out;
};

static void lane_run(struct lane *lane, void *ctx);

void mailer_create(struct mailer **mailer_r, struct dispatcher *dispatcher)
{
    struct mailer *m = mem_alloc(sizeof *m);
    m->dispatcher = dispatcher;
    m->lane = loop_add_lane(dispatcher->loop, "mail", lane_run, m);
    *mailer_r = m;
}

void mailer_destroy(struct mailer **mailer)
{
    free(*mailer);
    *mailer = NULL;
}

void mailer_look(struct mailer *m)
{
    m->drawn_out = false;
    lane_poke(m->lane);
}

bool mailer_settled(const struct mailer *m)
{
    return !m->sending && lane_sleeps(m->lane);
}

bool mailer_idle(const struct mailer *m)
{
    return mailer_settled(m) && m->looked && m->drawn_out;
}

/* Gives the mail to the program and waits for its end, as long as mail_timeout. */
static bool send_mail(struct mailer *m, struct lane *lane, struct pool *pool,
                      const struct mail_row *row, struct err *err)
{
    const struct conf *conf = m->dispatcher->conf;
    struct str from = mail_sender(pool, str_of(conf->mail_from), str_of(conf->public_url));
    char id[2 * sizeof row->mail_id.b + 1];
    struct sendmail sm;
    struct buf text;

    hex_encode(row->mail_id.b, sizeof row->mail_id.b, id);
    buf_init(&text, 1 << 20);
    mail_render(&text, &row->mail, from, row->created_at, str_of(id));
    int result =
        sendmail_start(&sm, conf->sendmail_path, pool_strdup(pool, from.p),
                       pool_dup(pool, row->mail.to.p, row->mail.to.n), buf_as_str(&text), err);
    crypto_wipe(text.data, text.len);
    buf_deinit(&text);
    if (result != 0)
        return false;
    usec_t deadline = clock_monotonic() + conf->mail_timeout;
    while (!sendmail_ended(&sm)) {
        usec_t now = clock_monotonic();
        if (now >= deadline || m->dispatcher->quit) {
            sendmail_kill(&sm);
            err_set(err, ERR_UNAVAILABLE,
                    now >= deadline ? "it took longer than mail_timeout"
                                    : "the dispatcher had to stop");
            return false;
        }
        lane_sleep(lane, now + LOOK_WHILE_SENDING);
    }
    return sendmail_result(&sm, err) == 0;
}

/* Not taken: when to try again, or that it is given up. No word of its content. */
static int not_taken(struct mailer *m, struct db *db, const struct mail_row *row,
                     const struct err *why, struct err *err)
{
    const struct conf_durations *waits = &m->dispatcher->conf->mail_retry_schedule;
    char id[2 * sizeof row->mail_id.b + 1], quoted[2 * sizeof why->message];
    bool last = row->unreadable || row->attempts >= waits->count;

    hex_encode(row->mail_id.b, sizeof row->mail_id.b, id);
    log_write(last ? LOG_ERROR : LOG_WARNING, last ? "mail given up" : "mail not taken",
              "mail=%s attempt=%u error=%s", id, row->attempts + 1,
              log_quote(str_of(why->message), quoted, sizeof quoted));
    if (last)
        return mails_done(db, &row->mail_id, m->dispatcher->owner, err);
    return mails_again(db, &row->mail_id, m->dispatcher->owner, waits->at[row->attempts], err);
}

/* Taken: and if the database is away now, it is told when it is back, or else the mail would be
 * sent again. */
static void taken(struct mailer *m, struct lane *lane, const struct mail_row *row)
{
    struct err err;

    while (mails_done(lane_db(lane), &row->mail_id, m->dispatcher->owner, &err) != 0 &&
           !m->dispatcher->quit)
        dispatcher_database_failed(m->dispatcher, lane, &err);
}

static int handle(struct mailer *m, struct lane *lane, struct pool *pool,
                  const struct mail_row *row, struct err *err)
{
    struct err why;

    err_clear(&why);
    if (row->mail.to.n == 0) {
        taken(m, lane, row);
        return 0;
    }
    if (row->unreadable) {
        err_set(&why, ERR_INTERNAL, "the key file lacks the key that it was sealed under");
    } else if (send_mail(m, lane, pool, row, &why)) {
        taken(m, lane, row);
        return 0;
    }
    return not_taken(m, lane_db(lane), row, &why, err);
}

/* Sends what is due, one after another. */
static int look(struct mailer *m, struct lane *lane, struct pool *pool, struct err *err)
{
    const struct conf *conf = m->dispatcher->conf;
    bool found = true;

    while (found && !m->dispatcher->stopping) {
        struct mail_row row;
        pool_clear(pool);
        if (mails_claim(lane_db(lane), pool, m->dispatcher->keys, m->dispatcher->owner,
                        conf->mail_timeout + conf->lease_grace, &row, &found, err) != 0)
            return -1;
        if (found && handle(m, lane, pool, &row, err) != 0)
            return -1;
    }
    m->drawn_out = true;
    return 0;
}

static void lane_run(struct lane *lane, void *ctx)
{
    struct mailer *m = ctx;
    struct pool *pool;
    bool sends = m->dispatcher->conf->sendmail_path[0] != '\0';

    pool_create(&pool);
    while (!m->dispatcher->stopping) {
        struct err err;
        m->sending = true;
        int result = sends ? look(m, lane, pool, &err) : 0;
        m->sending = false;
        if (!sends)
            m->drawn_out = true;
        m->looked = true;
        if (result != 0) {
            dispatcher_database_failed(m->dispatcher, lane, &err);
            continue;
        }
        dispatcher_database_works(m->dispatcher);
        lane_sleep(lane, clock_monotonic() + m->dispatcher->conf->poll_interval);
    }
    pool_destroy(&pool);
}
