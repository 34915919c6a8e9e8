/*
 * test_phone.c - Indian numbers: which are taken, as what, and what is said of the others.
 */
#include "lib/rules/phone.h"
#include "tests/unit/check_main.h"
#include <stdio.h>
#include <string.h>

#define SENTENCE "contact_number must be a valid +91 E.164 phone number. "
#define NO_AREA_CODE                                                                               \
    SENTENCE "No Indian area code fits these digits, and mobile numbers start with 6, 7, 8 or 9."

static const struct {
    const char *number;
    enum phone_kind kind;
} good[] = {
    {"+919876543210", PHONE_MOBILE},
    {"+919000000001", PHONE_MOBILE},
    {"+919999999999", PHONE_MOBILE},
    {"+916000000000", PHONE_MOBILE},
    {"+916000000001", PHONE_MOBILE},
    {"+917000000000", PHONE_MOBILE},
    {"+918000000000", PHONE_MOBILE},
    {"+918888888888", PHONE_MOBILE},
    {"+916828412345", PHONE_MOBILE},   /* amid 6828's landlines */
    {"+911123456789", PHONE_LANDLINE}, /* Delhi, 11 */
    {"+911177777777", PHONE_LANDLINE},
    {"+912222222222", PHONE_LANDLINE}, /* Mumbai, 22 */
    {"+912290000000", PHONE_LANDLINE},
    {"+913322222222", PHONE_LANDLINE}, /* Kolkata, 33 */
    {"+914044444444", PHONE_LANDLINE}, /* Hyderabad, 40 */
    {"+914428123456", PHONE_LANDLINE}, /* Chennai, 44 */
    {"+918022334455", PHONE_LANDLINE}, /* Bengaluru, 80 */
    {"+917926543210", PHONE_LANDLINE}, /* Ahmedabad, 79 */
    {"+912025512345", PHONE_LANDLINE}, /* Pune, 20 */
    {"+911412345678", PHONE_LANDLINE}, /* Jaipur, 141 */
    {"+911602345678", PHONE_LANDLINE}, /* 160 is an area code before 2 to 7 */
    {"+911802345678", PHONE_LANDLINE}, /* and so is 180 */
    {"+911862345678", PHONE_LANDLINE}, /* and 186 */
    {"+911233223456", PHONE_LANDLINE}, /* four digits: 1233 */
    {"+912717951234", PHONE_LANDLINE}, /* an exchange of its own */
    {"+911702912345", PHONE_LANDLINE}, /* area codes with any digit behind */
    {"+912801012345", PHONE_LANDLINE},
    {"+914728912345", PHONE_LANDLINE},
    {"+915527012345", PHONE_LANDLINE},
    {"+913422345678", PHONE_LANDLINE}, /* 342, and 3420 to 3429 */
    {"+913420234567", PHONE_LANDLINE},
    {"+911401234567", PHONE_SERVICE}, /* telemarketers' */
    {"+911402345678", PHONE_SERVICE},
    {"+911600123456", PHONE_SERVICE}, /* banks' and authorities' */
    {"+911601123456", PHONE_SERVICE},
    {"+911800123456", PHONE_SERVICE}, /* toll-free */
    {"+911860123456", PHONE_SERVICE}, /* shared cost */
};

START_TEST(good_numbers)
{
    enum phone_kind kind;
    struct err err = {.code = ERR_NONE};
    int result = phone_check(str_of(good[_i].number), "contact_number", &kind, &err);

    ck_assert_msg(result == 0, "%s: %s", good[_i].number, err.message);
    ck_assert_msg(kind == good[_i].kind, "%s", good[_i].number);
}
END_TEST

