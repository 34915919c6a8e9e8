/*
 * known.c - three small tables, each entry in the one place that its key's bytes name: a newcomer
 * takes the place of whoever had it.
 */
#include "fcgi/known.h"
#include "lib/base/pool.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 256 /* a byte's worth */

struct known {
    usec_t recheck_interval;
    struct {
        struct credential credential;
        struct principal principal;
        usec_t until; /* monotonic; 0: empty */
    } principals[PLACES];
    struct {
        struct agent_facts facts;
        usec_t until;
    } agents[PLACES];
    struct {
        unsigned char token_hash[SHA256_SIZE];
        struct hook_facts facts;
        usec_t until;
    } hooks[PLACES];
};

void known_create(struct known **known_r, usec_t recheck_interval)
{
    struct known *known = mem_alloc(sizeof *known);
    known->recheck_interval = recheck_interval;
    *known_r = known;
}

void known_destroy(struct known **known)
{
    free(*known);
    *known = NULL;
}

int known_principal(struct known *known, struct db *db, const struct credential *credential,
                    const struct principal **principal_r, struct err *err)
{
    size_t place = credential->key_hash[0];
    usec_t now = clock_monotonic(); /* before it is read: from then on it may change */
    *principal_r = &known->principals[place].principal;
    if (known->principals[place].until > now &&
        memcmp(&known->principals[place].credential, credential, sizeof *credential) == 0)
        return 0;
    known->principals[place].until = 0;
    if (credentials_read(db, credential, &known->principals[place].principal, err))
        return -1;
    known->principals[place].credential = *credential;
    known->principals[place].until = now + known->recheck_interval;
    return 0;
}

int known_agent(struct known *known, struct db *db, const struct id *agent_id,
                const struct agent_facts **facts_r, struct err *err)
{
    size_t place = agent_id->b[sizeof agent_id->b - 1];
    usec_t now = clock_monotonic();
    *facts_r = &known->agents[place].facts;
    if (known->agents[place].until > now && id_eq(&known->agents[place].facts.agent_id, agent_id))
        return 0;
    known->agents[place].until = 0;
    if (agents_facts(db, agent_id, &known->agents[place].facts, err))
        return -1;
    known->agents[place].until = now + known->recheck_interval;
    return 0;
}

int known_hook(struct known *known, struct db *db, struct pool *pool,
               const unsigned char token_hash[SHA256_SIZE], const struct hook_facts **facts_r,
               struct err *err)
{
    size_t place = token_hash[0];
    usec_t now = clock_monotonic();
    struct hook_facts *facts = &known->hooks[place].facts;
    *facts_r = facts;
    if (known->hooks[place].until > now &&
        memcmp(known->hooks[place].token_hash, token_hash, SHA256_SIZE) == 0)
        return 0;
    known->hooks[place].until = 0;
    if (hooks_facts(db, pool, token_hash, facts, err))
        return -1;
    memcpy(known->hooks[place].token_hash, token_hash, SHA256_SIZE);
    usec_t interval = known->recheck_interval;
    if (facts->ends_in != TIME_NONE && facts->ends_in < interval)
        interval = facts->ends_in;
    known->hooks[place].until = now + interval;
    return 0;
}
