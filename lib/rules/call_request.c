/*
 * call_request.c - a request for a call, read from its JSON field by field: every field has its
 * limit and its message, and nothing unknown is passed over.
 */
#include "lib/rules/call_request.h"
#include "lib/base/buf.h"
#include "lib/base/crypto.h"
#include "lib/rules/fields.h"
#include <string.h>

#define TEXT_MAX ((size_t)128 << 20) /* far over any body that is let in, escapes included */
#define PAST_MAX (300 * USEC_PER_S)
#define AHEAD_MAX (366 * USEC_PER_DAY)

_Static_assert(SHA256_SIZE == sizeof(((struct call_request *)0)->fingerprint), "one size");

int call_request_no_agent(struct err *err, struct str agent_id)
{
    agent_id = field_echo(agent_id);
    return err_set(err, ERR_NOT_FOUND, "agent_id \"%.*s\" is not an agent of this workspace.",
                   (int)agent_id.n, agent_id.n > 0 ? agent_id.p : "");
}

/* Those of the call itself stand in front. */
static const char *const known_fields[] = {"agent_id",       "scheduled_at", "expires_at",
                                           "contact_number", "contact_name", "contact_email",
                                           "additional_info"};
#define KNOWN_FIELDS (sizeof(known_fields) / sizeof(known_fields[0]))
#define FIELDS_OF_CALL 3

static int fields_check(const struct json *body, size_t first, struct err *err)
{
    struct json *value;
    struct str name;
    size_t it = 0;

    while (json_each(body, &it, &name, &value)) {
        bool found = false;
        for (size_t i = first; i < KNOWN_FIELDS; i++)
            found = found || str_is(name, known_fields[i]);
        if (!found) {
            name = field_echo(name);
            return err_set(err, ERR_INVALID, "Unknown field \"%.*s\".", (int)name.n,
                           name.n > 0 ? name.p : "");
        }
    }
    return 0;
}

/* A string that must be there. */
static int required(const struct json *body, const char *field, struct str *s_r, struct err *err)
{
    *s_r = json_str(json_get(body, field));
    if (s_r->p == NULL)
        return err_set(err, ERR_INVALID, "%s is required and must be a string.", field);
    return 0;
}

/* A string, or STR_NULL when it was not given. */
static int optional(const struct json *body, const char *field, struct str *s_r, struct err *err)
{
    const struct json *value = json_get(body, field);

    *s_r = STR_NULL;
    if (json_type(value) == JSON_NULL)
        return 0;
    if (json_type(value) != JSON_STRING)
        return err_set(err, ERR_INVALID, "%s must be a string.", field);
    *s_r = json_str(value);
    return 0;
}

static int check_name(struct str name, struct err *err)
{
    if (name.p == NULL)
        return 0;
    if (str_utf8_count(name) > CONTACT_NAME_MAX)
        return err_set(err, ERR_INVALID, "contact_name must be at most %d characters.",
                       CONTACT_NAME_MAX);
    if (field_has_control(name, false))
        return err_set(err, ERR_INVALID, "contact_name must not contain control characters.");
    return 0;
}

/* One '@' with something on both sides and no blank; whether mail gets there is not for us. */
static bool is_email(struct str s)
{
    const char *at = memchr(s.p, '@', s.n);
    size_t before;

    if (at == NULL || field_has_control(s, false) || memchr(s.p, ' ', s.n) != NULL)
        return false;
    before = (size_t)(at - s.p);
    return before > 0 && before + 1 < s.n && memchr(at + 1, '@', s.n - before - 1) == NULL;
}

static int check_email(struct str email, struct err *err)
{
    if (email.p == NULL)
        return 0;
    if (email.n > CONTACT_EMAIL_MAX)
        return err_set(err, ERR_INVALID, "contact_email must be at most %d characters.",
                       CONTACT_EMAIL_MAX);
    if (!is_email(email))
        return err_set(err, ERR_INVALID,
                       "contact_email must be an email address such as raj@company.com.");
    return 0;
}

int call_request_check_contact(struct call_request *request, struct err *err)
{
    struct call_request *r = request;

    if (phone_check(r->contact_number, "contact_number", &r->number_kind, err) < 0 ||
        check_name(r->contact_name, err) < 0)
        return -1;
    return check_email(r->contact_email, err);
}

static int read_info(struct pool *pool, const struct json *body, struct str *info_r,
                     struct err *err)
{
    const struct json *info = json_get(body, "additional_info");
    struct buf text;
    bool overflow;

    *info_r = STR_NULL;
    if (json_type(info) == JSON_NULL)
        return 0;
    if (json_type(info) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "additional_info must be an object.");
    buf_init(&text, TEXT_MAX);
    json_write(&text, info);
    overflow = text.overflow;
    if (!overflow)
        *info_r = pool_str(pool, buf_as_str(&text));
    buf_deinit(&text);
    if (overflow)
        return err_set(err, ERR_TOO_LARGE, "additional_info is too large.");
    return 0;
}

