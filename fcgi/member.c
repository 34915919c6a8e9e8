/*
 * member.c - see member.h.
 */
#include "fcgi/member.h"
#include "lib/rules/rate.h"

static void name_of(struct buf *b, const char *name)
{
    buf_lit(b, ",\"");
    buf_text(b, name);
    buf_lit(b, "\":");
}

void member_text(struct buf *b, const char *name, struct str value)
{
    name_of(b, name);
    buf_json(b, value);
}

void member_i64(struct buf *b, const char *name, int64_t value)
{
    name_of(b, name);
    buf_i64(b, value);
}

void member_count(struct buf *b, const char *name, int64_t value)
{
    if (value == 0)
        member_null(b, name);
    else
        member_i64(b, name, value);
}

void member_rate(struct buf *b, const char *name, int64_t rate)
{
    if (rate == RATE_DEFAULT)
        member_null(b, name);
    else
        member_i64(b, name, rate == RATE_NONE ? 0 : rate);
}

void member_bool(struct buf *b, const char *name, bool value)
{
    name_of(b, name);
    buf_text(b, value ? "true" : "false");
}

void member_time(struct buf *b, const char *name, usec_t t)
{
    char text[TIME_TEXT_SIZE];
    if (t != TIME_NONE)
        time_format(t, text);
    member_text(b, name, t == TIME_NONE ? STR_NULL : str_of(text));
}

void member_id(struct buf *b, const char *name, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (id_is_zero(id)) {
        member_null(b, name);
        return;
    }
    id_format(kind, id, text);
    member_text(b, name, str_of(text));
}

void member_json(struct buf *b, const char *name, struct str json)
{
    name_of(b, name);
    buf_str(b, json.p != NULL ? json : STR("null"));
}

void member_null(struct buf *b, const char *name)
{
    member_json(b, name, STR_NULL);
}

void member_set(struct buf *b, const char *name, unsigned set, const char *const *texts)
{
    const char *separator = "";
    name_of(b, name);
    buf_char(b, '[');
    for (unsigned i = 0; texts[i] != NULL; i++) {
        if ((set & (1u << i)) == 0)
            continue;
        buf_text(b, separator);
        buf_json(b, str_of(texts[i]));
        separator = ",";
    }
    buf_char(b, ']');
}

void member_hours(struct buf *b, const char *name, const struct calling_hours *hours)
{
    char from[MINUTE_TEXT_SIZE], to[MINUTE_TEXT_SIZE];

    if (hours == NULL) {
        member_null(b, name);
        return;
    }
    minute_format(hours->from_minute, from);
    minute_format(hours->to_minute, to);
    name_of(b, name);
    buf_lit(b, "{\"from\":");
    buf_json(b, str_of(from));
    member_text(b, "to", str_of(to));
    member_set(b, "days", hours->days, week_day_texts);
    buf_char(b, '}');
}

void object_begin(struct buf *b, const char *name, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];
    buf_lit(b, "{\"");
    buf_text(b, name);
    buf_lit(b, "\":");
    id_format(kind, id, text);
    buf_json(b, str_of(text));
}

void answer_deleted(struct answer *an, const char *name, enum id_kind kind, const struct id *id)
{
    buf_lit(&an->body, "{\"data\":");
    object_begin(&an->body, name, kind, id);
    member_bool(&an->body, "deleted", true);
    buf_lit(&an->body, "}}");
}
