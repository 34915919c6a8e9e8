/*
 * sign_up.c - see sign_up.h.
 */
#include "lib/rules/sign_up.h"

int sign_up_parse(struct str text, enum sign_up_mode *mode_r, struct err *err)
{
    static const char *const texts[] = {
        [SIGN_UP_INVITATION] = "invitation", [SIGN_UP_OPEN] = "open", [SIGN_UP_CLOSED] = "closed"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_is(text, texts[i])) {
            *mode_r = (enum sign_up_mode)i;
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "sign_up must be invitation, open or closed");
}
