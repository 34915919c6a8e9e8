/*
 * agent.c - reads an agent's settings by their table.
 */
#include "lib/rules/agent.h"
#include "lib/rules/template.h"

#include <ctype.h>
#include <string.h>

#define GAPS_MAX 20
#define GAP_MINUTES_MAX 10080 /* a week */

const char *const agent_retry_texts[] = {"busy", "no_answer", "carrier_error", NULL};
const char *const agent_outside_texts[] = {"hold", "disallow", NULL};

/* What comes in another form than it is kept in. */
struct agent_body {
    struct agent_settings s;
    const struct json *retry_gaps_minutes, *calling_hours;
};

#define SETTING(kind_of_value, member)                                                             \
    .name = #member, .type = FIELD_##kind_of_value, .offset = offsetof(struct agent_body, s.member)

static const struct field fields[AGENT_SETTING_COUNT] = {
    [AGENT_NAME] = {SETTING(TEXT, name), .required = true, .min = 1, .max = 200},
    [AGENT_PROMPT] = {SETTING(LINES, prompt), .max = 60000},
    [AGENT_GREETING] = {SETTING(LINES, greeting), .max = 10000},
    [AGENT_LANGUAGE] = {SETTING(TEXT, language), .min = 2, .max = 35},
    [AGENT_VOICE] = {SETTING(TEXT, voice), .max = 100},
    [AGENT_CARRIER] = {SETTING(ID, carrier_id), .nullable = true, .kind = ID_CARRIER},
    [AGENT_FROM_NUMBER] = {SETTING(TEXT, from_number), .nullable = true,
                           .max = AGENT_FROM_NUMBER_MAX},
    [AGENT_START_DELAY] = {SETTING(INT, start_delay_seconds), .max = AGENT_START_DELAY_MAX},
    [AGENT_RING_TIMEOUT] = {SETTING(INT, ring_timeout_seconds), .min = 1,
                            .max = AGENT_RING_TIMEOUT_MAX},
    [AGENT_MAX_DURATION] = {SETTING(INT, max_duration_seconds), .min = 1,
                            .max = AGENT_MAX_DURATION_MAX},
    [AGENT_MAX_ATTEMPTS] = {SETTING(INT, max_attempts), .min = 1, .max = 20},
    [AGENT_RETRY_ON] = {SETTING(SET, retry_on), .choices = agent_retry_texts},
    [AGENT_RETRY_GAPS] = {FIELD(JSON, struct agent_body, retry_gaps_minutes)},
    [AGENT_REDIAL_ON_UNKNOWN] = {SETTING(BOOL, redial_on_unknown)},
    [AGENT_CALLING_HOURS] = {FIELD(JSON, struct agent_body, calling_hours)},
    [AGENT_OUTSIDE_HOURS] = {SETTING(CHOICE, outside_hours), .choices = agent_outside_texts},
    [AGENT_CONCURRENT_CALLS] = {SETTING(INT, concurrent_calls), .nullable = true, .min = 1,
                                .max = 10000},
    [AGENT_CALLS_PER_DAY] = {SETTING(INT, calls_per_day), .nullable = true, .min = 1,
                             .max = 10000000},
    [AGENT_ENABLED] = {SETTING(BOOL, enabled)},
};

void agent_settings_init(struct agent_settings *settings)
{
    *settings = (struct agent_settings){
        .prompt = STR(""),
        .greeting = STR(""),
        .language = STR("en-IN"),
        .voice = STR(""),
        .from_number = STR(""),
        .ring_timeout_seconds = 45,
        .max_duration_seconds = 900,
        .max_attempts = 1,
        .retry_on = 3, /* busy, no_answer */
        .retry_gaps_minutes = STR("30"),
        .enabled = true,
    };
}

bool agent_from_number_good(struct str number)
{
    size_t sign = number.n > 0 && number.p[0] == '+', digits = 0;

    while (sign + digits < number.n && isdigit((unsigned char)number.p[sign + digits]))
        digits++;
    return sign + digits == number.n && digits >= 3 && number.n <= AGENT_FROM_NUMBER_MAX;
}

