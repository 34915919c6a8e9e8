#include "sql/ids.h"
#include "lib/base/crypto.h"

struct id id_new(void)
{
    unsigned char random[10];

    crypto_random(random, sizeof(random));
    return id_make(clock_wall(), random);
}
