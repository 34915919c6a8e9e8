/*
 * carrier_http.h - the protocol for voice engines of one's own. The simulator speaks the callback
 * half of it.
 */
#ifndef HV_CARRIER_HTTP_H
#define HV_CARRIER_HTTP_H

#include "lib/voice/carrier.h"

extern const struct carrier_ops carrier_http_ops;

int carrier_http_verify(const struct carrier *carrier, const struct signature_input *headers,
                        usec_t now, struct str body, struct err *err) MUST_CHECK;
int carrier_http_read_callback(struct pool *pool, struct str body, struct carrier_report *report_r,
                               struct err *err) MUST_CHECK;

#endif
