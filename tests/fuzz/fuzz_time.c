/*
 * fuzz_time.c - RFC 3339 times: what is read and written is read again as the same moment.
 */
#include "lib/base/clock.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TIME_TEXT_SIZE];
    struct time_fields fields;
    usec_t t, again;

    if (time_parse((struct str){(const char *)data, size}, &t) < 0)
        return 0;
    time_split(t, &fields);
    if (time_join(&fields) != t)
        abort();
    if (fields.year < 1 || fields.year > 9999)
        return 0; /* an offset may lead out of the years that have a text */
    time_format(t, text);
    if (time_parse(str_of(text), &again) < 0 || again > t || t - again >= USEC_PER_MS)
        abort();
    return 0;
}