/* A tag of RFC 5646, by its form: letters, then more letters and digits behind hyphens. */
static bool language_good(struct str tag)
{
    struct str part;
    bool first = true;

    if (tag.p[tag.n - 1] == '-')
        return false;
    while (str_split(&tag, '-', &part)) {
        if (part.n == 0 || part.n > 8)
            return false;
        for (size_t i = 0; i < part.n; i++) {
            unsigned char c = (unsigned char)part.p[i];
            if (c > 0x7f || !(isalpha(c) || (!first && isdigit(c))))
                return false;
        }
        if (first && part.n < 2)
            return false;
        first = false;
    }
    return true;
}

static int read_gaps(struct pool *pool, const struct json *value, struct str *gaps_r,
                     struct err *err)
{
    size_t count = json_count(value);
    struct buf text;

    if (json_type(value) != JSON_ARRAY || count == 0 || count > GAPS_MAX)
        goto wrong;
    buf_init(&text, 200);
    for (size_t i = 0; i < count; i++) {
        int64_t minutes;
        if (json_i64(json_at(value, i), &minutes) != 0 || minutes < 1 ||
            minutes > GAP_MINUTES_MAX) {
            buf_deinit(&text);
            goto wrong;
        }
        buf_printf(&text, i == 0 ? "%d" : ",%d", (int)minutes);
    }
    *gaps_r = pool_str(pool, buf_as_str(&text));
    buf_deinit(&text);
    return 0;
wrong:
    return err_set(err, ERR_INVALID,
                   "retry_gaps_minutes must be an array of 1 to %d whole numbers from 1 to %d.",
                   GAPS_MAX, GAP_MINUTES_MAX);
}

/* null is how a caller says "none" or "the workspace's". */
static void take_nulls(uint64_t nulls, struct agent_settings *s)
{
    if (field_in(nulls, AGENT_CARRIER))
        memset(&s->carrier_id, 0, sizeof s->carrier_id);
    if (field_in(nulls, AGENT_FROM_NUMBER))
        s->from_number = STR("");
    if (field_in(nulls, AGENT_CONCURRENT_CALLS))
        s->concurrent_calls = 0;
    if (field_in(nulls, AGENT_CALLS_PER_DAY))
        s->calls_per_day = 0;
}

int agent_words_check(struct pool *pool, const char *field, struct str text, struct err *err)
{
    unsigned sources = TEMPLATE_ALL & ~(1u << TEMPLATE_ARGS | 1u << TEMPLATE_RESULT);
    struct template *t;

    return template_check(pool, text, field, sources, &t, err);
}

static int check_texts(const struct agent_settings *s, struct err *err)
{
    if (!language_good(s->language))
        return err_set(err, ERR_INVALID, "language must be a language tag such as en-IN.");
    if (s->from_number.n > 0 && !agent_from_number_good(s->from_number))
        return err_set(err, ERR_INVALID,
                       "from_number must be digits, with a + before them if they begin with a "
                       "country code.");
    return 0;
}

int agent_settings_read(struct pool *pool, const struct json *json, bool changing,
                        struct agent_settings *settings, uint64_t *given_r, struct err *err)
{
    struct agent_body body = {.s = *settings};
    struct fields_seen seen;

    if (fields_read(json, fields, AGENT_SETTING_COUNT, changing, &body, &seen, err) != 0)
        return -1;
    take_nulls(seen.nulls, &body.s);
    if (check_texts(&body.s, err) != 0)
        return -1;
    if ((field_in(seen.given, AGENT_PROMPT) &&
         agent_words_check(pool, "prompt", body.s.prompt, err) != 0) ||
        (field_in(seen.given, AGENT_GREETING) &&
         agent_words_check(pool, "greeting", body.s.greeting, err) != 0))
        return -1;
    if (field_in(seen.given, AGENT_RETRY_GAPS) &&
        read_gaps(pool, body.retry_gaps_minutes, &body.s.retry_gaps_minutes, err) != 0)
        return -1;
    if (field_in(seen.given, AGENT_CALLING_HOURS)) {
        body.s.own_hours = json_type(body.calling_hours) != JSON_NULL;
        if (body.s.own_hours && calling_hours_read(body.calling_hours, "calling_hours",
                                                   &body.s.calling_hours, err) != 0)
            return -1;
    }
    *settings = body.s;
    *given_r = seen.given;
    return 0;
}
