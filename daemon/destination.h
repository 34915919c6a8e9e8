/*
 * destination.h - what this process knows of the destinations that have work: their settings, as
 * the database last said, their health, and how much is under way to each.
 */
#ifndef HV_DESTINATION_H
#define HV_DESTINATION_H

#include "daemon/workflow.h"
#include "lib/base/crypto.h"
#include "lib/rules/health.h"
#include "sql/deliveries.h"

#define DESTINATION_SECRETS_MAX 2

struct sending; /* daemon/deliver_private.h */

struct destination {
    struct id id, workspace_id;
    enum destination_kind kind;
    struct workflow *workflow; /* of a function: itself, or NULL when it can't be read */
    struct pool *pool;         /* of the texts below; emptied at each load */
    bool known;                /* loaded, and it exists */
    enum destination_status status;
    const char *url;
    struct str secrets[DESTINATION_SECRETS_MAX];
    size_t secret_count;
    struct str *headers; /* lines of its own */
    size_t header_count;
    bool headers_unreadable;
    bool told_unreadable; /* that something of it cannot be opened */
    usec_t timeout;
    unsigned max_in_flight;
    unsigned rate_per_second; /* 0: as fast as it takes them */
    usec_t paced_to;          /* monotonic: when the rate allows the next request */
    unsigned switches;
    usec_t loaded_at; /* monotonic */

    struct health health;
    bool health_changed;        /* not in the database yet */
    const char *disable_reason; /* to be written with it */
    usec_t good_written;        /* good_since as the database has it */

    unsigned in_flight;
    struct sending *queue, **queue_end; /* claimed, to be sent as the window opens */
    unsigned queued;
    unsigned references; /* deliveries that point here, until they are written */
    bool probe_ours;     /* on hold, and the one request that is allowed is this process's */
    unsigned ended;      /* requests that ended well since the last draw */
    usec_t ready_at; /* database's clock: when its earliest waiting delivery is due; TIME_NEVER */
    usec_t woken_at; /* monotonic */
    usec_t drawn_to; /* database's clock: what was due before this has been drawn */
    usec_t drawn_at; /* monotonic */
};

struct destinations;

void destinations_create(struct destinations **table_r);
void destinations_destroy(struct destinations **table);
/* Found or made. */
struct destination *destinations_get(struct destinations *table, const struct id *id);
size_t destinations_count(const struct destinations *table);
/* In the order they were made; stable while none is added. */
struct destination *destinations_at(struct destinations *table, size_t i);

/* Forgets those that nothing is known to wait for, once they are most of the table. */
void destinations_sweep(struct destinations *table);

/* How many requests may be under way, hold aside. */
unsigned destination_window(const struct destination *d);

#define PACE_SLACK (50 * USEC_PER_MS)
/* How many more requests its rate allows now; UINT_MAX: any number. What a late look misses is made
 * up for, PACE_SLACK of it at most. */
unsigned destination_pace(const struct destination *d, usec_t monotonic);
/* Another dispatcher has what the rate allows now: look again in a moment. */
void destination_outpaced(struct destination *d, usec_t monotonic);
/* One was started. */
void destination_paced(struct destination *d, usec_t monotonic);

/* Takes over what the database says. Health that is still to be written, or that a probe of ours is
 * about to tell, is kept, unless the owner enabled the destination since. */
void destination_load(struct destination *d, const struct destination_row *row,
                      const struct keyring *keys, const struct health_policy *policy, usec_t now,
                      usec_t monotonic);

#endif
