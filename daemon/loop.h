/*
 * loop.h - the dispatcher's event loop: the network, wake datagrams, signals, and lanes.
 *
 * A lane is a fiber with a database connection of its own. It runs until it waits, for the
 * database or for something to do, and meanwhile the rest goes on.
 */
#ifndef HV_LOOP_H
#define HV_LOOP_H

#include "lib/base/clock.h"
#include "lib/base/conf.h"
#include "lib/base/http.h"
#include "lib/base/wake.h"
#include "sql/db.h"

#define TIME_NEVER INT64_MAX

struct loop;
struct lane;

typedef void lane_fn(struct lane *lane, void *ctx);
/* Called with what wake datagrams and idle lanes say; may poke lanes. */
typedef void loop_woken_fn(void *ctx, const struct wake_item *items, size_t count);
/* Asked after each round: is everything done? */
typedef bool loop_done_fn(void *ctx);

void loop_create(struct loop **loop_r, const struct conf *conf, struct http_client *client);
void loop_destroy(struct loop **loop);
struct lane *loop_add_lane(struct loop *loop, const char *name, lane_fn *fn, void *ctx);
/* listener NULL: not woken by others. */
void loop_listen(struct loop *loop, struct wake_listener *listener, loop_woken_fn *woken,
                 void *ctx);
void loop_run(struct loop *loop, loop_done_fn *done, void *ctx);
/* Goes on until every lane has ended; the lanes must have been told to. */
void loop_finish(struct loop *loop);
/* From here on TERM and INT are counted and end nothing by themselves; loop_create() does it, too.
 */
void loop_catch_signals(void);
/* TERM or INT arrived: 1, a second time: 2. */
int loop_stop_signals(void);

/* Inside a lane. */
struct db *lane_db(struct lane *lane);
const char *lane_name(const struct lane *lane);
/* Waits until someone pokes the lane or the monotonic clock reaches `until`. A poke since the
 * last wait counts. */
void lane_sleep(struct lane *lane, usec_t until);
/* From anywhere: what the lane sleeps for may have come. */
void lane_poke(struct lane *lane);
/* It sleeps and was not poked. */
bool lane_sleeps(const struct lane *lane);

#endif
