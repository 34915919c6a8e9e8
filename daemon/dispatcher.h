/*
 * dispatcher.h - what the dispatcher's parts share: configuration, loop, counts, and the switch
 * that stops it all.
 */
#ifndef HV_DISPATCHER_H
#define HV_DISPATCHER_H

#include "daemon/loop.h"
#include "lib/base/conf.h"
#include "lib/base/counters.h"
#include "lib/base/crypto.h"
#include "lib/base/http.h"

struct deliverer;   /* daemon/deliver.h */
struct caller;      /* daemon/caller.h */
struct preparer;    /* daemon/prepare.h */
struct mailer;      /* daemon/mailer.h */
struct housekeeper; /* daemon/housekeep.h */

/* For the summary line and for tests of what a run did. */
struct dispatch_counts {
    uint64_t calls_placed, calls_disallowed, calls_unknown, callbacks_simulated;
    uint64_t deliveries_succeeded, deliveries_failed, deliveries_lost;
};

struct dispatcher {
    const struct conf *conf;
    const struct keyring *keys;
    struct http_client *client;
    struct counters *runs; /* of functions (sql/function_counters.h) */
    struct loop *loop;
    struct deliverer *deliverer;
    struct caller *caller;
    struct preparer *preparer;
    struct mailer *mailer;
    struct housekeeper *housekeeper;
    struct dispatch_counts counts;
    uint64_t owner;     /* of this process in deliveries.owner; 63 bits, never 0 */
    bool once;          /* end when nothing is due */
    bool stopping;      /* draw nothing more; finish what is under way */
    bool quit;          /* lanes end now */
    bool database_away; /* the last thing a lane heard of the database */
};

/* A lane's database work failed: logged, once for an outage; then the lane sleeps a little. */
void dispatcher_database_failed(struct dispatcher *d, struct lane *lane, const struct err *err);
void dispatcher_database_works(struct dispatcher *d);

#endif
