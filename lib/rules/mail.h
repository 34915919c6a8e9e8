/*
 * mail.h - a mail as the bytes that a mail server is given (RFC 5322), and the texts of what this
 * server writes to people.
 */
#ifndef HV_MAIL_H
#define HV_MAIL_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/pool.h"

struct mail {
    struct str to; /* as email_read() gives it */
    struct str subject;
    struct str body; /* UTF-8, lines end in \n */
};

/* id: of its own, for Message-Id. What is not printable ASCII in the subject is encoded (RFC 2047),
 * so that nothing in it can begin a header; a body that is not plain short ASCII lines is base64.
 */
void mail_render(struct buf *b, const struct mail *mail, struct str from, usec_t date,
                 struct str id);

/* mail_from, or huskyvoice@ the host of public_url. */
struct str mail_sender(struct pool *pool, struct str mail_from, struct str public_url);

/* The link that brings a token to the console: public_url/#name=TOKEN. */
struct str mail_link(struct pool *pool, struct str public_url, const char *name, const char *token);

struct mail mail_invitation(struct pool *pool, struct str to, struct str workspace,
                            struct str inviter, struct str link); /* inviter STR_NULL: nobody's */
struct mail mail_confirmation(struct pool *pool, struct str to, struct str link);
struct mail mail_already_registered(struct pool *pool, struct str to, struct str public_url);
struct mail mail_reset(struct pool *pool, struct str to, struct str link);
struct mail mail_endpoint_held(struct pool *pool, struct str to, struct str workspace,
                               struct str url, usec_t since);
struct mail mail_endpoint_disabled(struct pool *pool, struct str to, struct str workspace,
                                   struct str url, struct str reason);

#endif
