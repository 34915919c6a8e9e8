/*
 * sessions.h - people who are signed in. A session is found by the SHA-256 of its token, and is
 * read with every request: what is taken from somebody is taken at once.
 */
#ifndef HV_SESSIONS_H
#define HV_SESSIONS_H

#include "sql/credentials.h"

struct session_row {
    struct principal who; /* role PERSON and no workspace_id: no member of any, or not any more */
    struct str workspace_name, email, name;
    usec_t expires_at;
};

/* Makes one, in the first workspace that the person is a member of. hash: of its token; password:
 * as it is stored and was checked. ERR_UNAUTHORIZED: it was changed since, or the user is disabled:
 * a session that begins beside that must not outlive it. */
int sessions_create(struct db *db, const struct id *user_id, struct str password,
                    const unsigned char hash[32], usec_t idle, struct err *err) MUST_CHECK;
/* ERR_UNAUTHORIZED: there is none, it is over, or its user is disabled. A use puts its end off to
 * `idle` from now, and never beyond `max` from its beginning. */
int sessions_read(struct db *db, struct pool *pool, const unsigned char hash[32], usec_t idle,
                  usec_t max, struct session_row *row_r, struct err *err) MUST_CHECK;
/* To another workspace of the person's. ERR_NOT_FOUND: it is none of theirs. */
int sessions_switch(struct db *db, const struct principal *who, const struct id *workspace_id,
                    struct err *err) MUST_CHECK;
int sessions_end(struct db *db, const struct id *session_id, struct err *err) MUST_CHECK;
/* In a transaction or not: all sessions of the user but one; NULL: all. */
int sessions_end_others(struct db *db, const struct id *user_id, const struct id *session_id,
                        struct err *err) MUST_CHECK;

#endif
