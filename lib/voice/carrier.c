/*
 * carrier.c - which table of operations belongs to which kind of carrier.
 */
#include "lib/voice/carrier.h"
#include "lib/voice/carrier_http.h"
#include "lib/voice/simulator.h"

const struct carrier_ops *carrier_ops(enum carrier_kind kind)
{
    switch (kind) {
    case CARRIER_SIMULATOR:
        return &simulator_ops;
    case CARRIER_HTTP:
        return &carrier_http_ops;
    case CARRIER_KIND_COUNT:
        break;
    }
    die("carrier: kind %d", (int)kind);
}