int call_request_scheduled_at(struct str text, usec_t now, usec_t *at_r, struct err *err)
{
    *at_r = TIME_NONE;
    if (text.p == NULL)
        return 0;
    if (time_parse(text, at_r) < 0)
        return err_set(err, ERR_INVALID,
                       "scheduled_at must be an RFC 3339 time such as 2024-01-27T03:02:00Z.");
    if (*at_r < now - PAST_MAX)
        return err_set(err, ERR_INVALID,
                       "scheduled_at must not be more than 5 minutes in the past.");
    if (*at_r > now + AHEAD_MAX)
        return err_set(err, ERR_INVALID, "scheduled_at must not be more than a year ahead.");
    return 0;
}

int call_request_expires_at(struct str text, usec_t scheduled_at, usec_t now, usec_t *at_r,
                            struct err *err)
{
    usec_t start = scheduled_at != TIME_NONE && scheduled_at > now ? scheduled_at : now;

    *at_r = TIME_NONE;
    if (text.p == NULL)
        return 0;
    if (time_parse(text, at_r) < 0)
        return err_set(err, ERR_INVALID,
                       "expires_at must be an RFC 3339 time such as 2024-01-27T12:30:00Z.");
    if (*at_r <= start)
        return err_set(err, ERR_INVALID, "expires_at must be later than %s.",
                       start == now ? "now" : "scheduled_at");
    if (*at_r > start + AHEAD_MAX)
        return err_set(err, ERR_INVALID, "expires_at must not be more than a year later than %s.",
                       start == now ? "now" : "scheduled_at");
    return 0;
}

/* The members that say whom to call. */
static int read_contact(struct pool *pool, const struct json *body, struct call_request *r,
                        struct err *err)
{
    if (required(body, "contact_number", &r->contact_number, err) < 0 ||
        optional(body, "contact_name", &r->contact_name, err) < 0 ||
        optional(body, "contact_email", &r->contact_email, err) < 0 ||
        call_request_check_contact(r, err) < 0)
        return -1;
    return read_info(pool, body, &r->additional_info, err);
}

static int fingerprint(const struct json *body, unsigned char out[SHA256_SIZE], struct err *err)
{
    struct buf text;
    bool overflow;

    buf_init(&text, TEXT_MAX);
    json_write_sorted(&text, body);
    overflow = text.overflow;
    crypto_sha256(buf_as_str(&text), out);
    buf_deinit(&text);
    if (overflow)
        return err_set(err, ERR_TOO_LARGE, "The request body is too large.");
    return 0;
}

int call_request_read(struct pool *pool, const struct json *body, usec_t now,
                      struct call_request *request_r, struct err *err)
{
    struct call_request *r = request_r;
    struct str agent_id, scheduled_at, expires_at;

    memset(r, 0, sizeof(*r));
    if (json_type(body) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "The request body must be a JSON object.");
    if (fingerprint(body, r->fingerprint, err) < 0 || fields_check(body, 0, err) < 0 ||
        required(body, "agent_id", &agent_id, err) < 0 || read_contact(pool, body, r, err) < 0 ||
        optional(body, "scheduled_at", &scheduled_at, err) < 0 ||
        call_request_scheduled_at(scheduled_at, now, &r->scheduled_at, err) < 0 ||
        optional(body, "expires_at", &expires_at, err) < 0 ||
        call_request_expires_at(expires_at, r->scheduled_at, now, &r->expires_at, err) < 0)
        return -1;
    /* Last, so that a body that is wrong in itself is told so first. */
    if (id_parse(ID_AGENT, agent_id, &r->agent_id) < 0)
        return call_request_no_agent(err, agent_id);
    return 0;
}

int call_request_read_contact(struct pool *pool, const struct json *object,
                              struct call_request *request_r, struct err *err)
{
    memset(request_r, 0, sizeof(*request_r));
    if (json_type(object) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "It must be a JSON object.");
    if (fields_check(object, FIELDS_OF_CALL, err) < 0)
        return -1;
    return read_contact(pool, object, request_r, err);
}

/* The content of a quoted string (RFC 8941 section 3.3.3) into out, which has room; -1: is none. */
static int unquote(struct str s, char *out, size_t *n_r)
{
    size_t n = 0;

    if (s.n < 2 || s.p[s.n - 1] != '"')
        return -1;
    for (size_t i = 1; i < s.n - 1; i++) {
        if (s.p[i] == '"')
            return -1;
        if (s.p[i] == '\\') {
            i++;
            if (i == s.n - 1 || (s.p[i] != '"' && s.p[i] != '\\'))
                return -1;
        }
        out[n++] = s.p[i];
    }
    *n_r = n;
    return 0;
}

int idempotency_key_read(struct pool *pool, struct str header, struct str *key_r, struct err *err)
{
    struct str s = str_trim(header);
    char unquoted[2 * IDEMPOTENCY_KEY_MAX + 2];
    bool good = s.n > 0 && s.n <= sizeof(unquoted);
    size_t n = s.n;

    if (good && s.p[0] == '"') {
        good = unquote(s, unquoted, &n) == 0;
        s = (struct str){unquoted, n};
    }
    good = good && n >= 1 && n <= IDEMPOTENCY_KEY_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = s.p[i] >= ' ' && s.p[i] <= '~';
    if (!good)
        return err_set(err, ERR_INVALID,
                       "Idempotency-Key must be 1 to %d printable ASCII characters, bare or as a "
                       "quoted string.",
                       IDEMPOTENCY_KEY_MAX);
    *key_r = pool_str(pool, s);
    return 0;
}
