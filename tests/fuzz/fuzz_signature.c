/*
 * fuzz_signature.c - signature headers and a body made of the input's lines: nothing crashes, and
 * nothing passes under a secret that the input does not know.
 */
#include "lib/rules/signature.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str secrets[] = {STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), STR("other")};
    struct str rest = {(const char *)data, size};
    struct signature_input in = {STR_NULL, STR_NULL, STR_NULL, STR_NULL};
    struct err err;

    (void)(str_split(&rest, '\n', &in.x_webhook_signature) &&
           str_split(&rest, '\n', &in.webhook_id) &&
           str_split(&rest, '\n', &in.webhook_timestamp) &&
           str_split(&rest, '\n', &in.webhook_signature));
    if (signature_check(secrets, 2, &in, INT64_C(1614265330) * USEC_PER_S, rest, &err) == 0)
        abort();
    if (secret_check((struct str){(const char *)data, size}, "secret", &err) < 0 &&
        err.code != ERR_INVALID)
        abort();
    return 0;
}
