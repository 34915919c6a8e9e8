/*
 * http_outcome.c - how a transfer can end, in words, and whether the peer may have seen it. On its
 * own, so that who only reads outcomes does not carry libcurl along.
 */
#include "lib/base/http.h"

#include <assert.h>

static const char *const outcome_texts[] = {
#define X(name, text) text,
    HTTP_OUTCOMES(X)
#undef X
};
static_assert(sizeof(outcome_texts) / sizeof(outcome_texts[0]) == HTTP_OUTCOME_COUNT,
              "a text for each outcome");

const char *http_outcome_text(enum http_outcome o)
{
    if ((unsigned)o >= HTTP_OUTCOME_COUNT) {
        die("http_outcome_text: no such outcome: %d", (int)o);
    }
    return outcome_texts[o];
}

bool http_outcome_left(enum http_outcome o)
{
    switch (o) {
    case HTTP_ANSWERED:
    case HTTP_TIMEOUT:
    case HTTP_RESET:
    case HTTP_BAD_ANSWER:
        return true;
    case HTTP_NAME_FAILED:
    case HTTP_ADDRESS_REFUSED:
    case HTTP_CONNECT_FAILED:
    case HTTP_TLS_FAILED:
    case HTTP_NOT_SENT:
    case HTTP_OUTCOME_COUNT:
        break;
    }
    return false;
}
