/*
 * test_id.c - ids: their layout, their text, and which texts are taken.
 */
#include "lib/rules/id.h"
#include "tests/unit/check_main.h"
#include <string.h>

static const struct id sample = {{0x01, 0x8d, 0x0c, 0x3e, 0x5a, 0xa0, 0x71, 0x23, 0x84, 0x56, 0x78,
                                  0x9a, 0xbc, 0xde, 0xf0, 0x12}};

START_TEST(made_ids_are_version_7)
{
    static const unsigned char ones[10] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff};
    static const unsigned char want[16] = {0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7f, 0xff,
                                           0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    /* the moment of RFC 9562's example, appendix A.6 */
    struct id id = id_make(INT64_C(1645557742000) * USEC_PER_MS, ones);

    ck_assert_mem_eq(id.b, want, 16);
}
END_TEST

START_TEST(later_ids_sort_later)
{
    static const unsigned char ones[10] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff};
    static const unsigned char zeros[10];
    struct id earlier = id_make(INT64_C(1700000000000) * USEC_PER_MS, ones);
    struct id later = id_make(INT64_C(1700000000001) * USEC_PER_MS, zeros);

    ck_assert_int_lt(memcmp(earlier.b, later.b, 16), 0);
}
END_TEST

START_TEST(ids_at_one_moment_sort_by_position)
{
    static const unsigned char ones[10] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff};
    static const unsigned char zeros[10];
    static const uint32_t positions[] = {0, 1, 63, 64, 9999, 16383, 16384, (1u << 18) - 1};
    const usec_t now = INT64_C(1700000000000) * USEC_PER_MS;

    for (size_t i = 1; i < sizeof(positions) / sizeof(positions[0]); i++) {
        struct id before = id_make_at(now, ones, positions[i - 1]);
        struct id after = id_make_at(now, zeros, positions[i]);
        ck_assert_int_lt(memcmp(before.b, after.b, 16), 0);
        ck_assert_int_eq(after.b[6] >> 4, 7);
        ck_assert_int_eq(after.b[8] >> 6, 2);
    }
}
END_TEST

START_TEST(uuid_text)
{
    char text[ID_TEXT_SIZE];

    id_format(ID_CALL, &sample, text);
    ck_assert_str_eq(text, "018d0c3e-5aa0-7123-8456-789abcdef012");
}
END_TEST

START_TEST(every_kind_comes_back)
{
    char text[ID_TEXT_SIZE];
    struct id back;

    id_format((enum id_kind)_i, &sample, text);
    ck_assert_int_eq(id_parse((enum id_kind)_i, str_of(text), &back), 0);
    ck_assert(id_eq(&back, &sample));
    for (unsigned other = 0; other < ID_KIND_COUNT; other++) {
        if (other != (unsigned)_i)
            ck_assert_int_eq(id_parse((enum id_kind)other, str_of(text), &back), -1);
    }
}
END_TEST

START_TEST(prefixed_text)
{
    char text[ID_TEXT_SIZE];

    id_format(ID_AGENT, &sample, text);
    ck_assert_uint_eq(strlen(text), 6 + 26);
    ck_assert(str_starts(str_of(text), "agent_"));
}
END_TEST

static const struct {
    const char *name;
    enum id_kind kind;
    const char *text;
    int result;
} texts[] = {
    {"upper-case hex", ID_CALL, "018D0C3E-5AA0-7123-8456-789ABCDEF012", 0},
    {"another version", ID_CALL, "550e8400-e29b-41d4-a716-446655440000", 0},
    {"empty", ID_CALL, "", -1},
    {"no hyphens", ID_CALL, "018d0c3e5aa071238456789abcdef012", -1},
    {"hyphen moved", ID_CALL, "018d0c3-e5aa0-7123-8456-789abcdef012", -1},
    {"too short", ID_CALL, "018d0c3e-5aa0-7123-8456-789abcdef01", -1},
    {"too long", ID_CALL, "018d0c3e-5aa0-7123-8456-789abcdef0123", -1},
    {"not hex", ID_CALL, "018d0c3g-5aa0-7123-8456-789abcdef012", -1},
    {"braces", ID_CALL, "{18d0c3e-5aa0-7123-8456-789abcdef01}", -1},
    {"bare prefix", ID_AGENT, "agent_", -1},
    {"the reference's short form", ID_AGENT, "agent_123", -1},
    {"upper-case digits", ID_AGENT, "agent_00HM67WPN0E4J115KRKAYDWW0J", -1},
    {"upper-case prefix", ID_AGENT, "AGENT_00000000000000000000000000", -1},
    {"letters outside the alphabet", ID_AGENT, "agent_uuuuuuuuuuuuuuuuuuuuuuuuuu", -1},
    {"look-alikes of digits", ID_AGENT, "agent_0000000000000000000000000o", -1},
    {"unused bits set", ID_AGENT, "agent_00000000000000000000000001", -1},
    {"zeros", ID_AGENT, "agent_00000000000000000000000000", 0},
    {"one digit more", ID_AGENT, "agent_000000000000000000000000000", -1},
    {"a blank behind", ID_AGENT, "agent_00000000000000000000000000 ", -1},
};

START_TEST(which_texts_are_taken)
{
    struct id id;

    ck_assert_msg(id_parse(texts[_i].kind, str_of(texts[_i].text), &id) == texts[_i].result, "%s",
                  texts[_i].name);
}
END_TEST

START_TEST(no_text_is_no_id)
{
    struct id id;

    ck_assert_int_eq(id_parse(ID_CALL, STR_NULL, &id), -1);
    ck_assert_int_eq(id_parse(ID_AGENT, STR_NULL, &id), -1);
}
END_TEST

START_TEST(zero)
{
    struct id id = {{0}};

    ck_assert(id_is_zero(&id));
    ck_assert(!id_is_zero(&sample));
    id.b[15] = 1;
    ck_assert(!id_is_zero(&id));
}
END_TEST

static Suite *id_suite(void)
{
    Suite *suite = suite_create("id");
    TCase *tc = tcase_create("id");

    tcase_add_test(tc, made_ids_are_version_7);
    tcase_add_test(tc, later_ids_sort_later);
    tcase_add_test(tc, ids_at_one_moment_sort_by_position);
    tcase_add_test(tc, uuid_text);
    tcase_add_loop_test(tc, every_kind_comes_back, 0, ID_KIND_COUNT);
    tcase_add_test(tc, prefixed_text);
    tcase_add_loop_test(tc, which_texts_are_taken, 0, (int)(sizeof(texts) / sizeof(texts[0])));
    tcase_add_test(tc, no_text_is_no_id);
    tcase_add_test(tc, zero);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(id_suite)