static const struct {
    const char *number, *message;
} bad[] = {
    {"", SENTENCE "It is empty."},
    {"+", SENTENCE "Its country code is not +91."},
    {"+91", SENTENCE "It has 0 digits after +91 instead of 10."},
    {"9876543210", SENTENCE "It has no +91 in front."},
    {"09876543210", SENTENCE "It has no +91 in front."},
    {"919876543210", SENTENCE "It has no + in front."},
    {"00919876543210", SENTENCE "It has no +91 in front."},
    {"+14155552671", SENTENCE "Its country code is not +91."},
    {"+929876543210", SENTENCE "Its country code is not +91."},
    {"+91 98765 43210", SENTENCE "It has blanks or punctuation."},
    {"+91-9876543210", SENTENCE "It has blanks or punctuation."},
    {" +919876543210", SENTENCE "It has blanks or punctuation."},
    {"+919876543210 ", SENTENCE "It has blanks or punctuation."},
    {"(+91)9876543210", SENTENCE "It has blanks or punctuation."},
    {"++919876543210", SENTENCE "It has blanks or punctuation."},
    {"+91987654321O", SENTENCE "It has characters that are not digits."},
    {"tel:+919876543210", SENTENCE "It has characters that are not digits."},
    {"+91\xe0\xa5\xaf"
     "876543210",
     SENTENCE "It has characters that are not digits."},
    {"+919876543210\n", SENTENCE "It has characters that are not digits."},
    {"+91987654321", SENTENCE "It has 9 digits after +91 instead of 10."},
    {"+9198765432101", SENTENCE "It has 11 digits after +91 instead of 10."},
    {"+919", SENTENCE "It has 1 digit after +91 instead of 10."},
    {"+91112", SENTENCE "It has 3 digits after +91 instead of 10."},
    {"+9109876543210", SENTENCE "No Indian number starts with 0 after +91."},
    {"+910987654321", SENTENCE "No Indian number starts with 0 after +91."},
    {"+9118001234567", SENTENCE "It has 11 digits after +91 instead of 10."},
    {"+9118601234567", SENTENCE "It has 11 digits after +91 instead of 10."},
    {"+91140123456", SENTENCE "It has 9 digits after +91 instead of 10."},
    {"+911861123456", NO_AREA_CODE},
    {"+911000000000", NO_AREA_CODE},
    {"+911112345678", NO_AREA_CODE}, /* Delhi, but no subscriber starts with 1 */
    {"+911182345678", NO_AREA_CODE},
    {"+911411345678", NO_AREA_CODE},
    {"+911418345678", NO_AREA_CODE},
    {"+911233123456", NO_AREA_CODE},
    {"+912717101234", NO_AREA_CODE},
    {"+912717961234", NO_AREA_CODE},
    {"+911701912345", NO_AREA_CODE},
    {"+913420134567", NO_AREA_CODE},
    {"+915000000000", NO_AREA_CODE},
    {"+915999999999", NO_AREA_CODE},
};

START_TEST(bad_numbers)
{
    enum phone_kind kind;
    struct err err = {.code = ERR_NONE};

    ck_assert_msg(phone_check(str_of(bad[_i].number), "contact_number", &kind, &err) == -1, "%s",
                  bad[_i].number);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strcmp(err.message, bad[_i].message) == 0, "%s: %s", bad[_i].number, err.message);
}
END_TEST

START_TEST(the_field_is_named)
{
    enum phone_kind kind;
    struct err err;

    ck_assert_int_eq(phone_check(STR("12"), "data.contact_number", &kind, &err), -1);
    ck_assert(str_starts(str_of(err.message), "data.contact_number must be"));
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
    enum phone_kind kind;
    struct err err;

    ck_assert_int_eq(phone_check(STR_NULL, "contact_number", &kind, &err), -1);
    ck_assert_int_eq(phone_check(STR("+91987654321\0"), "contact_number", &kind, &err), -1);
}
END_TEST

START_TEST(all_of_6_to_9_are_taken)
{
    enum phone_kind kind;
    struct err err;
    char number[32];

    for (int start = 60000; start < 100000; start++) {
        snprintf(number, sizeof(number), "+91%05d%05d", start, start * 7 % 100000);
        ck_assert_msg(phone_check(str_of(number), "contact_number", &kind, &err) == 0, "%s",
                      number);
        if (start >= 90000)
            ck_assert_msg(kind == PHONE_MOBILE, "%s", number);
    }
}
END_TEST

static Suite *phone_suite(void)
{
    Suite *suite = suite_create("phone");
    TCase *tc = tcase_create("phone");

    tcase_add_loop_test(tc, good_numbers, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(tc, bad_numbers, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(tc, the_field_is_named);
    tcase_add_test(tc, bytes_that_are_no_text);
    tcase_add_test(tc, all_of_6_to_9_are_taken);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(phone_suite)
