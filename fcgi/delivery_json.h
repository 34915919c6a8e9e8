/*
 * delivery_json.h - a delivery as readers see it, and the parameters that lists of events and of
 * deliveries share.
 */
#ifndef HV_DELIVERY_JSON_H
#define HV_DELIVERY_JSON_H

#include "fcgi/list_query.h"
#include "sql/delivery_log.h"

/* Left open for more members. */
void delivery_json_begin(struct buf *b, const struct delivery_row *row);
/* An array of them. */
void delivery_json_list(struct buf *b, const struct delivery_row *rows, size_t count);
void delivery_json_attempts(struct buf *b, struct pool *pool,
                            const struct delivery_attempt_row *rows, size_t count);

#endif
