/*
 * id.h - the ids that the product shows: calls as UUIDs, all else as prefix and base32.
 *
 * Every id is a UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then randomness, so that
 * rows made later sort later.
 */
#ifndef HV_ID_H
#define HV_ID_H

#include "lib/base/clock.h"
#include "lib/base/str.h"

struct id {
    unsigned char b[16];
};

#define ID_KINDS(X)                                                                                \
    X(ID_CALL, "")                                                                                 \
    X(ID_WORKSPACE, "ws_")                                                                         \
    X(ID_AGENT, "agent_")                                                                          \
    X(ID_CARRIER, "car_")                                                                          \
    X(ID_KEY, "key_")                                                                              \
    X(ID_ENDPOINT, "we_")                                                                          \
    X(ID_EVENT, "evt_")                                                                            \
    X(ID_DELIVERY, "dlv_")                                                                         \
    X(ID_HOOK, "ih_")                                                                              \
    X(ID_FUNCTION, "fn_")                                                                          \
    X(ID_USER, "user_")                                                                            \
    X(ID_INVITATION, "inv_")                                                                       \
    X(ID_REPLAY, "rpl_")                                                                           \
    X(ID_RUN, "run_")                                                                              \
    X(ID_BATCH, "batch_")
enum id_kind {
#define X(name, prefix) name,
    ID_KINDS(X)
#undef X
        ID_KIND_COUNT
};

#define ID_TEXT_SIZE 40 /* the longest form and its NUL */

/* random: 10 bytes from crypto_random(). */
struct id id_make(usec_t now, const unsigned char random[10]);
/* The same for many that are made at one moment and sort by their position, below 2^18. */
struct id id_make_at(usec_t now, const unsigned char random[10], uint32_t position);
void id_format(enum id_kind kind, const struct id *id, char out[ID_TEXT_SIZE]);
/* -1 when it is not of this kind's form; upper-case hex is taken in UUIDs. */
int id_parse(enum id_kind kind, struct str s, struct id *id_r) MUST_CHECK;
bool id_eq(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);

#endif
