/*
 * events.h - the outbox: an event and its deliveries, written inside the caller's transaction, so
 * that they are there exactly when the change that they tell of is.
 */
#ifndef HV_EVENTS_H
#define HV_EVENTS_H

#include "lib/rules/event.h"
#include "sql/db.h"

/* Ids of destinations that got a delivery: whom to wake a dispatcher for, after the commit. */
struct wakes {
    struct id *ids; /* in the pool of who collects */
    size_t count;
};

/* Writes the event (event->event_id is made here) and one delivery per endpoint of the workspace
 * whose filter lets it through, paused and disabled ones too: there it waits; and one per enabled
 * post-call function of the agent that is for it. first_wait: the retry schedule's first entry. */
int events_write(struct db *db, struct pool *pool, const struct id *workspace_id,
                 struct event_data *event, usec_t first_wait, struct wakes *wakes,
                 struct err *err) MUST_CHECK;
/* The same for many at once, all of one type and of calls of one agent. */
int events_write_many(struct db *db, struct pool *pool, const struct id *workspace_id,
                      struct event_data *events, size_t count, usec_t first_wait,
                      struct wakes *wakes, struct err *err) MUST_CHECK;
/* The same for an event of no call of ours (its call_id is only told) and one endpoint, whatever
 * the endpoint's filter says. created_at is taken from the database's clock. */
int events_write_sample(struct db *db, const struct id *workspace_id, const struct id *endpoint_id,
                        struct event_data *event, struct id *delivery_id_r,
                        struct err *err) MUST_CHECK;

#endif
