/*
 * template_private.h - a parsed template, for template.c, which parses, and template_render.c.
 */
#ifndef HV_TEMPLATE_PRIVATE_H
#define HV_TEMPLATE_PRIVATE_H

#include "lib/rules/template.h"

/* What an expression yields, at any point between its filters. */
enum template_value_kind {
    VALUE_MISSING,
    VALUE_JSON, /* of the scope */
    VALUE_TEXT,
    VALUE_RAW /* JSON text of a number or a boolean */
};
struct template_value {
    enum template_value_kind kind;
    const struct json *json;
    struct str text;
};

enum template_filter_kind {
    FILTER_DEFAULT,
    FILTER_UPCASE,
    FILTER_DOWNCASE,
    FILTER_DATE,
    FILTER_JSON
};
struct template_filter {
    enum template_filter_kind kind;
    struct template_value argument;
    struct template_filter *next;
};

enum template_subject { SUBJECT_SOURCE, SUBJECT_NOW, SUBJECT_DATE, SUBJECT_TIME, SUBJECT_LITERAL };
struct template_expression {
    enum template_subject subject;
    enum template_source source;
    struct str path; /* behind the source's name; its steps are good */
    struct str name; /* all of it, for messages */
    struct template_value literal;
    struct template_filter *filters;
};

struct template_part {
    struct str text; /* if expression is NULL */
    struct template_expression *expression;
    struct template_part *next;
};

struct template
{
    struct template_part *parts;
};

#define DATE_LETTERS "YymdeHIMSpAaBbjz%"

#endif
