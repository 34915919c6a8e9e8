/*
 * email.c - see email.h.
 */
#include "lib/rules/email.h"

#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Words with single dots between them. */
static bool is_local(struct str s)
{
    struct str word;

    if (s.n == 0 || s.n > LOCAL_MAX || s.p[s.n - 1] == '.' || s.p[0] == '-')
        return false;
    while (str_split(&s, '.', &word)) {
        if (word.n == 0)
            return false;
        for (size_t i = 0; i < word.n; i++) {
            if (!is_alnum(word.p[i]) &&
                (word.p[i] == '\0' || strchr("!#$%&'*+/=?^_`{|}~-", word.p[i]) == NULL))
                return false;
        }
    }
    return true;
}

static bool is_host(struct str s)
{
    struct str label;
    unsigned labels = 0;

    if (s.n == 0 || s.p[s.n - 1] == '.')
        return false;
    for (; str_split(&s, '.', &label); labels++) {
        if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_alnum(label.p[i]) && label.p[i] != '-')
                return false;
        }
    }
    return labels > 0;
}

static bool is_email(struct str s)
{
    const char *at = s.n > 0 && s.n <= EMAIL_MAX ? memchr(s.p, '@', s.n) : NULL;
    if (at == NULL)
        return false;
    size_t before = (size_t)(at - s.p);
    return is_local((struct str){s.p, before}) && is_host((struct str){at + 1, s.n - before - 1});
}

int email_read(struct pool *pool, const char *field, struct str s, struct str *email_r,
               struct err *err)
{
    if (!is_email(s))
        return err_set(err, ERR_INVALID, "%s must be an email address such as raj@company.com.",
                       field);
    char *text = pool_dup(pool, s.p, s.n);
    for (size_t i = 0; i < s.n; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
    }
    *email_r = (struct str){text, s.n};
    return 0;
}
