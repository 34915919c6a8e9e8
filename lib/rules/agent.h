/*
 * agent.h - what an agent can be set to: the table of its settings, their defaults, and how a
 * request names them.
 */
#ifndef HV_AGENT_H
#define HV_AGENT_H

#include "lib/base/pool.h"
#include "lib/rules/calling_hours.h"
#include "lib/rules/fields.h"

/* Each is a bit of what a request gave. */
enum agent_setting {
    AGENT_NAME,
    AGENT_PROMPT,
    AGENT_GREETING,
    AGENT_LANGUAGE,
    AGENT_VOICE,
    AGENT_CARRIER,
    AGENT_FROM_NUMBER,
    AGENT_START_DELAY,
    AGENT_RING_TIMEOUT,
    AGENT_MAX_DURATION,
    AGENT_MAX_ATTEMPTS,
    AGENT_RETRY_ON,
    AGENT_RETRY_GAPS,
    AGENT_REDIAL_ON_UNKNOWN,
    AGENT_CALLING_HOURS,
    AGENT_OUTSIDE_HOURS,
    AGENT_CONCURRENT_CALLS,
    AGENT_CALLS_PER_DAY,
    AGENT_ENABLED,
    AGENT_SETTING_COUNT
};

#define AGENT_START_DELAY_MAX (30 * 86400)
#define AGENT_RING_TIMEOUT_MAX 600
#define AGENT_MAX_DURATION_MAX 86400
#define AGENT_FROM_NUMBER_MAX 20

struct agent_settings {
    struct str name, prompt, greeting, language, voice;
    struct id carrier_id;   /* zero: the simulator */
    struct str from_number; /* empty: none */
    int64_t start_delay_seconds, ring_timeout_seconds, max_duration_seconds;
    int64_t max_attempts;
    unsigned retry_on;             /* bits in the order of agent_retry_texts */
    struct str retry_gaps_minutes; /* "30,60": before the second attempt, the third ... */
    bool redial_on_unknown;
    bool own_hours; /* false: the workspace's */
    struct calling_hours calling_hours;
    int outside_hours;                       /* the place in agent_outside_texts */
    int64_t concurrent_calls, calls_per_day; /* 0: the workspace's */
    bool enabled;
};

extern const char *const agent_retry_texts[];   /* the order is the SET column's; then NULL */
extern const char *const agent_outside_texts[]; /* the order is the ENUM column's; then NULL */

/* The defaults of all but the name. */
void agent_settings_init(struct agent_settings *settings);

/* Fills what is given, a bit each in *given_r. changing: as in fields_read(). ERR_INVALID names the
 * field. */
int agent_settings_read(struct pool *pool, const struct json *body, bool changing,
                        struct agent_settings *settings, uint64_t *given_r,
                        struct err *err) MUST_CHECK;

/* Is a prompt or a greeting a good template (lib/rules/template.h)? It is filled in when a call is
 * placed: nothing of the call's middle or end may be named. ERR_INVALID names field and place. */
int agent_words_check(struct pool *pool, const char *field, struct str text,
                      struct err *err) MUST_CHECK;

/* Any number that a carrier may show: '+' and digits, or a short code. */
bool agent_from_number_good(struct str number);

#endif
