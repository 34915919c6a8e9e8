/*
 * mails.h - mail that waits to be sent: written in the commit of what it tells of, drawn one by one
 * by dispatchers. Its body is sealed, because it may bring a token.
 */
#ifndef HV_MAILS_H
#define HV_MAILS_H

#include "lib/base/crypto.h"
#include "lib/rules/mail.h"
#include "sql/db.h"

/* In a transaction. One to nobody (mail->to is empty) is dropped when it is drawn. */
int mails_write(struct db *db, struct pool *pool, const struct keyring *ring,
                const struct mail *mail, struct err *err) MUST_CHECK;

struct mail_row {
    struct id mail_id;
    struct mail mail;
    bool unreadable;   /* sealed under a key that is not in the key file any more */
    unsigned attempts; /* before this one */
    usec_t created_at;
};
/* Draws one that is due, and holds it for `lease`; *found_r: there was one. */
int mails_claim(struct db *db, struct pool *pool, const struct keyring *ring, uint64_t owner,
                usec_t lease, struct mail_row *row_r, bool *found_r, struct err *err) MUST_CHECK;
/* It was taken, or is given up. */
int mails_done(struct db *db, const struct id *mail_id, uint64_t owner, struct err *err) MUST_CHECK;
int mails_again(struct db *db, const struct id *mail_id, uint64_t owner, usec_t wait,
                struct err *err) MUST_CHECK;

/* Writes mail to the owners of endpoints that were disabled, or have been held for `held`; once for
 * each occasion. *count_r: endpoints. */
int mails_tell_owners(struct db *db, struct pool *pool, const struct keyring *ring, usec_t held,
                      size_t *count_r, struct err *err) MUST_CHECK;

#endif
