/*
 * template.h - the texts of workflows with names in them: "Hello {{contact.name | default:
 * "there"}}".
 *
 * {{ expression | filter | filter: argument }}. An expression is a source and a path in it
 * (contact.name, info.order.items[0], info["First name"]), the source alone (args), one of now,
 * date and time in the workspace's zone, or a "literal". Filters: default: LITERAL (for what is
 * missing, null or ""), upcase and downcase (ASCII letters), date: "FORMAT" (of now, of an RFC
 * 3339 time, or of a day such as 2026-01-26; %Y %y %m %d %e %H %I %M %S %p %A %a %B %b %j %z %%),
 * json. No loops and no code; "}}" outside of an expression is text, and "{{" is written {{ "{{"
 * }}.
 *
 * A null is as good as missing. What is missing is empty (in JSON: null), or an error for `strict`.
 */
#ifndef HV_TEMPLATE_H
#define HV_TEMPLATE_H

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"

#define TEMPLATE_SOURCES(X)                                                                        \
    X(TEMPLATE_CONTACT, "contact") /* number, name, email */                                       \
    X(TEMPLATE_INFO, "info")       /* additional_info of the call */                               \
    X(TEMPLATE_CALL, "call")       /* id, attempt, test, from_number, created_at, scheduled_at */  \
    X(TEMPLATE_AGENT, "agent")     /* id, name, language */                                        \
    X(TEMPLATE_VARS, "vars")       /* what functions saved */                                      \
    X(TEMPLATE_ARGS, "args") /* during a call: what the model gave, static parameters over it */   \
    X(TEMPLATE_RESULT, "result") /* after it: status, outcome, summary, transcript,                \
                                    transcript_text, duration_seconds, error.code, .message */
enum template_source {
#define X(name, text) name,
    TEMPLATE_SOURCES(X)
#undef X
        TEMPLATE_SOURCE_COUNT
};
#define TEMPLATE_ALL ((1u << TEMPLATE_SOURCE_COUNT) - 1)

struct template_scope {
    const struct json *at[TEMPLATE_SOURCE_COUNT]; /* NULL: all of it is missing */
    usec_t now;
    int offset_minutes; /* of the workspace's zone at `now`, east of UTC */
};

struct template;

/* sources: a bit for each that may be named. ERR_INVALID begins with the place, "at character 12:".
 * The template keeps pointing into text. */
int template_parse(struct pool *pool, struct str text, unsigned sources,
                   struct template **template_r, struct err *err) MUST_CHECK;
/* The same for a field that is saved: errors begin with its name, and more than
 * TEMPLATE_EXPRESSIONS_MAX expressions are refused. */
#define TEMPLATE_EXPRESSIONS_MAX 500
int template_check(struct pool *pool, struct str text, const char *name, unsigned sources,
                   struct template **template_r, struct err *err) MUST_CHECK;
/* The text before its first expression; all of it when it has none. */
struct str template_head(const struct template *t);
bool template_is_text(const struct template *t); /* it has no expression */

enum template_form {
    TEMPLATE_TEXT, /* what is no string is written as JSON */
    TEMPLATE_URL,  /* the same, and each expression percent-encoded */
    TEMPLATE_JSON  /* a JSON value: of any type if the template is one expression, else a string */
};
/* Adds to b. ERR_INVALID: strict, and a name that is missing (it is named); a date of what is no
 * time. ERR_TOO_LARGE: b's maximum, or several times that on the way through filters. */
int template_render(struct buf *b, struct pool *pool, const struct template *t,
                    enum template_form form, const struct template_scope *scope, bool strict,
                    struct err *err) MUST_CHECK;

/* A JSON value whose strings, at any depth, are templates, of at most TEMPLATE_EXPRESSIONS_MAX
 * expressions in all. Names of members are no templates: "{{" in one is refused. Errors begin with
 * the path ("body.slot.date: at character 3: ..."). */
int template_json_check(struct pool *pool, const struct json *value, const char *name,
                        unsigned sources, struct err *err) MUST_CHECK;
int template_json_render(struct buf *b, struct pool *pool, const struct json *value,
                         const struct template_scope *scope, bool strict,
                         struct err *err) MUST_CHECK;

/* For prompts and greetings, which were checked when they were saved: names that are missing are
 * empty, what should be a time and is none stays as it is, and a text that is no good template
 * comes back as it is; so does one that would come out too large: over `max` bytes. */
struct str template_fill(struct pool *pool, struct str text, const struct template_scope *scope,
                         size_t max);

#endif
