/*
 * attempt.c - the kinds of carriers in words, and the text form of the token that stands for an
 * attempt outside.
 */
#include "lib/rules/attempt.h"

static const char *const kind_texts[] = {
#define X(name, text) [name] = text,
    CARRIER_KINDS(X)
#undef X
};
_Static_assert(sizeof(kind_texts) / sizeof(kind_texts[0]) == CARRIER_KIND_COUNT, "all named");
_Static_assert(ATTEMPT_TOKEN_TEXT_SIZE == 2 * ATTEMPT_TOKEN_SIZE + 1, "hex and a NUL");

const char *carrier_kind_text(enum carrier_kind k)
{
    return kind_texts[k];
}

int carrier_kind_parse(struct str s, enum carrier_kind *kind_r)
{
    for (unsigned i = 0; i < CARRIER_KIND_COUNT; i++) {
        if (str_is(s, kind_texts[i])) {
            *kind_r = (enum carrier_kind)i;
            return 0;
        }
    }
    return -1;
}

void attempt_token_format(const unsigned char token[ATTEMPT_TOKEN_SIZE],
                          char out[ATTEMPT_TOKEN_TEXT_SIZE])
{
    hex_encode(token, ATTEMPT_TOKEN_SIZE, out);
}

int attempt_token_parse(struct str s, unsigned char token_r[ATTEMPT_TOKEN_SIZE])
{
    return hex_decode(s, token_r, ATTEMPT_TOKEN_SIZE);
}
