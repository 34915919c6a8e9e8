/*
 * prepare.h - what runs before the phone rings: the pre-call functions of calls that the fence
 * claimed for it (sql/fence.h), each call's one after another, many calls' at once. One slow server
 * of a customer's never stops another customer's calls: a workspace has a bounded share.
 */
#ifndef HV_PREPARE_H
#define HV_PREPARE_H

#include "daemon/dispatcher.h"
#include "sql/fence.h"

struct preparer;

void preparer_create(struct preparer **preparer_r, struct dispatcher *dispatcher);
void preparer_destroy(struct preparer **preparer);

/* How many more calls of this workspace may be claimed now (fence_ask.prepare_room). */
size_t preparer_room(const struct preparer *preparer, const struct id *workspace_id);
/* Begins with what a draw claimed: reads functions and calls (from the lane whose db this is), and
 * soon the requests go out. After an error nothing was begun, and the claims run out by themselves.
 */
int preparer_start(struct preparer *preparer, struct db *db, const struct id *agent_id,
                   const struct fence_result *drawn, struct err *err) MUST_CHECK;

/* As deliverer_idle() and deliverer_settled(); one has nothing of its own to look for. */
bool preparer_settled(const struct preparer *preparer);
/* The dispatcher stops: the lanes are to see it. */
void preparer_look(struct preparer *preparer);

#endif
