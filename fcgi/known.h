/*
 * known.h - what this process knows for a moment of whom it serves: keys, agents and hooks, each
 * for recheck_interval after it was read, so that a busy key costs a look-up a few times a second
 * and not with every request.
 *
 * Nothing here can be used after it was taken away: whoever revokes a key, suspends a workspace or
 * changes an agent or a hook waits that long, after the commit, before saying that it is done. What
 * does not exist is never remembered.
 */
#ifndef HV_KNOWN_H
#define HV_KNOWN_H

#include "sql/agents.h"
#include "sql/credentials.h"
#include "sql/hooks.h"

struct known;
void known_create(struct known **known_r, usec_t recheck_interval);
void known_destroy(struct known **known);

/* As credentials_read(), agents_facts() and hooks_facts(); what they give is valid until the next
 * call of the same. */
int known_principal(struct known *known, struct db *db, const struct credential *credential,
                    const struct principal **principal_r, struct err *err) MUST_CHECK;
int known_agent(struct known *known, struct db *db, const struct id *agent_id,
                const struct agent_facts **facts_r, struct err *err) MUST_CHECK;
int known_hook(struct known *known, struct db *db, struct pool *pool,
               const unsigned char token_hash[SHA256_SIZE], const struct hook_facts **facts_r,
               struct err *err) MUST_CHECK;

#endif
