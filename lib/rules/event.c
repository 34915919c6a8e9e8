/*
 * event.c - the names of events, filters of them, and the body of an event as customers get it.
 *
 * A body is written once, when the event is made, and its bytes are sent as they are ever after;
 * so the order of its members is fixed here and not left to a JSON library.
 */
#include "lib/rules/event.h"

static const char *const type_texts[] = {
#define X(name, text) [name] = text,
    EVENT_TYPES(X)
#undef X
};
_Static_assert(sizeof(type_texts) / sizeof(type_texts[0]) == EVENT_TYPE_COUNT, "all named");

const char *event_type_text(enum event_type t)
{
    return type_texts[t];
}

int event_type_parse(struct str s, enum event_type *type_r)
{
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        if (str_is(s, type_texts[i])) {
            *type_r = (enum event_type)i;
            return 0;
        }
    }
    return -1;
}

int event_mask_parse(struct str s, unsigned *mask_r, struct err *err)
{
    struct str part;
    enum event_type type;
    unsigned mask = 0;

    if (str_is(str_trim(s), "all")) {
        *mask_r = EVENT_MASK_ALL;
        return 0;
    }
    while (str_split(&s, ',', &part)) {
        part = str_trim(part);
        if (event_type_parse(part, &type) < 0)
            return err_set(err, ERR_INVALID, "\"%.*s\" is not an event type.",
                           part.n < 60 ? (int)part.n : 60, part.n > 0 ? part.p : "");
        mask |= 1u << type;
    }
    if (mask == 0)
        return err_set(err, ERR_INVALID, "At least one event type is needed.");
    *mask_r = mask;
    return 0;
}

static void add_id(struct buf *b, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    id_format(kind, id, text);
    buf_json(b, str_of(text));
}

static void add_completed(struct buf *b, const struct event_data *event)
{
    buf_lit(b, ",\"duration_seconds\":");
    if (event->duration_seconds < 0)
        buf_lit(b, "null");
    else
        buf_i64(b, event->duration_seconds);
    buf_lit(b, ",\"outcome\":");
    buf_json(b, event->outcome);
    buf_lit(b, ",\"summary\":");
    buf_json(b, event->summary);
}

static void add_error(struct buf *b, const struct event_data *event)
{
    struct str message = event->error_message;

    if (message.p == NULL)
        message = str_of(call_error_message(event->error));
    buf_lit(b, ",\"error\":{\"code\":");
    buf_json(b, str_of(call_error_code(event->error)));
    buf_lit(b, ",\"message\":");
    buf_json(b, message);
    buf_lit(b, "}");
}

void event_body(struct buf *b, const struct event_data *event)
{
    char created_at[TIME_TEXT_SIZE];

    time_format(event->created_at, created_at);
    buf_lit(b, "{\"event_id\":");
    add_id(b, ID_EVENT, &event->event_id);
    buf_lit(b, ",\"event_type\":");
    buf_json(b, str_of(event_type_text(event->type)));
    buf_lit(b, ",\"created_at\":");
    buf_json(b, str_of(created_at));
    buf_lit(b, ",\"data\":{\"call_id\":");
    add_id(b, ID_CALL, &event->call_id);
    buf_lit(b, ",\"agent_id\":");
    add_id(b, ID_AGENT, &event->agent_id);
    buf_lit(b, ",\"phone_number\":");
    buf_json(b, event->phone_number);
    switch (event->type) {
    case EVENT_CALL_INITIATED:
        if (event->attempt > 0) {
            buf_lit(b, ",\"attempt\":");
            buf_i64(b, event->attempt);
        }
        break;
    case EVENT_CALL_COMPLETED:
        add_completed(b, event);
        break;
    case EVENT_CALL_FAILED:
    case EVENT_CALL_DISALLOWED:
        add_error(b, event);
        break;
    case EVENT_TYPE_COUNT:
        die("event: type %d", (int)event->type);
    }
    if (event->test)
        buf_lit(b, ",\"test\":true");
    buf_lit(b, "}}");
}
