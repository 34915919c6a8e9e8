/*
 * test_event.c - event types, filters, and the exact bytes of event bodies.
 */
#include "lib/rules/event.h"
#include "tests/unit/check_main.h"
#include <string.h>

#define HEAD(type)                                                                                 \
    "{\"event_id\":\"evt_00000000000000000000000004\",\"event_type\":\"" type                      \
    "\",\"created_at\":\"2024-01-15T10:15:00.000Z\",\"data\":{"                                    \
    "\"call_id\":\"550e8400-e29b-41d4-a716-446655440000\","                                        \
    "\"agent_id\":\"agent_00000000000000000000000008\",\"phone_number\":\"+919876543210\""

#define COMMON                                                                                     \
    .event_id = {{[15] = 1}}, .agent_id = {{[15] = 2}},                                            \
    .call_id = {{0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55,     \
                 0x44, 0x00, 0x00}},                                                               \
    .created_at = INT64_C(1705313700000000), .phone_number = {"+919876543210", 13}

static const struct {
    const char *name;
    struct event_data event;
    const char *body;
} bodies[] = {
    {"completed, as in the reference",
     {COMMON, .type = EVENT_CALL_COMPLETED, .attempt = 2, .duration_seconds = 180,
      .outcome = {"successful", 10}, .summary = {"Customer inquiry resolved.", 26}},
     HEAD("call.completed") ",\"duration_seconds\":180,\"outcome\":\"successful\","
                            "\"summary\":\"Customer inquiry resolved.\"}}"},
    {"completed, nothing known",
     {COMMON, .type = EVENT_CALL_COMPLETED, .duration_seconds = -1},
     HEAD("call.completed") ",\"duration_seconds\":null,\"outcome\":null,\"summary\":null}}"},
    {"completed in no time",
     {COMMON, .type = EVENT_CALL_COMPLETED, .duration_seconds = 0, .outcome = {"", 0}},
     HEAD("call.completed") ",\"duration_seconds\":0,\"outcome\":\"\",\"summary\":null}}"},
    {"initiated",
     {COMMON, .type = EVENT_CALL_INITIATED, .attempt = 1, .error = CALL_ERROR_BUSY},
     HEAD("call.initiated") ",\"attempt\":1}}"},
    {"initiated without its number",
     {COMMON, .type = EVENT_CALL_INITIATED},
     HEAD("call.initiated") "}}"},
    {"initiated, test key",
     {COMMON, .type = EVENT_CALL_INITIATED, .attempt = 3, .test = true},
     HEAD("call.initiated") ",\"attempt\":3,\"test\":true}}"},
    {"failed with the error's own message",
     {COMMON, .type = EVENT_CALL_FAILED, .error = CALL_ERROR_NO_ANSWER},
     HEAD("call.failed") ",\"error\":{\"code\":\"no_answer\","
                         "\"message\":\"The contact did not answer.\"}}}"},
    {"failed with the carrier's words, escaped",
     {COMMON, .type = EVENT_CALL_FAILED, .error = CALL_ERROR_CARRIER_ERROR,
      .error_message = {"no \"trunk\"\n", 11}, .test = true},
     HEAD("call.failed") ",\"error\":{\"code\":\"carrier_error\","
                         "\"message\":\"no \\\"trunk\\\"\\n\"},\"test\":true}}"},
    {"disallowed",
     {COMMON, .type = EVENT_CALL_DISALLOWED, .error = CALL_ERROR_AGENT_DISABLED},
     HEAD("call.disallowed") ",\"error\":{\"code\":\"agent_disabled\","
                             "\"message\":\"The agent is disabled.\"}}}"},
};

START_TEST(body_bytes)
{
    struct buf b;

    buf_init(&b, 65536);
    event_body(&b, &bodies[_i].event);
    ck_assert(!b.overflow);
    ck_assert_msg(str_is(buf_as_str(&b), bodies[_i].body), "%s: %.*s", bodies[_i].name,
                  STR_ARG(buf_as_str(&b)));
    buf_deinit(&b);
}
END_TEST

START_TEST(types_come_back)
{
    enum event_type type;

    ck_assert_int_eq(event_type_parse(str_of(event_type_text((enum event_type)_i)), &type), 0);
    ck_assert_int_eq((int)type, _i);
}
END_TEST

static const struct {
    const char *text;
    unsigned mask; /* 0: refused */
} masks[] = {
    {"all", EVENT_MASK_ALL},
    {" all ", EVENT_MASK_ALL},
    {"call.completed", 1u << EVENT_CALL_COMPLETED},
    {"call.completed,call.failed", 1u << EVENT_CALL_COMPLETED | 1u << EVENT_CALL_FAILED},
    {"call.failed , call.failed", 1u << EVENT_CALL_FAILED},
    {"call.initiated,call.completed,call.failed,call.disallowed", EVENT_MASK_ALL},
    {"", 0},
    {"call.completed,", 0},
    {"call.completed,all", 0},
    {"Call.Completed", 0},
    {"call.cancelled", 0},
};

START_TEST(filters)
{
    unsigned mask = 0;
    struct err err;
    int result = event_mask_parse(str_of(masks[_i].text), &mask, &err);

    ck_assert_msg(result == (masks[_i].mask == 0 ? -1 : 0), "\"%s\"", masks[_i].text);
    if (result == 0)
        ck_assert_uint_eq(mask, masks[_i].mask);
    else
        ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

START_TEST(an_unknown_type_is_named)
{
    unsigned mask;
    struct err err;

    ck_assert_int_eq(event_mask_parse(STR("call.failed,call.fialed"), &mask, &err), -1);
    ck_assert_str_eq(err.message, "\"call.fialed\" is not an event type.");
}
END_TEST

static Suite *event_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *tc = tcase_create("event");

    tcase_add_loop_test(tc, body_bytes, 0, (int)(sizeof(bodies) / sizeof(bodies[0])));
    tcase_add_loop_test(tc, types_come_back, 0, EVENT_TYPE_COUNT);
    tcase_add_loop_test(tc, filters, 0, (int)(sizeof(masks) / sizeof(masks[0])));
    tcase_add_test(tc, an_unknown_type_is_named);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(event_suite)
