/*
 * simulator.c - the carrier that dials nobody. For each number it has a script; placing a call
 * gives the script's callbacks with their moments, which the dispatcher plays back through the
 * voice responder, so that a simulated call goes the way of a real one.
 *
 * The callbacks have the form of the http carrier's. They don't say when they happened: their
 * sender posts them when it happens.
 */
#include "lib/voice/simulator.h"
#include "lib/base/buf.h"
#include "lib/voice/carrier_http.h"

#define BODY_MAX ((size_t)1 << 20)
#define GREETING_MAX 4000 /* bytes of it that are repeated: a callback has its limit */
#define STEPS_MAX 6

/* When, in the course of ringing and talking. */
enum moment { AT_RINGING, AT_ANSWER, AT_END };

struct script_step {
    enum moment moment;
    enum report_kind kind; /* ringing, answered or ended; REPORT_PLACED (0): no more steps */
    enum end_reason reason;
};

struct script {
    const char *number;
    struct script_step steps[STEPS_MAX + 1];
};

#define RINGING(moment)                                                                            \
    {                                                                                              \
        moment, REPORT_RINGING, END_COMPLETED                                                      \
    }
#define ANSWERED(moment)                                                                           \
    {                                                                                              \
        moment, REPORT_ANSWERED, END_COMPLETED                                                     \
    }
#define ENDED(moment, reason)                                                                      \
    {                                                                                              \
        moment, REPORT_ENDED, reason                                                               \
    }
_Static_assert(REPORT_PLACED == 0, "an empty step ends a script");

static const struct script scripts[] = {
    {"+919000000002", {ENDED(AT_RINGING, END_BUSY)}},
    {"+919000000003", {RINGING(AT_RINGING), ENDED(AT_ANSWER, END_NO_ANSWER)}},
    {"+919000000004", {RINGING(AT_RINGING), ENDED(AT_ANSWER, END_REJECTED)}},
    {"+919000000005", {ENDED(AT_RINGING, END_FAILED)}},
    {"+919000000006", {RINGING(AT_RINGING), ANSWERED(AT_ANSWER), ENDED(AT_END, END_VOICEMAIL)}},
    {"+919000000007", {{AT_RINGING, REPORT_PLACED, END_COMPLETED}}}, /* silent for ever */
    {"+919000000008",
     {RINGING(AT_RINGING), RINGING(AT_RINGING), ANSWERED(AT_ANSWER), ANSWERED(AT_ANSWER),
      ENDED(AT_END, END_COMPLETED), ENDED(AT_END, END_COMPLETED)}},
    {"+919000000009",
     {ANSWERED(AT_RINGING), RINGING(AT_ANSWER), ENDED(AT_END, END_COMPLETED), ANSWERED(AT_END)}},
};

/* +919000000001 and all numbers not named. */
static const struct script completes = {
    NULL, {RINGING(AT_RINGING), ANSWERED(AT_ANSWER), ENDED(AT_END, END_COMPLETED)}};

static const struct script *script_of(struct str number)
{
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (str_is(number, scripts[i].number))
            return &scripts[i];
    }
    return &completes;
}

static usec_t moment_of(enum moment moment, usec_t ring, usec_t talk)
{
    switch (moment) {
    case AT_RINGING:
        return ring / 4;
    case AT_ANSWER:
        return ring;
    case AT_END:
        return ring + talk;
    }
    die("simulator: moment %d", (int)moment);
}

static void add_line(struct buf *b, const char *role, struct str text)
{
    buf_printf(b, "{\"role\":\"%s\",\"text\":", role);
    buf_json(b, text);
    buf_lit(b, "}");
}

/* What was said, when somebody or something answered. */
static void add_conversation(struct pool *pool, struct buf *b, const struct placement *p,
                             bool voicemail, usec_t talk)
{
    struct str name = p->contact_name.n > 0 ? p->contact_name : STR("the contact");
    struct str greeting = p->greeting.n > 0 ? p->greeting : STR("Hello.");
    const char *summary = voicemail ? "Simulated call: the voicemail of %.*s took the message."
                                    : "Simulated call with %.*s: answered and ended normally.";
    const char *reply = voicemail ? "You have reached the voicemail of %.*s."
                                  : "Hello, this is %.*s. Thank you for the call.";

    buf_printf(b, ",\"duration_seconds\":%lld,\"outcome\":\"%s\",\"summary\":",
               (long long)(talk / USEC_PER_S), voicemail ? "voicemail" : "successful");
    buf_json(b, str_of(pool_printf(pool, summary, STR_ARG(name))));
    buf_lit(b, ",\"transcript\":[");
    add_line(b, "agent", str_utf8_cut(greeting, GREETING_MAX));
    buf_lit(b, ",");
    add_line(b, "contact", str_of(pool_printf(pool, reply, STR_ARG(name))));
    buf_lit(b, "]");
}

static struct str step_body(struct pool *pool, const struct script_step *step,
                            const struct placement *p, usec_t talk)
{
    bool talked = step->reason == END_COMPLETED || step->reason == END_VOICEMAIL;
    struct str body;
    struct buf b;

    buf_init(&b, BODY_MAX);
    buf_printf(&b, "{\"event\":\"%s\"", report_kind_text(step->kind));
    if (step->kind == REPORT_ENDED) {
        buf_printf(&b, ",\"reason\":\"%s\"", end_reason_text(step->reason));
        if (talked)
            add_conversation(pool, &b, p, step->reason == END_VOICEMAIL, talk);
    }
    buf_lit(&b, "}");
    body = pool_str(pool, buf_as_str(&b));
    buf_deinit(&b);
    return body;
}

static void simulate(struct pool *pool, const struct placement *p, usec_t ring, usec_t talk,
                     struct simulated_step **steps_r, size_t *count_r)
{
    const struct script *script = script_of(p->contact_number);
    struct simulated_step *steps = pool_new(pool, struct simulated_step, STEPS_MAX);
    size_t n = 0;

    while (script->steps[n].kind != REPORT_PLACED) {
        steps[n].after = moment_of(script->steps[n].moment, ring, talk);
        steps[n].body = step_body(pool, &script->steps[n], p, talk);
        n++;
    }
    *steps_r = steps;
    *count_r = n;
}

/* It has no server to ask: what it plays stands in the product's own tables. */
const struct carrier_ops simulator_ops = {
    .simulate = simulate,
    .verify = carrier_http_verify,
    .read_callback = carrier_http_read_callback,
};
